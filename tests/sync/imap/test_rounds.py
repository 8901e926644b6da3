"""The folders besides the inbox: followed, told of, polled, created, renamed, deleted, chosen, counted."""

import asyncio
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from sync.imap.account import AccountWatcher
from sync.imap.connection import Connection, open_connection
from sync.types import ANSWERED, FLAGGED, SEEN, AccountState, Connecting, SyncPlan, UpToDate
from tests.servers.dovecot import Dovecot
from tests.servers.proxy import Proxy
from tests.sync.imap.conftest import QUICK, Watch
from tests.sync.imap.mails import mail
from tests.sync.imap.memory_store import MemoryStore

LONG_AGO = time.time() - 30 * 24 * 3600


def current(store: MemoryStore) -> bool:
    return bool(store.states) and isinstance(store.states[-1], UpToDate)


async def test_every_folder_is_followed_but_drafts(
    dovecot: Dovecot, mail_user: str, store: MemoryStore, watch: Watch
) -> None:
    await dovecot.create(mail_user, "Projects", "Projects.B&APw-ro", "Hidden")
    for folder in ("Projects", "Projects.B&APw-ro", "Junk", "Trash", "Archive", "Drafts", "Hidden"):
        await dovecot.append(mail_user, folder, mail(f"In {folder}"), date=LONG_AGO)
    store.wanted = SyncPlan(chosen={"Hidden": False})
    watch(dovecot.login(mail_user))
    await store.until(lambda: current(store))
    filled = {name for name, folder in store.folders.items() if folder.messages}
    assert filled == {"Projects", "Projects.B&APw-ro", "Junk", "Trash", "Archive"}
    assert not any(flag for name in filled for flag in store.folder(name).arrived.values())
    assert {each.name for each in store.listed} > filled


@pytest.mark.parametrize("without", [(), ("NOTIFY",), ("NOTIFY", "LIST-STATUS", "CONDSTORE", "QRESYNC")])
async def test_what_happens_in_other_folders_is_seen(
    make_dovecot: Callable[..., Dovecot], store: MemoryStore, watch: Watch, without: tuple[str, ...]
) -> None:
    server = make_dovecot(without=without)
    await server.create("ana", "Projects")
    timing = QUICK if not without else replace(QUICK, poll=0.2, poll_all=0.3)
    watch(server.login("ana"), timing=timing)
    await store.until(lambda: current(store))
    await server.append("ana", "Projects", mail("One"), mail("Two"), mail("Three"))
    await store.until(lambda: set(store.folder("Projects").messages) == {1, 2, 3})
    await server.set_flags("ana", "Projects", "2", SEEN)
    await store.until(lambda: store.folder("Projects").flags[2] == {SEEN})
    await server.expunge("ana", "Projects", "1")
    await store.until(lambda: set(store.folder("Projects").messages) == {2, 3})
    await server.append("ana", "Junk", mail("Buy now"))
    await store.until(lambda: store.folder("Junk").messages)


async def test_a_moved_message_is_recognised_without_its_body(
    dovecot: Dovecot, mail_user: str, store: MemoryStore, watch: Watch, monkeypatch: pytest.MonkeyPatch
) -> None:
    fetched = count_bodies(monkeypatch)
    mails = [mail(f"Mail {n}", message_id=f"{n}@shop.example") for n in range(8)]
    await dovecot.append(mail_user, "INBOX", *mails, date=LONG_AGO)
    watch(dovecot.login(mail_user))
    await store.until(lambda: current(store))
    assert len(fetched) == 8
    await dovecot.move(mail_user, "INBOX", "1:7", "Archive")
    await store.until(lambda: len(store.folder("Archive").messages) == 7 and set(store.folder().messages) == {8})
    assert len(fetched) == 8
    assert len(store.recognised) == 7


async def test_folders_come_go_and_are_renamed(
    dovecot: Dovecot, mail_user: str, store: MemoryStore, watch: Watch
) -> None:
    watcher = watch(dovecot.login(mail_user))
    await store.until(lambda: current(store))
    await dovecot.create(mail_user, "Projects")
    await dovecot.append(mail_user, "Projects", mail("A", message_id="a@shop.example"))
    await store.until(lambda: store.folder("Projects").messages)
    with dovecot.other_client(mail_user) as client:
        client.rename("Projects", "Work")
    await store.until(lambda: store.folder("Work").messages and "Projects" not in store.folders)
    assert store.recognised == [("Work", 1)]
    await dovecot.delete_folder(mail_user, "Work")
    await store.until(lambda: "Work" not in store.folders)
    watcher.nudge()
    await store.until(lambda: current(store))


async def test_a_second_connection_is_not_needed(
    make_dovecot: Callable[..., Dovecot], store: MemoryStore, watch: Watch
) -> None:
    server = make_dovecot(max_connections=1)
    await server.append("ana", "Sent", mail("Our answer"), date=LONG_AGO)
    watcher = watch(server.login("ana"))
    await store.until(lambda: store.folder("Sent").messages and current(store))
    await server.deliver("ana", mail("New"))
    await store.until(lambda: 1 in store.folder().messages)
    watcher.nudge()
    await store.until(lambda: current(store))


@pytest.mark.parametrize("without", [("CONDSTORE", "QRESYNC"), ("CONDSTORE", "QRESYNC", "NOTIFY", "ESEARCH")])
async def test_flags_in_other_folders_are_seen_without_condstore(
    make_dovecot: Callable[..., Dovecot],
    store: MemoryStore,
    watch: Watch,
    monkeypatch: pytest.MonkeyPatch,
    without: tuple[str, ...],
) -> None:
    """STATUS tells of none of these: the number of unseen messages stays."""
    server = make_dovecot(without=without)
    await server.create("ana", "Projects")
    await server.append("ana", "Projects", *[mail(f"Mail {number}") for number in range(6)], date=LONG_AGO)
    await server.set_flags("ana", "Projects", "1:3", SEEN)
    watch(server.login("ana"), timing=replace(QUICK, poll=0.2, poll_all=0.2))
    kept = store.folder("Projects")
    await store.until(lambda: len(kept.messages) == 6 and current(store))
    for uids, flag in (("2", FLAGGED), ("3", ANSWERED), ("5", "$Later")):
        await server.set_flags("ana", "Projects", uids, flag)
    with server.other_client("ana", "Projects") as client:  # one read, one unread: as many as before
        client.uid("STORE", "1", "-FLAGS.SILENT", "(\\Seen)")
        client.uid("STORE", "4", "+FLAGS.SILENT", "(\\Seen)")
    wanted = {1: set(), 2: {SEEN, FLAGGED}, 3: {SEEN, ANSWERED}, 4: {SEEN}, 5: {"$Later"}, 6: set()}
    await store.until(lambda: {uid: set(flags) for uid, flags in kept.flags.items()} == wanted)
    await asyncio.sleep(0.5)
    asked = count_commands(monkeypatch)
    await asyncio.sleep(1)
    assert any("FLAGGED" in line for line in asked)
    assert not [line for line in asked if "FETCH" in line], asked


# -- coming back -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("without", "most"), [((), 4), (("QRESYNC",), 3), (("CONDSTORE", "QRESYNC"), 4)])
async def test_coming_back_to_nothing_new_is_a_few_questions(
    make_dovecot: Callable[..., Dovecot],
    store: MemoryStore,
    watch: Watch,
    monkeypatch: pytest.MonkeyPatch,
    without: tuple[str, ...],
    most: int,
) -> None:
    server = make_dovecot(without=without)
    await server.append("ana", "INBOX", *[mail(f"Mail {number}") for number in range(10)], date=LONG_AGO)
    connected_at = datetime.now(UTC)
    await run_until_current(server, store, connected_at)
    asked = count_commands(monkeypatch)
    store.states.clear()
    written = len(store.calls)
    watch(server.login("ana"), connected_at=connected_at)

    def inbox_line() -> list[str]:
        opened = next((line for line in asked if 'EXAMINE "INBOX"' in line), "")
        return [line for line in asked if opened and line[:TAG_BEGINS] == opened[:TAG_BEGINS]]

    await store.until(lambda: any("IDLE" in line for line in inbox_line()))
    # A census is due where the first watch was ended before it, and comes before IDLE.
    ends = [number for number, line in enumerate(inbox_line()) if "IDLE" in line or line.endswith("UID 1:*")]
    assert ends[0] <= most, asked
    assert not [call for call in store.calls[written:] if "store" in call or "apply" in call or "remove" in call]


@pytest.mark.parametrize("elsewhere", [False, True])
async def test_one_sign_in_tells_that_nothing_is_new_anywhere(
    dovecot: Dovecot,
    mail_user: str,
    store: MemoryStore,
    watch: Watch,
    monkeypatch: pytest.MonkeyPatch,
    elsewhere: bool,
) -> None:
    await dovecot.append(mail_user, "INBOX", mail("Old"), date=LONG_AGO)
    await dovecot.append(mail_user, "Archive", mail("Put away"), date=LONG_AGO)
    connected_at = datetime.now(UTC)
    await run_until_current(dovecot, store, connected_at, mail_user)
    if elsewhere:
        await dovecot.append(mail_user, "Archive", mail("Put away meanwhile"))
    asked = count_commands(monkeypatch)
    store.states.clear()
    found: list[tuple[int, int]] = []
    report = store.report

    async def watched_report(state: AccountState) -> None:
        if isinstance(state, UpToDate):
            found.append((sum("LOGIN" in line for line in asked), len(store.folder("Archive").messages)))
        await report(state)

    monkeypatch.setattr(store, "report", watched_report)
    watch(dovecot.login(mail_user), connected_at=connected_at)
    await store.until(lambda: current(store))
    assert found[0] == ((2, 2) if elsewhere else (1, 1))
    await store.until(lambda: any("NOTIFY" in line for line in asked))  # the second line is opened all the same


async def test_the_second_line_is_opened_once_and_takes_nothing_back(
    dovecot: Dovecot, mail_user: str, store: MemoryStore, watch: Watch, monkeypatch: pytest.MonkeyPatch
) -> None:
    """That all is up to date is known before it is opened, and stays so however long that takes."""
    connected_at = datetime.now(UTC)
    await run_until_current(dovecot, store, connected_at, mail_user)
    store.states.clear()
    asked = count_commands(monkeypatch)
    async with Proxy(dovecot.imap_port) as proxy:
        watch(
            dovecot.login(mail_user, port=proxy.port),
            connected_at=connected_at,
            timing=replace(QUICK, connecting=0),  # any connecting is told
        )
        await store.until(lambda: any("NOTIFY" in line for line in asked))
        assert [type(state) for state in store.states] == [Connecting, UpToDate]
        assert proxy.accepted == 2


async def test_the_answer_to_opening_says_what_happened(dovecot: Dovecot, mail_user: str) -> None:
    await dovecot.append(mail_user, "INBOX", *[mail(f"Mail {number}") for number in range(6)])
    connection = await open_connection(dovecot.login(mail_user))
    selected = await connection.open_folder("INBOX")
    assert selected.resync is None
    await dovecot.set_flags(mail_user, "INBOX", "2", SEEN)
    await dovecot.expunge(mail_user, "INBOX", "4:5")
    again = await connection.open_folder("INBOX", known=(selected.uid_validity, selected.highest_modseq))
    assert again.resync is not None
    assert set(again.resync.vanished) == {4, 5}
    assert [(each.uid, each.flags) for each in again.resync.changed] == [(2, frozenset({SEEN}))]
    other = await connection.open_folder("INBOX", known=(selected.uid_validity + 1, selected.highest_modseq))
    assert other.resync is None
    await connection.close()


async def test_renumbered_messages_are_recognised_without_their_bodies(
    make_dovecot: Callable[..., Dovecot], store: MemoryStore, watch: Watch, monkeypatch: pytest.MonkeyPatch
) -> None:
    server = make_dovecot()
    fetched = count_bodies(monkeypatch)
    mails = [mail(f"Mail {n}", message_id=f"{n}@shop.example") for n in range(120)]
    await server.append("ana", "INBOX", *mails, date=LONG_AGO)
    watch(server.login("ana"))
    await store.until(lambda: current(store))
    server.halt()
    server.change_uid_validity("ana")
    server.start()
    await store.until(lambda: store.folder().resets == 1 and len(store.folder().messages) == 120, timeout=20)
    await store.until(lambda: current(store))
    assert len(fetched) == 120
    assert not any(store.folder().arrived.values())


# -- from when -------------------------------------------------------------------------------------------------------


async def test_history_begins_where_it_was_asked_to(
    dovecot: Dovecot, mail_user: str, store: MemoryStore, watch: Watch
) -> None:
    """Widened later, what is missing comes; narrowed, nothing is lost; new mail comes whatever its date."""
    now = time.time()
    ages = (400, 40, 200, 3, 20, 100, 2)  # days, in the order of their UIDs
    for age in ages:
        await dovecot.append(mail_user, "INBOX", mail(f"{age} days"), date=now - age * 24 * 3600)
    connected_at = datetime.now(UTC)

    def since(days: int) -> SyncPlan:
        return SyncPlan(history_from=datetime.fromtimestamp(now - days * 24 * 3600, UTC))

    store.wanted = since(30)
    await run_until_current(dovecot, store, connected_at, mail_user)
    assert set(store.folder().messages) == {4, 5, 7}
    store.wanted = since(150)
    await run_until_current(dovecot, store, connected_at, mail_user)
    assert set(store.folder().messages) == {2, 4, 5, 6, 7}
    store.wanted = since(10)
    await run_until_current(dovecot, store, connected_at, mail_user)
    assert set(store.folder().messages) == {2, 4, 5, 6, 7}
    store.wanted = SyncPlan()
    watch(dovecot.login(mail_user), connected_at=connected_at)
    await store.until(lambda: set(store.folder().messages) == set(range(1, 8)))
    await dovecot.append(mail_user, "INBOX", mail("Moved here"), date=now - 900 * 24 * 3600)
    await store.until(lambda: 8 in store.folder().messages)
    assert not any(store.folder().arrived[uid] for uid in range(1, 8))


# -- one bad message -------------------------------------------------------------------------------------------------


async def test_poison_is_set_aside_and_tried_again(
    dovecot: Dovecot, mail_user: str, store: MemoryStore, watch: Watch
) -> None:
    bodies = ["POISON" if number in (3, 17) else "fine" for number in range(40)]
    await dovecot.append(mail_user, "INBOX", *[mail("History", body) for body in bodies], date=LONG_AGO)
    store.poison = b"POISON"
    watcher = watch(dovecot.login(mail_user))
    await store.until(lambda: current(store))
    inbox = store.folder()
    assert set(inbox.messages) == set(range(1, 41)) - {4, 18}
    assert inbox.reasons == {4: "unstorable", 18: "unstorable"}
    await dovecot.deliver(mail_user, mail("Arrives", "POISON"))
    await dovecot.deliver(mail_user, mail("Arrives", "fine"))
    await store.until(lambda: 42 in inbox.messages and 41 in inbox.set_aside)
    assert inbox.cursor is not None
    assert inbox.cursor.highest_uid == 42
    store.poison, store.due = None, True
    watcher.nudge()
    await store.until(lambda: set(inbox.messages) == set(range(1, 43)))
    assert not inbox.set_aside


async def test_a_store_that_takes_nothing_is_not_the_messages_fault(
    dovecot: Dovecot, mail_user: str, store: MemoryStore, watch: Watch
) -> None:
    await dovecot.append(mail_user, "INBOX", *[mail(f"Mail {n}") for n in range(10)], date=LONG_AGO)
    store.poison = b"Mail"
    watch(dovecot.login(mail_user))
    await store.until(lambda: any("store_failed" in repr(state) for state in store.states))
    assert not store.folder().set_aside
    store.poison = None
    await store.until(lambda: len(store.folder().messages) == 10)


# -- the census ------------------------------------------------------------------------------------------------------


async def test_the_census_mends_what_went_wrong_and_says_so(
    dovecot: Dovecot, mail_user: str, store: MemoryStore, watch: Watch
) -> None:
    for folder in ("INBOX", "Archive"):
        await dovecot.append(mail_user, folder, *[mail(f"Mail {n}") for n in range(12)], date=LONG_AGO)
    watcher = watch(dovecot.login(mail_user))
    await store.until(lambda: current(store))
    await store.until(lambda: store.folder().census and store.folder("Archive").census)
    for folder in ("INBOX", "Archive"):
        kept = store.folder(folder)
        for uid in (1, 5, 12):
            del kept.messages[uid], kept.flags[uid], kept.arrived[uid]
        for ghost in (3, 8):
            await asyncio.to_thread(_expunge_unseen, dovecot, mail_user, folder, ghost, store)
    watcher.count()
    for folder in ("INBOX", "Archive"):
        kept = store.folder(folder)
        await store.until(lambda kept=kept: set(kept.messages) == set(range(1, 13)) - {3, 8})
        await store.until(lambda kept=kept: kept.census is not None and kept.census.note)
        assert kept.census is not None
        assert (kept.census.on_server, kept.census.stored, kept.census.missing) == (10, 10, 0)
        assert "3 were missing" in kept.census.note
        assert not any(kept.arrived.values())


def _expunge_unseen(server: Dovecot, user: str, folder: str, uid: int, store: MemoryStore) -> None:
    """Delete a message, and put it back into the store as if nobody had told: a removal that was lost."""
    with server.other_client(user, folder) as client:
        client.uid("STORE", str(uid), "+FLAGS.SILENT", "(\\Deleted)")
        message = store.folder(folder).messages[uid]
        client.uid("EXPUNGE", str(uid))
    deadline = time.monotonic() + 5
    while uid in store.folder(folder).messages and time.monotonic() < deadline:
        time.sleep(0.02)
    store.folder(folder).messages[uid] = message
    store.folder(folder).flags[uid] = frozenset()


# -- watching a watcher ----------------------------------------------------------------------------------------------


def count_bodies(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The UIDs of all messages whose bodies are fetched from now on."""
    fetched: list[int] = []
    original = Connection.fetch_messages

    async def spy(self: Connection, uid_set: str) -> list:
        messages = await original(self, uid_set)
        fetched.extend(each.uid for each in messages)
        return messages

    monkeypatch.setattr(Connection, "fetch_messages", spy)
    return fetched


TAG_BEGINS = 4
"""Letters of a command's tag that tell its connection."""


def count_commands(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The lines that are sent from now on, passwords included: for tests alone."""
    from sync.imap.protocol import Protocol

    lines: list[str] = []
    original = Protocol.send

    def spy(self: Protocol, line: str, scrub: str | None = None) -> None:
        lines.append(line)
        original(self, line, scrub)

    monkeypatch.setattr(Protocol, "send", spy)
    return lines


async def run_until_current(server: Dovecot, store: MemoryStore, connected_at: datetime, user: str = "ana") -> None:
    store.states.clear()
    task = asyncio.create_task(AccountWatcher(server.login(user), store, connected_at=connected_at, timing=QUICK).run())
    await store.until(lambda: current(store))
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
