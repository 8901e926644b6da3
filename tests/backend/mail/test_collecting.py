"""Bytes that nothing refers to are collected after a day, and never those that somebody is just storing."""

import asyncio
import hashlib
from collections.abc import Iterator
from contextvars import Context
from datetime import timedelta
from pathlib import Path

import pytest

from backend.conversations.contracts import AddComment, Comment
from backend.database.connection import execute, fetch, fetch_value
from backend.errors import NotFound, Unavailable
from backend.events.record import action
from backend.mail import blobs
from backend.mail.collecting import BLOB_REFERENCES, RAW_REFERENCES, collect, note_stored
from backend.mail.keeping import keep_one
from backend.mail.raw import LARGEST_IN_DATABASE, load_raw, store_raw, store_raws
from tests.servers.api import Api, environment
from tests.servers.delivery import deliver, write_mail

NOW = timedelta(seconds=-1)
"""No time of grace."""
LARGE = b"large " * (LARGEST_IN_DATABASE // 5)


@pytest.fixture
def store(tmp_path: Path, database: str) -> Iterator[None]:
    with environment(tmp_path):
        yield


def digest_of(raw: bytes) -> str:
    return hashlib.sha256(raw).hexdigest()


async def test_every_column_that_holds_a_digest_is_looked_at(database: str) -> None:
    rows = await fetch(
        "SELECT table_name || '.' || column_name AS name FROM information_schema.columns WHERE table_schema = 'public' "
        "AND (column_name = 'digest' OR column_name LIKE '%raw_digest')"
    )
    summaries = "users.digest"  # how often somebody gets one by mail
    known = {*RAW_REFERENCES, *BLOB_REFERENCES, "stored_blobs.digest", summaries}
    assert {row["name"] for row in rows} == known


async def test_what_nothing_refers_to_goes_after_its_day_and_not_before(store: None) -> None:
    small, large = await store_raw(b"small"), await store_raw(LARGE)
    assert await collect() == 0
    await execute("UPDATE raw_messages SET unreferenced_since = now() - interval '25 hours'")
    assert await collect() == 2
    with pytest.raises(NotFound):
        await load_raw(small)
    assert await blobs.get(large) == LARGE, "a file has a day of its own"
    await execute("UPDATE stored_blobs SET unreferenced_since = now() - interval '25 hours'")
    assert await collect() == 1
    with pytest.raises(Unavailable):
        await blobs.get(large)


async def test_what_is_referred_to_stays(api: Api) -> None:
    number = await deliver(api.support, write_mail(text="x" * 300_000))
    upload = {"file": ("stock.txt", b"7 wheels", "text/plain")}
    file = (await api.ana.request("POST", f"/conversations/{number}/comment-files", files=upload)).json()
    said = await api.ana.post(f"/conversations/{number}/comments", AddComment(text="", file_ids=[file["id"]]), Comment)
    await execute("UPDATE raw_messages SET unreferenced_since = now() - interval '3 days'")
    await execute("UPDATE stored_blobs SET unreferenced_since = now() - interval '3 days'")
    assert await collect(NOW) == 0
    raw = await fetch_value("SELECT raw_digest FROM messages WHERE conversation_id = $1", number)
    assert len(await load_raw(raw)) > 300_000
    assert (await api.ana.request("GET", f"/comment-files/{file['id']}")).content == b"7 wheels"
    await api.ana.delete(f"/comments/{said.id}")
    assert await collect(NOW) == 1


async def test_mail_that_is_stored_again_while_it_is_due_stays(store: None) -> None:
    """Its row was there, and is nobody's, when a second mailbox stores it."""
    digests = [await store_raw(raw) for raw in (b"small", LARGE)]
    await collect()
    begun, done = asyncio.Event(), asyncio.Event()

    async def store_it() -> None:
        async with action(None):
            await store_raws({digests[0]: b"small", digests[1]: LARGE})
            begun.set()
            await done.wait()

    storing = asyncio.create_task(store_it())
    await begun.wait()
    assert await collect(NOW) == 0, "somebody holds it"
    done.set()
    await storing
    assert [await load_raw(each) for each in digests] == [b"small", LARGE]


async def test_many_that_are_stored_by_copying_hold_what_is_there(store: None) -> None:
    raws = {digest_of(raw): raw for raw in (f"Mail number {n}".encode() for n in range(40))}
    async with action(None):
        await store_raws(raws)
    await collect()
    async with action(None):
        await store_raws(raws)
        # In a connection of its own: a task that is made inside a transaction would join it.
        assert await asyncio.create_task(collect(NOW), context=Context()) == 0


@pytest.mark.parametrize("raw", [b"small", LARGE])
async def test_who_stores_what_is_being_collected_stores_it_anew(store: None, raw: bytes) -> None:
    digest = await store_raw(raw)
    await collect()
    table = "raw_messages" if raw == b"small" else "stored_blobs"
    await execute(
        "CREATE FUNCTION slow() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN PERFORM pg_sleep(0.7); RETURN OLD; END $$;"
        f" CREATE TRIGGER slow BEFORE DELETE ON {table} FOR EACH ROW EXECUTE FUNCTION slow()"
    )
    collecting = asyncio.create_task(collect(NOW))
    await asyncio.sleep(0.3)
    async with action(None):
        await store_raws({digest: raw})
    assert await collecting >= 1
    assert await load_raw(digest) == raw


async def test_a_file_that_nobody_noted_is_collected_too(store: None) -> None:
    digest = await blobs.put(b"of a transaction that came to nothing")
    await note_stored()
    assert await collect() == 0
    assert await collect(NOW) == 1
    with pytest.raises(Unavailable):
        await blobs.get(digest)


async def test_two_files_of_one_content_are_one_until_the_last_is_gone(store: None) -> None:
    assert await keep_one(b"abc") == await keep_one(b"abc")
    assert await fetch_value("SELECT count(*) FROM stored_blobs") == 1
