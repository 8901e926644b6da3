"""A message's bytes: stored once by hash, in the database up to 256 KB, in the blob store above."""

import hashlib

from backend.database.connection import execute, fetch_row
from backend.errors import NotFound
from backend.mail.blobs import get, put

LARGEST_IN_DATABASE = 256 * 1024


async def store_raw(raw: bytes) -> str:
    """Keep the bytes; answers their SHA-256. A large body is on the disk for good before this returns."""
    digest = hashlib.sha256(raw).hexdigest()
    if len(raw) > LARGEST_IN_DATABASE:
        await put(raw)
    await execute(
        "INSERT INTO raw_messages (digest, size, content) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING",
        digest,
        len(raw),
        raw if len(raw) <= LARGEST_IN_DATABASE else None,
    )
    return digest


async def load_raw(digest: str) -> bytes:
    """The bytes as they were stored. Raises NotFound when nothing is stored under this hash."""
    row = await fetch_row("SELECT content FROM raw_messages WHERE digest = $1", digest)
    if row is None:
        raise NotFound("The source of this message is missing.", "Tell your admin: a backup may hold it.")
    return row["content"] if row["content"] is not None else await get(digest)
