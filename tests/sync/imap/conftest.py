"""A store, and a way to run watchers that are stopped at the end, with a check that nothing is left of them."""

import asyncio
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime

import pytest

from sync.imap.account import AccountWatcher, Timing
from sync.types import ImapLogin
from tests.sync.imap.memory_store import MemoryStore

QUICK = Timing(
    idle=60, poll=60, command=10, first_retry=0.05, last_retry=0.2, busy_retry=0.1, permanent_retry=30, report=0
)

Watch = Callable[..., AccountWatcher]


@pytest.fixture
def store() -> MemoryStore:
    return MemoryStore()


@pytest.fixture
async def watch(store: MemoryStore) -> AsyncIterator[Watch]:
    """`watch(login)` runs a watcher on the store until the test ends; `watch.stop()` is `await stop(watcher)`."""
    before = asyncio.all_tasks()
    running: dict[AccountWatcher, asyncio.Task[None]] = {}

    def start(login: ImapLogin, *, timing: Timing = QUICK, connected_at: datetime | None = None) -> AccountWatcher:
        watcher = AccountWatcher(login, store, connected_at=connected_at or datetime.now(UTC), timing=timing)
        running[watcher] = asyncio.create_task(watcher.run())
        return watcher

    yield start
    for task in running.values():
        task.cancel()
    ended = await asyncio.gather(*running.values(), return_exceptions=True)
    assert all(isinstance(end, asyncio.CancelledError) for end in ended), ended
    left = asyncio.all_tasks() - before - {asyncio.current_task()}
    assert not left, left
