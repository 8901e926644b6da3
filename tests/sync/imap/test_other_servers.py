"""The watcher against pymap, a server without CONDSTORE, ESEARCH, SPECIAL-USE and UNSELECT: the demo's server."""

import asyncio
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from sync.imap.connection import open_connection
from sync.imap.pushback import append_once
from sync.types import SEEN, ImapLogin, UpToDate
from tests.servers.ports import free_port
from tests.sync.imap.conftest import Watch
from tests.sync.imap.mails import mail
from tests.sync.imap.memory_store import MemoryStore
from tests.sync.imap.work import move, set_flag


@pytest.fixture(scope="module")
def pymap_login() -> Iterator[ImapLogin]:
    """A pymap with its own example mailbox."""
    port = free_port()
    program = Path(sys.executable).parent / "pymap"
    process = subprocess.Popen(
        [program, "--host", "127.0.0.1", "--port", str(port), "--no-tls", "dict", "--demo-data"],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    deadline = time.monotonic() + 20
    while True:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
            break
        except OSError:
            assert process.poll() is None
            assert time.monotonic() < deadline
            time.sleep(0.05)
    yield ImapLogin(
        host="127.0.0.1",
        port=port,
        security="none",
        username="demouser",
        password="demopass",
        private_network=True,
    )
    process.terminate()
    process.wait(10)


async def test_everything_comes_and_goes(pymap_login: ImapLogin, store: MemoryStore, watch: Watch) -> None:
    watch(pymap_login)
    await store.until(lambda: isinstance(store.states[-1], UpToDate) if store.states else False)
    inbox = store.folder()
    before = len(inbox.messages)
    other = await open_connection(pymap_login)
    for number in range(5):  # while IDLE is being renewed after the one before: pymap forgets to tell some
        await other.append("INBOX", mail(f"New {number}"))
        await asyncio.sleep(0.003)
    await store.until(lambda: len(inbox.messages) == before + 5)
    newest = max(inbox.messages)
    validity = (await other.open_folder("INBOX")).uid_validity
    await set_flag(other, "INBOX", validity, [newest], SEEN)
    await store.until(lambda: SEEN in inbox.flags[newest])
    await move(other, "INBOX", validity, [newest], "Archive")
    await store.until(lambda: newest not in inbox.messages)
    sent = await append_once(other, "Sent", mail("Out", message_id="1@team.example"), "<1@team.example>")
    again = await append_once(other, "Sent", mail("Out", message_id="1@team.example"), "<1@team.example>")
    assert (sent.uid, again.already_there) == (again.uid, True)
    await other.close()
