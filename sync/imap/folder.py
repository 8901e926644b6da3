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
    3. flags: those that changed                                           | something was
       2 and 3 by the best that the server offers, see below               | told meanwhile
      |                                                                    |
      v                                                                    |
    BACKFILL  one batch below the stretch, newest first, as history -------+
      |       until nothing is below: backfill_done
      v
    CURRENT   wait for the server's word (IDLE or polling, sync.imap.account)
              new / flags / gone -----------------------------------------> CATCH UP, only what was told

What happened while we were away is learnt in one of three ways (RFC 7162):

    QRESYNC    the answer to opening the folder names the UIDs that vanished and the flags that changed: no question
    CONDSTORE  flags changed since the cursor's modseq; what is gone by a comparison of UIDs, if anything happened
    neither    all flags are read and compared, and all UIDs

History or arrived: UIDNEXT at the first opening is noted as `history_below`. Everything from there on arrived, also
when we were away while it did. What stands below is history, unless its INTERNALDATE is later than the moment when
the account was connected: after a RESET all UIDs are new. Of history only what came since `SyncPlan.history_from` is
brought over; when the plan reaches further back later, what is missing is listed again and fetched.

Recognising: a message may be in the mailbox already, from another folder or from before a RESET. Outside the inbox,
and after a RESET, the server's names or else the headers of a page are compared first, and only what is unknown is
fetched whole. Where two pages had nothing in common with the store this is given up until the next opening.

No single message keeps the others back: one that the server does not hand over, or that cannot be stored, is set
aside with its reason and tried again later (`sync.imap.delivery`). New mail is looked for between any two batches,
so a person sees it at once while a large folder is still coming. While a batch is stored the next is on its way.
"""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from sync.errors import CommandRefused
from sync.imap.answers import Changes, Flags, Selected
from sync.imap.connection import Connection
from sync.imap.delivery import Delivery
from sync.imap.reader import format_number_set
from sync.ports import AccountStore
from sync.types import FetchedMessage, FolderCursor, FolderInfo, FolderProgress, SyncPlan

FIRST_MESSAGES = 50
"""A folder begins with the newest few, so that a person has something to read."""
PAGE_MESSAGES = 500
"""Messages whose sizes, or headers, are asked for at once."""
DIRECT_MESSAGES = 3
"""Up to this many new messages are fetched without asking for their sizes first: one round trip instead of two."""
FLAG_PAGE = 2000
"""UIDs whose flags are read and compared at once, where CONDSTORE is missing."""
STRANGE_PAGES = 2
"""Pages without a message that was recognised, after which it is no longer tried."""

Progress = Callable[[str, FolderProgress], Awaitable[None]]
"""Told the folder's name and how far its backfill is."""


@dataclass(frozen=True, slots=True)
class Standing:
    """What a server says of a folder without listing it. Equal values: it holds the same messages."""

    uid_validity: int
    uid_next: int
    messages: int


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
        plan: SyncPlan | None = None,
    ) -> None:
        self.folder = folder
        self.connection = connection
        self.store = store
        self._delivery = Delivery(connection, store, folder.name)
        self._connected_at = connected_at
        self._progress = progress
        self._plan = plan or SyncPlan()
        self._selected: Selected | None = None
        self._cursor: FolderCursor | None = None
        self._below: list[int] | None = None
        self._batches: deque[list[int]] = deque()
        self._ahead: tuple[list[int], list[FetchedMessage]] | None = None
        self._done = 0
        self._strange_pages = 0
        self._fresh = False
        self.was_complete = False
        """Whether nothing of the history was missing when the folder was opened."""

    @property
    def cursor(self) -> FolderCursor:
        """The cursor as stored. Only after `open()`."""
        if self._cursor is None:
            raise RuntimeError("open() first")
        return self._cursor

    @property
    def object_id(self) -> str:
        """MAILBOXID (RFC 8474), the same after a renaming; empty where the server has none. Only after `open()`."""
        return self._opened.object_id

    @property
    def standing(self) -> Standing:
        """How the open folder stands now, as far as it was caught up."""
        return Standing(self.cursor.uid_validity, self.cursor.highest_uid + 1, self.connection.exists)

    async def open(self) -> None:
        """Open the folder on the server and find our place in it: START, RESET or going on."""
        name = self.folder.name
        cursor = await self.store.cursor(name)
        known = None
        if cursor is not None and cursor.highest_uid >= cursor.lowest_uid:
            # Not only the stretch: a move may have placed messages above it, and below it some were recognised. Without
            # any UIDs named the server tells of all that it has given out so far.
            known = (cursor.uid_validity, cursor.highest_modseq)
        self._selected = selected = await self.connection.open_folder(name, known=known)
        self._below, self._ahead = None, None
        self._batches.clear()
        self._fresh = cursor is None and self.folder.role == "inbox"
        self._strange_pages = 0
        if cursor is not None and cursor.uid_validity != selected.uid_validity:
            await self.store.reset_folder(name)
            cursor = None
        self._cursor = cursor or await self._start(selected)
        since = self._plan.history_from
        if self._cursor.since != since:
            done = self._cursor.backfill_done and not _reaches_further(since, self._cursor.since)
            await self._move(replace(self._cursor, since=since, backfill_done=done))
        self.was_complete = self.cursor.backfill_done

    async def catch_up(self, told: Changes | None = None) -> None:
        """New mail, deletions and flags: what was `told`, or (after opening) whatever happened while away."""
        if told is None or told.new:
            await self._new(told.new if told is not None else None)
        if told is None or told.gone:
            await self._gone(told)
        if told is None:
            await self._flags_since()
        elif told.flags:
            await self._flags_told(told)

    async def backfill(self) -> bool:
        """Bring over a page of older mail, or less when news come in. False when nothing older is missing."""
        if self.cursor.backfill_done:
            return False
        if self._below is None:
            await self._list_older()
        if not self._batches and self._ahead is None:
            await self._next_page()
        await self._bring_batches()
        if self._below or self._batches or self._ahead is not None:
            if not self.connection.has_changes:
                await self.connection.ask_for_changes()
            return True
        await self._move(replace(self.cursor, lowest_uid=1, backfill_done=True))
        return False

    async def bring(self, uids: Sequence[int]) -> None:
        """Fetch messages that should be here and are not, wherever in the folder they stand (the census, retries).

        What came in the last day arrived; older mail is history, though it was connected when it came.
        """
        for batch in await self._delivery.batches(sorted(uids, reverse=True)):
            await self._store_late(await self._delivery.fetch(batch))

    async def forget(self, uids: Sequence[int]) -> None:
        """These messages are not in the folder."""
        await self.store.remove_uids(self.folder.name, uids, self.cursor)

    async def wanted(self) -> tuple[set[int], set[int]]:
        """The UIDs that the server has, and those of them that the plan wants."""
        everything = set(await self.connection.search("UID 1:*")) if self.connection.exists else set[int]()
        return everything, {uid for uid in everything if uid >= self.cursor.history_below} | await self._history()

    async def retry_set_aside(self) -> None:
        """Try once more what was set aside and is due."""
        aside = await self.store.uids_set_aside(self.folder.name)
        for uid in [uid for uid, due in aside.items() if due]:
            try:
                message = await self._delivery.fetch_again(uid)
            except CommandRefused:
                if self.connection.lost:
                    raise
                continue  # refused again, and noted so
            if message is None:
                await self.forget([uid])
            else:
                await self._store_late([message])

    async def _store_late(self, messages: Sequence[FetchedMessage]) -> None:
        """Mail that comes late: what is older than a day is history, though the account was connected when it came."""
        yesterday = datetime.now(UTC).timestamp() - 24 * 3600
        await self._store_by_age(messages, self.cursor, max(self._connected_at.timestamp(), yesterday))

    # -- the three kinds of change -------------------------------------------------------------------------------

    async def _new(self, announced: int | None) -> None:
        """Everything above the stretch, oldest first, so that the stretch stays unbroken."""
        first = self.cursor.highest_uid + 1
        if announced is None and self._opened.uid_next and self._opened.uid_next <= first:
            return
        many = announced is None or announced > DIRECT_MESSAGES
        if not many and (self.folder.role in ("inbox", "sent") or not self._recognises):
            messages = [each for each in await self._delivery.fetch_set(f"{first}:*") if each.uid >= first]
            if messages:
                await self._store_arrived(messages, replace(self.cursor, highest_uid=messages[-1].uid))
            return
        uids = [uid for uid in await self.connection.search(f"UID {first}:*") if uid >= first]
        for page in _pages(uids, PAGE_MESSAGES):
            unknown: Sequence[int] = page
            sizes: dict[int, int] | None = None
            if self._recognises and self.folder.role != "inbox":
                listed = await self.connection.list_messages(page)
                sizes = {each.uid: each.size for each in listed}
                moved = replace(self.cursor, highest_uid=max(page))
                unknown = await self.store.recognise(self.folder.name, listed, moved, arrived=True)
                if not unknown:
                    await self._moved(moved, stored=bool(listed))
                    continue
            for batch in await self._delivery.batches(sorted(unknown), sizes):
                last = max(page) if batch[-1] == max(unknown) else max(batch)
                await self._store_arrived(await self._delivery.fetch(batch), replace(self.cursor, highest_uid=last))

    async def _gone(self, told: Changes | None) -> None:
        """Remove what the server no longer has: it names the UIDs, or all are compared.

        Numbers that agree prove nothing: what we do not count (a message left behind by a move and marked deleted,
        or set aside) may make up for what is gone. Only where CONDSTORE says that nothing happened they are believed.
        """
        resync = self._opened.resync if told is None else None
        named = told.vanished if told is not None else set(resync.vanished) if resync is not None else set[int]()
        if (told is None and resync is not None) or named:
            if named:
                known = await self.store.known_uids(self.folder.name)
                await self._remove([uid for uid in known if uid in named])
            return
        known = await self.store.known_uids(self.folder.name)
        if not known or (told is None and self._still and len(known) == self.connection.exists):
            return
        there = set(await self.connection.search(f"UID {min(known)}:{max(known)}"))
        await self._remove([uid for uid in known if uid not in there])

    async def _remove(self, gone: Sequence[int]) -> None:
        if gone:
            await self.store.remove_uids(self.folder.name, gone, self.cursor)

    async def _flags_since(self) -> None:
        """Flags that changed while we were away, in the whole stretch."""
        cursor = self.cursor
        moved = replace(cursor, highest_modseq=self._opened.highest_modseq)
        resync = self._opened.resync
        if resync is not None:
            changed = {each.uid: each.flags for each in resync.changed if each.uid <= cursor.highest_uid}
            await self._apply_and_move(changed, moved)
            return
        if cursor.highest_uid < cursor.lowest_uid or cursor.highest_modseq == moved.highest_modseq != 0:
            await self._apply_and_move({}, moved)
            return
        if cursor.highest_modseq and moved.highest_modseq:
            await self._flags_by_modseq(at_least=moved.highest_modseq)
            return
        for page in _pages(sorted(await self.store.known_uids(self.folder.name)), FLAG_PAGE):
            await self._apply(await self.connection.fetch_flags(f"{page[0]}:{page[-1]}"))
        await self._apply_and_move({}, moved)

    async def _flags_told(self, told: Changes) -> None:
        """Flags that changed under our eyes; without CONDSTORE only by message number."""
        if self.cursor.highest_modseq:
            await self._flags_by_modseq(at_least=0)
            return
        # Flags of messages that are themselves new came with them.
        numbers = {number for number in told.flags if number <= self.connection.exists - told.new}
        if numbers:
            await self._apply(await self.connection.fetch_flags_by_number(numbers))

    async def _flags_by_modseq(self, *, at_least: int) -> None:
        cursor = self.cursor
        # Below the stretch stands what was recognised already.
        changed = await self.connection.fetch_flags(
            f"1:{max(cursor.highest_uid, cursor.lowest_uid)}", changed_since=cursor.highest_modseq
        )
        highest = max([cursor.highest_modseq, at_least, *(each.modseq for each in changed)])
        await self._apply_and_move({each.uid: each.flags for each in changed}, replace(cursor, highest_modseq=highest))

    async def _apply_and_move(self, flags: dict[int, frozenset[str]], moved: FolderCursor) -> None:
        if flags:
            await self.store.apply_flags(self.folder.name, flags, moved)
            self._cursor = moved
        elif moved != self.cursor:
            await self._move(moved)

    async def _apply(self, there: Sequence[Flags]) -> None:
        """Hand over those flags that differ from what the store has."""
        if not there:
            return
        uids = [each.uid for each in there]
        known = await self.store.known_flags(self.folder.name, min(uids), max(uids))
        differ = {each.uid: each.flags for each in there if known.get(each.uid, each.flags) != each.flags}
        if differ:
            await self.store.apply_flags(self.folder.name, differ, self.cursor)

    # -- the stretch ---------------------------------------------------------------------------------------------

    @property
    def _opened(self) -> Selected:
        if self._selected is None:
            raise RuntimeError("open() first")
        return self._selected

    @property
    def _still(self) -> bool:
        """Whether the folder is whole here, and by its modseq nothing has happened in it since we were here."""
        whole = self.cursor.backfill_done and self.cursor.since is None
        return whole and self._opened.highest_modseq == self.cursor.highest_modseq != 0

    @property
    def _recognises(self) -> bool:
        """Whether it is worth looking for messages that the mailbox has already."""
        return not self._fresh and (self.connection.names_messages or self._strange_pages < STRANGE_PAGES)

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
        await self.store.move_cursor(self.folder.name, cursor)
        return cursor

    async def _move(self, cursor: FolderCursor) -> None:
        await self.store.move_cursor(self.folder.name, cursor)
        self._cursor = cursor

    async def _moved(self, cursor: FolderCursor, *, stored: bool) -> None:
        """The store has this cursor already, if it stored something with it."""
        if stored:
            self._cursor = cursor
        else:
            await self._move(cursor)

    async def _history(self) -> set[int]:
        """The UIDs of history that the plan wants. INTERNALDATE is compared by day, in the server's time zone."""
        top = self.cursor.history_below - 1
        if top < 1 or not self.connection.exists:
            return set()
        since = self.cursor.since
        period = f" SINCE {since.day}-{_MONTHS[since.month - 1]}-{since.year}" if since is not None else ""
        return {uid for uid in await self.connection.search(f"UID 1:{top}{period}") if uid <= top}

    async def _list_older(self) -> None:
        """What of history is not here yet, newest first, and how much is."""
        known = set(await self.store.known_uids(self.folder.name))
        # What stands below the stretch, known from a move or recognised before we were interrupted: nobody has looked
        # at its flags since.
        for page in _pages(sorted(uid for uid in known if uid < self.cursor.lowest_uid), PAGE_MESSAGES):
            await self._apply(await self.connection.fetch_flags(format_number_set(page)))
        aside = await self.store.uids_set_aside(self.folder.name)
        self._below = sorted(await self._history() - known - aside.keys(), reverse=True)
        self._done = len(known)
        await self._progress(self.folder.name, FolderProgress(self._done, self._done + len(self._below)))

    async def _next_page(self) -> None:
        """Take the next messages that are to be fetched from what is below, after placing those that are known."""
        below = self._below or []
        page = below[: PAGE_MESSAGES if self._done else FIRST_MESSAGES]
        del below[: len(page)]
        if not page:
            return
        unknown: Sequence[int] = page
        sizes: dict[int, int] | None = None
        if self._recognises:
            listed = await self.connection.list_messages(page)
            sizes = {each.uid: each.size for each in listed}
            unknown = []
            for arrived in (True, False):
                some = [each for each in listed if (each.internal_date >= self._connected_at) == arrived]
                if some:
                    unknown += await self.store.recognise(self.folder.name, some, self.cursor, arrived=arrived)
            self._strange_pages = self._strange_pages + 1 if len(unknown) == len(listed) else 0
            self._done += len(page) - len(unknown)
        self._batches.extend(await self._delivery.batches(sorted(unknown, reverse=True), sizes))

    async def _bring_batches(self) -> None:
        """Fetch and store the page's batches, the next one on its way while one is stored; stop early at news."""
        while self._batches or self._ahead is not None:
            batch, messages = self._ahead or await self._fetch_next()
            self._ahead = None
            coming = asyncio.create_task(self._fetch_next()) if self._batches else None
            try:
                await self._store_history(messages, replace(self.cursor, lowest_uid=min(batch)))
                self._done += len(batch)
                left = len(self._below or ()) + sum(len(each) for each in self._batches)
                await self._progress(self.folder.name, FolderProgress(self._done, self._done + left))
                self._ahead = await coming if coming is not None else None
            except BaseException:
                if coming is not None:
                    coming.cancel()
                    await asyncio.gather(coming, return_exceptions=True)
                raise
            if self.connection.has_changes:
                return

    async def _fetch_next(self) -> tuple[list[int], list[FetchedMessage]]:
        batch = self._batches[0]
        messages = await self._delivery.fetch(batch)
        await self.store.read_ahead(self.folder.name, messages)
        self._batches.popleft()
        return batch, messages

    async def _store_arrived(self, messages: Sequence[FetchedMessage], cursor: FolderCursor) -> None:
        await self._delivery.store(messages, self.cursor, cursor, arrived=True)
        self._cursor = cursor

    async def _store_history(self, messages: Sequence[FetchedMessage], cursor: FolderCursor) -> None:
        """What came after the account was connected arrived, wherever its UID stands now."""
        lowest = min(cursor.lowest_uid, self.cursor.lowest_uid)
        await self._store_by_age(messages, replace(cursor, lowest_uid=lowest), self._connected_at.timestamp())

    async def _store_by_age(self, messages: Sequence[FetchedMessage], cursor: FolderCursor, arrived_at: float) -> None:
        """Newest first; the cursor moves with the last of the two parts."""
        newest_first = sorted(messages, key=lambda each: each.uid, reverse=True)
        arrived = [each for each in newest_first if each.internal_date.timestamp() >= arrived_at]
        history = [each for each in newest_first if each.internal_date.timestamp() < arrived_at]
        if arrived:
            await self._delivery.store(arrived, self.cursor, self.cursor if history else cursor, arrived=True)
        if history or not messages:
            await self._delivery.store(history, self.cursor, cursor, arrived=False)
        self._cursor = cursor


_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


def _reaches_further(wanted: datetime | None, had: datetime | None) -> bool:
    """Whether the plan wants older mail than was listed before."""
    return had is not None and (wanted is None or wanted < had)


def _pages(uids: Sequence[int], size: int) -> list[Sequence[int]]:
    return [uids[start : start + size] for start in range(0, len(uids), size)]
