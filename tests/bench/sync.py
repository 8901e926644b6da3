"""How fast a mailbox is brought over and kept true, beside mbsync on the same Dovecot mailbox in the same run.

    python -m tests.bench.sync --messages 10000 --json

The shipped worker as a process, PostgreSQL with the settings that are shipped, a real Dovecot with mail of real sizes
(tests/bench/real_mail.py) in one Inbox. What is measured, and what not, stands in docs/benchmarks.md. Progress goes to
stderr; the last line on stdout is one JSON object.
"""

import argparse
import asyncio
import json
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import psutil

from backend.accounts.credentials import Passwords, seal_passwords
from backend.database.connection import execute, fetch, fetch_value
from backend.database.embedded import EmbeddedPostgres
from backend.mailboxes.contracts import CreateMailbox, MailboxSettings
from backend.people.contracts import Me, SetUp
from backend.search.contracts import FoundPage
from backend.settings import settings
from tests.bench.figures import postgres_facts, say, surroundings
from tests.bench.peers import Mbsync, notmuch_new, versions
from tests.bench.real_mail import MailWriter, mean_size
from tests.servers.api import PASSWORD, Caller, running
from tests.servers.api import environment as settings_of_this_process
from tests.servers.dovecot import Dovecot
from tests.servers.tandem import PROJECT, command, environment

USER = "ana"
ADDRESS = "ana@northwind.example"
KEY = "5a" * 32
FIRST_SCREEN = 50
CHANGES = 100
"""New messages, and changed flags, of one round."""
UNREAD_SHARE = 3
"""One message in so many is unread at the beginning."""
FLOORS = {
    "initial_first_screen_seconds": 2.0,
    "initial_ratio": 0.8,
    "noop_ratio": 0.7,
    "delta_ratio": 1.2,
    "peak_rss_mb": 300.0,
}


@dataclass
class Account:
    """The mail account in the database, as the worker sees it."""

    dovecot: Dovecot
    mailbox_id: int
    account_id: int = 0

    async def connect(self) -> float:
        """Let the worker begin; answers when that was (perf_counter)."""
        began = time.perf_counter()
        self.account_id = await fetch_value(
            "INSERT INTO mail_accounts (mailbox_id, address, username, imap_host, imap_port, imap_security, smtp_host, "
            "smtp_port, smtp_security, smtp_username, credentials, state, connected_at, lease_holder, lease_until) "
            "VALUES ($1, $2, $3, '127.0.0.1', $4, 'none', '127.0.0.1', 1, 'none', '', $5, $6, now(), '', now()) "
            "RETURNING id",
            self.mailbox_id,
            ADDRESS,
            USER,
            self.dovecot.imap_port,
            seal_passwords(settings(), Passwords(imap=self.dovecot.password)),
            json.dumps({"mailbox_id": self.mailbox_id, "status": "connecting"}),
        )
        await self._tell()
        return began

    async def pause(self) -> None:
        """Let the worker leave the account alone, and wait until its connections are gone."""
        await execute("UPDATE mail_accounts SET paused_at = now() WHERE id = $1", self.account_id)
        await self._tell()
        await until(lambda: self._is("lease_until <= now()"))
        await asyncio.sleep(0.3)

    async def resume(self) -> float:
        """Let the worker connect again; answers when that was."""
        began = time.perf_counter()
        await execute(
            "UPDATE mail_accounts SET paused_at = NULL, lease_until = now(), state = $2 WHERE id = $1",
            self.account_id,
            json.dumps({"mailbox_id": self.mailbox_id, "status": "connecting"}),
        )
        await self._tell()
        return began

    async def is_up_to_date(self) -> bool:
        return await self._is("state ->> 'status' = 'up_to_date'")

    async def modseq(self) -> int:
        """Up to where the changes of the Inbox are known."""
        query = "SELECT highest_modseq FROM folders WHERE account_id = $1 AND role = 'inbox'"
        return await fetch_value(query, self.account_id)

    async def has_moved(self, modseq: int) -> bool:
        return await self.modseq() != modseq

    async def count(self, condition: str = "true") -> int:
        """Placements in the Inbox for which the condition holds."""
        return await fetch_value(
            "SELECT count(*) FROM placements p JOIN folders f ON f.id = p.folder_id "
            f"WHERE f.account_id = $1 AND f.role = 'inbox' AND {condition}",
            self.account_id,
        )

    async def _is(self, condition: str) -> bool:
        found = await fetch_value(f"SELECT {condition} FROM mail_accounts WHERE id = $1", self.account_id)
        return bool(found)

    async def _tell(self) -> None:
        await execute("SELECT pg_notify('tandem_accounts', $1)", str(self.account_id))


async def until(true: Callable[[], Awaitable[bool]], *, every: float = 0.001, seconds: float = 900.0) -> float:
    """Wait until it is; answers when that was. TimeoutError when it does not come to pass."""
    deadline = time.perf_counter() + seconds
    while not await true():
        if time.perf_counter() > deadline:
            raise TimeoutError("the worker did not get there; see its log above")
        await asyncio.sleep(every)
    return time.perf_counter()


class Peak:
    """The highest memory of a process and all that it started, while the block lasts: PSS in MB (10^6 bytes)."""

    def __init__(self, pid: int) -> None:
        self._process = psutil.Process(pid)
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._watch, name="memory", daemon=True)
        self.mb = 0.0

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._over.set()
        self._thread.join()

    def _watch(self) -> None:
        while not self._over.wait(0.25):
            total = 0
            for each in (self._process, *self._process.children(recursive=True)):
                try:
                    total += each.memory_full_info().pss
                except psutil.NoSuchProcess:
                    continue  # it has just ended
            self.mb = max(self.mb, total / 1e6)


@dataclass
class Run:
    """One run of the benchmark: its servers, and what was measured."""

    dovecot: Dovecot
    mbsync: Mbsync
    folder: Path
    writer: MailWriter
    messages: int
    rounds: int
    figures: dict[str, Any] = field(default_factory=dict)
    ana: Caller = field(init=False)

    @property
    def changes(self) -> int:
        return min(CHANGES, self.messages // (4 * UNREAD_SHARE))

    def fill(self) -> None:
        """The mailbox as it is found. Its server has indexed it already, as any server in use has."""
        raws = list(self.writer.messages(self.messages))
        self.dovecot.fill(USER, "INBOX", raws)
        with self.dovecot.other_client(USER, "INBOX") as client:
            client.uid("FETCH", "1:*", "(FLAGS INTERNALDATE RFC822.SIZE)")
            unread = ",".join(str(uid) for uid in range(1, self.messages + 1) if uid % UNREAD_SHARE)
            client.uid("STORE", unread, "+FLAGS.SILENT", "(\\Seen)")
        self.figures |= {"messages": self.messages, "mean_kb": round(mean_size(raws), 1)}
        say(f"{self.messages} messages of {self.figures['mean_kb']} KB on average, {sum(map(len, raws)) / 1e6:.0f} MB")

    def change(self, number: int) -> None:
        """New mail, and as many old messages read, by another program."""
        unread = [uid for uid in range(1, self.messages + 1) if uid % UNREAD_SHARE == 0]
        chosen = unread[number * self.changes : (number + 1) * self.changes]
        with self.dovecot.other_client(USER, "INBOX") as client:
            for raw in self.writer.messages(self.changes):
                client.append("INBOX", "", None, raw)  # pyright: ignore[reportArgumentType] - its stub knows no None
            client.uid("STORE", ",".join(map(str, chosen)), "+FLAGS.SILENT", "(\\Seen)")

    def peer_initial(self) -> None:
        seconds, peak = self.mbsync.run()
        self.figures |= {"mbsync_initial_seconds": round(seconds, 3), "mbsync_peak_rss_mb": round(peak, 1)}
        say(f"mbsync took {seconds:.2f} s")
        self.figures["notmuch_new_seconds"] = round(notmuch_new(self.mbsync.maildir, self.folder), 2)
        say(f"notmuch took {self.figures['notmuch_new_seconds']} s for its index")

    async def initial(self, account: Account) -> None:
        """From connecting a new account until all its mail is stored, read, threaded and found by searching."""
        began = await account.connect()
        first = await until(lambda: self._newest_are_there(account), every=0.01)
        self.figures["initial_first_screen_seconds"] = round(first - began, 3)
        ended = await until(lambda: self._all_there(account), every=0.1)
        self.figures["initial_seconds"] = round(ended - began, 3)
        await until(account.is_up_to_date)
        await self._can_be_searched(account)
        stored = await fetch_value("SELECT count(*) FROM messages WHERE message_id <> ''")
        threaded = await fetch_value("SELECT count(DISTINCT conversation_id) FROM messages")
        if stored != self.messages:
            raise RuntimeError(f"{stored} of {self.messages} messages were stored")
        self.figures |= {"conversations": threaded, "events": await fetch_value("SELECT count(*) FROM events")}
        say(f"{self.messages} messages in {ended - began:.2f} s, the first screen after {first - began:.2f} s")

    async def _can_be_searched(self, account: Account) -> None:
        """Looks some of the mail up by its words, through the API: the newest, the oldest, and some between."""
        subjects = await fetch(
            "SELECT subject, conversation_id FROM messages WHERE id IN (SELECT unnest(ARRAY["
            "min(id), percentile_disc(0.5) WITHIN GROUP (ORDER BY id), max(id)]) FROM messages)"
        )
        for record in subjects:
            began = time.perf_counter()
            page = await self.ana.get("/search", FoundPage, q=f'"{record["subject"]}"', mailbox_id=account.mailbox_id)
            self.figures.setdefault("search_at_once_ms", []).append(round((time.perf_counter() - began) * 1000))
            if record["conversation_id"] not in [item.row.id for item in page.items]:
                raise RuntimeError("mail that was stored is not found by its subject")

    async def _newest_are_there(self, account: Account) -> bool:
        return await account.count(f"uid > {self.messages - FIRST_SCREEN}") >= min(FIRST_SCREEN, self.messages)

    async def _all_there(self, account: Account) -> bool:
        return await account.count() == self.messages

    async def unchanged(self, account: Account) -> None:
        """Connecting again when nothing has changed."""
        ours: list[float] = []
        theirs: list[float] = []
        for _ in range(self.rounds):
            await account.pause()
            theirs.append((await asyncio.to_thread(self.mbsync.run))[0])
            began = await account.resume()
            ours.append(await until(account.is_up_to_date) - began)
        self._note("noop", ours, theirs)

    async def changed(self, account: Account) -> None:
        """Connecting again when another program has made changes."""
        ours: list[float] = []
        theirs: list[float] = []
        for number in range(self.rounds):
            await account.pause()
            await asyncio.to_thread(self.change, number)
            theirs.append((await asyncio.to_thread(self.mbsync.run))[0])
            total = self.messages + (number + 1) * self.changes
            seen = await account.count("seen") + self.changes
            told, modseq = await _added(), await account.modseq()
            began = await account.resume()

            async def over(total: int = total, seen: int = seen) -> bool:
                return await account.count() == total and await account.count("seen") == seen

            # The folder's cursor moves with the last of it; to count all the time would take a processor away.
            ended = await until(lambda modseq=modseq: account.has_moved(modseq))
            if not await over():
                ended = await until(over)
            ours.append(ended - began)
            if await _added() - told != self.changes:
                raise RuntimeError("not every new message was announced")
        self._note("delta", ours, theirs)

    def _note(self, name: str, ours: list[float], theirs: list[float]) -> None:
        mine, peer = statistics.median(ours), statistics.median(theirs)
        self.figures |= {
            f"{name}_seconds": round(mine, 4),
            f"mbsync_{name}_seconds": round(peer, 4),
            f"{name}_rounds": [round(each, 4) for each in ours],
            f"mbsync_{name}_rounds": [round(each, 4) for each in theirs],
        }
        say(f"{name}: {mine * 1000:.0f} ms, mbsync {peer * 1000:.0f} ms")

    def finish(self, peak: float) -> dict[str, Any]:
        """All figures, with the ratios to mbsync and the floors that were missed."""
        self.figures["peak_rss_mb"] = round(peak, 1)
        for name in ("initial", "noop", "delta"):
            ratio = self.figures[f"{name}_seconds"] / self.figures[f"mbsync_{name}_seconds"]
            self.figures[f"{name}_ratio"] = round(ratio, 2)
        missed = [name for name, most in FLOORS.items() if self.figures[name] > most]
        return self.figures | {"floors": FLOORS, "floors_missed": missed}


async def _added() -> int:
    return await fetch_value("SELECT count(*) FROM events WHERE body ->> 'type' = 'message_added'")


async def no_jobs() -> bool:
    """Whether the worker has nothing more to do, now or later."""
    return not await fetch_value("SELECT count(*) FROM pgqueuer WHERE status IN ('queued', 'picked')")


async def measure(run: Run, dsn: str) -> dict[str, Any]:
    async with running(dsn) as application:
        ana = Caller(application)
        set_up = SetUp(organisation_name="Northwind Bikes", name="Ana Ribeiro", email=ADDRESS, password=PASSWORD)
        await ana.post("/set-up", set_up, Me)
        run.ana = ana
        own = CreateMailbox(kind="personal", name="Ana Ribeiro", address=ADDRESS)
        account = Account(run.dovecot, (await ana.post("/mailboxes", own, MailboxSettings)).id)
        with worker_process(run.folder, dsn) as worker, Peak(worker.pid) as peak:
            await asyncio.sleep(3)  # it is up and listens
            await run.initial(account)
            await until(no_jobs, every=0.5)  # words are taken down beside the rest
            await run.unchanged(account)
            await run.changed(account)
        run.figures["postgres"] = await postgres_facts(dsn)
    return run.finish(peak.mb)


@contextmanager
def worker_process(folder: Path, dsn: str) -> Iterator[subprocess.Popen[bytes]]:
    """The shipped worker, for the length of the block."""
    variables = {
        "TANDEM_DATABASE_URL": dsn,
        "TANDEM_SECRET_KEY": KEY,
        "TANDEM_ALLOW_PRIVATE_SERVERS": "yes",
        "TANDEM_LOG_LEVEL": "warning",
    }
    # Its words belong to the progress, not to the figures.
    worker = subprocess.Popen(
        command("worker"), env=environment(folder, **variables), cwd=PROJECT, stdout=sys.stderr, stderr=sys.stderr
    )
    try:
        yield worker
    finally:
        worker.terminate()
        worker.wait(30)


def migrate(folder: Path, dsn: str) -> None:
    """Make the tables, as an installation does."""
    migrating = environment(folder, TANDEM_DATABASE_URL=dsn)
    subprocess.run(command("migrate"), env=migrating, cwd=PROJECT, check=True, stdout=sys.stderr)


def bench(messages: int, rounds: int) -> dict[str, Any]:
    """The whole benchmark; answers the JSON object."""
    facts = {"benchmark": "sync"} | surroundings() | {"peers": versions()}
    with (
        tempfile.TemporaryDirectory(prefix="tandem-bench-") as name,
        Dovecot() as dovecot,
        EmbeddedPostgres(Path(name)) as server,
        settings_of_this_process(Path(name), TANDEM_SECRET_KEY=KEY, TANDEM_LOG_LEVEL="error"),
    ):
        migrate(Path(name), server.dsn)
        folder = Path(name) / "peers"
        folder.mkdir()
        run = Run(dovecot, Mbsync(dovecot, USER, folder), Path(name), MailWriter(), messages, rounds, facts)
        run.fill()
        run.peer_initial()
        return asyncio.run(measure(run, server.dsn))


def main() -> None:
    parser = argparse.ArgumentParser(
        prog="python -m tests.bench.sync", description="How fast a mailbox is brought over and kept true."
    )
    parser.add_argument("--json", action="store_true", help="one line of JSON instead of an indented object")
    parser.add_argument("--messages", type=int, default=10_000)
    parser.add_argument("--rounds", type=int, default=5, help="of each change; the median counts")
    chosen = parser.parse_args()
    figures = bench(chosen.messages, chosen.rounds)
    print(json.dumps(figures, indent=None if chosen.json else 2), flush=True)


if __name__ == "__main__":
    main()
