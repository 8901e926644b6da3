"""What the watcher asks of the database: folders that move, messages recognised, set aside, counted."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from backend.accounts.queries import read_plan
from backend.census import report
from backend.database.connection import execute, fetch, fetch_row, fetch_value
from backend.workers.account_lease import Lease
from backend.workers.account_store import PostgresAccountStore
from sync.errors import CannotStore, LeaseLost
from sync.types import (
    SEEN,
    Census,
    FetchedMessage,
    FolderCursor,
    FolderInfo,
    FolderRefusal,
    ListedMessage,
    Problem,
)
from tests.flows.sync_world import Step, World
from tests.servers.api import Api, Template
from tests.servers.delivery import folder_of, write_mail
from tests.servers.dovecot import Dovecot
from tests.servers.postgres import Databases

CURSOR = FolderCursor(uid_validity=7, history_below=100, highest_uid=99, lowest_uid=100)
AT = datetime(2026, 5, 1, tzinfo=UTC)


def fetched(uid: int, raw: bytes, email_id: str = "") -> FetchedMessage:
    return FetchedMessage(uid=uid, flags=frozenset({SEEN}), internal_date=AT, size=len(raw), raw=raw, email_id=email_id)


def listed(uid: int, raw: bytes, email_id: str = "") -> ListedMessage:
    header = b"" if email_id else raw[: raw.index(b"\r\n\r\n") + 4]
    return ListedMessage(
        uid=uid, flags=frozenset({SEEN}), internal_date=AT, size=len(raw), email_id=email_id, header=header
    )


@pytest.fixture
async def store(api: Api) -> AsyncIterator[PostgresAccountStore]:
    key = await folder_of(api.support, "inbox")
    store = PostgresAccountStore(Lease(key.account_id, key.mailbox_id, key.fence))
    await execute("DELETE FROM folders WHERE account_id = $1", key.account_id)
    await store.folders_found([folder("INBOX", "inbox"), folder("Archive", "archive"), folder("Projects")])
    yield store


def folder(name: str, role: str | None = None, object_id: str = "", messages: int | None = None) -> FolderInfo:
    return FolderInfo(name, name, "/", role, object_id=object_id, messages=messages)  # pyright: ignore[reportArgumentType]


async def uids(store: PostgresAccountStore, name: str) -> list[int]:
    return sorted(await store.known_uids(name))


async def test_two_lines_that_tell_of_the_same_folders_do_not_wait_for_each_other(store: PostgresAccountStore) -> None:
    for turn in range(3):
        told = [folder(f"Turn {turn}.{number}") for number in range(1000)]
        await asyncio.gather(store.folders_found(told), store.folders_found(told[::-1]))
    assert await fetch_value("SELECT count(*) FROM folders WHERE name LIKE 'Turn %'") == 3000


async def test_folders_are_renamed_by_their_id_and_given_up_when_gone(store: PostgresAccountStore) -> None:
    await store.folders_found([folder("INBOX", "inbox", "F1"), folder("Projects", None, "F3", 4)])
    assert set(await store.known_folders()) == {"INBOX", "Archive", "Projects"}
    await store.store_messages("Projects", [fetched(3, write_mail(subject="Kept"))], CURSOR, arrived=False)
    await store.folders_found([folder("INBOX", "inbox", "F1"), folder("Work", None, "F3", 0)])
    assert set(await store.known_folders()) == {"INBOX", "Archive", "Work"}
    assert await uids(store, "Work") == [3]
    assert await store.cursor("Work") == CURSOR
    assert await fetch_value("SELECT server_messages FROM folders WHERE name = 'Work'") == 0
    await store.folders_gone(["Work", "Never"])
    assert set(await store.known_folders()) == {"INBOX", "Archive"}
    assert await fetch_value("SELECT count(*) FROM messages WHERE subject = 'Kept'") == 1


async def test_a_copy_is_recognised_without_its_body(store: PostgresAccountStore) -> None:
    raw, other, forged = write_mail(subject="One"), write_mail(subject="Two"), write_mail(subject="Three")
    await store.store_messages("INBOX", [fetched(1, raw), fetched(2, other, "M2")], CURSOR, arrived=False)
    moved = FolderCursor(uid_validity=7, history_below=100, highest_uid=99, lowest_uid=50)
    found = await store.recognise("Archive", [listed(8, raw), listed(9, forged)], moved, arrived=False)
    assert found == [9]
    assert await uids(store, "Archive") == [8]
    assert await store.cursor("Archive") is None
    assert await store.recognise("Archive", [listed(11, other, "M2")], moved, arrived=False) == []
    assert await store.cursor("Archive") == moved
    assert await fetch_value("SELECT count(*) FROM messages WHERE subject IN ('One', 'Two', 'Three')") == 2


async def test_what_cannot_be_stored_is_told_from_a_database_that_fails(store: PostgresAccountStore) -> None:
    good = fetched(5, write_mail(subject="Good"))
    with pytest.raises(CannotStore):
        await store.store_messages("INBOX", [good, fetched(2**70, write_mail(subject="Bad"))], CURSOR, arrived=False)
    assert await uids(store, "INBOX") == []
    assert await store.cursor("INBOX") is None
    await store.set_aside("INBOX", 6, "It is damaged", reason="refused")
    assert await store.uids_set_aside("INBOX") == {6: False}
    await execute("UPDATE messages_set_aside SET next_try_at = now() - interval '1 second'")
    assert await store.uids_set_aside("INBOX") == {6: True}
    await store.set_aside("INBOX", 6, "Not here", reason="unstorable")
    row = await fetch_row("SELECT tries, reason, next_try_at - now() AS pause FROM messages_set_aside")
    assert row is not None
    assert (row["tries"], row["reason"]) == (2, "unstorable")
    assert 200 < row["pause"].total_seconds() <= 240
    await store.store_messages("INBOX", [fetched(6, write_mail(subject="Mended"))], CURSOR, arrived=False)
    assert await store.uids_set_aside("INBOX") == {}


async def test_a_lost_lease_writes_nothing(store: PostgresAccountStore) -> None:
    await execute("UPDATE mail_accounts SET fence = fence + 1")
    census = Census(datetime.now(UTC), 1, 1, 0, 0)
    for attempt in (
        store.store_messages("INBOX", [fetched(1, write_mail())], CURSOR, arrived=False),
        store.recognise("INBOX", [listed(1, write_mail())], CURSOR, arrived=False),
        store.set_aside("INBOX", 1, "no"),
        store.census_taken("INBOX", census),
        store.folders_gone(["INBOX"]),
    ):
        with pytest.raises(LeaseLost):
            await attempt
    assert await uids(store, "INBOX") == []


async def test_a_count_is_confirmed_only_for_what_is_here_still(store: PostgresAccountStore) -> None:
    early = datetime.now(UTC) - timedelta(hours=2)
    for name in ("INBOX", "Archive", "Projects"):
        await store.store_messages(name, [fetched(uid, write_mail()) for uid in (3, 4)], CURSOR, arrived=False)
    await store.census_taken("INBOX", Census(early, 2, 2, 0, 0))
    await store.census_taken("Archive", Census(early, 2, 2, 0, 0))
    assert set(await store.counted_at()) == {"INBOX", "Archive"}
    await store.remove_uids("Archive", [4], CURSOR)
    await store.store_messages("Archive", [fetched(9, write_mail())], CURSOR, arrived=False)
    names = ("INBOX", "Archive", "Projects")
    assert set(await store.confirm_censuses(dict.fromkeys(names, (2, 7)))) == {"INBOX"}
    at = await store.counted_at()
    assert at["INBOX"] > early + timedelta(hours=1) and at["Archive"] == early


async def test_a_refused_folder_is_noted_since_when_and_until_it_opens(store: PostgresAccountStore) -> None:
    problem = Problem("folder_refused", False, "mail.example does not open it.", "Ask its owner.", "NO [NOPERM]")
    for hour in (1, 2):
        at = AT.replace(hour=hour)
        await store.folder_refused("Projects", FolderRefusal(at, at + timedelta(minutes=5), problem))
    assert set(await store.refused_folders()) == {"Projects"}
    account = await fetch_row("SELECT a.*, m.name FROM mail_accounts a JOIN mailboxes m ON m.id = a.mailbox_id")
    assert account is not None
    plan = await read_plan(account["mailbox_id"])
    [told] = [each.refused for each in plan.folders if each.refused is not None]
    assert (told.since, told.again_at) == (AT.replace(hour=1), AT.replace(hour=2, minute=5))
    [line] = [line for line in report(account, plan) if line.startswith("Projects")]
    assert "mail.example does not open it. Ask its owner." in line and "NO [NOPERM]" in line
    await store.folder_refused("Projects", None)
    assert not await store.refused_folders()


async def test_many_are_stored_by_way_of_the_reader_as_one_by_one(
    store: PostgresAccountStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    from backend.workers.reader import Reader

    reader = Reader()
    monkeypatch.setattr(store, "_reader", reader)
    batch = [fetched(uid, write_mail(subject=f"Batch {uid}")) for uid in range(1, 41)]
    await store.store_messages("INBOX", batch, CURSOR, arrived=False)
    await reader.close()
    stored = await fetch("SELECT subject FROM messages WHERE subject LIKE 'Batch %'")
    assert {row["subject"] for row in stored} == {f"Batch {uid}" for uid in range(1, 41)}


async def test_the_census_mends_the_store_and_reports(
    cast: Template, databases: Databases, tmp_path: Path, dovecot: Dovecot
) -> None:
    """A placement and a message that got lost here are fetched again; what the report says is what is there."""
    async with World.of(cast, databases, tmp_path, dovecot) as world:
        for _ in range(4):
            await world.play(Step("deliver"))
        await world.settle()
        lost = await fetch_value("SELECT min(message_id) FROM placements")
        await execute("DELETE FROM messages WHERE id = $1", lost)
        assert world._watcher is not None
        world._watcher.count()
        await world.settle()
        inbox = await fetch_row("SELECT census::text, name FROM folders WHERE name = 'INBOX'")
        assert inbox is not None
        account = await fetch_row("SELECT a.*, m.name FROM mail_accounts a JOIN mailboxes m ON m.id = a.mailbox_id")
        assert account is not None
        told = "\n".join(report(account, await read_plan(account["mailbox_id"])))
        assert "1 was missing and was fetched." in told
        now = datetime.now().astimezone()
        clock = {f"Complete up to {now - timedelta(minutes=minutes):%H:%M}." for minutes in (0, 1)}
        assert any(each in told for each in clock), told
        assert "5 of 5 folders are complete." in told
