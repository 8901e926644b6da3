"""The account's state: the worst of its lines, and always the newest."""

import asyncio
from datetime import UTC, datetime

from sync.imap.board import Board
from sync.types import AccountState, Connecting, FolderProgress, Syncing, UpToDate
from tests.sync.imap.memory_store import MemoryStore

NOW = UpToDate(datetime.now(UTC))


async def test_a_slow_report_is_not_written_over_a_newer_one() -> None:
    class Slow(MemoryStore):
        async def report(self, state: AccountState) -> None:
            await asyncio.sleep(0.05 if isinstance(state, Connecting) else 0)
            await super().report(state)

    store = Slow()
    board = Board(store, 0, ("inbox", "others"))
    await asyncio.gather(board.show("inbox", NOW), board.show("others", NOW))
    assert store.states[-1] == NOW


async def test_progress_of_both_lines_is_shown_together() -> None:
    store = MemoryStore()
    board = Board(store, 0, ("inbox", "others"))
    await board.show("inbox", Syncing({"INBOX": FolderProgress(1, 9)}))
    await board.show("others", Syncing({"Sent": FolderProgress(2, 3)}))
    assert store.states[-1] == Syncing({"INBOX": FolderProgress(1, 9), "Sent": FolderProgress(2, 3)})
