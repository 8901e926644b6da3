"""Putting the words of many messages into the index of words later, all at once.

PostgreSQL keeps new entries of a GIN index in a list first, which every search reads as well, and enters them when the
list has 4 MB. Entering those of thousands of messages together takes a third of the time, and a job can do it beside
the storing. Until then a search takes some tens of milliseconds more.
"""

from datetime import timedelta

from backend.database.connection import execute
from backend.jobs import enqueue

MANY = 50
"""Messages of one transaction from which on it is worth it."""
LONGEST_LIST = 64 * 1024
"""KB: what stands in the list at most, before whoever adds to it must enter it after all."""
GATHERED = timedelta(seconds=10)


async def put_words_off(count: int) -> None:
    """Let what this transaction adds, `count` messages, wait in the list if that is worth it, and have it entered."""
    if count >= MANY:
        await execute("SELECT set_config('gin_pending_list_limit', $1, true)", str(LONGEST_LIST))
        await enqueue("enter_words", after=GATHERED, key="messages")


async def enter_words() -> None:
    """Empty the list. The job; when another is at it, there is nothing to do."""
    await execute("SELECT gin_clean_pending_list('messages_search')")
