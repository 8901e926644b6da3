"""Workers are killed, and stopped, at random points of sending: no mail goes out twice, none is lost.

The workers are processes, the SMTP server is a real one that takes its time at every stage, the Sent folder is
Dovecot's. What the server accepted is compared with what the outbox says, mail by mail.
"""

import asyncio
import os
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path

import asyncpg
import pytest

from backend.compose.contracts import CreateDraft, Draft, Outgoing, SaveDraft, SendDraft
from backend.database.connection import fetch, fetch_value
from backend.mail.contracts import MailAddress
from backend.workers.outgoing import AT_ONCE_PER_MAILBOX
from sync.mime.parse import parse_message
from tests.servers.api import Api
from tests.servers.dovecot import Dovecot
from tests.servers.sending import connect_account
from tests.servers.smtp import RecordingSmtp, Stage
from tests.servers.tandem import PROJECT, command, environment

INTERRUPTED: tuple[Stage, ...] = ("mail", "rcpt", "data", "body")
SLOW_MACHINE = 90.0
"""Seconds beyond what the product itself waits: on two busy cores a worker alone takes fifteen to start."""


@dataclass
class Office:
    """Support with its account, and the workers of a test. `patience` is that of tests/flows/impatient_worker.py;
    None runs the shipped worker."""

    api: Api
    smtp: RecordingSmtp
    dovecot: Dovecot
    user: str
    folder: Path
    patience: float | None = None
    workers: list[subprocess.Popen[bytes]] = field(default_factory=list)

    def start_worker(self) -> subprocess.Popen[bytes]:
        variables = {
            "TANDEM_DATABASE_URL": self.api.dsn,
            "TANDEM_SECRET_KEY": "5a" * 32,
            "TANDEM_ALLOW_PRIVATE_SERVERS": "yes",
            "TANDEM_LOG_LEVEL": "warning",
        }
        program = command("worker")
        if self.patience is not None:
            variables["TANDEM_TEST_PATIENCE"] = str(self.patience)
            program = [sys.executable, "-m", "tests.flows.impatient_worker"]
        with (self.folder / "workers.log").open("ab") as log:
            worker = subprocess.Popen(
                program, env=environment(self.folder, **variables), cwd=PROJECT, stdout=log, stderr=log
            )
        self.workers.append(worker)
        return worker

    def stop_workers(self) -> None:
        for worker in self.workers:
            if worker.poll() is None:
                worker.send_signal(signal.SIGCONT)
                worker.kill()
                worker.wait(10)

    def be_slow(self, factor: float = 1.0) -> None:
        """The server takes its time wherever a worker may be interrupted, most of all after it took the text."""
        for stage in INTERRUPTED:
            self.smtp.misbehave(stage, delay=0.03 * factor)
        self.smtp.misbehave("message", delay=0.08 * factor, accept=True)

    async def write(self, mails: int) -> list[Outgoing]:
        """Put so many new mails into the outbox."""
        sent = []
        for number in range(mails):
            draft = await self.api.ana.post("/drafts", CreateDraft(kind="new", mailbox_id=self.api.support), Draft)
            save = SaveDraft(
                version=draft.version,
                to=[MailAddress(name="", address=f"customer{number}@customer.example")],
                cc=[],
                bcc=[],
                subject=f"Mail {number}",
                text=f"This is mail number {number}.",
            )
            saved = await self.api.ana.put(f"/drafts/{draft.id}", save, Draft)
            send = SendDraft(version=saved.version, undo_seconds=0)
            sent.append(await self.api.ana.post(f"/drafts/{draft.id}/send", send, Outgoing))
        return sent

    async def activity(self, since: int, seconds: float = SLOW_MACHINE) -> bool:
        """Wait until the server hears something new; False when everything is settled, so that nothing more comes."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            if len(self.smtp.commands) > since:
                return True
            if await self.waiting() == 0:
                return False
            await asyncio.sleep(0.01)
        raise TimeoutError(f"The workers do nothing.\n{await self.whereabouts()}")

    async def waiting(self) -> int:
        return await fetch_value("SELECT count(*) FROM outgoing WHERE state IN ('queued', 'sending')")

    async def until(self, query: str, seconds: float = SLOW_MACHINE) -> None:
        """Wait until the query answers true."""
        end = time.monotonic() + seconds
        while not await fetch_value(query):
            assert time.monotonic() < end, f"{query}\n{await self.whereabouts()}"
            await asyncio.sleep(0.01)

    async def settled(self, seconds: float) -> None:
        """Wait until no mail is on its way any more, and every copy is stored."""
        query = (
            "SELECT count(*) FROM outgoing WHERE state IN ('queued', 'sending') "
            "OR (state = 'sent' AND sent_copy <> 'stored')"
        )
        end = time.monotonic() + seconds
        while await fetch_value(query):
            assert time.monotonic() < end, f"Mails are stuck.\n{await self.whereabouts()}"
            await asyncio.sleep(0.1)

    async def whereabouts(self) -> str:
        """For the message of a failure: every mail that is not settled, the jobs that wait, the workers' log."""
        mails = await fetch(
            "SELECT id, subject, state, attempts, fence, claimed_until - clock_timestamp() AS claim_left, "
            "next_attempt_at - clock_timestamp() AS next_attempt_in, sent_copy, reason, server_words, message_id "
            "FROM outgoing WHERE state <> 'sent' OR sent_copy <> 'stored' ORDER BY id"
        )
        jobs = await fetch(
            "SELECT entrypoint, convert_from(payload, 'UTF8') AS payload, status, attempts, "
            "execute_after - clock_timestamp() AS due_in, heartbeat - clock_timestamp() AS heard_of FROM pgqueuer "
            "ORDER BY id LIMIT 30"
        )
        accepted = self.accepted()
        lines = [
            f"{await self.states()}, the server took {accepted.total()} ({max(accepted.values(), default=0)} each)"
        ]
        lines += [f"mail: {dict(each)}, taken {accepted[each['message_id']]} times" for each in mails]
        lines += [f"job: {dict(each)}" for each in jobs]
        lines += [f"worker {each.pid}: {'runs' if each.poll() is None else each.returncode}" for each in self.workers]
        return "\n".join([*lines, self.log()])

    async def states(self) -> Counter[str]:
        return Counter(record["state"] for record in await fetch("SELECT state FROM outgoing"))

    def accepted(self) -> Counter[str]:
        """How often the server took each Message-ID."""
        return Counter(str(parse_message(message.raw).message_id) for message in self.smtp.messages)

    async def check(self, mails: list[Outgoing]) -> Counter[str]:
        """What must be true of every mail, whatever happened; answers how many are in which state."""
        accepted = self.accepted()
        for record in await fetch(
            "SELECT id, subject, message_id, state, attempts, reason, server_words FROM outgoing"
        ):
            times = accepted[record["message_id"]]
            assert times <= 1, f"sent {times} times: {dict(record)}"
            assert record["state"] in ("sent", "unknown"), dict(record)
            assert times == 1 or record["state"] == "unknown", f"the server never took it: {dict(record)}"
        assert set(accepted) <= {mail.message_id for mail in mails}
        copies = Counter(
            str(parse_message(raw).message_id) for raw in (await self.dovecot.messages(self.user, "Sent")).values()
        )
        sent = [record["message_id"] for record in await fetch("SELECT message_id FROM outgoing WHERE state = 'sent'")]
        assert _differ(copies, sent) == {}, "the Sent folder does not hold each sent mail once: (there, expected)"
        stored = await fetch("SELECT message_id FROM messages WHERE direction = 'outgoing'")
        placed = Counter(record["message_id"] for record in stored)
        assert _differ(placed, sent) == {}, "the conversations do not hold each sent mail once: (there, expected)"
        return await self.states()

    def log(self) -> str:
        return (self.folder / "workers.log").read_text(errors="replace")[-3000:]


def _differ(found: Counter[str], expected: list[str]) -> dict[str, tuple[int, int]]:
    """What is there more or less often than expected, with both numbers."""
    wanted = Counter(expected)
    return {each: (found[each], wanted[each]) for each in found | wanted if found[each] != wanted[each]}


@pytest.fixture
async def office(
    api: Api, smtp: RecordingSmtp, dovecot: Dovecot, mail_user: str, tmp_path: Path
) -> AsyncIterator[Office]:
    await connect_account(api.support, smtp, dovecot, mail_user)
    office = Office(api, smtp, dovecot, mail_user, tmp_path)
    yield office
    office.stop_workers()


async def play_kills(office: Office, *, seed: int, mails: int, kills: int, patience: float) -> Counter[str]:
    """Kill the worker at random points, start another each time, let the last one finish."""
    randomness = random.Random(seed)
    office.be_slow()
    written = await office.write(mails)
    done = 0
    worker = office.start_worker()
    while done < kills and await office.activity(len(office.smtp.commands)):
        await asyncio.sleep(randomness.uniform(0, 0.35))
        worker.kill()
        worker.wait(10)
        done += 1
        worker = office.start_worker()
    assert done == kills, f"only {done} kills before everything was sent: take more mails, or a slower server"
    await office.settled(patience * 3 + SLOW_MACHINE)
    worker.send_signal(signal.SIGTERM)
    assert await asyncio.to_thread(worker.wait, 60) == 0, office.log()
    states = await office.check(written)
    assert states["unknown"] <= kills * AT_ONCE_PER_MAILBOX
    assert states.total() == mails
    return states


@pytest.mark.timeout(420)
async def test_killed_workers_send_nothing_twice_and_lose_nothing(office: Office) -> None:
    office.patience = 3
    await play_kills(office, seed=4711, mails=40, kills=5, patience=3)


@pytest.mark.long
@pytest.mark.timeout(1800)
async def test_thirty_kills_while_two_hundred_mails_are_sent(office: Office) -> None:
    """The shipped worker, with claims of a minute."""
    states = await play_kills(office, seed=2026, mails=200, kills=30, patience=60)
    print(f"\n200 mails, 30 kills: {dict(states)}")


async def play_stops(office: Office, *, seed: int, mails: int, stops: int, sleep: float) -> None:
    """Two workers; one of them is stopped at a random point for longer than its claims last, then goes on."""
    randomness = random.Random(seed)
    office.be_slow(2)
    written = await office.write(mails)
    workers = [office.start_worker(), office.start_worker()]
    for number in range(stops):
        if not await office.activity(len(office.smtp.commands)):
            break
        sleeper = workers[number % 2]
        await asyncio.sleep(randomness.uniform(0, 0.5))
        os.kill(sleeper.pid, signal.SIGSTOP)
        await asyncio.sleep(sleep)
        os.kill(sleeper.pid, signal.SIGCONT)
    # Nobody died, so in the end everything is known: what a sleeper saw, it records when it wakes.
    await office.until("SELECT NOT EXISTS (SELECT 1 FROM outgoing WHERE state <> 'sent')", sleep * 2 + SLOW_MACHINE)
    await office.settled(SLOW_MACHINE)
    assert await office.check(written) == Counter({"sent": mails})


@pytest.mark.timeout(420)
async def test_a_worker_that_sleeps_longer_than_its_claim_does_no_harm(office: Office) -> None:
    office.patience = 2
    await play_stops(office, seed=8, mails=30, stops=3, sleep=3)


@pytest.mark.long
@pytest.mark.timeout(1800)
async def test_a_worker_that_sleeps_for_more_than_a_minute_does_no_harm(office: Office) -> None:
    """The shipped worker: its claims are over after 60 s."""
    await play_stops(office, seed=9, mails=60, stops=4, sleep=70)


STOPPED_AT = {
    "rcpt": "SELECT attempts = 1 FROM outgoing",
    "data": "SELECT state = 'sending' FROM outgoing",
    "message": "SELECT state = 'sending' FROM outgoing",
}


@pytest.mark.parametrize("stage", ["rcpt", "data", "message"])
@pytest.mark.timeout(300)
async def test_a_worker_stopped_at_a_known_place_wakes_after_another_took_over(office: Office, stage: Stage) -> None:
    """At RCPT another sends it; after `sending` it is `unknown` meanwhile; what the sleeper then knows, is recorded."""
    office.patience = 1.5
    office.smtp.misbehave(stage, delay=2.0, accept=stage == "message", times=1)
    [mail] = await office.write(1)
    sleeper = office.start_worker()
    await office.until(STOPPED_AT[stage])
    if stage == "message":
        await office.smtp.wait_for(1)
    os.kill(sleeper.pid, signal.SIGSTOP)
    office.start_worker()
    await reach("sent" if stage == "rcpt" else "unknown", mail)
    os.kill(sleeper.pid, signal.SIGCONT)
    # At DATA the sleeper knows that it sent no text: it says so, and another attempt follows without a person.
    await reach("sent", mail)
    await office.settled(SLOW_MACHINE)
    await office.check([mail])
    assert office.accepted() == {mail.message_id: 1}


@pytest.mark.timeout(300)
async def test_a_worker_stopped_with_a_transaction_open_does_not_hold_up_the_others(office: Office) -> None:
    """Its locks end with its session, which the server closes after the same silence."""
    office.patience = 1.5
    [mail] = await office.write(1)
    blocker = await asyncpg.connect(office.api.dsn)
    async with blocker.transaction():
        await blocker.execute("SELECT 1 FROM mailboxes FOR UPDATE")  # storing the sent message needs a key share
        sleeper = office.start_worker()
        await office.until("SELECT count(*) > 0 FROM pg_stat_activity WHERE wait_event_type = 'Lock'")
        os.kill(sleeper.pid, signal.SIGSTOP)
    await blocker.close()
    assert len(office.smtp.messages) == 1
    office.start_worker()
    await reach("unknown", mail)
    os.kill(sleeper.pid, signal.SIGCONT)
    await reach("sent", mail)
    await office.settled(SLOW_MACHINE)
    await office.check([mail])


async def reach(state: str, mail: Outgoing, seconds: float = SLOW_MACHINE) -> None:
    """Wait until the mail is in this state."""
    end = time.monotonic() + seconds
    while True:
        [found] = await fetch("SELECT * FROM outgoing WHERE id = $1", mail.id)
        if found["state"] == state:
            return
        if time.monotonic() > end:
            told = {name: value for name, value in dict(found).items() if name not in ("text", "html")}
            raise TimeoutError(f"The mail is not {state}: {told}")
        await asyncio.sleep(0.05)
