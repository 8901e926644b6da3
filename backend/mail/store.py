"""Storing one message: bytes first, then what was read in it, in the conversation where it belongs.

Everything runs inside the caller's action. One mailbox stores one batch at a time (`hold_threading`), because the
conversation of a message depends on what was stored before it. What comes from servers goes another way, in batches,
which comes to the same (backend/mail/batches.py).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from backend.database.connection import Row, execute, execute_many, fetch_row
from backend.mail.raw import store_raw
from backend.mail.reading import Prepared, prepare
from sync.mime.message import ParsedMessage
from sync.mime.threading import ThreadLinks, thread_headers, thread_keys

THREADING_LOCK = 7_264_338
"""First key of the advisory lock that orders the storing of a mailbox's messages; the second is its id."""
MOST_ADDRESSED = 1_000
"""Recipients of one message that are looked at for who is concerned."""
FUTURE_ALLOWED = timedelta(hours=1)
"""A Date header further ahead than this is a lie that would keep the mail on top; the arrival counts then."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadMessage:
    """A message ready to be stored. `received_at` is when the server took it (INTERNALDATE)."""

    raw: bytes
    parsed: ParsedMessage | Prepared
    received_at: datetime
    outgoing: bool
    author_id: int | None = None

    @property
    def prepared(self) -> Prepared:
        """What is stored of it. Worked out each time unless it came so."""
        return self.parsed if isinstance(self.parsed, Prepared) else prepare(self.raw, self.parsed)

    @property
    def date(self) -> datetime:
        """When it was written, as far as that can be believed."""
        written = self.parsed.written if isinstance(self.parsed, Prepared) else self.parsed.date
        return believable(written, self.received_at)


def believable(written: datetime | None, received_at: datetime) -> datetime:
    """The date that a message claims, unless that lies in the future of its arrival."""
    limit = min(received_at, datetime.now(UTC)) + FUTURE_ALLOWED
    return written if written is not None and written <= limit else received_at


async def hold_threading(mailbox_id: int) -> None:
    """Until the transaction ends, nobody else stores messages in this mailbox."""
    await execute("SELECT pg_advisory_xact_lock($1::int, $2::int)", THREADING_LOCK, mailbox_id)


async def find_stored(mailbox_id: int, parsed: ParsedMessage | Prepared) -> Row | None:
    """The message with the same Message-ID *and* content, if the mailbox has it: id, conversation_id, gone_at."""
    return await fetch_row(
        "SELECT id, conversation_id, gone_at FROM messages "
        "WHERE (mailbox_id = $1 OR moved_from = $1) AND message_id = $2 AND content_digest = $3 ORDER BY id LIMIT 1",
        mailbox_id,
        parsed.message_id or "",
        parsed.content_digest if isinstance(parsed, Prepared) else parsed.digest,
    )


async def insert_message(mailbox_id: int, conversation_id: int, message: ReadMessage) -> Row:
    """Store the bytes and the row of a message that is nobody's news; answers the row."""
    prepared = message.prepared
    await store_raw(message.raw, prepared.digest)
    record = await fetch_row(
        "INSERT INTO messages (mailbox_id, conversation_id, raw_digest, content_digest, message_id, "
        "direction, sender, recipients, date, subject, snippet, body_text, has_html, attachments, problems, arrival, "
        "author_id, automatic, stored_at) "
        "VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, 0, $16, $17, now()) "
        "RETURNING *",
        mailbox_id,
        conversation_id,
        prepared.digest,
        prepared.content_digest,
        prepared.message_id,
        "outgoing" if message.outgoing else "incoming",
        prepared.sender,
        prepared.recipients,
        message.date,
        prepared.subject,
        prepared.snippet,
        prepared.text,
        prepared.has_html,
        prepared.attachments,
        prepared.problems,
        message.author_id,
        prepared.automatic,
    )
    assert record is not None
    return record


def links_of(parsed: ParsedMessage | Prepared) -> ThreadLinks:
    """The keys by which its conversation is found."""
    return parsed.links if isinstance(parsed, Prepared) else thread_keys(thread_headers(parsed))


async def leave_keys(mailbox_id: int, conversation_id: int, parsed: ParsedMessage | Prepared) -> None:
    """Remember by which keys later messages find this one's conversation."""
    await leave_all_keys([(mailbox_id, conversation_id, parsed)])


async def leave_all_keys(messages: Sequence[tuple[int, int, ParsedMessage | Prepared]]) -> None:
    """The same for many: the mailbox, the conversation, the message."""
    rows: list[tuple[int, str, int, datetime | None]] = []
    for mailbox_id, conversation_id, parsed in messages:
        links = links_of(parsed)
        rows += [(mailbox_id, link, conversation_id, None) for link in sorted(links.leaves)]
        rows += [(mailbox_id, link, conversation_id, links.date) for link in sorted(links.dated_leaves)]
    await execute_many(
        "INSERT INTO thread_links (mailbox_id, link, conversation_id, at) VALUES ($1, $2, $3, $4) "
        "ON CONFLICT DO NOTHING",
        rows,
    )


def addressed_in(parsed: ParsedMessage | Prepared) -> list[str]:
    """The lower-case To and Cc addresses."""
    if isinstance(parsed, Prepared):
        return list(parsed.addressed[:MOST_ADDRESSED])
    return [person.address.lower() for person in (*parsed.to, *parsed.cc)][:MOST_ADDRESSED]
