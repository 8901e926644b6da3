"""A job's visit to a mail server: signed in, alone where two at once would do harm."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from backend.database.connection import session
from backend.errors import NotFound
from backend.jobs import TryAgain
from backend.workers.logins import mail_login
from sync.errors import ServerProblem
from sync.imap.connection import Connection, open_connection

LOOK_AGAIN_SECONDS = 0.1


@asynccontextmanager
async def signed_in(account_id: int) -> AsyncIterator[Connection]:
    """A connection to the account's server; its problems become TryAgain, with the sentence an admin reads."""
    try:
        imap, _ = await mail_login(account_id)
        server = await open_connection(imap)
        try:
            yield server
        finally:
            await server.close()
    except ServerProblem as fault:
        raise TryAgain(f"{fault.sentence} {fault.remedy} [{fault.server_words}]") from fault
    except NotFound as fault:
        raise TryAgain(fault.message) from fault


@asynccontextmanager
async def alone(lock: int, number: int, *, patience: float = 0) -> AsyncIterator[None]:
    """One worker at a time, under the advisory lock (`lock`, `number`). A worker that dies frees it by dying.

    Waits up to `patience` seconds for another to finish, then raises TryAgain.
    """
    deadline = time.monotonic() + patience
    while True:
        async with session() as current:
            if await current.fetchval("SELECT pg_try_advisory_lock($1::int, $2::int)", lock, number):
                try:
                    yield
                finally:
                    await current.execute("SELECT pg_advisory_unlock($1::int, $2::int)", lock, number)
                return
        if time.monotonic() >= deadline:
            raise TryAgain("Another worker does this at this moment.")
        await asyncio.sleep(LOOK_AGAIN_SECONDS)
