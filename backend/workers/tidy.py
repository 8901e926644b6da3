"""What a worker clears away every hour: old events, ended sessions, links and attempts that ran out, meetings that no
mail tells of, bytes of mail and files that nothing refers to; and what it takes up again: changes that the mail server
never confirmed."""

import asyncio
import logging
import time

import asyncpg

from backend.database.connection import end_if_cancelled, execute, session
from backend.errors import Unavailable
from backend.events.prune import prune_events
from backend.mail.collecting import collect, note_stored
from backend.mail.intents import look_after_forgotten
from backend.uploads.actions import drop_old_uploads

log = logging.getLogger(__name__)

EVERY_SECONDS = 3600.0
NOTE_EVERY_SECONDS = 24 * 3600.0
_noted_at: float | None = None
TIDY_LOCK = 7_264_339
"""Key of the advisory lock: one worker tidies at a time."""

RUN_OUT = (
    "DELETE FROM sessions WHERE expires_at < now()",
    "DELETE FROM password_resets WHERE expires_at < now()",
    "DELETE FROM oauth_requests WHERE created_at < now() - interval '1 hour'",
    "DELETE FROM discarded_drafts WHERE at < now() - interval '1 hour'",
    "DELETE FROM sign_in_failures WHERE at < now() - interval '1 day'",
    "DELETE FROM meetings m WHERE NOT EXISTS (SELECT 1 FROM meeting_mails l WHERE l.meeting_id = m.id)",
)


async def tidy() -> None:
    """Clear away once, unless another worker is at it."""
    async with session() as held:
        if not await held.fetchval("SELECT pg_try_advisory_lock($1)", TIDY_LOCK):
            return
        try:
            pruned = await prune_events()
            for statement in RUN_OUT:
                await execute(statement)
            await look_after_forgotten()
            await drop_old_uploads()
            collected = await _collect()
        finally:
            await held.execute("SELECT pg_advisory_unlock($1)", TIDY_LOCK)
    if pruned:
        log.info("%d old events were cleared away.", pruned)
    if collected:
        log.info("%d mails and files that nothing refers to were collected.", collected)


async def _collect() -> int:
    """Once a day what lies in the blob store is looked through; what is noted, each time."""
    global _noted_at
    if _noted_at is None or time.monotonic() - _noted_at > NOTE_EVERY_SECONDS:
        await note_stored()
        _noted_at = time.monotonic()
    return await collect()


async def keep_tidy() -> None:
    """Tidy every hour until cancelled."""
    while True:
        await asyncio.sleep(EVERY_SECONDS)
        try:
            await tidy()
        except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError, TimeoutError, Unavailable) as fault:
            end_if_cancelled()
            log.warning("Tidying up failed (%s); trying again in an hour.", type(fault).__name__)
