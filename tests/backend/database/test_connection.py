"""A connection that breaks in the middle of a transaction costs that transaction, and nothing after it."""

import asyncio
import random
from typing import Any

import asyncpg
import pytest

from backend.database.connection import engine, execute, fetch_value
from backend.events.record import action
from tests.servers.postgres import Databases


async def break_own_connection(databases: Databases) -> None:
    own = await fetch_value("SELECT pg_backend_pid()")
    await databases.execute(f"SELECT pg_terminate_backend({own})")
    await asyncio.sleep(0.1)


async def test_the_same_task_goes_on_after_its_transaction_lost_the_connection(
    database: str, databases: Databases
) -> None:
    for _ in range(15):  # more often than the pool has connections
        with pytest.raises((asyncpg.PostgresError, asyncpg.InterfaceError, OSError)):
            async with action(None):
                await break_own_connection(databases)
                await execute("SELECT 1")
        assert engine.current_transaction.get() is None
        assert await fetch_value("SELECT 1") == 1


async def test_a_connection_lost_before_the_commit_is_told(database: str, databases: Databases) -> None:
    with pytest.raises((asyncpg.PostgresError, asyncpg.InterfaceError, OSError)):
        async with action(None):
            await execute("INSERT INTO streams (key, position, pruned_to) VALUES ('x', 1, 0)")
            await break_own_connection(databases)
    assert await fetch_value("SELECT count(*) FROM streams") == 0


async def test_a_cancelled_task_leaves_no_connection_behind(database: str) -> None:
    async def wait_inside() -> None:
        async with action(None):
            await execute("SELECT pg_sleep(30)")

    for _ in range(15):
        task = asyncio.create_task(wait_inside())
        await asyncio.sleep(0.02)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
    assert await asyncio.wait_for(fetch_value("SELECT 1"), 5) == 1


async def test_a_task_that_is_cancelled_anywhere_in_an_action_tells_the_log_of_no_error(database: str) -> None:
    """Pausing an account ends its watcher wherever it is: while it begins, writes or commits."""
    told: list[dict[str, Any]] = []
    chance = random.Random(1)

    async def write() -> None:
        async with action(None):
            await execute("INSERT INTO streams (key, position, pruned_to) VALUES ('x', 1, 0) ON CONFLICT DO NOTHING")

    loop = asyncio.get_running_loop()
    before = loop.get_exception_handler()
    loop.set_exception_handler(lambda _, context: told.append(context))
    try:
        for _ in range(250):
            task = asyncio.create_task(write())
            await asyncio.sleep(chance.random() * 0.003)
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
    finally:
        loop.set_exception_handler(before)
    assert told == []
    await asyncio.wait_for(write(), 5)
    assert await fetch_value("SELECT count(*) FROM streams WHERE key = 'x'") == 1
