"""Bringing mail from files into a mailbox, as history: it notifies nobody and reopens nothing.

What the mailbox has already is passed over by identity, so an import that was interrupted is simply run again. A
message that cannot be read is stored as it is; one that cannot be stored is told at the end, and the rest goes on.
"""

import asyncio
import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import asyncpg

from backend.database.connection import Row, fetch, fetch_row
from backend.errors import NotFound, TandemError
from backend.mail.archives import Archive, Kept, find_archives, read_archive
from backend.mail.fetched import Fetched
from backend.mail.filing import Filed, Filing, file_history
from backend.mail.places import Where
from backend.mail.reading import prepare
from sync.mime.parse import parse_message

log = logging.getLogger(__name__)

_PLACES: Mapping[str, Where] = {"inbox": "inbox", "sent": "sent", "junk": "junk"}
BATCH_MESSAGES = 200
BATCH_BYTES = 16 * 1024 * 1024
"""What one transaction stores at most, unless a single message is larger."""


@dataclass(frozen=True, slots=True)
class Progress:
    """How far an import is. Bytes are those of the files."""

    done_bytes: int
    total_bytes: int
    messages: int


@dataclass(slots=True)
class Outcome:
    """What an import did."""

    new: int = 0
    known: int = 0
    """The mailbox had them, or they came twice."""
    drafts: int = 0
    """Left out: unfinished mail belongs to the program where it was begun."""
    left_out: list[Path] = field(default_factory=list)
    """Files that hold no mail."""
    failed: list[str] = field(default_factory=list)
    """Messages that could not be stored: where they are, and why."""


async def find_mailbox(name: str) -> Row:
    """The mailbox with this address, further address, name or number. Raises NotFound, naming what there is."""
    rows = await fetch(
        "SELECT * FROM mailboxes m WHERE m.kind <> 'intake' AND (m.address = lower($1) OR lower(m.name) = lower($1) "
        "OR m.id::text = $1 OR EXISTS (SELECT 1 FROM mailbox_addresses a "
        "WHERE a.mailbox_id = m.id AND a.address = lower($1)))",
        name.strip(),
    )
    if len(rows) == 1:
        return rows[0]
    listed = rows or await fetch("SELECT * FROM mailboxes m WHERE m.kind = 'group' ORDER BY m.id")
    known = ", ".join(row["address"] for row in listed) or "none yet"
    if rows:
        raise NotFound(f"Several mailboxes are called {name}.", f"Use the address: {known}.")
    raise NotFound(f"There is no mailbox {name}.", f"Use a mailbox's address. Group mailboxes: {known}.")


async def import_mail(
    mailbox_id: int, paths: Sequence[Path], told: Callable[[Progress], None] = lambda _: None
) -> Outcome:
    """Store the mail in these files and folders. Calls `told` after each batch.

    Raises OSError for a path that cannot be read, NotFound when the mailbox is removed meanwhile.
    """
    outcome, archives = Outcome(), list[Archive]()
    for path in paths:
        found = await asyncio.to_thread(find_archives, path)
        archives += found.archives
        outcome.left_out += found.left_out
    total = sum(archive.size for archive in archives)
    filing = Filing()
    kept = (each for archive in archives for each in read_archive(archive))
    done = 0
    reading = asyncio.create_task(asyncio.to_thread(_next_batch, kept))
    try:
        while batch := await reading:
            # The next batch is read while this one is stored.
            reading = asyncio.create_task(asyncio.to_thread(_next_batch, kept))
            outcome.drafts += batch.drafts
            await _store(mailbox_id, batch, filing, outcome)
            done += batch.size
            outcome.new, outcome.known = filing.new, filing.known
            told(Progress(min(done, total), total, filing.new + filing.known))
    finally:
        await asyncio.gather(reading, return_exceptions=True)
    return outcome


@dataclass(slots=True)
class _Batch:
    messages: list[tuple[str, Filed]] = field(default_factory=list)
    size: int = 0
    drafts: int = 0

    def __bool__(self) -> bool:
        return bool(self.size)


def _next_batch(kept: Iterator[Kept]) -> _Batch:
    batch = _Batch()
    for each in kept:
        batch.size += max(each.size, 1)
        if each.draft or each.role == "drafts":
            batch.drafts += 1
        elif each.raw.strip():
            batch.messages.append((each.where, _filed(each, len(batch.messages))))
        if len(batch.messages) >= BATCH_MESSAGES or batch.size >= BATCH_BYTES:
            break
    return batch


def _filed(kept: Kept, number: int) -> Filed:
    """What is to be stored: read, with the moment it is from and the place where it lay."""
    parsed = parse_message(kept.raw)
    received_at = min(parsed.date or kept.kept_at or datetime.now(UTC), datetime.now(UTC))
    message = Fetched(
        uid=number, flags=kept.flags, received_at=received_at, raw=kept.raw, parsed=prepare(kept.raw, parsed)
    )
    return Filed(message=message, place=_place(kept), unread=not kept.seen and kept.role == "inbox")


def _place(kept: Kept) -> Where:
    """What lay in the Inbox is still to be done; old mail from anywhere else is not."""
    if kept.deleted or kept.role == "trash":
        return "trash"
    return _PLACES.get(kept.role or "archive", "done")


async def _store(mailbox_id: int, batch: _Batch, filing: Filing, outcome: Outcome) -> None:
    try:
        await file_history(mailbox_id, [filed for _, filed in batch.messages], filing)
    except (asyncpg.DataError, asyncpg.ProgramLimitExceededError, TandemError) as fault:
        if await fetch_row("SELECT 1 FROM mailboxes WHERE id = $1", mailbox_id) is None:
            raise
        log.warning("A batch of imported mail could not be stored (%s); trying one by one.", type(fault).__name__)
        for where, filed in batch.messages:
            await _store_one(mailbox_id, where, filed, filing, outcome)


async def _store_one(mailbox_id: int, where: str, filed: Filed, filing: Filing, outcome: Outcome) -> None:
    try:
        await file_history(mailbox_id, [filed], filing)
    except (asyncpg.DataError, asyncpg.ProgramLimitExceededError, TandemError) as fault:
        outcome.failed.append(f"{where}: {type(fault).__name__}")
