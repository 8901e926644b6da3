"""Whether a larger mailbox takes more memory: the worker's first sync of each size, one after another in one run.

    python -m tests.bench.sync_memory --sizes 10000 50000 --json

The same worker, PostgreSQL, Dovecot and mail as of tests/bench/sync.py, everything new for each size: a process rarely
gives back memory that it had once. Watched from before the account is connected until all is stored, its words are
taken down and nothing is left to do. Progress goes to stderr; the last line on stdout is one JSON object.
"""

import argparse
import asyncio
import json
import tempfile
from pathlib import Path
from typing import Any

from backend.database.connection import fetch_value
from backend.database.embedded import EmbeddedPostgres
from backend.mailboxes.contracts import CreateMailbox, MailboxSettings
from backend.people.contracts import Me, SetUp
from tests.bench.figures import postgres_facts, say, surroundings
from tests.bench.real_mail import MailWriter
from tests.bench.sync import ADDRESS, KEY, USER, Account, Peak, migrate, no_jobs, until, worker_process
from tests.bench.sync import FLOORS as SYNC_FLOORS
from tests.servers.api import PASSWORD, Caller, running
from tests.servers.api import environment as settings_of_this_process
from tests.servers.dovecot import Dovecot

FLOORS = {"peak_rss_mb": SYNC_FLOORS["peak_rss_mb"], "growth_ratio": 1.1}
"""The largest mailbox may take so many times what the smallest takes: a peak is not the same twice either."""


async def first_sync(folder: Path, dsn: str, dovecot: Dovecot, messages: int) -> dict[str, Any]:
    """Bring the mailbox over; answers what the worker took."""
    async with running(dsn) as application:
        ana = Caller(application)
        set_up = SetUp(organisation_name="Northwind Bikes", name="Ana Ribeiro", email=ADDRESS, password=PASSWORD)
        await ana.post("/set-up", set_up, Me)
        own = CreateMailbox(kind="personal", name="Ana Ribeiro", address=ADDRESS)
        account = Account(dovecot, (await ana.post("/mailboxes", own, MailboxSettings)).id)
        with worker_process(folder, dsn) as worker, Peak(worker.pid) as peak:
            await asyncio.sleep(3)  # it is up and listens
            idle = peak.mb
            began = await account.connect()

            async def all_there() -> bool:
                return await account.is_up_to_date() and await account.count() == messages

            ended = await until(all_there, every=1.0, seconds=3600)
            await until(no_jobs, every=1.0, seconds=3600)
        stored = await fetch_value("SELECT count(*) FROM messages")
        if stored != messages:
            raise RuntimeError(f"{stored} of {messages} messages were stored")
        events = await fetch_value("SELECT count(*) FROM events")
        facts = await postgres_facts(dsn)
    say(f"{messages} messages in {ended - began:.0f} s: {peak.mb:.0f} MB at most, {idle:.0f} MB before")
    return {
        "messages": messages,
        "initial_seconds": round(ended - began, 1),
        "idle_rss_mb": round(idle, 1),
        "peak_rss_mb": round(peak.mb, 1),
        "events": events,
        "postgres": facts,
    }


def measure(messages: int) -> dict[str, Any]:
    """A world of its own, with a mailbox of this size."""
    with (
        tempfile.TemporaryDirectory(prefix="tandem-bench-") as name,
        Dovecot() as dovecot,
        EmbeddedPostgres(Path(name)) as server,
        settings_of_this_process(Path(name), TANDEM_SECRET_KEY=KEY, TANDEM_LOG_LEVEL="error"),
    ):
        migrate(Path(name), server.dsn)
        dovecot.fill(USER, "INBOX", MailWriter().messages(messages))
        return asyncio.run(first_sync(Path(name), server.dsn, dovecot, messages))


def bench(sizes: list[int]) -> dict[str, Any]:
    """The whole benchmark; answers the JSON object."""
    facts = {"benchmark": "sync_memory"} | surroundings()
    runs = [measure(size) for size in sorted(sizes)]
    durability = [run.pop("postgres") for run in runs][-1]
    smallest, largest = runs[0]["peak_rss_mb"], runs[-1]["peak_rss_mb"]
    figures = {"peak_rss_mb": largest, "growth_ratio": round(largest / smallest, 2)}
    missed = [name for name, most in FLOORS.items() if figures[name] > most]
    return facts | {"runs": runs} | figures | {"postgres": durability, "floors": FLOORS, "floors_missed": missed}


def main() -> None:
    parser = argparse.ArgumentParser(
        prog="python -m tests.bench.sync_memory",
        description="Whether a larger mailbox takes more memory.",
    )
    parser.add_argument("--json", action="store_true", help="one line of JSON instead of an indented object")
    parser.add_argument("--sizes", type=int, nargs="+", default=[10_000, 50_000], help="messages of each mailbox")
    chosen = parser.parse_args()
    print(json.dumps(bench(chosen.sizes), indent=None if chosen.json else 2), flush=True)


if __name__ == "__main__":
    main()
