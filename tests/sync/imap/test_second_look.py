"""Mail that another program moves on in the very moment when we moved it: nobody tells, and it is noticed."""

import asyncio
from collections.abc import Callable
from dataclasses import replace

import pytest

from sync.imap.connection import open_connection
from tests.servers.dovecot import Dovecot
from tests.sync.imap.conftest import QUICK, Watch
from tests.sync.imap.mails import mail
from tests.sync.imap.memory_store import MemoryStore
from tests.sync.imap.test_rounds import count_commands, current


async def move_and_write_down(server: Dovecot, user: str, store: MemoryStore, source: str, target: str) -> int:
    """As the job does: the mail is moved, and stands at its new place here. Answers its UID there."""
    ours = await open_connection(server.login(user))
    await ours.open_folder(source, read_only=False)
    [uid] = (await ours.move([1], target)).values()
    kept, message = store.folder(target), store.folder(source).messages[1]
    kept.messages[uid] = replace(message, uid=uid)
    kept.flags[uid], kept.arrived[uid] = message.flags, False
    await ours.close()
    return uid


@pytest.mark.parametrize("without", [(), ("NOTIFY",), ("QRESYNC", "CONDSTORE"), ("NOTIFY", "IDLE")])
@pytest.mark.parametrize(("source", "target"), [("INBOX", "Archive"), ("Archive", "INBOX")])
async def test_what_is_moved_on_in_the_same_moment_is_noticed(
    make_dovecot: Callable[..., Dovecot],
    store: MemoryStore,
    watch: Watch,
    without: tuple[str, ...],
    source: str,
    target: str,
) -> None:
    server = make_dovecot(without=without)
    await server.create("ana", "Projects")
    await server.append("ana", source, mail("Moved on"))
    watcher = watch(server.login("ana"), timing=replace(QUICK, second_look=1))
    await store.until(lambda: current(store) and store.folder(source).messages)
    uid = await move_and_write_down(server, "ana", store, source, target)
    await server.move("ana", target, str(uid), "Projects")
    watcher.look_again({target: [uid]})
    await store.until(lambda: uid not in store.folder(target).messages)


async def test_what_stands_where_it_was_moved_to_stays_and_costs_one_question(
    dovecot: Dovecot, mail_user: str, store: MemoryStore, watch: Watch, monkeypatch: pytest.MonkeyPatch
) -> None:
    await dovecot.append(mail_user, "INBOX", mail("Stays"))
    watcher = watch(dovecot.login(mail_user), timing=replace(QUICK, second_look=0.5))
    await store.until(lambda: current(store) and store.folder().messages)
    uid = await move_and_write_down(dovecot, mail_user, store, "INBOX", "Archive")
    await asyncio.sleep(1.5)  # Dovecot makes folders when they are first opened, and tells of that
    asked = count_commands(monkeypatch)
    watcher.look_again({"Archive": [uid], "Unknown": [3]})
    for _ in range(200):
        await asyncio.sleep(0.05)
        if any(line.endswith(f"UID {uid}") for line in asked):
            break
    else:
        raise AssertionError(f"nobody looked: {asked}")
    await asyncio.sleep(0.2)
    assert uid in store.folder("Archive").messages
    assert not [line for line in asked if "LIST" in line], asked
