"""The worker process: watches mail accounts, runs jobs, sends. Any number of them share the work.

Leases, claims and SKIP LOCKED decide who does what; nothing here knows how many others there are.
"""

import asyncio
import gc
import logging
import os
import signal
import time
from dataclasses import dataclass
from datetime import timedelta
from urllib.parse import urlencode, urlsplit, urlunsplit

import asyncpg

from backend.compose.actions.reported import take_report
from backend.database.connection import connect, disconnect, end_if_cancelled
from backend.jobs import job_queue, register
from backend.mail.hiding import hide_and_show
from backend.mail.removal import remove_mail
from backend.mail.word_index import enter_words, keep_words_entered
from backend.meetings.answers import take_meeting_answer
from backend.settings import Settings, SettingsError, settings
from backend.workers import pushback
from backend.workers.addresses import keep_asking
from backend.workers.carrying import carry_out
from backend.workers.check_servers import check_servers
from backend.workers.digest import keep_digesting
from backend.workers.draft_copies import keep_drafts
from backend.workers.files import keep_files_read
from backend.workers.forwarding import check_forwarding
from backend.workers.incoming import Watchers
from backend.workers.outgoing import CLAIM_SECONDS, Sender
from backend.workers.push import send_push_for
from backend.workers.reminders import keep_reminding
from backend.workers.sending_domains import keep_looking_up, look_up_domains
from backend.workers.server_tests import test_server
from backend.workers.strayed import settle_removed
from backend.workers.system_mail import system_mail_for
from backend.workers.tidy import keep_tidy

log = logging.getLogger(__name__)

HEALTH_SECONDS = 300.0
POOL_SIZE = 20
DEQUEUE = timedelta(seconds=1)
"""How late a delayed job may be noticed."""
MOST_JOBS = 200
MOST_PUSHES = 20
MOST_CARRYING = 8
"""Accounts whose changes are carried over at once; each holds a database connection meanwhile."""


@dataclass(frozen=True, slots=True)
class Patience:
    """How long a silent worker keeps what it holds, in seconds."""

    claim: float = CLAIM_SECONDS
    """A mail that it was sending."""
    job: float = 30
    """A job that it was running."""
    transaction: float = 30
    """The locks of a transaction that it left open: a stopped process would else hold up everybody else."""
    sweep: float = 5
    """How often each worker looks for mails that are due, or whose worker is gone."""


def run() -> None:
    """Work until SIGTERM or SIGINT; what is running then is finished first."""
    asyncio.run(work(settings()))


async def work(configured: Settings, patience: Patience | None = None) -> None:
    """One worker's life. Raises SettingsError without a database; a database that goes away ends it with an error."""
    if configured.database_url is None:
        raise SettingsError("There is no database: set TANDEM_DATABASE_URL, or run `tandem up`.")
    patience = patience or Patience()
    await connect(_impatient(configured.database_url, patience.transaction), pool_size=POOL_SIZE)
    sender = Sender(claim_seconds=patience.claim)
    queue = job_queue()
    register(queue, "send_outgoing", sender.wake)
    register(queue, "store_sent_copies", pushback.store_sent_copies)
    register(queue, "store_sent_copy", pushback.store_sent_copy)
    register(queue, "settle_unknown", pushback.settle_unknown)
    register(queue, "take_report", take_report)
    register(queue, "take_meeting_answer", take_meeting_answer)
    register(queue, "carry_out", carry_out, at_once=MOST_CARRYING)
    register(queue, "keep_drafts", keep_drafts, at_once=MOST_CARRYING)
    register(queue, "system_mail", system_mail_for(configured))
    register(queue, "check_servers", check_servers)
    register(queue, "check_forwarding", check_forwarding)
    register(queue, "hide_and_show", hide_and_show, at_once=2)
    register(queue, "settle_removed", settle_removed)
    register(queue, "enter_words", enter_words, at_once=1)
    register(queue, "send_push", send_push_for(configured), at_once=MOST_PUSHES)
    register(queue, "test_server", test_server)
    register(queue, "look_up_domains", look_up_domains, at_once=1)
    register(queue, "remove_mail", remove_mail, at_once=2)
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, queue.shutdown.set)
    watchers = Watchers()
    await watchers.start()
    sweeping = asyncio.create_task(_sweep(sender, patience.sweep), name="sweep the outbox")
    tidying = asyncio.create_task(keep_tidy(), name="tidy")
    entering = asyncio.create_task(keep_words_entered(), name="enter words")
    reading = asyncio.create_task(keep_files_read(), name="read attachments")
    reminding = asyncio.create_task(keep_reminding(), name="remind")
    asking = asyncio.create_task(keep_asking(), name="ask whose addresses are")
    digesting = asyncio.create_task(keep_digesting(configured), name="digests")
    looking_up = asyncio.create_task(keep_looking_up(), name="look up domains")
    gc.collect()
    gc.freeze()  # what there is now stays: later collections pass it over
    log.info("The worker is ready (process %d).", os.getpid())
    try:
        await queue.run(
            dequeue_timeout=DEQUEUE,
            heartbeat_timeout=timedelta(seconds=patience.job),
            batch_size=20,
            max_concurrent_tasks=MOST_JOBS,
        )
    finally:
        for task in (sweeping, tidying, entering, reading, reminding, asking, digesting, looking_up):
            task.cancel()
        await asyncio.gather(
            sweeping, tidying, entering, reading, reminding, asking, digesting, looking_up, return_exceptions=True
        )
        await sender.stop()
        await watchers.stop()
        await disconnect()
        log.info("The worker has ended.")


def _impatient(dsn: str, seconds: float) -> str:
    """The DSN for connections whose open transactions the server ends after this silence."""
    parts = urlsplit(dsn)
    option = urlencode({"idle_in_transaction_session_timeout": f"{round(seconds * 1000)}ms"})
    return urlunsplit(parts._replace(query=f"{parts.query}&{option}" if parts.query else option))


async def _sweep(sender: Sender, seconds: float) -> None:
    """Look through the outbox every few seconds, whatever happens to the jobs."""
    said = time.monotonic()
    while True:
        try:
            await sender.sweep(within=seconds)
        except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError, TimeoutError) as fault:
            end_if_cancelled()
            log.warning("The outbox could not be looked through (%s); trying again.", type(fault).__name__)
        if time.monotonic() - said > HEALTH_SECONDS:
            said = time.monotonic()
            log.info("The worker is well; %d mails are being sent.", sender.under_way)
        await asyncio.sleep(seconds)


if __name__ == "__main__":
    run()
