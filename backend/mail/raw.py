"""A message's bytes: stored once by hash, in the database up to 256 KB, in the blob store above."""

import hashlib
from collections.abc import Collection, Mapping

from asyncpg import UniqueViolationError

from backend.database.connection import WORTH_COPYING, copy_rows, execute, execute_many, fetch, fetch_row, savepoint
from backend.errors import NotFound
from backend.mail.blobs import get
from backend.mail.keeping import keep

LARGEST_IN_DATABASE = 256 * 1024
_STORE = (
    "INSERT INTO raw_messages (digest, size, content) VALUES ($1, $2, $3) ON CONFLICT (digest) DO UPDATE "
    "SET unreferenced_since = NULL WHERE raw_messages.unreferenced_since IS NOT NULL"
)
"""What is there already is held, too: nobody collects it before the transaction ends (backend/mail/collecting.py)."""


async def store_raw(raw: bytes, digest: str | None = None) -> str:
    """Keep the bytes; answers their SHA-256 (`digest`, if known). A large body is on the disk before this returns."""
    digest = digest or hashlib.sha256(raw).hexdigest()
    if len(raw) > LARGEST_IN_DATABASE:
        await keep([raw])
    await execute(
        _STORE,
        digest,
        len(raw),
        _content(raw),
    )
    return digest


async def store_raws(raws: Mapping[str, bytes]) -> None:
    """Keep many, by their SHA-256. In the order of the hashes: two who store the same never wait in a circle."""
    large = [raw for raw in raws.values() if len(raw) > LARGEST_IN_DATABASE]
    if large:
        await keep(large)
    if len(raws) >= WORTH_COPYING and await _copied(raws):
        return
    await execute_many(
        _STORE,
        [_row(raws, digest) for digest in sorted(raws)],
    )


async def _copied(raws: Mapping[str, bytes]) -> bool:
    """Store those that are new by COPY, half again as fast. False when another mailbox is just storing one of them."""
    known = await fetch("SELECT digest FROM raw_messages WHERE digest = ANY($1) FOR KEY SHARE", list(raws))
    new = sorted(raws.keys() - {record["digest"] for record in known})
    if not new:
        return True
    try:
        async with savepoint():
            await copy_rows("raw_messages", ("digest", "size", "content"), [_row(raws, digest) for digest in new])
    except UniqueViolationError:
        return False
    return True


def _row(raws: Mapping[str, bytes], digest: str) -> tuple[str, int, bytes | None]:
    return digest, len(raws[digest]), _content(raws[digest])


def _content(raw: bytes) -> bytes | None:
    return raw if len(raw) <= LARGEST_IN_DATABASE else None


async def load_raw(digest: str) -> bytes:
    """The bytes as they were stored. Raises NotFound when nothing is stored under this hash."""
    row = await fetch_row("SELECT content FROM raw_messages WHERE digest = $1", digest)
    if row is None:
        raise NotFound("The source of this message is missing.", "Tell your admin: a backup may hold it.")
    return row["content"] if row["content"] is not None else await get(digest)


async def load_raws(digests: Collection[str]) -> dict[str, bytes]:
    """Many at once. Raises NotFound when one of them is missing."""
    records = await fetch("SELECT digest, content FROM raw_messages WHERE digest = ANY($1)", list(digests))
    found = {
        record["digest"]: record["content"] if record["content"] is not None else await get(record["digest"])
        for record in records
    }
    if missing := set(digests) - set(found):
        raise NotFound(f"The source of {len(missing)} messages is missing.", "Tell your admin: a backup may hold it.")
    return found
