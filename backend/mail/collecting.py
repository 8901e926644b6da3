"""Bytes of mail and files that nothing refers to any more are collected, a day after that was first seen.

What is being stored right now is never collected. Who stores bytes holds their row until its transaction ends, also
where they were there before (backend/mail/raw.py, backend/mail/keeping.py); who collects takes only rows that nobody
holds, looks once more what refers to them while nobody else can have them, and gives the row back with the bytes gone:
whoever waited for it stores them anew.
"""

from datetime import UTC, datetime, timedelta

from backend.database.connection import execute, fetch
from backend.events.record import action
from backend.mail import blobs

GRACE = timedelta(days=1)
BATCH = 200
"""Collected in one transaction."""

RAW_REFERENCES = ("messages.raw_digest", "outgoing.raw_digest")
BLOB_REFERENCES = (
    "raw_messages.digest",
    "comment_files.digest",
    "composed_attachments.digest",
    "template_pictures.digest",
    "document_versions.digest",
    "shared_files.digest",
    "upload_parts.digest",
)
"""The columns that refer to bytes of mail, and to files of the blob store: a test finds one that is missing here."""


def _needed(references: tuple[str, ...]) -> str:
    """SQL: something refers to the digest of `b`."""
    places = (each.partition(".") for each in references)
    return " OR ".join(
        f"EXISTS (SELECT 1 FROM {table} r WHERE r.{column} = b.digest"
        + (" AND r.content IS NULL)" if table == "raw_messages" else ")")
        for table, _, column in places
    )


async def collect(grace: timedelta = GRACE) -> int:
    """Collect once; answers how many were. Mail goes first: a large body is then nobody's."""
    await _look("raw_messages", RAW_REFERENCES)
    count = 0
    while collected := await _collect_raws(grace):
        count += collected
    await _look("stored_blobs", BLOB_REFERENCES)
    while collected := await _collect_blobs(grace):
        count += collected
    return count


async def note_stored() -> None:
    """Note what lies in the blob store and is not noted: of before it was, or of a transaction that came to nothing."""
    batch: list[str] = []
    async for digest in blobs.digests():
        batch.append(digest)
        if len(batch) == BATCH:
            await _note(batch)
            batch = []
    await _note(batch)


async def _note(digests: list[str]) -> None:
    await execute(
        "INSERT INTO stored_blobs (digest, put_at) SELECT each, now() FROM unnest($1::text[]) each ORDER BY each "
        "ON CONFLICT DO NOTHING",
        digests,
    )


async def _look(table: str, references: tuple[str, ...]) -> None:
    """See what nothing refers to now, and what something refers to again."""
    needed = _needed(references)
    await execute(f"UPDATE {table} b SET unreferenced_since = NULL WHERE unreferenced_since IS NOT NULL AND ({needed})")
    await execute(
        f"UPDATE {table} b SET unreferenced_since = now() WHERE unreferenced_since IS NULL AND NOT ({needed})"
    )


async def _due(table: str, grace: timedelta) -> list[str]:
    """Some that may be collected, held by this transaction."""
    records = await fetch(
        f"SELECT digest FROM {table} WHERE unreferenced_since < $1 "
        f"ORDER BY digest LIMIT {BATCH} FOR UPDATE SKIP LOCKED",
        datetime.now(UTC) - grace,
    )
    return [record["digest"] for record in records]


async def _collect_raws(grace: timedelta) -> int:
    async with action(None):
        due = await _due("raw_messages", grace)
        # A statement of its own: it sees what was committed until we held them.
        gone = await fetch(
            f"DELETE FROM raw_messages b WHERE digest = ANY($1) AND NOT ({_needed(RAW_REFERENCES)}) RETURNING digest",
            due,
        )
        await _needed_again("raw_messages", due, [record["digest"] for record in gone])
    return len(gone)


async def _collect_blobs(grace: timedelta) -> int:
    async with action(None):
        due = await _due("stored_blobs", grace)
        gone = await fetch(
            f"DELETE FROM stored_blobs b WHERE digest = ANY($1) AND NOT ({_needed(BLOB_REFERENCES)}) RETURNING digest",
            due,
        )
        digests = [record["digest"] for record in gone]
        await _needed_again("stored_blobs", due, digests)
        await blobs.remove(digests)
    return len(digests)


async def _needed_again(table: str, due: list[str], gone: list[str]) -> None:
    kept = sorted(set(due) - set(gone))
    if kept:
        await execute(f"UPDATE {table} SET unreferenced_since = NULL WHERE digest = ANY($1)", kept)
