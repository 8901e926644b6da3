"""A message read once, in the form in which it is stored: values for columns, keys for threading, and nothing else.

`read_message` is pure and its answer small beside the message, so that it can be worked out in another process.
"""

import hashlib
from dataclasses import replace
from datetime import datetime

import msgspec

from backend.mail.contracts import AttachmentItem, MailAddress
from sync.mime.bounces import read_report
from sync.mime.calendar import read_answer
from sync.mime.message import Address, ParsedMessage
from sync.mime.parse import parse_message
from sync.mime.threading import ThreadLinks, nearest_parents, thread_headers, thread_keys

LONGEST_TEXT = 200_000
"""Characters of a body's text that are kept for reading and searching; the raw message holds the rest."""


class Prepared(msgspec.Struct, frozen=True, gc=False):
    """What is stored of a message beside its bytes.

    - `digest`: SHA-256 of the bytes; `content_digest` and `message_id` (empty when absent) are its identity.
    - `written`: the Date header, not yet checked for being believable.
    - `sender`, `recipients`, `attachments`, `problems`: JSON as in the columns of these names.
    - `sender_name`, `sender_address` (lower case): empty when absent. `addressed`: lower-case To, then Cc.
    - `reports`: it is a bounce or a complaint; it belongs to the conversation of the mail that it is about.
    - `leaves`, `finds`, `dated_leaves`, `dated_finds`, `linked_at`: the keys of `sync.mime.threading.ThreadLinks`.
    """

    digest: str
    size: int
    content_digest: str
    message_id: str
    written: datetime | None
    subject: str
    snippet: str
    text: str
    has_html: bool
    automatic: bool
    sender: str | None
    recipients: str
    attachments: str
    problems: str
    sender_name: str
    sender_address: str
    addressed: tuple[str, ...]
    leaves: tuple[str, ...]
    finds: tuple[str, ...]
    dated_leaves: tuple[str, ...]
    dated_finds: tuple[str, ...]
    linked_at: datetime | None
    nearest: tuple[str, ...] = ()
    """What it answers first, then what that answered: `sync.mime.threading.nearest_parents`."""
    reports: bool = False
    answers_meeting: tuple[str, str] | None = None
    """The UID that it answers to, and who answers; it belongs to the conversation of the invitation."""
    accepts_only: bool = False
    """It says yes to a meeting, and nothing else."""

    @property
    def links(self) -> ThreadLinks:
        """The keys by which its conversation is found."""
        return ThreadLinks(
            leaves=frozenset(self.leaves),
            finds=frozenset(self.finds),
            dated_leaves=frozenset(self.dated_leaves),
            dated_finds=frozenset(self.dated_finds),
            date=self.linked_at,
        )


def read_message(raw: bytes) -> Prepared:
    """Read a message as well as it can be read. Never raises; in bounded time and memory."""
    return prepare(raw, parse_message(raw))


def prepare(raw: bytes, parsed: ParsedMessage) -> Prepared:
    """The same for a message that has been parsed already."""
    headers = thread_headers(parsed)
    report = read_report(parsed)
    if report is not None:
        headers = replace(headers, parents=(*headers.parents, *reversed(report.message_ids)))
    answer = read_answer(parsed)
    if answer is not None:  # its UID is the Message-ID of the invitation, which not every calendar names otherwise
        headers = replace(headers, parents=(*headers.parents, answer.uid))
    links = thread_keys(headers)
    sender = parsed.from_
    return Prepared(
        digest=hashlib.sha256(raw).hexdigest(),
        size=len(raw),
        content_digest=parsed.digest,
        message_id=parsed.message_id or "",
        written=parsed.date,
        subject=parsed.subject,
        snippet=parsed.snippet,
        text=(parsed.text or "")[:LONGEST_TEXT],
        has_html=parsed.html is not None,
        automatic=parsed.auto_submitted,
        sender=_json(mail_address(sender)) if sender else None,
        recipients=_json({"to": people(parsed.to), "cc": people(parsed.cc), "reply_to": people(parsed.reply_to)}),
        attachments=_json(
            [
                AttachmentItem(
                    position=each.position,
                    filename=each.filename,
                    content_type=each.content_type,
                    size=len(each.content),
                    inline=each.inline,
                )
                for each in parsed.attachments
            ]
        ),
        problems=_json(list(parsed.problems)),
        sender_name=sender.name if sender else "",
        sender_address=sender.address.lower() if sender else "",
        addressed=tuple(person.address.lower() for person in (*parsed.to, *parsed.cc)),
        leaves=tuple(sorted(links.leaves)),
        finds=tuple(sorted(links.finds)),
        dated_leaves=tuple(sorted(links.dated_leaves)),
        dated_finds=tuple(sorted(links.dated_finds)),
        linked_at=links.date,
        nearest=nearest_parents(headers),
        reports=report is not None,
        answers_meeting=(answer.uid, answer.attendee) if answer is not None else None,
        accepts_only=answer is not None and answer.bare,
    )


def mail_address(person: Address) -> MailAddress:
    return MailAddress(name=person.name, address=person.address)


def people(persons: tuple[Address, ...]) -> list[MailAddress]:
    return [mail_address(person) for person in persons]


def _json(value: object) -> str:
    return msgspec.json.encode(value).decode()
