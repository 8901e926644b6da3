"""Does the outbox lose or double a mail, and how fast is it?

    python -m tests.bench.outbox [--json] [--mails 2000] [--kill-seconds 1] [--rate-mails 2000] [--single 30]

Three runs on the shipped PostgreSQL with its shipped settings, over 16 mailboxes with an account each:

1. *Faults.* An SMTP server that is slow, refuses and hangs up at every stage (faulty_smtp.py) gets `--mails` mails from
   two workers, one of which is killed every `--kill-seconds`, while people take mails back. The waits between attempts
   are 1 s; everything else is the shipped worker. It ends when nothing waits (outbox_campaign.py).
2. *One by one.* From Send until the server's acceptance is on record: both moments are PostgreSQL's own clock.
3. *As fast as it goes.* `--rate-mails` mails of 4 KB to postfix's smtp-sink, which accepts everything, by two
   workers; beside it aiosmtplib alone, on one connection, with the same mails.
"""

import argparse
import asyncio
import json
import logging
import shutil
import socket
import statistics
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import aiosmtplib
import psutil

from backend.accounts.credentials import Passwords, seal_passwords
from backend.compose.contracts import CreateDraft, Draft, Outgoing, SaveDraft, SendDraft
from backend.database.connection import execute, fetch, fetch_value
from backend.database.embedded import EmbeddedPostgres
from backend.mail.contracts import MailAddress
from backend.mail.raw import load_raw
from backend.mailboxes.contracts import CreateMailbox, MailboxSettings
from backend.people.contracts import Me, SetUp
from backend.settings import settings
from tests.bench.faulty_smtp import FaultySmtp
from tests.bench.outbox_campaign import Nursery, campaign, nursery
from tests.servers.api import Caller, running
from tests.servers.api import environment as settings_of_this_process
from tests.servers.tandem import PROJECT, command, environment

KEY = "5a" * 32
MAILBOXES = 16
BODY = "Dear customer,\n\nthank you for your mail. " + "The part is on its way to you. " * 118
"""Makes mails of 4 KB."""
PASSWORD = "a long enough sentence"
AT_ONCE = 6
"""Writers who press Send."""


@contextmanager
def smtp_sink() -> Iterator[int]:
    """Postfix's sink on a free port: speaks SMTP, accepts all, keeps nothing."""
    program = shutil.which("smtp-sink", path="/usr/sbin:/usr/local/sbin:/usr/bin")
    if program is None:
        raise SystemExit("smtp-sink is missing: make system-packages says how to install it")
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    sink = subprocess.Popen([program, "-u", "nobody", f"127.0.0.1:{port}", "200"], stderr=subprocess.DEVNULL)
    try:
        time.sleep(0.3)
        yield port
    finally:
        sink.kill()
        sink.wait()


async def send(ana: Caller, mailbox_id: int, number: int) -> Outgoing:
    """Write one mail and press Send, as the interface does."""
    draft = await ana.post("/drafts", CreateDraft(kind="new", mailbox_id=mailbox_id), Draft)
    to = [MailAddress(name="", address=f"customer{number}@customer.example")]
    save = SaveDraft(version=draft.version, to=to, cc=[], bcc=[], subject=f"Mail {number}", text=BODY)
    saved = await ana.put(f"/drafts/{draft.id}", save, Draft)
    return await ana.post(f"/drafts/{draft.id}/send", SendDraft(version=saved.version, undo_seconds=0), Outgoing)


async def send_many(ana: Caller, mailboxes: list[int], numbers: range) -> None:
    """Fill the outbox, evenly over the mailboxes."""
    left = iter(numbers)

    async def write() -> None:
        for number in left:
            await send(ana, mailboxes[number % len(mailboxes)], number)

    await asyncio.gather(*(write() for _ in range(AT_ONCE)))


async def until_sent(seconds: float = 300.0) -> None:
    """Wait until no mail is on its way."""
    for _ in range(int(seconds / 0.02)):
        if not await fetch_value("SELECT count(*) FROM outgoing WHERE state IN ('queued', 'sending')"):
            return
        await asyncio.sleep(0.02)
    raise TimeoutError(str([dict(record) for record in await fetch("SELECT state, reason FROM outgoing LIMIT 3")]))


async def open_mailboxes(ana: Caller) -> list[int]:
    """Mailboxes with an account each; where that leads is set by `lead_to`. Nobody fetches their mail."""
    set_up = SetUp(organisation_name="Bench", name="Ana", email="ana@northwind.example", password=PASSWORD)
    me = await ana.post("/set-up", set_up, Me)
    found = []
    for number in range(MAILBOXES):
        create = CreateMailbox(
            kind="group",
            name=f"Support {number}",
            address=f"support{number}@northwind.example",
            member_ids=[me.person.id],
        )
        found.append((await ana.post("/mailboxes", create, MailboxSettings)).id)
    await execute(
        "INSERT INTO mail_accounts (mailbox_id, address, username, imap_host, imap_port, imap_security, smtp_host, "
        "smtp_port, smtp_security, smtp_username, credentials, state, lease_holder, lease_until) "
        "SELECT id, address, '', '127.0.0.1', 1, 'none', '127.0.0.1', 1, 'none', '', $2, "
        "'{}', 'the benchmark', now() + interval '1 day' FROM mailboxes WHERE id = ANY($1)",
        found,
        seal_passwords(settings(), Passwords(imap="any")),
    )
    return found


async def lead_to(port: int, *, username: str = "") -> None:
    """Let every account send through this port from now on."""
    await execute("UPDATE mail_accounts SET smtp_port = $1, smtp_username = $2", port, username)


async def one_by_one(ana: Caller, mailbox_id: int, workers: Nursery, single: int) -> dict[str, float]:
    """Milliseconds from Send to the acceptance, on a machine that does nothing else."""
    worker = workers.start()
    await send(ana, mailbox_id, 0)
    await until_sent()
    after = await fetch_value("SELECT max(id) FROM outgoing")
    for number in range(single):
        await send(ana, mailbox_id, number)
        await until_sent()
    workers.kill(worker)
    query = "SELECT extract(epoch FROM sent_at - created_at) * 1000 AS ms FROM outgoing WHERE id > $1"
    return percentiles([float(record["ms"]) for record in await fetch(query, after)])


async def as_fast_as_it_goes(workers: Nursery, processes: int) -> dict[str, Any]:
    """Send all that waits; the rate from the first acceptance to the last, and the workers' memory meanwhile."""
    after = await fetch_value("SELECT max(id) FROM outgoing WHERE state = 'sent'") or 0
    number = await fetch_value("SELECT count(*) FROM outgoing WHERE state = 'queued'")
    started = [psutil.Process(workers.start()) for _ in range(processes)]
    memory: list[tuple[float, float]] = []
    cpu_before = cpu_seconds(started)
    while left := await fetch_value("SELECT count(*) FROM outgoing WHERE state IN ('queued', 'sending')"):
        used = [each.memory_full_info().pss for each in started]
        memory.append((1 - left / number, max(used) / 1e6))
        await asyncio.sleep(0.1)
    cpu = {name: used - cpu_before[name] for name, used in cpu_seconds(started).items()}
    for each in started:
        workers.kill(each.pid)
    record = (
        await fetch(
            "SELECT count(*) AS sent, extract(epoch FROM max(sent_at) - min(sent_at)) AS seconds, "
            "avg(attempts)::float AS attempts FROM outgoing WHERE id > $1 AND state = 'sent'",
            after,
        )
    )[0]
    early = [used for share, used in memory if 0.1 < share < 0.4] or [used for _, used in memory]
    late = [used for share, used in memory if share > 0.7] or [used for _, used in memory]
    return {
        "sent": record["sent"],
        "sent_per_second": round(record["sent"] / float(record["seconds"]), 1),
        "cpu_ms_per_mail": {name: round(used * 1000 / record["sent"], 2) for name, used in cpu.items()},
        "attempts_per_mail": record["attempts"],
        "peak_rss_mb": round(max(used for _, used in memory), 1),
        "rss_growth_mb": round(statistics.median(late) - statistics.median(early), 1),
        "copies_to_file": await fetch_value(
            "SELECT count(*) FROM outgoing WHERE id > $1 AND sent_copy = 'waiting'", after
        ),
    }


def cpu_seconds(workers: list[psutil.Process]) -> dict[str, float]:
    """Processor time so far of the workers together, and of PostgreSQL's processes."""
    server = psutil.Process().children(recursive=True)
    return {"workers": _used(workers), "postgres": _used([each for each in server if _name(each) == "postgres"])}


def _name(process: psutil.Process) -> str:
    try:
        return process.name()
    except psutil.NoSuchProcess:
        return ""


def _used(processes: list[psutil.Process]) -> float:
    """Of those that are still there: PostgreSQL's end with their connections."""
    total = 0.0
    for each in processes:
        try:
            times = each.cpu_times()
        except psutil.NoSuchProcess:
            continue
        total += times.user + times.system
    return total


async def bare(port: int, mails: int) -> float:
    """aiosmtplib alone: mails a second on one connection, the bytes being those of mails that were sent."""
    digests = [record["raw_digest"] for record in await fetch("SELECT raw_digest FROM outgoing LIMIT $1", mails)]
    raws = [await load_raw(digest) for digest in digests]
    async with aiosmtplib.SMTP(hostname="127.0.0.1", port=port, start_tls=False, use_tls=False) as client:
        began = time.perf_counter()
        for raw in raws:
            await client.sendmail("support@northwind.example", ["customer@customer.example"], raw)
        return len(raws) / (time.perf_counter() - began)


def percentiles(values: list[float]) -> dict[str, float]:
    ordered = sorted(values)
    return {
        "p50": round(statistics.median(ordered), 1),
        "p95": round(ordered[int(len(ordered) * 0.95) - 1], 1),
        "max": round(ordered[-1], 1),
    }


async def measure(dsn: str, folder: Path, chosen: argparse.Namespace) -> dict[str, Any]:
    variables = {
        "TANDEM_DATABASE_URL": dsn,
        "TANDEM_SECRET_KEY": KEY,
        "TANDEM_ALLOW_PRIVATE_SERVERS": "yes",
        "TANDEM_LOG_LEVEL": "error",
    }
    result: dict[str, Any] = {}
    async with running(dsn) as application:
        ana = Caller(application)
        mailboxes = await open_mailboxes(ana)
        if chosen.mails:
            with (
                FaultySmtp(chosen.seed) as server,
                nursery(folder, variables | {"BENCH_RETRY_SECONDS": "1"}) as workers,
            ):
                await lead_to(server.port, username="support")
                await send_many(ana, mailboxes, range(chosen.mails))
                result |= await campaign(ana, server, workers, kill_seconds=chosen.kill_seconds)
            await execute("DELETE FROM pgqueuer")  # no copy of those mails is filed while others are timed
        with smtp_sink() as port, nursery(folder, variables) as workers:
            await lead_to(port)
            if chosen.single:
                result["send_to_accepted_ms"] = await one_by_one(ana, mailboxes[0], workers, chosen.single)
            began = time.perf_counter()
            await send_many(ana, mailboxes, range(10_000, 10_000 + chosen.rate_mails))
            result["handed_over_per_second"] = round(chosen.rate_mails / (time.perf_counter() - began), 1)
            before = await bare(port, chosen.rate_mails)
            result |= await as_fast_as_it_goes(workers, chosen.workers)
            result["bare_per_second"] = round((before + await bare(port, chosen.rate_mails)) / 2, 1)
        result["ratio_to_bare"] = round(result["sent_per_second"] / result["bare_per_second"], 3)
        for name in ("fsync", "synchronous_commit", "full_page_writes"):
            result[name] = await fetch_value(f"SHOW {name}")
    return result


def main() -> None:
    parser = argparse.ArgumentParser(description="Does the outbox lose or double a mail, and how fast is it?")
    parser.add_argument("--json", action="store_true", help="print one JSON object on one line")
    parser.add_argument("--mails", type=int, default=2000, help="sent through the server with faults (0: none)")
    parser.add_argument("--kill-seconds", type=float, default=1.0, help="between two kills (0: none)")
    parser.add_argument("--rate-mails", type=int, default=2000, help="put into the outbox at once, without faults")
    parser.add_argument("--single", type=int, default=30, help="sent one after the other")
    parser.add_argument("--workers", type=int, default=2, help="that share the mails without faults")
    parser.add_argument("--seed", type=int, default=int(time.time()), help="of the faults")
    chosen = parser.parse_args()
    logging.getLogger("httpx").setLevel(logging.WARNING)
    with (
        tempfile.TemporaryDirectory(prefix="tandem-bench-") as name,
        EmbeddedPostgres(Path(name)) as server,
        settings_of_this_process(Path(name), TANDEM_SECRET_KEY=KEY, TANDEM_LOG_LEVEL="error"),
    ):
        variables = {"TANDEM_DATABASE_URL": server.dsn}
        subprocess.run(command("migrate"), env=environment(Path(name), **variables), cwd=PROJECT, check=True)
        result = asyncio.run(measure(server.dsn, Path(name), chosen))
    commit = subprocess.run(["git", "rev-parse", "--short", "HEAD"], cwd=PROJECT, capture_output=True, text=True)
    result |= {"seed": chosen.seed, "workers": chosen.workers, "commit": commit.stdout.strip()}
    print(json.dumps(result, indent=None if chosen.json else 2))


if __name__ == "__main__":
    main()
