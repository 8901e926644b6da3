"""From a draft to the bytes that will be sent: fixed at Send, with a Message-ID for good."""

import asyncio
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from backend.access.asker import Asker
from backend.compose.body import body_of
from backend.compose.contracts import Draft
from backend.compose.inviting import as_file, calendar_of
from backend.compose.senders import sending_as
from backend.database.connection import Row, fetch_row
from backend.errors import Unacceptable
from backend.mail import blobs
from backend.mail.contracts import MailAddress
from backend.mail.raw import load_raw
from backend.meetings.queries import Planned
from backend.templates.pictures import pictures_for
from sync.mime.build import Composition, CompositionError, build_message, new_message_id
from sync.mime.composed import pictures_in
from sync.mime.headers import split_head
from sync.mime.message import Address, Attachment, ParsedMessage
from sync.mime.parse import parse_message
from sync.mime.recipients import parse_recipients


@dataclass(frozen=True, slots=True)
class Frozen:
    """A mail ready for the outbox. `envelope` holds every recipient once, Bcc and the mailbox's own copy included."""

    raw: bytes
    parsed: ParsedMessage
    message_id: str
    sender: str
    envelope: tuple[str, ...]
    server_id: int | None = None


@dataclass(frozen=True, slots=True)
class CheckedRecipients:
    to: tuple[Address, ...]
    cc: tuple[Address, ...]
    bcc: tuple[Address, ...]

    @property
    def addresses(self) -> list[str]:
        return [person.address for person in (*self.to, *self.cc, *self.bcc)]


def check_recipients(draft: Draft) -> CheckedRecipients:
    """Raises Unacceptable, field by field, for what is no address, and when there is nobody to write to."""
    wrong: dict[str, str] = {}
    lists: dict[str, tuple[Address, ...]] = {}
    for field, people in (("to", draft.to), ("cc", draft.cc), ("bcc", draft.bcc)):
        found, problems = written_addresses(people)
        lists[field] = tuple(found)
        if problems:
            wrong[field] = " ".join(problems)
    if wrong:
        raise Unacceptable("An address cannot be written to.", "Correct it, or take it out.", fields=wrong)
    if not any(lists.values()):
        raise Unacceptable(
            "There is nobody to write to.", "Add a recipient.", fields={"to": "Add at least one address."}
        )
    return CheckedRecipients(lists["to"], lists["cc"], lists["bcc"])


def written_addresses(people: Sequence[MailAddress]) -> tuple[list[Address], list[str]]:
    """Those of them whose address is one, and what is wrong with the others."""
    found: list[Address] = []
    problems: list[str] = []
    for person in people:
        parsed, wrong = parse_recipients(person.address)
        if len(parsed) == 1 and not wrong:
            found.append(Address(person.name or parsed[0].name, parsed[0].address))
        else:
            entry = person.address or person.name
            reason = wrong[0].reason if wrong else "It is not one address."
            problems.append(f"“{entry}” cannot be used: {reason}")
    return found, problems


async def freeze(
    draft: Draft,
    answers_id: int | None,
    mailbox: Row,
    files: Sequence[Row],
    *,
    writer_id: int,
    send_at: datetime | None = None,
    meeting: Planned | None = None,
    meeting_uid: str | None = None,
) -> Frozen:
    """Build the mail that this person sends, dated now or `send_at`. Touches no row. The first one that invites to a
    meeting (without a `meeting_uid`) gives it its own Message-ID as its UID.

    Raises Unacceptable for what is no mail.
    """
    recipients = check_recipients(draft)
    leaving = await sending_as(draft, mailbox, writer_id)
    in_reply_to, references = await thread_of(answers_id if draft.kind in ("reply", "reply_all") else None)
    text, html, quoted = await body_of(draft, answers_id, writer_id, meeting)
    shown = set(pictures_in(html or ""))
    attachments = await attached(files, shown)
    known = {each.content_id for each in attachments}
    attachments += [each for each in quoted if each.content_id in shown - known]
    attachments += await _pictures_of_templates(writer_id, shown - known, len(attachments))
    try:
        message_id = new_message_id(leaving.from_.address.rpartition("@")[2])
        calendar = None
        if meeting is not None:
            written = calendar_of(meeting, meeting_uid or message_id, leaving.from_, (*recipients.to, *recipients.cc))
            calendar = (meeting.method.upper(), written)
            attachments.append(as_file(written, len(attachments)))
        composition = Composition(
            message_id=message_id,
            from_=leaving.from_,
            sender=leaving.sender,
            reply_to=leaving.reply_to,
            to=recipients.to,
            cc=recipients.cc,
            bcc=recipients.bcc,
            subject=draft.subject,
            date=(send_at or datetime.now(UTC)).replace(microsecond=0),
            text=text,
            html=html,
            flowed=html is None,
            attachments=tuple(attachments),
            in_reply_to=in_reply_to,
            references=references,
            calendar=calendar,
        )
        raw = await asyncio.to_thread(build_message, composition)
    except CompositionError as fault:
        raise Unacceptable("This cannot be written as a mail.", "Correct what is named.", reason=str(fault)) from fault
    own_copy = [mailbox["reply_bcc"]] if mailbox["reply_bcc"] and draft.kind in ("reply", "reply_all") else []
    return Frozen(
        raw=raw,
        parsed=await asyncio.to_thread(parse_message, raw),
        message_id=composition.message_id,
        sender=leaving.from_.address,
        server_id=leaving.server_id,
        envelope=_each_once([*recipients.addresses, *own_copy]),
    )


async def attached(files: Sequence[Row], shown: Collection[str]) -> list[Attachment]:
    """The files of a draft, and those of its pictures that its text shows."""
    return [
        Attachment(
            position,
            file["filename"],
            file["content_type"],
            file["content_id"] or None,
            bool(file["content_id"]),
            await blobs.get(file["digest"]),
        )
        for position, file in enumerate(files)
        if not file["content_id"] or file["content_id"] in shown
    ]


async def _pictures_of_templates(writer_id: int, content_ids: Collection[str], position: int) -> list[Attachment]:
    """Those of the signature and the footer."""
    return [
        Attachment(
            position + number,
            each["filename"],
            each["content_type"],
            each["content_id"],
            True,
            await blobs.get(each["digest"]),
        )
        for number, each in enumerate(await pictures_for(Asker(writer_id, "member"), sorted(content_ids)))
    ]


async def thread_of(answers_id: int | None) -> tuple[str | None, tuple[str, ...]]:
    """In-Reply-To and References (RFC 5322 section 3.6.4), from the headers of the message answered."""
    if answers_id is None:
        return None, ()
    row = await fetch_row("SELECT message_id, raw_digest FROM messages WHERE id = $1", answers_id)
    if row is None or not row["message_id"]:
        return None, ()
    head = split_head(await load_raw(row["raw_digest"]))[0]
    answered = parse_message(head + b"\r\n\r\n")
    earlier = answered.references or answered.in_reply_to[:1]
    return row["message_id"], (*earlier, row["message_id"])


def _each_once(addresses: Sequence[str]) -> tuple[str, ...]:
    return tuple({address.lower(): address for address in reversed(addresses)}.values())[::-1]
