"""Bringing one folder over, and keeping it true: the folder state machine.

A folder of a mail server is a growing list of messages, each with a UID that only ever rises. What we have of it is
one unbroken stretch of UIDs, from `lowest_uid` to `highest_uid`, kept in the cursor that is stored in the same
transaction as the messages it speaks of. The stretch grows at both ends: new mail above, older mail below. Whatever
interrupts us (a lost connection, a crash, a lease that went elsewhere), the stretch in the store is whole, and work
goes on at its ends. Nothing else needs to be remembered.

                      open()                                   EXAMINE
                        |
        no cursor       |  UIDVALIDITY differs                 the server renumbered: RESET
      +-----------------+-----------------+                    the store forgets the placements
      v                                   v                    and keeps the messages
    START <----------------------------- RESET
    an empty stretch at UIDNEXT           |
      |                                   | same UIDVALIDITY
      v                                   v
    CATCH UP  <------------------------------------------------------------+
    1. new:   UIDs above the stretch, oldest first, stored as arrived      |
    2. gone:  ours that the server no longer lists, removed                |
    3. flags: CONDSTORE (RFC 7162) tells the changed ones since the        | something was
              cursor's modseq; without it all flags are read and compared  | told meanwhile
      |                                                                    |
      v                                                                    |
    BACKFILL  one batch below the stretch, newest first, as history -------+
      |       until nothing is below: backfill_done
      v
    CURRENT   wait for the server's word (IDLE or polling, sync.imap.account)
              new / flags / gone -----------------------------------------> CATCH UP, only what was told

History or arrived: UIDNEXT at the first opening is noted as `history_below`. Everything from there on arrived, also
when we were away while it did. What stands below is history, unless its INTERNALDATE is later than the moment when
the account was connected: after a RESET all UIDs are new, and the store passes over what it recognises.

New mail is looked for between any two batches, so a person sees it at once while a large folder is still coming.
A folder that offers QRESYNC (RFC 7162 section 3.2) could learn steps 2 and 3 in the answer to its opening; `_gone`
and `_flags_since` are the two places that would then be fed from there.
"""

from collections.abc import Awaitable, Callable, Collection, Sequence
from dataclasses import replace
from datetime import datetime

from sync.errors import CommandRefused
from sync.imap.answers import Changes, Flags, Selected
from sync.imap.connection import Connection
from sync.imap.reader import format_number_set
from sync.ports import AccountStore
from sync.types import FetchedMessage, FolderCursor, FolderInfo, FolderProgress

PAGE_MESSAGES = 200
"""Messages whose sizes are asked for at once."""
BATCH_MESSAGES = 50
BATCH_BYTES = 4 * 1024 * 1024
"""What is fetched and stored at once; a larger message is a batch of its own."""
DIRECT_MESSAGES = 3
"""Up to this many new messages are fetched without asking for their sizes first: one round trip instead of two."""
FLAG_PAGE = 2000
"""UIDs whose flags are read and compared at once, where CONDSTORE is missing."""

Progress = Callable[[str, FolderProgress], Awaitable[None]]
"""Told the folder's name and how far its backfill is."""


class FolderSync:
    """One folder on one connection. `open()`, then `catch_up()` and `backfill()` as the essay says.

    All methods raise ServerProblem when the connection fails, and pass on what the store raises. Not for two tasks
    at once.
    """

    def __init__(
        self,
        connection: Connection,
        store: AccountStore,
        folder: FolderInfo,
        *,
        connected_at: datetime,
        progress: Progress,
    ) -> None:
        self.folder = folder
        self._connection = connection
        self._store = store
        self._connected_at = connected_at
        self._progress = progress
        self._selected: Selected | None = None
        self._cursor: FolderCursor | None = None
        self._below: list[int] | None = None
        self._done = 0

    @property
    def cursor(self) -> FolderCursor:
        """The cursor as stored. Only after `open()`."""
        if self._cursor is None:
            raise RuntimeError("open() first")
        return self._cursor

    async def open(self) -> None:
        """Open the folder on the server and find our place in it: START, RESET or going on."""
        name = self.folder.name
        self._selected = selected = await self._connection.open_folder(name)
        self._below = None
        cursor = await self._store.cursor(name)
        if cursor is not None and cursor.uid_validity != selected.uid_validity:
            await self._store.reset_folder(name)
            cursor = None
        if cursor is None:
            cursor = await self._start(selected)
        self._cursor = cursor

    async def catch_up(self, told: Changes | None = None) -> None:
        """New mail, deletions and flags: what was `told`, or (after opening) whatever happened while away."""
        if told is None or told.new:
            await self._new(told.new if told is not None else None)
        if told is None or told.gone:
            await self._gone(certain=told is not None)
        if told is None:
            await self._flags_since()
        else:
            # Flags of messages that are themselves new came with them.
            numbers = {number for number in told.flags if number <= self._connection.exists - told.new}
            if numbers:
                await self._flags_told(numbers)

    async def backfill(self) -> bool:
        """Bring over a page of older mail, or less when news come in. False when nothing older is missing."""
        if self.cursor.backfill_done:
            return False
        if self._below is None:
            await self._list_older()
        below = self._below or []
        for batch in await self._batches(below[:PAGE_MESSAGES]):
            await self._store_history(await self._fetch(batch), replace(self.cursor, lowest_uid=min(batch)))
            del below[: len(batch)]
            self._done += len(batch)
            await self._progress(self.folder.name, FolderProgress(self._done, self._done + len(below)))
            if self._connection.has_changes:
                return True
        if below:
            await self._connection.ask_for_changes()
            return True
        await self._move(replace(self.cursor, lowest_uid=1, backfill_done=True))
        return False

    # -- the three kinds of change -------------------------------------------------------------------------------

    async def _new(self, announced: int | None) -> None:
        """Everything above the stretch, oldest first, so that the stretch stays unbroken."""
        first = self.cursor.highest_uid + 1
        if announced is None and self._opened.uid_next and self._opened.uid_next <= first:
            return
        if announced is None or announced > DIRECT_MESSAGES:
            uids = [uid for uid in await self._connection.search(f"UID {first}:*") if uid >= first]
            for batch in await self._batches(uids):
                await self._store_arrived(await self._fetch(batch), replace(self.cursor, highest_uid=max(batch)))
        else:
            messages = [each for each in await self._fetch_set(f"{first}:*") if each.uid >= first]
            if messages:
                await self._store_arrived(messages, replace(self.cursor, highest_uid=messages[-1].uid))

    async def _gone(self, *, certain: bool) -> None:
        """Remove what the server no longer lists. After opening the numbers are compared first, which is cheap."""
        known = await self._store.known_uids(self.folder.name)
        if not known or (not certain and self.cursor.backfill_done and len(known) == self._connection.exists):
            return
        there = set(await self._connection.search(f"UID {min(known)}:{max(known)}"))
        gone = [uid for uid in known if uid not in there]
        if gone:
            await self._store.remove_uids(self.folder.name, gone, self.cursor)

    async def _flags_since(self) -> None:
        """Flags that changed while we were away, in the whole stretch."""
        cursor = self.cursor
        moved = replace(cursor, highest_modseq=self._opened.highest_modseq)
        if cursor.highest_uid < cursor.lowest_uid or cursor.highest_modseq == moved.highest_modseq != 0:
            if moved != cursor:
                await self._move(moved)
            return
        if cursor.highest_modseq and moved.highest_modseq:
            await self._flags_by_modseq(at_least=moved.highest_modseq)
            return
        for page in _pages(sorted(await self._store.known_uids(self.folder.name)), FLAG_PAGE):
            await self._apply(await self._connection.fetch_flags(f"{page[0]}:{page[-1]}"))
        if moved != cursor:
            await self._move(moved)

    async def _flags_told(self, numbers: Collection[int]) -> None:
        """Flags that changed under our eyes; without CONDSTORE only by message number."""
        if self.cursor.highest_modseq:
            await self._flags_by_modseq(at_least=0)
        else:
            await self._apply(await self._connection.fetch_flags_by_number(numbers))

    async def _flags_by_modseq(self, *, at_least: int) -> None:
        cursor = self.cursor
        stretch = f"{cursor.lowest_uid}:{max(cursor.highest_uid, cursor.lowest_uid)}"
        changed = await self._connection.fetch_flags(stretch, changed_since=cursor.highest_modseq)
        highest = max([cursor.highest_modseq, at_least, *(each.modseq for each in changed)])
        moved = replace(cursor, highest_modseq=highest)
        if changed:
            flags = {each.uid: each.flags for each in changed}
            await self._store.apply_flags(self.folder.name, flags, moved)
            self._cursor = moved
        elif moved != cursor:
            await self._move(moved)

    async def _apply(self, there: Sequence[Flags]) -> None:
        """Hand over those flags that differ from what the store has."""
        if not there:
            return
        uids = [each.uid for each in there]
        known = await self._store.known_flags(self.folder.name, min(uids), max(uids))
        differ = {each.uid: each.flags for each in there if known.get(each.uid, each.flags) != each.flags}
        if differ:
            await self._store.apply_flags(self.folder.name, differ, self.cursor)

    # -- the stretch ---------------------------------------------------------------------------------------------

    @property
    def _opened(self) -> Selected:
        if self._selected is None:
            raise RuntimeError("open() first")
        return self._selected

    async def _start(self, selected: Selected) -> FolderCursor:
        """An empty stretch at the top of the folder. Old servers do not tell UIDNEXT: the last UID does."""
        uid_next = selected.uid_next
        if not uid_next:
            uid_next = max(await self._connection.search("UID *"), default=0) + 1
        cursor = FolderCursor(
            uid_validity=selected.uid_validity,
            history_below=uid_next,
            highest_uid=uid_next - 1,
            lowest_uid=uid_next,
            highest_modseq=selected.highest_modseq,
            backfill_done=selected.exists == 0,
        )
        await self._store.move_cursor(self.folder.name, cursor)
        return cursor

    async def _move(self, cursor: FolderCursor) -> None:
        await self._store.move_cursor(self.folder.name, cursor)
        self._cursor = cursor

    async def _list_older(self) -> None:
        """What is still below the stretch, newest first, and how much is above it."""
        older = self.cursor.lowest_uid - 1
        listed = await self._connection.search(f"UID 1:{older}") if older else []
        self._below = sorted((uid for uid in listed if uid <= older), reverse=True)
        self._done = len(await self._store.known_uids(self.folder.name))
        await self._progress(self.folder.name, FolderProgress(self._done, self._done + len(self._below)))

    # -- messages ------------------------------------------------------------------------------------------------

    async def _batches(self, uids: Sequence[int]) -> list[list[int]]:
        """The UIDs in their order, in batches that are bounded in number and in bytes."""
        if not uids:
            return []
        sizes: dict[int, int] = {}
        for page in _pages(uids, PAGE_MESSAGES):
            sizes |= await self._connection.fetch_sizes(page)
        batches: list[list[int]] = [[]]
        total = 0
        for uid in uids:
            size = sizes.get(uid, 0)
            if batches[-1] and (len(batches[-1]) >= BATCH_MESSAGES or total + size > BATCH_BYTES):
                batches.append([])
                total = 0
            batches[-1].append(uid)
            total += size
        return batches

    async def _fetch(self, uids: Sequence[int]) -> list[FetchedMessage]:
        return await self._fetch_set(format_number_set(uids), uids)

    async def _fetch_set(self, uid_set: str, uids: Sequence[int] = ()) -> list[FetchedMessage]:
        """Messages, ascending. One that the server cannot hand over does not keep back the others: it is set aside."""
        try:
            return await self._connection.fetch_messages(uid_set)
        except CommandRefused as refusal:
            if self._connection.lost:
                raise
            if len(uids) == 1:
                await self._store.set_aside(self.folder.name, uids[0], refusal.server_words)
                return []
            if not uids:
                uids = await self._connection.search(f"UID {uid_set}")
            return await self._fetch_singly(uids, refusal)

    async def _fetch_singly(self, uids: Sequence[int], refusal: CommandRefused) -> list[FetchedMessage]:
        """What can be had of a batch that was refused. When none can, the server is to blame and is tried later."""
        found: list[FetchedMessage] = []
        refused: dict[int, str] = {}
        for uid in uids:
            try:
                found += await self._connection.fetch_messages(str(uid))
            except CommandRefused as again:
                refused[uid] = again.server_words
        if uids and not found:
            raise refusal
        for uid, words in refused.items():
            await self._store.set_aside(self.folder.name, uid, words)
        return sorted(found, key=lambda each: each.uid)

    async def _store_arrived(self, messages: Sequence[FetchedMessage], cursor: FolderCursor) -> None:
        if messages:
            await self._store.store_messages(self.folder.name, messages, cursor, arrived=True)
            self._cursor = cursor
        else:
            await self._move(cursor)

    async def _store_history(self, messages: Sequence[FetchedMessage], cursor: FolderCursor) -> None:
        """Newest first. What came after the account was connected arrived, wherever its UID stands now."""
        newest_first = sorted(messages, key=lambda each: each.uid, reverse=True)
        arrived = [each for each in newest_first if each.internal_date >= self._connected_at]
        history = [each for each in newest_first if each.internal_date < self._connected_at]
        if arrived:
            now = cursor if not history else self.cursor  # the cursor moves with the last of the two
            await self._store.store_messages(self.folder.name, arrived, now, arrived=True)
        if history:
            await self._store.store_messages(self.folder.name, history, cursor, arrived=False)
        if not messages:
            await self._store.move_cursor(self.folder.name, cursor)
        self._cursor = cursor


def _pages(uids: Sequence[int], size: int) -> list[Sequence[int]]:
    return [uids[start : start + size] for start in range(0, len(uids), size)]
