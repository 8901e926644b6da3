"""Taking down the words of messages, by which searches find them, after they were stored.

Whatever is stored waits in `words_waiting` (a trigger sees to that), and workers take it out of there, many messages
together. To make the words and to enter them into the index takes as long as to store everything else of a message:
neither mail that arrives nor a first sync has to wait for that. A search reads both, the index and the text of what
waits, so that nothing is missing meanwhile (backend/search/queries.py).

PostgreSQL keeps new entries of a GIN index in a list first, which every search reads as well. Emptied after thousands
of messages, it takes a third of the time that single entries take.
"""

import asyncio
import logging
from datetime import timedelta

import asyncpg

from backend.database.connection import end_if_cancelled, engine, execute, fetch, fetch_value
from backend.jobs import enqueue

log = logging.getLogger(__name__)

MANY = 50
"""Messages of one transaction from which on the next minute is too late: a search reads the text of what waits."""
AT_ONCE = 500
"""Messages whose words are taken down in one transaction."""
GATHERED = timedelta(seconds=10)
EVERY_SECONDS = 60.0
PAUSE_SECONDS = 0.2
"""Between batches of old mail, which can wait."""

_KNOWN = """
    INSERT INTO known_words (word) SELECT DISTINCT w.lexeme FROM {rows} r CROSS JOIN LATERAL unnest(r.search) w
     WHERE length(w.lexeme) BETWEEN 4 AND 30 AND w.lexeme !~ '[^[:alpha:]]' ORDER BY 1 ON CONFLICT DO NOTHING
"""
"""In one order, so that two who are at it never wait in a circle."""
_TAKE_DOWN = f"""
    WITH chosen AS (SELECT message_id FROM words_waiting ORDER BY message_id DESC LIMIT $1 FOR UPDATE SKIP LOCKED),
    taken AS (DELETE FROM words_waiting w USING chosen WHERE w.message_id = chosen.message_id RETURNING w.message_id),
    entered AS (INSERT INTO message_words (message_id, search)
        SELECT m.id, message_words(m.subject, m.sender, m.body_text)
          FROM taken JOIN messages m ON m.id = taken.message_id ON CONFLICT DO NOTHING RETURNING search),
    known AS ({_KNOWN.format(rows="entered")})
    SELECT count(*) FROM taken
"""
_LEARN = _KNOWN.format(rows="(SELECT search FROM message_words WHERE message_id = ANY($1))")
_SIGNS = "[\u3041-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff]"
_ANEW = f"""
    UPDATE message_words d SET search = message_words(m.subject, m.sender, m.body_text) FROM messages m
     WHERE m.id = d.message_id AND d.message_id = ANY($1) AND octet_length(m.body_text) <> length(m.body_text)
       AND (m.subject ~ '{_SIGNS}' OR m.body_text ~ '{_SIGNS}')
"""


async def take_down_soon(count: int) -> None:
    """Let a worker look after the words of `count` messages that this transaction stores, if they are many."""
    if count >= MANY:
        await enqueue("enter_words", after=GATHERED, key="messages")


async def enter_words() -> None:
    """Take down what waits, the newest first, and enter it. The job; two who are at it divide the work."""
    while await fetch_value(_TAKE_DOWN, AT_ONCE):
        pass
    await execute("SELECT gin_clean_pending_list('message_words_search')")


async def learn_old_words() -> None:
    """Learn the words of mail that was stored by a release which did not, some messages at a time, the newest first;
    and take down anew what is written without blanks."""
    while True:
        async with engine.transaction():
            below = await fetch_value("SELECT below FROM words_to_learn FOR UPDATE SKIP LOCKED")
            if below is None:
                return
            records = await fetch(
                "SELECT message_id FROM message_words WHERE message_id < $1 ORDER BY message_id DESC LIMIT $2",
                below,
                AT_ONCE,
            )
            ids = [record["message_id"] for record in records]
            if not ids:
                await execute("DELETE FROM words_to_learn")
                return
            await execute(_ANEW, ids)
            await execute(_LEARN, ids)
            await execute("UPDATE words_to_learn SET below = $1", ids[-1])
        await asyncio.sleep(PAUSE_SECONDS)


async def keep_words_entered() -> None:
    """The same every minute until cancelled. With nothing waiting it is no work."""
    while True:
        await asyncio.sleep(EVERY_SECONDS)
        try:
            await enter_words()
            await learn_old_words()
        except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError, TimeoutError) as fault:
            end_if_cancelled()
            log.warning("New words could not be entered for searching (%s); trying again.", type(fault).__name__)
