"""Domains are noted when mail comes to be from them, looked up by a worker, and looked up again for an admin."""

import asyncio
from datetime import datetime

import msgspec

from backend.access.asker import Asker
from backend.database.connection import execute
from backend.errors import Unavailable
from backend.events.record import action
from backend.jobs import enqueue
from backend.sending_domains.contracts import DomainRecord, SendingDomain
from backend.sending_domains.queries import domains_to_note, list_domains, still_waited_for

ANSWER_SECONDS = 30.0
"""How long a person is let wait: each name server is given some seconds."""
LOOK_SECONDS = 0.1


async def look_again(asker: Asker) -> list[SendingDomain]:
    """Let a worker look up every domain now, and wait for it. Raises Unavailable when no worker answers in time."""
    async with action(asker.user_id):
        await note_domains()
        # `clock_timestamp`, for what is being looked up at this moment began before.
        await execute("UPDATE sending_domains SET asked_at = clock_timestamp()")
        await enqueue("look_up_domains")
    try:
        async with asyncio.timeout(ANSWER_SECONDS):
            while True:
                if not await still_waited_for():
                    return await list_domains()
                await asyncio.sleep(LOOK_SECONDS)
    except TimeoutError as fault:
        raise Unavailable(
            "The domains are still being looked up.",
            "Look at this page again in a minute. If it stays, look whether the worker is running.",
        ) from fault


async def note_domains() -> None:
    """Note the domains that have come into use."""
    for name in await domains_to_note():
        await execute("INSERT INTO sending_domains (name) VALUES ($1) ON CONFLICT (name) DO NOTHING", name)


async def write_found(domain_id: int, records: list[DomainRecord], begun: datetime) -> None:
    """What a worker found that began to look at the moment `begun`."""
    await execute(
        "UPDATE sending_domains SET found = $2, looked_at = $3 WHERE id = $1",
        domain_id,
        msgspec.json.encode(records).decode(),
        begun,
    )
