"""Fetching messages of a folder in bounded batches and handing them to the store, with no message keeping others back.

A batch that the server refuses is asked for one by one; what is still refused is set aside. A batch that the store
cannot take because of a message (CannotStore) is halved until that message stands alone, which is set aside. When
nothing of a batch can be had or stored, the fault is not the messages': the failure goes on to whoever watches the
account, and everything is tried again.
"""

from collections.abc import Sequence

from sync.errors import CannotStore, CommandRefused
from sync.imap.batches import bounded
from sync.imap.connection import Connection
from sync.imap.reader import format_number_set
from sync.ports import AccountStore
from sync.types import FetchedMessage, FolderCursor

BATCH_MESSAGES = 300
BATCH_BYTES = 4 * 1024 * 1024
"""What is fetched and stored at once; a larger message is a batch of its own."""
SIZES_PAGE = 1000
FEW = 3
"""Up to this many messages may all be at fault."""


class Delivery:
    """From one folder of a server to the store."""

    def __init__(self, connection: Connection, store: AccountStore, folder: str) -> None:
        self._connection = connection
        self._store = store
        self._folder = folder

    async def batches(self, uids: Sequence[int], sizes: dict[int, int] | None = None) -> list[list[int]]:
        """The UIDs in their order, in batches that are bounded in number and in bytes."""
        if not uids:
            return []
        if sizes is None:
            sizes = {}
            for start in range(0, len(uids), SIZES_PAGE):
                sizes |= await self._connection.fetch_sizes(uids[start : start + SIZES_PAGE])
        return bounded(uids, sizes, most_bytes=BATCH_BYTES, most=BATCH_MESSAGES)

    async def fetch(self, uids: Sequence[int]) -> list[FetchedMessage]:
        """Messages, ascending; those that are gone, or were set aside, are missing."""
        return await self.fetch_set(format_number_set(uids), uids)

    async def fetch_set(self, uid_set: str, uids: Sequence[int] = ()) -> list[FetchedMessage]:
        """The same by an IMAP set."""
        try:
            return await self._connection.fetch_messages(uid_set)
        except CommandRefused as refusal:
            if self._connection.lost:
                raise
            if not uids:
                uids = await self._connection.search(f"UID {uid_set}")
            return await self._fetch_singly(uids, refusal)

    async def fetch_again(self, uid: int) -> FetchedMessage | None:
        """One that was set aside; None when it is gone. Raises CommandRefused, when it is noted as refused again."""
        try:
            found = await self._connection.fetch_messages(str(uid))
        except CommandRefused as refusal:
            await self._store.set_aside(self._folder, uid, refusal.server_words)
            raise
        return found[0] if found else None

    async def _fetch_singly(self, uids: Sequence[int], refusal: CommandRefused) -> list[FetchedMessage]:
        found: list[FetchedMessage] = []
        refused: dict[int, str] = {}
        for uid in uids:
            try:
                found += await self._connection.fetch_messages(str(uid))
            except CommandRefused as again:
                if self._connection.lost:
                    raise
                refused[uid] = again.server_words
        if not found and len(refused) > 1:
            raise refusal
        for uid, words in refused.items():
            await self._store.set_aside(self._folder, uid, words)
        return sorted(found, key=lambda each: each.uid)

    async def store(
        self, messages: Sequence[FetchedMessage], before: FolderCursor, cursor: FolderCursor, *, arrived: bool
    ) -> None:
        """Store messages and move the cursor from `before` to `cursor` with the last of them."""
        if not messages:
            if cursor != before:
                await self._store.move_cursor(self._folder, cursor)
            return
        try:
            await self._store.store_messages(self._folder, messages, cursor, arrived=arrived)
        except CannotStore as fault:
            poisonous: list[int] = []
            await self._store_halves(messages, before, arrived, poisonous)
            if len(poisonous) == len(messages) > FEW:
                raise
            for uid in poisonous:
                await self._store.set_aside(self._folder, uid, str(fault), reason="unstorable")
            await self._store.move_cursor(self._folder, cursor)

    async def _store_halves(
        self, messages: Sequence[FetchedMessage], before: FolderCursor, arrived: bool, poisonous: list[int]
    ) -> None:
        """Everything of a batch that can be stored; the rest is noted in `poisonous`. The cursor stays."""
        if len(messages) == 1:
            poisonous.append(messages[0].uid)
            return
        middle = len(messages) // 2
        for half in (messages[:middle], messages[middle:]):
            try:
                await self._store.store_messages(self._folder, half, before, arrived=arrived)
            except CannotStore:
                await self._store_halves(half, before, arrived, poisonous)
