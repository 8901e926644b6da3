"""Bytes are stored once, also when two mailboxes store the same at the same moment."""

import asyncio
import hashlib

from backend.database.connection import fetch_value
from backend.events.record import action
from backend.mail.raw import LARGEST_IN_DATABASE, load_raw, store_raws


async def test_two_who_store_the_same_at_once_both_succeed(database: str) -> None:
    contents = [f"Mail number {number}".encode() for number in range(20)]
    raws = {hashlib.sha256(each).hexdigest(): each for each in contents}

    async def store() -> None:
        async with action(None):
            await store_raws(raws)
            await asyncio.sleep(0.2)  # the other one comes to wait for these rows

    await asyncio.gather(store(), store(), store())
    assert await fetch_value("SELECT count(*) FROM raw_messages") == 20
    assert [await load_raw(digest) for digest in raws] == contents


async def test_bytes_of_mail_are_kept_as_they_are(database: str) -> None:
    raw = b"the same again " * (LARGEST_IN_DATABASE // 15)
    digest = hashlib.sha256(raw).hexdigest()
    async with action(None):
        await store_raws({digest: raw})
    assert await load_raw(digest) == raw
    assert await fetch_value("SELECT pg_column_size(content) FROM raw_messages") >= len(raw)
