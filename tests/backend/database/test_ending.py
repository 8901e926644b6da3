"""What listens to the database ends when it is told to, also if the database no longer answers."""

import asyncio
import os
import signal
import time
from collections.abc import AsyncIterator, Awaitable, Callable

import pytest

from backend.database.connection import fetch
from backend.events.hub import Hub
from backend.workers.incoming import Watchers

LISTENERS = "SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND query LIKE 'LISTEN%'"


async def listeners() -> list[int]:
    return [row["pid"] for row in await fetch(LISTENERS)]


@pytest.fixture
async def freeze_listeners(database: str) -> AsyncIterator[Callable[[], Awaitable[None]]]:
    """A function that stops the server's processes of the connections that listen, which stay open."""
    frozen: list[int] = []

    async def freeze() -> None:
        deadline = time.monotonic() + 20
        while not (found := await listeners()):
            assert time.monotonic() < deadline, "nobody listens"
            await asyncio.sleep(0.02)
        for process in found:
            os.kill(process, signal.SIGSTOP)
            frozen.append(process)

    yield freeze
    for process in frozen:
        os.kill(process, signal.SIGCONT)


@pytest.mark.parametrize("listening", [Hub, Watchers])
async def test_it_ends_though_its_connection_does_not(
    listening: type[Hub | Watchers], freeze_listeners: Callable[[], Awaitable[None]]
) -> None:
    before = asyncio.all_tasks()
    running = listening()
    await running.start()
    await freeze_listeners()
    await asyncio.wait_for(running.stop(), 15)
    left = [task for task in asyncio.all_tasks() - before if task.get_name() in ("hub-listen", "account watchers")]
    assert left == []
