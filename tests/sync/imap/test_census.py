"""The census that runs by itself: it proves what is here, mends what is not, and costs next to nothing meanwhile."""

import asyncio
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from sync.imap.account import AccountWatcher
from sync.imap.census import LARGE_FOLDER, Count, Schedule
from sync.imap.folder import Standing
from sync.types import Census
from tests.servers.dovecot import Dovecot
from tests.sync.imap.conftest import QUICK, Watch
from tests.sync.imap.mails import mail
from tests.sync.imap.memory_store import MemoryStore
from tests.sync.imap.test_rounds import LONG_AGO, count_commands

ALWAYS = replace(QUICK, idle=0.1, poll=0.1, poll_all=0.1, census=0.4)
"""Every folder is counted more than once a second."""
FOLDERS = ("INBOX", "Archive")


def lose(store: MemoryStore, folder: str, *uids: int) -> None:
    """As if they had never been stored."""
    kept = store.folder(folder)
    for uid in uids:
        del kept.messages[uid], kept.flags[uid], kept.arrived[uid]


def checked_at(store: MemoryStore, folder: str) -> datetime:
    census = store.folder(folder).census
    return census.checked_at if census is not None else datetime.fromtimestamp(0, UTC)


async def brought_over(server: Dovecot, user: str, store: MemoryStore, watch: Watch) -> AccountWatcher:
    for folder in FOLDERS:
        await server.append(user, folder, *[mail(f"Mail {n}") for n in range(12)], date=LONG_AGO)
    watcher = watch(server.login(user), timing=ALWAYS)
    await store.until(lambda: all(store.folder(name).census for name in FOLDERS))
    return watcher


async def test_what_is_missing_is_found_without_being_asked_for(
    dovecot: Dovecot, mail_user: str, store: MemoryStore, watch: Watch
) -> None:
    """Nothing changes on the server, nobody asks: the store has less than it should, and gets it back."""
    await brought_over(dovecot, mail_user, store, watch)
    for folder in FOLDERS:
        lose(store, folder, 1, 5, 12)
    for folder in FOLDERS:
        kept = store.folder(folder)
        await store.until(lambda kept=kept: set(kept.messages) == set(range(1, 13)))
        await store.until(lambda kept=kept: kept.census and "3 were missing and were fetched" in kept.census.note)
        assert not any(kept.arrived.values())


async def test_a_folder_where_nothing_happens_is_proved_without_listing_it(
    dovecot: Dovecot, mail_user: str, store: MemoryStore, watch: Watch, monkeypatch: pytest.MonkeyPatch
) -> None:
    await brought_over(dovecot, mail_user, store, watch)
    await asyncio.sleep(0.6)  # what the first rounds list is listed
    asked = count_commands(monkeypatch)
    began = datetime.now(UTC)
    for _ in range(3):
        for folder in FOLDERS:
            await store.until(lambda folder=folder, began=began: checked_at(store, folder) > began)
        began = datetime.now(UTC)
    assert not [line for line in asked if "SEARCH" in line or "FETCH" in line], asked


async def test_what_another_program_does_is_counted_the_next_time(
    dovecot: Dovecot, mail_user: str, store: MemoryStore, watch: Watch
) -> None:
    await brought_over(dovecot, mail_user, store, watch)
    for folder in FOLDERS:
        await dovecot.expunge(mail_user, folder, "2,3")
        await dovecot.append(mail_user, folder, mail("Another"))
    for folder in FOLDERS:
        kept = store.folder(folder)
        await store.until(lambda kept=kept: kept.census and kept.census.on_server == 11)
        assert kept.census is not None
        assert (kept.census.stored, kept.census.missing, kept.census.waiting) == (11, 0, 0)


@pytest.mark.parametrize("without", [("CONDSTORE", "QRESYNC"), ("NOTIFY",), ("LIST-STATUS", "ESEARCH")])
async def test_simple_servers_are_counted_too(
    make_dovecot: Callable[..., Dovecot], store: MemoryStore, watch: Watch, without: tuple[str, ...]
) -> None:
    await brought_over(make_dovecot(without=without), "ana", store, watch)
    for folder in FOLDERS:
        lose(store, folder, 7)
    for folder in FOLDERS:
        await store.until(lambda folder=folder: 7 in store.folder(folder).messages)


async def test_a_new_process_goes_on_with_what_was_counted_before(
    dovecot: Dovecot, mail_user: str, store: MemoryStore, watch: Watch, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A count that is not due is not done again; one that became due while nobody watched is made up for."""
    monkeypatch.setattr("sync.imap.census.SOON_SECONDS", 0.1)
    for folder in FOLDERS:
        await dovecot.append(mail_user, folder, mail("Old"), date=LONG_AGO)
    first = AccountWatcher(dovecot.login(mail_user), store, connected_at=datetime.now(UTC), timing=ALWAYS)
    running = asyncio.create_task(first.run())
    await store.until(lambda: all(store.folder(name).census for name in FOLDERS))
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    for folder, hours in (("INBOX", 0), ("Archive", 5)):
        kept = store.folder(folder)
        assert kept.census is not None
        kept.census = replace(kept.census, checked_at=datetime.now(UTC) - timedelta(hours=hours))
        lose(store, folder, 1)
    watch(dovecot.login(mail_user), timing=replace(ALWAYS, census=3600), connected_at=datetime.now(UTC))
    await store.until(lambda: 1 in store.folder("Archive").messages)
    assert not store.folder("INBOX").messages


# -- the schedule ----------------------------------------------------------------------------------------------------


def counted(on_server: int, *, missing: int = 0, aside: int = 0) -> Count:
    census = Census(datetime.now(UTC), on_server, on_server - missing - aside, missing, aside)
    return Count(census, on_server, (on_server, 0))


def test_only_a_folder_that_was_whole_is_confirmed_without_being_listed() -> None:
    schedule = Schedule(900, 3600)
    standing = Standing(1, 11, 10)
    schedule.listed("whole", counted(10), standing)
    schedule.listed("lacking", counted(10, missing=1), standing)
    schedule.listed("aside", counted(10, aside=1), standing)
    schedule.listed("moving", counted(9), standing)  # the server told 10 before, and listed 9
    assert schedule.is_unchanged("whole", standing)
    for name in ("lacking", "aside", "moving", "unknown"):
        assert not schedule.is_unchanged(name, standing), name
    for other in (Standing(2, 11, 10), Standing(1, 12, 10), Standing(1, 11, 9)):
        assert not schedule.is_unchanged("whole", other)


def test_all_folders_are_listed_again_after_a_while_and_after_an_absence(monkeypatch: pytest.MonkeyPatch) -> None:
    now = 1000.0
    monkeypatch.setattr(time, "monotonic", lambda: now)
    schedule = Schedule(900, 3600)
    standing = Standing(1, 11, 10)
    schedule.listed("Archive", counted(10), standing)
    assert not schedule.is_due("Archive")
    now += 900 * 1.3
    assert schedule.is_due("Archive") and schedule.is_unchanged("Archive", standing)
    schedule.confirmed("Archive")
    assert not schedule.is_due("Archive")
    now += 3600
    assert schedule.is_due("Archive") and not schedule.is_unchanged("Archive", standing)
    schedule.listed("Archive", counted(10), standing)
    schedule.doubt_all()
    now += 61
    assert schedule.is_due("Archive") and not schedule.is_unchanged("Archive", standing)


def test_large_folders_are_listed_less_often(monkeypatch: pytest.MonkeyPatch) -> None:
    now = 1000.0
    monkeypatch.setattr(time, "monotonic", lambda: now)
    schedule = Schedule(900, 24 * 3600)
    schedule.listed("large", counted(LARGE_FOLDER * 4), Standing(1, LARGE_FOLDER * 4 + 1, LARGE_FOLDER * 4))
    now += 900 * 3
    assert not schedule.is_due("large")
    now += 900 * 2
    assert schedule.is_due("large")
