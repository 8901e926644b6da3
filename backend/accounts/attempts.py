"""Trying servers before anything is stored. Part of the actions.

Only workers talk to mail servers, so the route that a person waits for leaves an attempt in the database, with a job,
and looks until a worker has written the outcome. What was typed is sealed like a stored password, and the row goes
with the answer: nothing of an attempt outlives it.
"""

import asyncio
from datetime import timedelta

import msgspec

from backend.access.asker import Asker
from backend.accounts.contracts import ConnectAccount, ServerCheck
from backend.accounts.credentials import decrypt, encrypt
from backend.database.connection import execute, fetch_row, fetch_value
from backend.errors import TooManyAttempts, Unavailable
from backend.events.record import action
from backend.jobs import enqueue
from backend.settings import settings

ANSWER_SECONDS = 35.0
"""How long a person is let wait: a worker needs up to 30 s for servers that do not answer."""
LOOK_SECONDS = 0.1
KEPT = timedelta(hours=1)
MOST_AT_ONCE = 4
"""Attempts of one mailbox at the same time."""


class Attempt(msgspec.Struct, frozen=True):
    """What a worker is to try. With an access token it signs in by that, and there is no password."""

    wanted: ConnectAccount
    access_token: str = ""

    def __repr__(self) -> str:
        return "Attempt(...)"


class TriedFolder(msgspec.Struct, frozen=True):
    """A folder that the server listed; `messages` and `bytes` where it told them."""

    name: str
    title: str
    role: str
    selectable: bool
    object_id: str = ""
    messages: int | None = None
    bytes: int | None = None


class Outcome(msgspec.Struct, frozen=True):
    """How it went at each server, and the account's folders when it could be read."""

    checks: list[ServerCheck]
    folders: list[TriedFolder] = []

    @property
    def failed(self) -> ServerCheck | None:
        """The first server that could not be used."""
        return next((check for check in self.checks if not check.ok), None)


_outcome = msgspec.json.Decoder(Outcome)


async def try_servers(asker: Asker, mailbox_id: int, attempt: Attempt) -> Outcome:
    """Let a worker connect and sign in at both servers, and list the folders; answers how that went.

    Raises TooManyAttempts, and Unavailable when no worker answers in time.
    """
    attempt_id = await _begin(asker, mailbox_id, attempt)
    try:
        async with asyncio.timeout(ANSWER_SECONDS):
            while True:
                row = await fetch_row("SELECT outcome, finished_at FROM connection_attempts WHERE id = $1", attempt_id)
                if row is not None and row["finished_at"] is not None:
                    return _outcome.decode(row["outcome"])
                await asyncio.sleep(LOOK_SECONDS)
    except TimeoutError as fault:
        raise Unavailable(
            "The servers could not be tried: nothing here is working on it.",
            "Try again in a minute. If it stays, ask your admin whether the worker is running.",
        ) from fault
    finally:
        await execute("DELETE FROM connection_attempts WHERE id = $1", attempt_id)


async def _begin(asker: Asker, mailbox_id: int, attempt: Attempt) -> int:
    sealed = encrypt(settings(), msgspec.json.encode(attempt))
    async with action(asker.user_id):
        await execute("DELETE FROM connection_attempts WHERE created_at < now() - $1::interval", KEPT)
        under_way = await fetch_value(
            "SELECT count(*) FROM connection_attempts WHERE mailbox_id = $1 AND finished_at IS NULL", mailbox_id
        )
        if under_way >= MOST_AT_ONCE:
            raise TooManyAttempts("These servers are being tried already.", "Wait half a minute for the outcome.")
        attempt_id = await fetch_value(
            "INSERT INTO connection_attempts (mailbox_id, request, created_at) VALUES ($1, $2, now()) RETURNING id",
            mailbox_id,
            sealed,
        )
        await enqueue("check_servers", attempt_id=attempt_id)
    return attempt_id


async def take_attempt(attempt_id: int) -> Attempt | None:
    """What a worker is to try; None when it is done, or when nobody waits any more. Raises Unavailable for a key
    that is not the one it was sealed with."""
    row = await fetch_row("SELECT request FROM connection_attempts WHERE id = $1 AND finished_at IS NULL", attempt_id)
    return msgspec.json.decode(decrypt(settings(), row["request"]), type=Attempt) if row else None


async def finish_attempt(attempt_id: int, outcome: Outcome) -> None:
    """Write the outcome for the person who waits, and forget what was typed."""
    async with action(None):
        await execute(
            "UPDATE connection_attempts SET outcome = $2, finished_at = now(), request = '' WHERE id = $1",
            attempt_id,
            msgspec.json.encode(outcome).decode(),
        )
