"""The watcher against a real Dovecot: what is on the server stands in the store, and stays so."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import psutil
import pytest

from sync.errors import LeaseLost
from sync.imap.account import AccountWatcher
from sync.types import SEEN, NeedsYou, Retrying, Syncing, UpToDate
from tests.servers.dovecot import Dovecot
from tests.servers.proxy import Proxy
from tests.sync.imap.conftest import QUICK, Watch
from tests.sync.imap.mails import mail
from tests.sync.imap.memory_store import MemoryStore

LONG_AGO = time.time() - 30 * 24 * 3600


async def test_history_comes_newest_first_and_byte_for_byte(
    dovecot: Dovecot, mail_user: str, store: MemoryStore, watch: Watch
) -> None:
    sent = [mail(f"Mail {number}") for number in range(230)]
    await dovecot.append(mail_user, "INBOX", *sent, date=LONG_AGO)
    await dovecot.append(mail_user, "Sent", mail("Our answer"), flags="\\Seen", date=LONG_AGO)
    watch(dovecot.login(mail_user))
    await store.until(lambda: isinstance(store.states[-1], UpToDate) if store.states else False)
    inbox = store.folder()
    assert inbox.order == sorted(inbox.order, reverse=True)
    assert [inbox.messages[uid].raw for uid in range(1, 231)] == sent
    assert not any(inbox.arrived.values())
    assert inbox.cursor is not None
    assert inbox.cursor.backfill_done
    assert store.folder("Sent").flags == {1: frozenset({SEEN})}
    progress = [
        state.folders["INBOX"].done for state in store.states if isinstance(state, Syncing) and "INBOX" in state.folders
    ]
    assert progress == sorted(progress)
    assert len(set(progress)) >= 3


async def test_new_mail_comes_by_idle_at_once(
    dovecot: Dovecot, mail_user: str, store: MemoryStore, watch: Watch
) -> None:
    watch(dovecot.login(mail_user))
    await store.until(lambda: isinstance(store.states[-1], UpToDate) if store.states else False)
    for number in range(1, 4):
        await dovecot.deliver(mail_user, mail(f"New {number}"))
        await store.until(lambda number=number: number in store.folder().messages)
    assert store.folder().arrived == {1: True, 2: True, 3: True}
    assert store.folder().messages == {
        uid: message for uid, message in store.folder().messages.items() if message.raw.endswith(b"Hello\r\n")
    }


async def test_new_mail_is_stored_within_milliseconds_of_the_push(
    dovecot: Dovecot, mail_user: str, store: MemoryStore, watch: Watch
) -> None:
    """From the moment when the server's announcement passes the proxy; Dovecot holds it back for 500 ms before."""
    async with Proxy(dovecot.imap_port) as proxy:
        watch(dovecot.login(mail_user, port=proxy.port))
        await store.until(lambda: isinstance(store.states[-1], UpToDate) if store.states else False)
        delays = []
        for number in range(1, 6):
            await dovecot.deliver(mail_user, mail(f"New {number}"))
            await store.until(lambda number=number: number in store.folder().messages)
            delays.append(store.folder().stored_at[number] - proxy.last_push)
    assert min(delays) > 0
    assert sorted(delays)[2] < 0.05, delays


@pytest.mark.parametrize(
    "without",
    [
        (),
        ("QRESYNC",),
        ("CONDSTORE", "QRESYNC"),
        ("CONDSTORE", "QRESYNC", "IDLE", "ESEARCH", "MOVE", "NOTIFY", "LIST-STATUS"),
    ],
)
async def test_flags_and_deletions_of_another_client(
    make_dovecot: Callable[..., Dovecot], store: MemoryStore, watch: Watch, without: tuple[str, ...]
) -> None:
    server = make_dovecot(without=without)
    await server.append("ana", "INBOX", *[mail(f"Mail {number}") for number in range(10)], date=LONG_AGO)
    watch(server.login("ana"), timing=replace(QUICK, poll=0.2))
    await store.until(lambda: isinstance(store.states[-1], UpToDate) if store.states else False)
    inbox = store.folder()

    await server.set_flags("ana", "INBOX", "3,5", "\\Seen $Important")
    await store.until(lambda: inbox.flags[5] == {SEEN, "$Important"} == inbox.flags[3])
    await server.set_flags("ana", "INBOX", "3", "\\Seen", add=False)
    await store.until(lambda: inbox.flags[3] == {"$Important"})

    await server.expunge("ana", "INBOX", "1,4")
    await store.until(lambda: set(inbox.messages) == {2, 3, 5, 6, 7, 8, 9, 10})
    await server.set_flags("ana", "INBOX", "9", "\\Flagged")
    await store.until(lambda: inbox.flags[9] == {"\\Flagged"})
    await server.deliver("ana", mail("New"))
    await store.until(lambda: 11 in inbox.messages)
    assert inbox.flags == await server.flags("ana")


@pytest.mark.parametrize("without", [(), ("QRESYNC",), ("CONDSTORE", "QRESYNC")])
async def test_what_happened_while_away_is_made_up_for(
    make_dovecot: Callable[..., Dovecot], store: MemoryStore, watch: Watch, without: tuple[str, ...]
) -> None:
    server = make_dovecot(without=without)
    await server.append("ana", "INBOX", *[mail(f"Mail {number}") for number in range(10)], date=LONG_AGO)
    connected_at = datetime.now(UTC)
    await _run_until_current(server, store, connected_at)
    await server.set_flags("ana", "INBOX", "2", "\\Seen")
    await server.expunge("ana", "INBOX", "7")
    await server.append("ana", "INBOX", mail("While away"))
    watch(server.login("ana"), connected_at=connected_at)
    inbox = store.folder()
    await store.until(lambda: 11 in inbox.messages and 7 not in inbox.messages and SEEN in inbox.flags[2])
    assert inbox.arrived[11] is True
    assert inbox.arrived[1] is False


async def _run_until_current(server: Dovecot, store: MemoryStore, connected_at: datetime) -> None:
    watcher = AccountWatcher(server.login("ana"), store, connected_at=connected_at, timing=QUICK)
    task = asyncio.create_task(watcher.run())
    await store.until(lambda: isinstance(store.states[-1], UpToDate) if store.states else False)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


async def test_a_cut_connection_heals(dovecot: Dovecot, mail_user: str, store: MemoryStore, watch: Watch) -> None:
    async with Proxy(dovecot.imap_port) as proxy:
        watch(dovecot.login(mail_user, port=proxy.port))
        await store.until(lambda: isinstance(store.states[-1], UpToDate) if store.states else False)
        for number in range(1, 4):
            proxy.cut()
            await store.until(lambda: isinstance(store.states[-1], Retrying))
            await dovecot.deliver(mail_user, mail(f"During the cut {number}"))
            await store.until(lambda number=number: number in store.folder().messages)
            await store.until(lambda: isinstance(store.states[-1], UpToDate))
        problems = {state.problem.code for state in store.states if isinstance(state, Retrying)}
        assert problems == {"connection_lost"}


async def test_a_backfill_cut_again_and_again_misses_and_doubles_nothing(
    dovecot: Dovecot, mail_user: str, store: MemoryStore, watch: Watch
) -> None:
    sent = [mail(f"Mail {number}", "x" * 3000) for number in range(400)]
    await dovecot.append(mail_user, "INBOX", *sent, date=LONG_AGO)
    async with Proxy(dovecot.imap_port) as proxy:
        proxy.cut_after(200_000)
        watch(dovecot.login(mail_user, port=proxy.port))
        for _ in range(4):
            seen = len(store.states)
            await store.until(lambda seen=seen: any(isinstance(s, Retrying) for s in store.states[seen:]))
            proxy.cut_after(200_000)
        proxy.cut_after(10**9)
        await store.until(lambda: len(store.folder().messages) == 400, timeout=20)
    inbox = store.folder()
    assert [inbox.messages[uid].raw for uid in range(1, 401)] == sent
    assert inbox.order == sorted(inbox.order, reverse=True)


async def test_a_peer_that_died_in_silence_is_noticed(
    dovecot: Dovecot, mail_user: str, store: MemoryStore, watch: Watch
) -> None:
    async with Proxy(dovecot.imap_port) as proxy:
        watch(dovecot.login(mail_user, port=proxy.port), timing=replace(QUICK, idle=0.5, command=0.5))
        await store.until(lambda: isinstance(store.states[-1], UpToDate) if store.states else False)
        proxy.freeze()
        await store.until(lambda: isinstance(store.states[-1], Retrying))
        assert isinstance(store.states[-1], Retrying)
        assert store.states[-1].problem.code in ("timeout", "not_a_mail_server")
        proxy.thaw()
        await dovecot.deliver(mail_user, mail("After the silence"))
        await store.until(lambda: 1 in store.folder().messages)


async def test_new_mail_is_seen_while_old_mail_is_still_coming(
    dovecot: Dovecot, mail_user: str, store: MemoryStore, watch: Watch
) -> None:
    await dovecot.append(mail_user, "INBOX", *[mail(f"Mail {n}") for n in range(1200)], date=LONG_AGO)
    store.history_may_come.clear()
    watch(dovecot.login(mail_user))
    await store.until(lambda: any(call.startswith("read_ahead") for call in store.calls))
    await dovecot.deliver(mail_user, mail("Urgent"))
    store.history_may_come.set()
    await store.until(lambda: len(store.folder().messages) == 1201, timeout=30)
    inbox = store.folder()
    assert inbox.arrived[1201]
    assert inbox.order.index(1201) < 1200


async def test_a_changed_uidvalidity_starts_the_folder_anew(
    make_dovecot: Callable[..., Dovecot], store: MemoryStore, watch: Watch
) -> None:
    server = make_dovecot()
    await server.append("ana", "INBOX", *[mail(f"Mail {number}") for number in range(5)], date=LONG_AGO)
    watch(server.login("ana"), connected_at=datetime.now(UTC) - timedelta(hours=1))
    await store.until(lambda: isinstance(store.states[-1], UpToDate) if store.states else False)
    before = store.folder().cursor
    await server.append("ana", "INBOX", mail("Arrived"))
    await store.until(lambda: 6 in store.folder().messages)
    server.halt()
    server.change_uid_validity("ana")
    server.start()
    await store.until(lambda: store.folder().resets == 1 and len(store.folder().messages) == 6)
    after = store.folder().cursor
    assert before is not None
    assert after is not None
    assert after.uid_validity != before.uid_validity
    subjects = {
        store.folder().messages[uid].raw.split(b"Subject: ")[1][:7]: flag
        for uid, flag in store.folder().arrived.items()
    }
    assert subjects[b"Arrived"] is True
    assert subjects[b"Mail 0\r"] is False


async def test_a_wrong_password_needs_a_person(
    dovecot: Dovecot, mail_user: str, store: MemoryStore, watch: Watch
) -> None:
    async with Proxy(dovecot.imap_port) as proxy:
        login = dovecot.login(mail_user, password="not the password", port=proxy.port)
        watch(login)
        await store.until(lambda: isinstance(store.states[-1], NeedsYou) if store.states else False)
        state = store.states[-1]
        assert isinstance(state, NeedsYou)
        assert state.problem.code == "wrong_password"
        assert "AUTHENTICATIONFAILED" in state.problem.server_words
        assert "not the password" not in repr(state) + repr(login)
        await asyncio.sleep(0.3)
        assert proxy.signing_in == 1


async def test_too_many_connections_is_a_passing_problem(
    make_dovecot: Callable[..., Dovecot], store: MemoryStore, watch: Watch
) -> None:
    server = make_dovecot(max_connections=1)
    watch(server.login("ana"))
    await store.until(lambda: any(isinstance(state, Retrying) for state in store.states))
    problem = next(state.problem for state in store.states if isinstance(state, Retrying))
    assert problem.code == "too_many_connections"
    await server.deliver("ana", mail("The inbox goes on"))
    await store.until(lambda: 1 in store.folder().messages)


async def test_a_server_that_comes_back_is_found_again(
    make_dovecot: Callable[..., Dovecot], store: MemoryStore, watch: Watch
) -> None:
    server = make_dovecot()
    watch(server.login("ana"))
    await store.until(lambda: isinstance(store.states[-1], UpToDate) if store.states else False)
    server.halt()
    await store.until(lambda: any(isinstance(s, Retrying) and s.problem.code == "refused" for s in store.states))
    server.start()
    await server.deliver("ana", mail("After the restart"))
    await store.until(lambda: 1 in store.folder().messages)


async def test_a_nudge_looks_at_the_sent_folder_now(
    dovecot: Dovecot, mail_user: str, store: MemoryStore, watch: Watch
) -> None:
    watcher = watch(dovecot.login(mail_user))
    await store.until(lambda: isinstance(store.states[-1], UpToDate) if store.states else False)
    await dovecot.append(mail_user, "Sent", mail("Written elsewhere"))
    watcher.nudge()
    await store.until(lambda: 1 in store.folder("Sent").messages)
    assert store.folder("Sent").arrived == {1: True}
    await dovecot.expunge(mail_user, "Sent", "1")
    watcher.nudge()
    await store.until(lambda: not store.folder("Sent").messages)


async def test_the_sent_folder_is_polled(dovecot: Dovecot, mail_user: str, store: MemoryStore, watch: Watch) -> None:
    watch(dovecot.login(mail_user), timing=replace(QUICK, poll=0.2))
    await store.until(lambda: isinstance(store.states[-1], UpToDate) if store.states else False)
    await dovecot.append(mail_user, "Sent", mail("Written elsewhere"))
    await store.until(lambda: 1 in store.folder("Sent").messages)


async def test_a_failing_store_loses_nothing(
    dovecot: Dovecot, mail_user: str, store: MemoryStore, watch: Watch
) -> None:
    watch(dovecot.login(mail_user))
    await store.until(lambda: isinstance(store.states[-1], UpToDate) if store.states else False)
    store.fail = ConnectionError("the database restarts")
    await dovecot.deliver(mail_user, mail("At a bad moment"))
    await store.until(lambda: 1 in store.folder().messages)
    problems = [state.problem.code for state in store.states if isinstance(state, Retrying)]
    assert problems == ["store_failed"]


async def test_a_store_that_fails_from_the_beginning_is_waited_for(
    dovecot: Dovecot, mail_user: str, store: MemoryStore, watch: Watch, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A database that restarts fails whatever is asked of it first."""
    down = True

    def failing(method: Callable[..., Awaitable[Any]]) -> Callable[..., Awaitable[Any]]:
        async def ask(*arguments: Any) -> Any:
            if down:
                raise ConnectionError("the database restarts")
            return await method(*arguments)

        return ask

    for name in ("cursor", "known_folders", "plan", "counted_at"):
        monkeypatch.setattr(store, name, failing(getattr(store, name)))
    await dovecot.append(mail_user, "Archive", mail("Put away"), date=LONG_AGO)
    watch(dovecot.login(mail_user))
    await store.until(lambda: any(isinstance(state, Retrying) for state in store.states))
    down = False
    await store.until(lambda: isinstance(store.states[-1], UpToDate) and store.folder("Archive").messages)


async def test_a_lost_lease_ends_the_watcher(dovecot: Dovecot, mail_user: str, store: MemoryStore) -> None:
    watcher = AccountWatcher(
        dovecot.login(mail_user), store, connected_at=datetime.now(UTC), timing=replace(QUICK, idle=0.2)
    )
    task = asyncio.create_task(watcher.run())
    await store.until(lambda: isinstance(store.states[-1], UpToDate) if store.states else False)
    store.leased = False
    written = len(store.calls)
    with pytest.raises(LeaseLost):
        await asyncio.wait_for(task, 10)
    assert not [call for call in store.calls[written:] if call != "report"]


async def test_a_stopped_watcher_leaves_no_task_and_no_socket(
    dovecot: Dovecot, mail_user: str, store: MemoryStore
) -> None:
    await dovecot.append(mail_user, "INBOX", *[mail(f"Mail {n}") for n in range(300)], date=LONG_AGO)
    me = psutil.Process()
    tasks = asyncio.all_tasks()
    sockets = len(me.net_connections(kind="tcp"))
    for pause in (0.0, 0.01, 0.02, 0.05, 0.1, 0.3, 1.0):
        watcher = AccountWatcher(dovecot.login(mail_user), store, connected_at=datetime.now(UTC), timing=QUICK)
        task = asyncio.create_task(watcher.run())
        await asyncio.sleep(pause)
        task.cancel()
        began = time.perf_counter()
        await asyncio.gather(task, return_exceptions=True)
        assert time.perf_counter() - began < 3
        await asyncio.sleep(0)
        assert asyncio.all_tasks() == tasks
    assert len(me.net_connections(kind="tcp")) == sockets


async def test_five_thousand_flags_are_compared_without_condstore(
    make_dovecot: Callable[..., Dovecot], store: MemoryStore, watch: Watch
) -> None:
    server = make_dovecot(without=("CONDSTORE", "QRESYNC"))
    server.fill("ana", "INBOX", [mail(f"Mail {number}") for number in range(5000)])
    connected_at = datetime.now(UTC) + timedelta(days=1)
    task = asyncio.create_task(
        AccountWatcher(server.login("ana"), store, connected_at=connected_at, timing=QUICK).run()
    )
    await store.until(lambda: len(store.folder().messages) == 5000, timeout=60)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    await server.set_flags("ana", "INBOX", "1:5000", "\\Seen")
    await server.set_flags("ana", "INBOX", "17,4711", "\\Seen", add=False)
    began = time.perf_counter()
    watch(server.login("ana"), connected_at=connected_at)
    await store.until(lambda: sum(SEEN in f for f in store.folder().flags.values()) == 4998, timeout=30)
    assert time.perf_counter() - began < 5
    assert [uid for uid, flags in store.folder().flags.items() if SEEN not in flags] == [4711, 17]
