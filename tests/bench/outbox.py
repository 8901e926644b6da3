"""How fast a mail leaves: from Send until the server's acceptance is on record, one by one; and how many a second
when many wait.

    python -m tests.bench.outbox [--json] [--mails 300] [--single 50]

The shipped worker as a process, the shipped PostgreSQL with its shipped settings, an SMTP server on the loopback that
accepts everything (postfix's smtp-sink). Both moments are PostgreSQL's own clock: the transaction of Send, that of
the acceptance.
"""

import argparse
import asyncio
import json
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

import psutil

from backend.accounts.credentials import Passwords, seal_passwords
from backend.compose.contracts import CreateDraft, Draft, Outgoing, SaveDraft, SendDraft
from backend.database.connection import execute, fetch, fetch_value
from backend.database.embedded import EmbeddedPostgres
from backend.mail.contracts import MailAddress
from backend.mailboxes.contracts import CreateMailbox, MailboxSettings
from backend.people.contracts import Me, SetUp
from backend.settings import settings
from tests.servers.api import Caller, running
from tests.servers.api import environment as settings_of_this_process
from tests.servers.tandem import PROJECT, command, environment

KEY = "5a" * 32
BODY = "Dear customer,\n\nthank you for your mail. " + "The part is on its way to you. " * 60
PASSWORD = "a long enough sentence"


@contextmanager
def smtp_sink() -> Iterator[int]:
    """Postfix's sink on a free port: speaks SMTP, accepts all, keeps nothing."""
    program = shutil.which("smtp-sink", path="/usr/sbin:/usr/local/sbin:/usr/bin")
    if program is None:
        raise SystemExit("smtp-sink is missing: apt-get install postfix")
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
    draft = await ana.post("/drafts", CreateDraft(kind="new", mailbox_id=mailbox_id), Draft)
    to = [MailAddress(name="", address=f"customer{number}@customer.example")]
    save = SaveDraft(version=draft.version, to=to, cc=[], bcc=[], subject=f"Mail {number}", text=BODY)
    saved = await ana.put(f"/drafts/{draft.id}", save, Draft)
    return await ana.post(f"/drafts/{draft.id}/send", SendDraft(version=saved.version, undo_seconds=0), Outgoing)


async def until_sent(seconds: float = 120.0) -> None:
    """Wait until no mail is on its way."""
    for _ in range(int(seconds / 0.02)):
        if not await fetch_value("SELECT count(*) FROM outgoing WHERE state <> 'sent'"):
            return
        await asyncio.sleep(0.02)
    raise TimeoutError(str([dict(record) for record in await fetch("SELECT state, reason FROM outgoing LIMIT 3")]))


async def measure(dsn: str, folder: Path, port: int, mails: int, single: int) -> dict[str, Any]:
    async with running(dsn) as application:
        ana = Caller(application)
        set_up = SetUp(organisation_name="Bench", name="Ana", email="ana@northwind.example", password=PASSWORD)
        me = await ana.post("/set-up", set_up, Me)
        create = CreateMailbox(
            kind="group", name="Support", address="support@northwind.example", member_ids=[me.person.id]
        )
        mailbox_id = (await ana.post("/mailboxes", create, MailboxSettings)).id
        await execute(
            "INSERT INTO mail_accounts (mailbox_id, address, username, imap_host, imap_port, imap_security, smtp_host, "
            "smtp_port, smtp_security, smtp_username, credentials, state, lease_holder, lease_until) "
            "VALUES ($1, 'support@northwind.example', '', '127.0.0.1', 1, 'none', '127.0.0.1', $2, 'none', '', $3, "
            "'{}', 'the benchmark', now() + interval '1 day')",
            mailbox_id,
            port,
            seal_passwords(settings(), Passwords(imap="")),
        )
        variables = {
            "TANDEM_DATABASE_URL": dsn,
            "TANDEM_SECRET_KEY": KEY,
            "TANDEM_ALLOW_PRIVATE_SERVERS": "yes",
            "TANDEM_LOG_LEVEL": "error",
        }
        with worker_process(folder, variables):
            await send(ana, mailbox_id, 0)  # the worker is up when this has left
            await until_sent()
            for number in range(single):
                await send(ana, mailbox_id, number)
                await until_sent()
        delays = await delays_of(1)
        began = time.perf_counter()
        for number in range(mails):
            await send(ana, mailbox_id, number)
        handed_over = time.perf_counter() - began
        with worker_process(folder, variables) as worker:
            await until_sent()
            memory = psutil.Process(worker.pid).memory_full_info().pss
        rate = await fetch_value(
            "SELECT count(*) / extract(epoch FROM max(sent_at) - min(sent_at)) FROM outgoing WHERE id > $1", single + 1
        )
        return {
            "send_to_accepted_ms": percentiles(delays),
            "sent_per_second": round(float(rate), 1),
            "handed_over_per_second": round(mails / handed_over, 1),
            "worker_pss_mb": round(memory / 1e6, 1),
            "attempts_per_mail": float(await fetch_value("SELECT avg(attempts) FROM outgoing")),
            **{name: await fetch_value(f"SHOW {name}") for name in ("fsync", "synchronous_commit", "full_page_writes")},
        }


@contextmanager
def worker_process(folder: Path, variables: dict[str, str]) -> Iterator[subprocess.Popen[bytes]]:
    """The shipped worker, for the length of the block."""
    worker = subprocess.Popen(command("worker"), env=environment(folder, **variables), cwd=PROJECT)
    try:
        yield worker
    finally:
        worker.terminate()
        worker.wait(30)


async def delays_of(after: int) -> list[float]:
    """Milliseconds from the transaction of Send to that of the acceptance."""
    query = "SELECT extract(epoch FROM sent_at - created_at) * 1000 AS ms FROM outgoing WHERE id > $1"
    return [float(record["ms"]) for record in await fetch(query, after)]


def percentiles(values: list[float]) -> dict[str, float]:
    ordered = sorted(values)
    return {
        "p50": round(statistics.median(ordered), 1),
        "p95": round(ordered[int(len(ordered) * 0.95) - 1], 1),
        "max": round(ordered[-1], 1),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description="How fast a mail leaves.")
    parser.add_argument("--json", action="store_true", help="print one JSON object on one line")
    parser.add_argument("--mails", type=int, default=300, help="put into the outbox at once")
    parser.add_argument("--single", type=int, default=50, help="sent one after the other")
    chosen = parser.parse_args()
    with (
        tempfile.TemporaryDirectory(prefix="tandem-bench-") as name,
        EmbeddedPostgres(Path(name)) as server,
        smtp_sink() as port,
        settings_of_this_process(Path(name), TANDEM_SECRET_KEY=KEY, TANDEM_LOG_LEVEL="error"),
    ):
        variables = {"TANDEM_DATABASE_URL": server.dsn}
        subprocess.run(command("migrate"), env=environment(Path(name), **variables), cwd=PROJECT, check=True)
        result = asyncio.run(measure(server.dsn, Path(name), port, chosen.mails, chosen.single))
    commit = subprocess.run(["git", "rev-parse", "--short", "HEAD"], cwd=PROJECT, capture_output=True, text=True)
    result["commit"] = commit.stdout.strip()
    print(json.dumps(result, indent=None if chosen.json else 2))


if __name__ == "__main__":
    main()
