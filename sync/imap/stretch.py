"""What of an open folder is here: one unbroken stretch of UIDs, with its cursor (the essay in sync/imap/folder.py).

Whoever brings messages, flags or removals moves the cursor through here, so that it never says more than is stored.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime

from sync.imap.answers import Flags, Selected
from sync.imap.connection import Connection
from sync.imap.delivery import Delivery
from sync.ports import AccountStore
from sync.types import FetchedMessage, FolderCursor, FolderInfo, SyncPlan

PAGE_MESSAGES = 500
"""Messages whose sizes, or headers, are asked for at once."""
STRANGE_PAGES = 2
"""Pages without a message that was recognised, after which it is no longer tried."""

_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


class Stretch:
    """The stretch of one folder, after `open()`. Raises as FolderSync does."""

    def __init__(
        self, connection: Connection, store: AccountStore, folder: FolderInfo, connected_at: datetime, plan: SyncPlan
    ) -> None:
        self.folder = folder
        self.name = folder.name
        self.connection = connection
        self.store = store
        self.delivery = Delivery(connection, store, folder.name)
        self.connected_at = connected_at
        self._plan = plan
        self._selected: Selected | None = None
        self._cursor: FolderCursor | None = None
        self._strange_pages = 0
        self._fresh = False

    @property
    def cursor(self) -> FolderCursor:
        """The cursor as stored. Only after `open()`."""
        if self._cursor is None:
            raise RuntimeError("open() first")
        return self._cursor

    @property
    def opened(self) -> Selected:
        """What the server said when the folder was opened. Only after `open()`."""
        if self._selected is None:
            raise RuntimeError("open() first")
        return self._selected

    @property
    def still(self) -> bool:
        """Whether the folder is whole here, and by its modseq nothing has happened in it since we were here."""
        whole = self.cursor.backfill_done and self.cursor.since is None
        return whole and self.opened.highest_modseq == self.cursor.highest_modseq != 0

    @property
    def recognises(self) -> bool:
        """Whether it is worth looking for messages that the mailbox has already."""
        return not self._fresh and (self.connection.names_messages or self._strange_pages < STRANGE_PAGES)

    async def open(self) -> None:
        """Open the folder on the server and find our place in it: START, RESET or going on."""
        cursor = await self.store.cursor(self.name)
        known = None
        if cursor is not None and cursor.highest_uid >= cursor.lowest_uid:
            # Not only the stretch: a move may have placed messages above it, and below it some were recognised. Without
            # any UIDs named the server tells of all that it has given out so far.
            known = (cursor.uid_validity, cursor.highest_modseq)
        self._selected = selected = await self.connection.open_folder(self.name, known=known)
        self._fresh = cursor is None and self.folder.role == "inbox"
        self._strange_pages = 0
        if cursor is not None and cursor.uid_validity != selected.uid_validity:
            await self.store.reset_folder(self.name)
            cursor = None
        self._cursor = cursor or await self._start(selected)
        since = self._plan.history_from
        if self._cursor.since != since:
            done = self._cursor.backfill_done and not _reaches_further(since, self._cursor.since)
            await self.move(replace(self._cursor, since=since, backfill_done=done))

    async def _start(self, selected: Selected) -> FolderCursor:
        """An empty stretch at the top of the folder. Old servers do not tell UIDNEXT: the last UID does."""
        uid_next = selected.uid_next
        if not uid_next:
            uid_next = max(await self.connection.search("UID *"), default=0) + 1
        cursor = FolderCursor(
            uid_validity=selected.uid_validity,
            history_below=uid_next,
            highest_uid=uid_next - 1,
            lowest_uid=uid_next,
            highest_modseq=selected.highest_modseq,
            backfill_done=selected.exists == 0,
            since=self._plan.history_from,
        )
        await self.store.move_cursor(self.name, cursor)
        return cursor

    async def move(self, cursor: FolderCursor) -> None:
        """The stretch has grown, or what is known of it, and nothing else is to be stored with that."""
        await self.store.move_cursor(self.name, cursor)
        self._cursor = cursor

    async def moved(self, cursor: FolderCursor, *, stored: bool) -> None:
        """The store has this cursor already, if it stored something with it."""
        if stored:
            self._cursor = cursor
        else:
            await self.move(cursor)

    async def history(self) -> set[int]:
        """The UIDs of history that the plan wants. INTERNALDATE is compared by day, in the server's time zone."""
        top = self.cursor.history_below - 1
        if top < 1 or not self.connection.exists:
            return set()
        since = self.cursor.since
        period = f" SINCE {since.day}-{_MONTHS[since.month - 1]}-{since.year}" if since is not None else ""
        return {uid for uid in await self.connection.search(f"UID 1:{top}{period}") if uid <= top}

    def note_page(self, *, known: bool) -> None:
        """A page of messages was compared with the store, which had some of them, or none."""
        self._strange_pages = 0 if known else self._strange_pages + 1

    async def compare_flags(self, there: Sequence[Flags]) -> None:
        """Hand over those flags that differ from what the store has."""
        if not there:
            return
        uids = [each.uid for each in there]
        known = await self.store.known_flags(self.name, min(uids), max(uids))
        differ = {each.uid: each.flags for each in there if known.get(each.uid, each.flags) != each.flags}
        if differ:
            await self.store.apply_flags(self.name, differ, self.cursor)

    async def apply_flags(self, flags: Mapping[int, frozenset[str]], cursor: FolderCursor) -> None:
        """Hand over flags that have changed, and move the cursor with them."""
        if flags:
            await self.store.apply_flags(self.name, flags, cursor)
            self._cursor = cursor
        elif cursor != self.cursor:
            await self.move(cursor)

    async def store_arrived(self, messages: Sequence[FetchedMessage], cursor: FolderCursor) -> None:
        """New mail, oldest first."""
        await self.delivery.store(messages, self.cursor, cursor, arrived=True)
        self._cursor = cursor

    async def store_history(self, messages: Sequence[FetchedMessage], cursor: FolderCursor) -> None:
        """What came after the account was connected arrived, wherever its UID stands now."""
        lowest = min(cursor.lowest_uid, self.cursor.lowest_uid)
        await self._store_by_age(messages, replace(cursor, lowest_uid=lowest), self.connected_at.timestamp())

    async def _store_by_age(self, messages: Sequence[FetchedMessage], cursor: FolderCursor, arrived_at: float) -> None:
        """Newest first; the cursor moves with the last of the two parts."""
        newest_first = sorted(messages, key=lambda each: each.uid, reverse=True)
        arrived = [each for each in newest_first if each.internal_date.timestamp() >= arrived_at]
        history = [each for each in newest_first if each.internal_date.timestamp() < arrived_at]
        if arrived:
            await self.delivery.store(arrived, self.cursor, self.cursor if history else cursor, arrived=True)
        if history or not messages:
            await self.delivery.store(history, self.cursor, cursor, arrived=False)
        self._cursor = cursor

    async def store_late(self, messages: Sequence[FetchedMessage]) -> None:
        """Mail that comes late: what is older than a day is history, though the account was connected when it came."""
        yesterday = datetime.now(UTC).timestamp() - 24 * 3600
        await self._store_by_age(messages, self.cursor, max(self.connected_at.timestamp(), yesterday))


def _reaches_further(wanted: datetime | None, had: datetime | None) -> bool:
    """Whether the plan wants older mail than was listed before."""
    return had is not None and (wanted is None or wanted < had)


def pages(uids: Sequence[int], size: int = PAGE_MESSAGES) -> list[Sequence[int]]:
    """UIDs in their order, in parts of this size."""
    return [uids[start : start + size] for start in range(0, len(uids), size)]
