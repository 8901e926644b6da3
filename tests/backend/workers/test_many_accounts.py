"""What accounts and large messages cost a worker in memory, and that a dead worker's accounts move."""

import asyncio
import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import psutil
import pytest

from backend.accounts.credentials import Passwords, seal_passwords
from backend.database.connection import execute, fetch_value
from backend.settings import settings
from tests.servers.api import Template, fresh_copy
from tests.servers.api import environment as settings_of_this_process
from tests.servers.dovecot import Dovecot
from tests.servers.postgres import Databases
from tests.servers.tandem import PROJECT, environment

KEY = "5a" * 32
MOST_MB = 400


@asynccontextmanager
async def worker(folder: Path, dsn: str) -> AsyncIterator[subprocess.Popen[bytes]]:
    """The shipped worker as a process."""
    process = subprocess.Popen(
        [sys.executable, "-m", "backend.workers.main"],
        env=environment(folder, TANDEM_DATABASE_URL=dsn, TANDEM_SECRET_KEY=KEY, TANDEM_ALLOW_PRIVATE_SERVERS="yes"),
        cwd=PROJECT,
    )
    try:
        yield process
    finally:
        if process.poll() is None:
            process.terminate()
        await asyncio.to_thread(process.wait, 60)


async def connect_accounts(server: Dovecot, count: int, first: int = 0) -> None:
    """That many group mailboxes, each with an account of its own at this server."""
    sealed = seal_passwords(settings(), Passwords(imap=server.password, smtp=""))
    for number in range(first, first + count):
        mailbox_id = await fetch_value(
            "INSERT INTO mailboxes (kind, name, address) VALUES ('group', $1, $2) RETURNING id",
            f"Team {number}",
            f"team{number}@northwind.example",
        )
        await execute(
            "INSERT INTO mail_accounts (mailbox_id, address, username, imap_host, imap_port, imap_security, smtp_host, "
            "smtp_port, smtp_security, smtp_username, credentials, state, connected_at, lease_holder, lease_until) "
            "VALUES ($1, $2, $3, '127.0.0.1', $4, 'none', '127.0.0.1', 1, 'none', '', $5, $6, now(), '', now())",
            mailbox_id,
            f"team{number}@northwind.example",
            f"team{number}",
            server.imap_port,
            sealed,
            json.dumps({"mailbox_id": mailbox_id, "status": "connecting"}),
        )


async def until(true: Callable[[], Awaitable[bool]], seconds: float) -> float:
    began = time.monotonic()
    while not await true():
        assert time.monotonic() - began < seconds, "it did not come to pass"
        await asyncio.sleep(0.2)
    return time.monotonic() - began


async def up_to_date() -> int:
    return await fetch_value("SELECT count(*) FROM mail_accounts WHERE state ->> 'status' = 'up_to_date'")


def pss_mb(pid: int) -> float:
    processes = [psutil.Process(pid), *psutil.Process(pid).children(recursive=True)]
    return sum(each.memory_full_info().pss for each in processes) / 1e6


@pytest.mark.long
@pytest.mark.timeout(900)
async def test_three_hundred_idle_accounts_fit_into_one_worker(
    cast: Template, databases: Databases, tmp_path: Path
) -> None:
    # One Dovecot with its shipped limits answers about 500 connections.
    with Dovecot() as server, Dovecot() as other:
        async with fresh_copy(cast, databases, tmp_path):
            with settings_of_this_process(tmp_path, TANDEM_SECRET_KEY=KEY):
                await execute("DELETE FROM mail_accounts")
                await connect_accounts(server, 150)
                await connect_accounts(other, 150, first=150)
            dsn = databases.dsn(await fetch_value("SELECT current_database()"))
            async with worker(tmp_path, dsn) as process:

                async def all_there() -> bool:
                    return await up_to_date() == 300

                took = await until(all_there, 300)
                await asyncio.sleep(5)
                used = pss_mb(process.pid)
                lines = len(psutil.Process(process.pid).net_connections(kind="tcp"))
                print(f"300 accounts up to date after {took:.0f} s, {lines} connections, {used:.0f} MB")
                assert used < MOST_MB


@pytest.mark.timeout(120)
async def test_a_dead_workers_accounts_move_within_thirty_seconds(
    cast: Template, databases: Databases, tmp_path: Path, dovecot: Dovecot
) -> None:
    async with fresh_copy(cast, databases, tmp_path):
        with settings_of_this_process(tmp_path, TANDEM_SECRET_KEY=KEY):
            await execute("DELETE FROM mail_accounts")
            await connect_accounts(dovecot, 3)
        dsn = databases.dsn(await fetch_value("SELECT current_database()"))
        async with worker(tmp_path, dsn) as first:

            async def all_there() -> bool:
                return await up_to_date() == 3

            await until(all_there, 40)
            held = await fetch_value("SELECT min(lease_holder) FROM mail_accounts")
            async with worker(tmp_path, dsn):
                await asyncio.sleep(3)
                assert await fetch_value("SELECT count(*) FROM mail_accounts WHERE lease_holder = $1", held) == 3
                os.kill(first.pid, signal.SIGKILL)

                async def moved() -> bool:
                    return await fetch_value("SELECT count(*) FROM mail_accounts WHERE lease_holder <> $1", held) == 3

                assert await until(moved, 30) < 30


LARGE = 60 * 1024 * 1024


def large_mail() -> bytes:
    """An attachment as mail programs send it: base64 in lines of 76 characters."""
    head = (
        b"From: Ana <ana@customer.example>\r\nTo: team0@northwind.example\r\nSubject: The film\r\n"
        b"Message-ID: <film@customer.example>\r\nDate: Mon, 23 Nov 2026 10:00:00 +0000\r\nMIME-Version: 1.0\r\n"
        b'Content-Type: multipart/mixed; boundary="cut"\r\n\r\n--cut\r\nContent-Type: text/plain\r\n\r\nThe film.\r\n'
        b'--cut\r\nContent-Type: video/mp4; name="film.mp4"\r\nContent-Transfer-Encoding: base64\r\n'
        b'Content-Disposition: attachment; filename="film.mp4"\r\n\r\n'
    )
    line = b"QUJDREVGR0hJSktMTU5PUFFSU1RVVldYWVphYmNkZWZnaGlqa2xtbm9wcXJzdHV2d3h5ejAxMjM0\r\n"
    return head + line * (LARGE // len(line)) + b"--cut--\r\n"


@pytest.mark.timeout(240)
async def test_a_large_message_is_whole_in_memory_only_once(
    cast: Template, databases: Databases, tmp_path: Path, dovecot: Dovecot
) -> None:
    """Its bytes once; while it is read, also its decoded attachment (three quarters) as the parser has it and as we do.

    A second copy of the bytes anywhere would show: that is 3.5 times its size.
    """
    async with fresh_copy(cast, databases, tmp_path):
        with settings_of_this_process(tmp_path, TANDEM_SECRET_KEY=KEY):
            await execute("DELETE FROM mail_accounts")
            await connect_accounts(dovecot, 1)
        await dovecot.append("team0", "INBOX", b"From: a@customer.example\r\nSubject: Small\r\n\r\nHello\r\n")
        dsn = databases.dsn(await fetch_value("SELECT current_database()"))
        async with worker(tmp_path, dsn) as process:

            async def stored(subject: str) -> bool:
                return bool(await fetch_value("SELECT count(*) FROM messages WHERE subject = $1", subject))

            await until(lambda: stored("Small"), 60)
            await asyncio.sleep(2)
            peaks = Peaks(process.pid)
            before = peaks.now()
            with peaks:
                await dovecot.append("team0", "INBOX", large_mail())
                await until(lambda: stored("The film"), 120)
            row = await fetch_value("SELECT attachments::text FROM messages WHERE subject = 'The film'")
            assert "film.mp4" in row
            grown = peaks.highest - before
            print(f"a message of {LARGE / 1e6:.0f} MB: {before / 1e6:.0f} MB and {grown / 1e6:.0f} MB more")
            assert grown < 2.75 * LARGE


class Peaks:
    """The highest resident memory of a process and its children while the block lasts, in bytes."""

    def __init__(self, pid: int) -> None:
        self.highest = 0
        self._pid = pid
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._watch)

    def now(self) -> int:
        own = psutil.Process(self._pid)
        return sum(each.memory_info().rss for each in (own, *own.children(recursive=True)))

    def __enter__(self) -> "Peaks":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()

    def _watch(self) -> None:
        while not self._over.wait(0.01):
            self.highest = max(self.highest, self.now())
