"""Large bodies and attachments: content-addressed, behind one API over a folder, S3, GCS or Azure.

The only user of obstore. A blob is on the disk for good before `put` returns, so that a transaction that commits
afterwards never points to an empty file: obstore's folder store renames without fsync, which a power loss may undo.
What is already there is written again, for after such a loss a file may stand under its name with nothing in it.

obstore's blocking calls are used, in threads of Python's own. Its asynchronous ones wake the caller from a thread of
theirs, and one that comes for the interpreter while the process is ending aborts it (SIGABRT): a backup that was
written well would be reported as failed.
"""

import asyncio
import hashlib
import os
from collections.abc import AsyncIterator, Sequence
from contextlib import suppress
from functools import cache
from pathlib import Path

from obstore.exceptions import BaseError
from obstore.store import LocalStore, ObjectStore, from_url

from backend.errors import Unavailable
from backend.settings import settings


async def put(content: bytes) -> str:
    """Keep the bytes; answers their SHA-256, hexadecimal. Raises Unavailable when the store does not take them."""
    try:
        return await asyncio.to_thread(_put, open_store(settings().blob_url), content)
    except (BaseError, OSError) as fault:
        raise Unavailable(
            "A file could not be stored.", "Try again. If it stays, tell your admin: the store may be full."
        ) from fault


async def get(digest: str) -> bytes:
    """The bytes with this SHA-256. Raises Unavailable when they are missing, damaged or out of reach."""
    try:
        content, found = await asyncio.to_thread(_get, open_store(settings().blob_url), digest)
    except FileNotFoundError as fault:
        raise Unavailable("A stored file is missing.", "Tell your admin: a backup may hold it.") from fault
    except (BaseError, OSError) as fault:
        raise Unavailable("The store of files does not answer.", "Try again in a moment.") from fault
    if found != digest:
        raise Unavailable("A stored file is damaged.", "Tell your admin: a backup may hold it.")
    return content


async def remove(digests: Sequence[str]) -> None:
    """Take files away; those that are not there are passed over. Raises Unavailable."""
    if not digests:
        return
    try:
        await asyncio.to_thread(_remove, open_store(settings().blob_url), digests)
    except (BaseError, OSError) as fault:
        raise Unavailable("The store of files does not answer.", "Try again in a moment.") from fault


def _remove(store: ObjectStore, digests: Sequence[str]) -> None:
    for digest in digests:
        with suppress(FileNotFoundError):
            store.delete(key_of(digest))


async def digests() -> AsyncIterator[str]:
    """The SHA-256 of every blob that is stored, for a backup."""
    batches = open_store(settings().blob_url).list()
    while batch := await asyncio.to_thread(next, batches, None):
        for stored in batch:
            digest = stored["path"].rpartition("/")[2]
            if stored["path"] == key_of(digest) and len(digest) == 64:
                yield digest


def _put(store: ObjectStore, content: bytes) -> str:
    digest = hashlib.sha256(content).hexdigest()
    store.put(key_of(digest), content, use_multipart=False)
    if isinstance(store, LocalStore):
        _flush(_folder(store), key_of(digest))
    return digest


def _get(store: ObjectStore, digest: str) -> tuple[bytes, str]:
    """The bytes that lie under this digest, and the digest they have."""
    content = bytes(store.get(key_of(digest)).bytes())
    return content, hashlib.sha256(content).hexdigest()


def key_of(digest: str) -> str:
    """Where a blob lies in the store: 256 folders, so that none grows out of hand."""
    return f"{digest[:2]}/{digest}"


@cache
def open_store(url: str) -> ObjectStore:
    """The store at `url`; a folder is made when it does not exist."""
    if url.startswith("file:"):
        store = from_url(url, mkdir=True)
        if isinstance(store, LocalStore):
            _folder(store).chmod(0o700)
        return store
    return from_url(url)


def _folder(store: LocalStore) -> Path:
    folder = store.prefix
    if folder is None:
        raise RuntimeError("the blob store has no folder")
    return Path(folder)


def _flush(folder: Path, key: str) -> None:
    """fsync the file, its folder, and the folder above, which may have got a new entry."""
    for path in (folder / key, (folder / key).parent, folder):
        handle = os.open(path, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
