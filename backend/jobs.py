"""Side effects as jobs: enqueued in the transaction that makes them necessary, run by a worker, retried with
back-off, and kept for an admin to see when they give up. The only user of PgQueuer.

A job's payload names rows by id and nothing else: no secret and no mail text stands in the queue.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import timedelta
from typing import Any, Literal, cast

import msgspec
from asyncpg import Connection
from pgqueuer import PgQueuer, Queries
from pgqueuer.db import AsyncpgDriver, AsyncpgPoolDriver
from pgqueuer.errors import RetryRequested
from pgqueuer.models import Context, Job
from pgqueuer.types import JobId

from backend.database.connection import connection, engine, in_transaction

JobName = Literal[
    "send_outgoing",
    "store_sent_copies",
    "store_sent_copy",
    "settle_unknown",
    "take_report",
    "take_meeting_answer",
    "carry_out",
    "keep_drafts",
    "system_mail",
    "check_servers",
    "check_forwarding",
    "hide_and_show",
    "remove_mail",
    "settle_removed",
    "enter_words",
    "send_push",
    "test_server",
    "look_up_domains",
]

Handler = Callable[..., Awaitable[None]]

GIVE_UP_AFTER = 12
"""Attempts; with the back-off below, about six hours."""
LONGEST_WAIT = timedelta(hours=1)


async def enqueue(name: JobName, *, after: timedelta | None = None, key: str | None = None, **payload: Any) -> None:
    """Add a job to the current transaction: it exists if, and only if, the transaction commits.

    `key` keeps at most one job of that key, waiting or under way: not for what one under way may just have missed
    (`enqueue_or_hasten`), nor for a job that asks for itself again. Raises RuntimeError outside a transaction.
    """
    if not in_transaction():
        raise RuntimeError(f"The job {name} must be enqueued inside an action's transaction.")
    async with connection() as current:
        # A pool's proxy of a connection does all that PgQueuer asks of a connection.
        await Queries(AsyncpgDriver(cast(Connection, current))).enqueue(
            [name],
            [msgspec.json.encode(payload)],
            [0],
            [after],
            [f"{name}:{key}" if key else None],
            on_conflict="skip",
        )


async def enqueue_or_hasten(name: JobName, *, after: timedelta = timedelta(0), **payload: Any) -> None:
    """Let a job that works through all that is recorded for its payload look soon, inside the current transaction.

    `after` gathers what comes in quick succession. One that waits already, perhaps for its next attempt, is made due
    no later than that, with all its attempts before it; its row is held until the commit, so that it cannot run before
    what it is to find is there. One that runs already may have looked too early: then another is added.
    """
    async with connection() as current:
        hastened = await current.fetchval(
            "UPDATE pgqueuer SET execute_after = least(execute_after, now() + $3), attempts = 0 WHERE id = "
            "(SELECT id FROM pgqueuer WHERE entrypoint = $1 AND payload = $2 AND status = 'queued' "
            "ORDER BY id LIMIT 1 FOR UPDATE SKIP LOCKED) RETURNING id",
            name,
            msgspec.json.encode(payload),
            after,
        )
    if hastened is None:
        await enqueue(name, after=after, **payload)


async def enqueue_unless_waiting(name: JobName, payloads: Sequence[Mapping[str, Any]], *, after: timedelta) -> None:
    """The same for several payloads, but one that waits keeps its time and its attempts: it may wait for a server that
    is gone, and what it is to find can wait as long."""
    wanted = [msgspec.json.encode(payload) for payload in payloads]
    async with connection() as current:
        waiting = await current.fetch(
            "SELECT payload FROM pgqueuer WHERE entrypoint = $1 AND payload = ANY($2) AND status = 'queued' "
            "FOR SHARE SKIP LOCKED",
            name,
            wanted,
        )
        missing: list[bytes | None] = [*sorted(set(wanted) - {record["payload"] for record in waiting})]
        if missing:
            times: list[timedelta | None] = [after] * len(missing)
            queries = Queries(AsyncpgDriver(cast(Connection, current)))
            await queries.enqueue([name] * len(missing), missing, [0] * len(missing), times)


async def run_again(job_id: int) -> None:
    """Put a job that gave up back into the queue, with all its attempts before it."""
    async with connection() as current:
        await Queries(AsyncpgDriver(cast(Connection, current))).requeue_jobs([JobId(job_id)])


class TryAgain(Exception):
    """A handler's word that the same job may succeed later. Its text is what an admin reads."""


def register(queue: PgQueuer, name: JobName, handler: Handler, *, at_once: int = 0) -> None:
    """Let `handler` (called with the payload's fields) run the jobs of that name, `at_once` at a time (0: any)."""

    @queue.entrypoint(name, concurrency_limit=at_once, on_failure="hold")
    async def run(job: Job, context: Context) -> None:
        payload = msgspec.json.decode(job.payload or b"{}")
        try:
            await handler(**payload)
        except TryAgain as fault:
            attempt = job.attempts + 1
            if attempt >= GIVE_UP_AFTER:
                raise
            wait = min(LONGEST_WAIT, timedelta(seconds=5 * 2**attempt))
            raise RetryRequested(delay=wait, reason=str(fault)) from fault


def job_queue() -> PgQueuer:
    """This worker's queue, on the process' pool."""
    if engine.pool is None:
        raise RuntimeError("The database is not connected: call connect() first.")
    return PgQueuer(AsyncpgPoolDriver(engine.pool))
