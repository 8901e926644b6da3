"""Taking down what attachments are called and what stands in them, by which searches find them.

A trigger lets messages with attachments wait (`files_waiting`); an upgrade let all old ones. A worker takes some out of
there, the newest first, and has them read; a search finds their files once that is done. The attempt is counted before
it is made: a message that brings down what reads it is taken down by its files' names alone.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from backend.database.connection import engine, execute, execute_many, fetch, fetch_value

AT_ONCE = 10
"""Messages that one worker takes at a time."""
HELD = timedelta(minutes=15)
"""After that another worker may take them."""
MOST_TRIES = 2
BUSY = 200
"""Messages whose words are not taken down yet from which on much mail is just coming: attachments can wait."""

_CLAIM = """
    UPDATE files_waiting w SET tries = w.tries + 1, not_before = now() + $2 FROM messages m
     WHERE m.id = w.message_id AND w.message_id IN (SELECT message_id FROM files_waiting WHERE not_before <= now()
           ORDER BY message_id DESC LIMIT $1 FOR UPDATE SKIP LOCKED)
    RETURNING w.message_id, w.tries, m.raw_digest, m.attachments
"""
_GONE = "DELETE FROM files_waiting w WHERE NOT EXISTS (SELECT 1 FROM messages m WHERE m.id = w.message_id)"
_ENTER = """
    INSERT INTO attachment_texts (message_id, position, filename, text, problem, search)
    SELECT $1, $2, $3, $4, $5,
           setweight(to_tsvector('simple', apart(fold_accents(
               left($3::text, 500) || ' ' || translate(left($3, 500), '._-', '   ')))), 'C')
           || to_tsvector('simple', apart(fold_accents($4::text)))
     WHERE EXISTS (SELECT 1 FROM messages WHERE id = $1)
    ON CONFLICT (message_id, position) DO UPDATE
        SET filename = excluded.filename, text = excluded.text, problem = excluded.problem, search = excluded.search
"""


@dataclass(frozen=True, slots=True)
class FileEntry:
    """A file as it is taken down."""

    position: int
    filename: str
    text: str
    problem: str


@dataclass(frozen=True, slots=True)
class Waiting:
    """A message whose files are to be read; `hopeless`: it was tried often enough."""

    message_id: int
    digest: str
    attachments: str
    hopeless: bool


async def claim_files() -> list[Waiting]:
    """Take messages to be read, the newest first; none while much mail comes. Who does not answer for them loses them
    again."""
    if await fetch_value(f"SELECT EXISTS (SELECT 1 FROM words_waiting OFFSET {BUSY})"):
        return []
    records = await fetch(_CLAIM, AT_ONCE, HELD)
    if not records:
        await execute(_GONE)
    return [
        Waiting(record["message_id"], record["raw_digest"], record["attachments"], record["tries"] > MOST_TRIES)
        for record in sorted(records, key=lambda each: each["message_id"], reverse=True)
    ]


async def enter_files(message_id: int, files: Sequence[FileEntry]) -> None:
    """Take down the files of a message, which then waits no more."""
    async with engine.transaction():
        await execute_many(_ENTER, [(message_id, f.position, f.filename, f.text, f.problem) for f in files])
        await execute("DELETE FROM files_waiting WHERE message_id = $1", message_id)
