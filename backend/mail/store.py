"""Storing messages: bytes first, then what was read in them, in the conversation where they belong.

Everything runs inside the caller's action. One mailbox stores one batch at a time (`hold_threading`), because the
conversation of a message depends on what was stored before it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import msgspec

from backend.database.connection import Row, execute, execute_many, fetch, fetch_row, fetch_value
from backend.mail.contracts import AttachmentItem, MailAddress
from backend.mail.raw import store_raw
from sync.mime.message import Address, ParsedMessage
from sync.mime.threading import SUBJECT_WINDOW, ThreadLinks, thread_headers, thread_keys

THREADING_LOCK = 7_264_338
"""First key of the advisory lock that orders the storing of a mailbox's messages; the second is its id."""
LONGEST_TEXT = 200_000
"""Characters of a body's text that are kept for reading and searching; the raw message holds the rest."""
MOST_ADDRESSED = 1_000
"""Recipients of one message that are looked at for who is concerned."""
FUTURE_ALLOWED = timedelta(hours=1)
"""A Date header further ahead than this is a lie that would keep the mail on top; the arrival counts then."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadMessage:
    """A message ready to be stored. `received_at` is when the server took it (INTERNALDATE)."""

    raw: bytes
    parsed: ParsedMessage
    received_at: datetime
    outgoing: bool
    author_id: int | None = None

    @property
    def date(self) -> datetime:
        """When it was written, as far as that can be believed."""
        written = self.parsed.date
        limit = min(self.received_at, datetime.now(UTC)) + FUTURE_ALLOWED
        return written if written is not None and written <= limit else self.received_at


async def hold_threading(mailbox_id: int) -> None:
    """Until the transaction ends, nobody else stores messages in this mailbox."""
    await execute("SELECT pg_advisory_xact_lock($1::int, $2::int)", THREADING_LOCK, mailbox_id)


async def find_stored(mailbox_id: int, parsed: ParsedMessage) -> Row | None:
    """The same message, if the mailbox has it: same Message-ID *and* content (DESIGN: identity)."""
    if parsed.message_id:
        return await fetch_row(
            "SELECT id, conversation_id, gone_at FROM messages "
            "WHERE mailbox_id = $1 AND message_id = $2 AND content_digest = $3",
            mailbox_id,
            parsed.message_id,
            parsed.digest,
        )
    return await fetch_row(
        "SELECT id, conversation_id, gone_at FROM messages "
        "WHERE mailbox_id = $1 AND message_id = '' AND content_digest = $2",
        mailbox_id,
        parsed.digest,
    )


async def insert_message(mailbox_id: int, conversation_id: int, message: ReadMessage, arrival: int) -> Row:
    """Store the bytes and the message's row; answers the row."""
    parsed = message.parsed
    digest = await store_raw(message.raw)
    record = await fetch_row(
        "INSERT INTO messages (mailbox_id, conversation_id, raw_digest, content_digest, message_id, direction, "
        "sender, recipients, date, subject, snippet, body_text, has_html, attachments, problems, arrival, "
        "author_id, automatic, stored_at) "
        "VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, now()) "
        "RETURNING *",
        mailbox_id,
        conversation_id,
        digest,
        parsed.digest,
        parsed.message_id or "",
        "outgoing" if message.outgoing else "incoming",
        _json(mail_address(parsed.from_)) if parsed.from_ else None,
        _json({"to": people(parsed.to), "cc": people(parsed.cc), "reply_to": people(parsed.reply_to)}),
        message.date,
        parsed.subject,
        parsed.snippet,
        (parsed.text or "")[:LONGEST_TEXT],
        parsed.html is not None,
        _json(
            [
                AttachmentItem(
                    position=a.position,
                    filename=a.filename,
                    content_type=a.content_type,
                    size=len(a.content),
                    inline=a.inline,
                )
                for a in parsed.attachments
            ]
        ),
        _json(list(parsed.problems)),
        arrival,
        message.author_id,
        parsed.auto_submitted,
    )
    assert record is not None
    return record


async def find_conversations(mailbox_id: int, message: ReadMessage, own_addresses: set[str]) -> list[int]:
    """The conversations that the message belongs to by its headers, oldest first.

    A private conversation takes mail of its correspondents and our own only: naming its Message-ID is not enough.
    """
    links = thread_keys(thread_headers(message.parsed))
    found = await _linked(mailbox_id, links)
    sender = {message.parsed.from_.address.lower()} if message.parsed.from_ else {""}
    admitted = [
        record
        for record in found
        if record["visibility"] == "open" or message.outgoing or sender <= _people_of(record) | own_addresses
    ]
    closed = [record for record in admitted if record["visibility"] != "open"]
    if closed:
        # Nor does such mail carry a stranger's conversation in with it.
        known = own_addresses.union(*(_people_of(record) for record in closed))
        admitted = [record for record in admitted if record in closed or _writers_of(record) <= known]
    return [record["id"] for record in admitted]


async def _linked(mailbox_id: int, links: ThreadLinks) -> Sequence[Row]:
    date = links.date
    return await fetch(
        "SELECT c.id, c.visibility, c.addressed, c.correspondents FROM conversations c WHERE c.joined_into IS NULL "
        "AND c.id IN (SELECT conversation_id FROM thread_links WHERE mailbox_id = $1 "
        "AND (link = ANY($2) OR (link = ANY($3) AND at BETWEEN $4 AND $5))) ORDER BY c.id",
        mailbox_id,
        list(links.finds),
        list(links.dated_finds) if date else [],
        date - SUBJECT_WINDOW if date else None,
        date + SUBJECT_WINDOW if date else None,
    )


def _writers_of(conversation: Row) -> set[str]:
    return {person["address"].lower() for person in msgspec.json.decode(conversation["correspondents"])}


def _people_of(conversation: Row) -> set[str]:
    return _writers_of(conversation) | set(conversation["addressed"])


async def leave_keys(mailbox_id: int, conversation_id: int, parsed: ParsedMessage) -> None:
    """Remember by which keys later messages find this one's conversation."""
    links = thread_keys(thread_headers(parsed))
    rows = [(mailbox_id, link, conversation_id, None) for link in sorted(links.leaves)]
    rows += [(mailbox_id, link, conversation_id, links.date) for link in sorted(links.dated_leaves)]
    await execute_many(
        "INSERT INTO thread_links (mailbox_id, link, conversation_id, at) VALUES ($1, $2, $3, $4) "
        "ON CONFLICT DO NOTHING",
        rows,
    )


async def next_arrival(mailbox_id: int) -> int:
    """The number of a message that arrives now."""
    return await fetch_value(
        "UPDATE mailboxes SET last_arrival = last_arrival + 1 WHERE id = $1 RETURNING last_arrival", mailbox_id
    )


def addressed_in(parsed: ParsedMessage) -> list[str]:
    """The lower-case To and Cc addresses."""
    return [person.address.lower() for person in (*parsed.to, *parsed.cc)][:MOST_ADDRESSED]


def mail_address(person: Address) -> MailAddress:
    return MailAddress(name=person.name, address=person.address)


def people(persons: Sequence[Address]) -> list[MailAddress]:
    return [mail_address(person) for person in persons]


def _json(value: object) -> str:
    return msgspec.json.encode(value).decode()
