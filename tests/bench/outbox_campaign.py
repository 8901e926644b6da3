"""Two workers compete for the outbox while one of them is killed every second, and the SMTP server does its worst.

What the server took is then compared, mail by mail, with what the outbox says.
"""

import asyncio
import os
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from backend.database.connection import fetch, fetch_value
from tests.bench.faulty_smtp import FaultySmtp
from tests.servers.api import Caller
from tests.servers.tandem import PROJECT, environment

PATIENCE = 1200.0
"""Seconds until a run that does not come to its end is a failure by itself."""
_WAITING = "SELECT count(*) FROM outgoing WHERE state IN ('queued', 'sending', 'scheduled')"


class Nursery:
    """Starts workers at once: tests/bench/outbox_workers.py."""

    def __init__(self, folder: Path, variables: dict[str, str]) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.bench.outbox_workers"],
            env=environment(folder, **variables),
            cwd=PROJECT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        self.workers: list[int] = []

    def start(self) -> int:
        stdin, stdout = self._process.stdin, self._process.stdout
        assert stdin is not None and stdout is not None
        stdin.write("start\n")
        stdin.flush()
        worker = int(stdout.readline())
        self.workers.append(worker)
        return worker

    def kill(self, worker: int, number: int = signal.SIGKILL) -> None:
        self.workers.remove(worker)
        os.kill(worker, number)

    def close(self) -> None:
        for worker in list(self.workers):
            self.kill(worker)
        self._process.kill()
        self._process.wait()


@contextmanager
def nursery(folder: Path, variables: dict[str, str]) -> Iterator[Nursery]:
    opened = Nursery(folder, variables)
    try:
        yield opened
    finally:
        opened.close()


@dataclass
class Regret:
    """People who take mails back while all this goes on."""

    ana: Caller
    randomness: random.Random
    undone: set[int] = field(default_factory=set)
    too_late: int = 0

    async def take_back(self, outgoing_id: int) -> None:
        answer = await self.ana.request("POST", f"/outbox/{outgoing_id}/undo")
        if answer.is_success:
            self.undone.add(outgoing_id)
        else:
            assert answer.status_code in (404, 409), answer.text
            self.too_late += 1

    async def over_and_over(self) -> None:
        """Now and then, one that waits for its first or its next attempt."""
        while True:
            await asyncio.sleep(self.randomness.uniform(0.1, 0.6))
            waiting = await fetch("SELECT id FROM outgoing WHERE state = 'queued' ORDER BY random() LIMIT 1")
            for record in waiting:
                await self.take_back(record["id"])


async def campaign(ana: Caller, server: FaultySmtp, workers: Nursery, *, kill_seconds: float) -> dict[str, Any]:
    """Let the mails that wait be sent; answers what became of them. `kill_seconds` of 0 kills nobody."""
    everything = {record["id"]: record["message_id"] for record in await fetch("SELECT id, message_id FROM outgoing")}
    randomness = random.Random(server.seed)
    regret = Regret(ana, randomness)
    regretting = asyncio.create_task(regret.over_and_over())
    workers.start()
    workers.start()
    began, kills = time.monotonic(), 0
    next_kill = began + kill_seconds
    while await fetch_value(_WAITING):
        if time.monotonic() - began > PATIENCE:
            left = await fetch(
                "SELECT state, attempts, reason, server_words FROM outgoing WHERE state <> 'sent' LIMIT 5"
            )
            raise TimeoutError(str([dict(each) for each in left]))
        await asyncio.sleep(0.02)
        if kill_seconds and time.monotonic() >= next_kill:
            workers.kill(randomness.choice(workers.workers))
            workers.start()
            kills, next_kill = kills + 1, next_kill + kill_seconds
    seconds = time.monotonic() - began
    regretting.cancel()
    await asyncio.gather(regretting, return_exceptions=True)
    for worker in list(workers.workers):
        workers.kill(worker, signal.SIGTERM)
    verdict = await judge(everything, server, regret)
    return verdict | {
        "kills": kills,
        "campaign_seconds": round(seconds, 1),
        "campaign_sent_per_second": round(server.accepted.total() / seconds, 1),
        "undone": len(regret.undone),
        "undone_too_late": regret.too_late,
        "faults": dict(sorted(server.done.items())),
    }


async def judge(everything: dict[int, str], server: FaultySmtp, regret: Regret) -> dict[str, Any]:
    """Compare, mail by mail, what the server took with what the outbox says."""
    rows = {
        record["message_id"]: record
        for record in await fetch(
            "SELECT o.id, o.message_id, o.state, (SELECT address FROM outgoing_recipients r "
            "WHERE r.outgoing_id = o.id ORDER BY r.id LIMIT 1) AS first FROM outgoing o"
        )
    }
    undone = {everything[number] for number in regret.undone}
    flagged = ("failed", "unknown", "held", "cancelled")
    lost, unexplained = [], []
    for message_id in everything.values():
        row = rows.get(message_id)
        state = row["state"] if row is not None else "cancelled"  # taken back, it is a draft again
        if (row is None and message_id not in undone) or (state not in flagged and not server.accepted[message_id]):
            lost.append(message_id)
        if row is not None and state == "unknown" and row["first"] not in server.cut | server.dropped:
            unexplained.append(message_id)
    states = Counter(row["state"] for row in rows.values())
    return {
        "mails": len(everything),
        "lost": len(lost),
        "doubled": sum(times > 1 for times in server.accepted.values()),
        "unknown_flagged": states["unknown"],
        "unknown_unexplained": len(unexplained),
        "undone_sent": sum(1 for message_id in undone if server.accepted[message_id]),
        "states": dict(sorted(states.items())),
    }
