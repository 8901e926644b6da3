"""Addresses that have come into use: every worker looks every few seconds, and one of them asks about each."""

import asyncio
import logging

import asyncpg

from backend.addresses.actions import note_addresses, settle_by_accounts
from backend.database.connection import end_if_cancelled

log = logging.getLogger(__name__)

EVERY_SECONDS = 5.0


async def keep_asking() -> None:
    """Note, ask and settle until cancelled."""
    while True:
        try:
            await note_addresses()
            await settle_by_accounts()
        except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError, TimeoutError) as fault:
            end_if_cancelled()
            log.warning("The addresses in use could not be looked through (%s); trying again.", type(fault).__name__)
        await asyncio.sleep(EVERY_SECONDS)
