"""Reminders that fall due: every worker looks every few seconds, and each is told by one of them."""

import asyncio
import logging

import asyncpg

from backend.conversations.reminders import AT_ONCE, tell_due
from backend.database.connection import end_if_cancelled

log = logging.getLogger(__name__)

EVERY_SECONDS = 3.0


async def keep_reminding() -> None:
    """Tell what falls due until cancelled."""
    while True:
        try:
            while await tell_due() == AT_ONCE:
                continue  # after a long night there may be more
        except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError, TimeoutError) as fault:
            end_if_cancelled()
            log.warning("Reminders could not be told (%s); trying again.", type(fault).__name__)
        await asyncio.sleep(EVERY_SECONDS)
