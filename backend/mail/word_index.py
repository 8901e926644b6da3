"""Putting the words of messages into the index of words later, many at once.

PostgreSQL keeps new entries of a GIN index in a list first, which every search reads as well. Whoever adds to a list of
more than 4 MB has to enter all of it: beside a first sync that would be a mail that has just arrived, a second later
than it should. So the list may grow, and workers empty it: entering the words of thousands of messages together takes a
third of the time. Until then a search takes some tens of milliseconds more.
"""

import asyncio
import logging
from datetime import timedelta

import asyncpg

from backend.database.connection import end_if_cancelled, execute
from backend.jobs import enqueue

log = logging.getLogger(__name__)

MANY = 50
"""Messages of one transaction from which on the list is emptied soon."""
LONGEST_LIST = 64 * 1024
"""KB: what stands in the list at most, before whoever adds to it must enter it after all."""
GATHERED = timedelta(seconds=10)
EVERY_SECONDS = 60.0


async def put_words_off(count: int) -> None:
    """Let what this transaction adds, `count` messages, wait in the list."""
    await execute("SELECT set_config('gin_pending_list_limit', $1, true)", str(LONGEST_LIST))
    if count >= MANY:
        await enqueue("enter_words", after=GATHERED, key="messages")


async def enter_words() -> None:
    """Empty the list. The job; when another is at it, there is nothing to do."""
    await execute("SELECT gin_clean_pending_list('messages_search')")


async def keep_words_entered() -> None:
    """Empty the list every minute until cancelled. With nothing in it that is no work."""
    while True:
        await asyncio.sleep(EVERY_SECONDS)
        try:
            await enter_words()
        except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError, TimeoutError) as fault:
            end_if_cancelled()
            log.warning("New words could not be entered for searching (%s); trying again.", type(fault).__name__)
