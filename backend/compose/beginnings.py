"""What a draft begins with: whom a reply goes to, its subject, what a forward carries along."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

import msgspec

from backend.access.asker import Asker
from backend.access.fetch import access_conversation, access_mailbox, access_message
from backend.compose.contracts import CreateDraft, DraftKind, SignedBy
from backend.compose.queries import WrittenRecipients
from backend.database.connection import Row, fetch_row
from backend.errors import NotFound, Unacceptable
from backend.identities.contracts import DraftSender
from backend.identities.queries import habits_for
from backend.mail.contracts import MailAddress
from backend.mail.intake import own_addresses
from backend.mail.keeping import keep_one
from backend.mail.raw import load_raw
from sync.mime.parse import parse_message
from sync.mime.subjects import base_subject

_ALREADY_REPLY = re.compile(r"\s*re\s*:", re.IGNORECASE)
_ALREADY_FORWARD = re.compile(r"\s*fwd?\s*:", re.IGNORECASE)


AS_ITS_MAILBOX = DraftSender()


@dataclass(frozen=True, slots=True, kw_only=True)
class CarriedFile:
    """A file that is in the blob store already."""

    filename: str
    content_type: str
    size: int
    digest: str
    content_id: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Beginning:
    mailbox_id: int
    conversation_id: int | None
    kind: DraftKind
    recipients: WrittenRecipients
    subject: str
    text: str = ""
    html: str | None = ""
    quoted: bool = False
    answers_id: int | None = None
    files: Sequence[CarriedFile] = ()
    sender: DraftSender = AS_ITS_MAILBOX
    signature: SignedBy | None = None
    """None: the mailbox's; where there is none, the person's."""


class _Headers(msgspec.Struct):
    to: list[MailAddress] = []
    cc: list[MailAddress] = []
    reply_to: list[MailAddress] = []


async def begin_new(asker: Asker, given: CreateDraft) -> Beginning:
    """An empty mail from a mailbox: the one named, else the one that the person wrote from last; and as they sent last
    from it. Raises NotFound when the person cannot open it."""
    habits = await habits_for(asker)
    mailbox_id = given.mailbox_id or habits.mailbox_id
    if mailbox_id is None or given.conversation_id is not None or given.message_id is not None:
        raise Unacceptable("A new mail is written from a mailbox.", "Name a mailbox, and no conversation.")
    await access_mailbox(asker, mailbox_id)
    return Beginning(
        mailbox_id=mailbox_id,
        conversation_id=None,
        kind="new",
        recipients=WrittenRecipients(),
        subject="",
        sender=DraftSender(identity_id=habits.identity_id) if mailbox_id == habits.mailbox_id else AS_ITS_MAILBOX,
    )


async def begin_reply(asker: Asker, given: CreateDraft) -> Beginning:
    """An answer to a message, or a forward of it: the one named, else the newest incoming one of the conversation."""
    message = await _message(asker, given)
    mailbox_id, conversation_id = message["mailbox_id"], message["conversation_id"]
    if given.kind == "forward":
        return Beginning(
            mailbox_id=mailbox_id,
            conversation_id=conversation_id,
            kind="forward",
            recipients=WrittenRecipients(),
            subject=message["subject"] if _ALREADY_FORWARD.match(message["subject"]) else f"Fwd: {message['subject']}",
            quoted=True,
            answers_id=message["id"],
            files=await _files_of(message),
        )
    return Beginning(
        mailbox_id=mailbox_id,
        conversation_id=conversation_id,
        kind=given.kind,
        recipients=_answered(message, await own_addresses(mailbox_id), to_all=given.kind == "reply_all"),
        subject=reply_subject(message["subject"]),
        quoted=True,
        answers_id=message["id"],
    )


async def _message(asker: Asker, given: CreateDraft) -> Row:
    if given.message_id is not None:
        message = await access_message(asker, given.message_id)
        if given.conversation_id is not None:
            key = await access_conversation(asker, given.conversation_id)
            if key.conversation_id != message["conversation_id"]:
                raise NotFound("There is no such message in this conversation.", "It may have been moved meanwhile.")
        return message
    if given.conversation_id is None:
        raise Unacceptable("A reply answers a conversation.", "Name the conversation, or the message answered.")
    key = await access_conversation(asker, given.conversation_id)
    newest = await fetch_row(
        "SELECT * FROM messages WHERE conversation_id = $1 AND gone_at IS NULL "
        "ORDER BY direction = 'incoming' DESC, date DESC, id DESC LIMIT 1",
        key.conversation_id,
    )
    if newest is None:
        raise Unacceptable("There is no message here to answer.", "Write a new mail instead.")
    return newest


def _answered(message: Row, own: set[str], *, to_all: bool) -> WrittenRecipients:
    """Whom an answer goes to. Answering a mail of our own goes on writing to whom that went."""
    headers = msgspec.json.decode(message["recipients"], type=_Headers)
    sender = [msgspec.json.decode(message["sender"], type=MailAddress)] if message["sender"] else []
    if message["direction"] == "outgoing":
        to, others = headers.to, headers.cc
    else:
        to, others = headers.reply_to or sender, [*headers.to, *headers.cc]
    to = _each_once([p for p in to if p.address], besides=set())
    if not to_all:
        return WrittenRecipients(to=to)
    taken = {p.address.lower() for p in to}
    return WrittenRecipients(to=to, cc=_each_once(others, besides=own | taken))


def _each_once(people: Sequence[MailAddress], besides: set[str]) -> list[MailAddress]:
    seen = set(besides)
    kept = []
    for person in people:
        if person.address and person.address.lower() not in seen:
            seen.add(person.address.lower())
            kept.append(person)
    return kept


def reply_subject(subject: str) -> str:
    """ "Re: " before the subject, unless it is there; a foreign or forward prefix is taken off first."""
    if _ALREADY_REPLY.match(subject):
        return subject.strip()
    if base_subject(subject)[1] and ":" in subject:
        return f"Re: {subject.partition(':')[2].strip()}"
    return f"Re: {subject.strip()}".strip()


async def _files_of(message: Row) -> list[CarriedFile]:
    """The message's attachments, put into the blob store for the draft."""
    if message["attachments"] == "[]":
        return []
    parsed = parse_message(await load_raw(message["raw_digest"]))
    return [
        CarriedFile(
            filename=file.filename,
            content_type=file.content_type,
            size=len(file.content),
            digest=await keep_one(file.content),
        )
        for file in parsed.attachments
        if not file.inline
    ]
