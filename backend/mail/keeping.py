"""Files that something of ours refers to, put into the blob store so that nobody collects them meanwhile.

Each is noted (`stored_blobs`) before it is written, in the caller's transaction where there is one: who collects holds
the note while the file is taken away (backend/mail/collecting.py), so that either this waits and writes it anew, or the
file stays for a day at least.
"""

import asyncio
import hashlib
from collections.abc import Sequence

from backend.database.connection import execute
from backend.mail.blobs import put

AT_ONCE = 4
"""Files that are written beside each other."""


async def keep(contents: Sequence[bytes]) -> list[str]:
    """Put these bytes into the store; answers the SHA-256 of each. Raises Unavailable."""
    digests = [hashlib.sha256(content).hexdigest() for content in contents]
    await execute(
        "INSERT INTO stored_blobs (digest, put_at) SELECT each, now() FROM unnest($1::text[]) each ORDER BY each "
        "ON CONFLICT (digest) DO UPDATE SET put_at = now(), unreferenced_since = NULL",
        sorted(set(digests)),
    )
    for start in range(0, len(contents), AT_ONCE):
        await asyncio.gather(*map(put, contents[start : start + AT_ONCE]))
    return digests


async def keep_one(content: bytes) -> str:
    """The same for one file."""
    return (await keep([content]))[0]
