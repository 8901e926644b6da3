"""Hundreds of folders: all of them come, and what happens in any of them is seen."""

import time
from collections.abc import Callable
from dataclasses import replace

import pytest

from sync.types import SEEN, UpToDate
from tests.servers.dovecot import Dovecot
from tests.sync.imap.conftest import QUICK, Watch
from tests.sync.imap.mails import mail
from tests.sync.imap.memory_store import MemoryStore

LONG_AGO = time.time() - 30 * 24 * 3600
CLIENTS = [f"Client {number:03}" for number in range(200)]


@pytest.mark.parametrize("without", [(), ("NOTIFY", "LIST-STATUS", "QRESYNC", "CONDSTORE")])
async def test_two_hundred_folders_are_followed(
    make_dovecot: Callable[..., Dovecot], store: MemoryStore, watch: Watch, without: tuple[str, ...]
) -> None:
    # Dovecot looks after what it was not told of by the kernel, every half minute if not asked otherwise.
    server = make_dovecot(without=without, settings="mailbox_idle_check_interval = 1 secs")
    for name in CLIENTS:
        server.fill("ana", name, [mail(f"From {name}")], date=LONG_AGO)
    watch(server.login("ana"), timing=replace(QUICK, poll=0.5, poll_all=0.5) if without else QUICK)
    await store.until(lambda: all(store.folder(name).messages for name in CLIENTS), 60)
    await store.until(lambda: isinstance(store.states[-1], UpToDate), 60)
    await server.append("ana", CLIENTS[137], mail("One more"))
    await server.set_flags("ana", CLIENTS[112], "1", SEEN)
    await store.until(lambda: len(store.folder(CLIENTS[137]).messages) == 2, 30)
    await store.until(lambda: SEEN in store.folder(CLIENTS[112]).flags[1], 30)
