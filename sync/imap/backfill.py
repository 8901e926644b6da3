"""What of a folder's history is not here yet: brought over below the stretch, page by page, newest first.

While a batch is stored the next one is read and the one after it is on its way; between any two of them news are
looked for.
"""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace

from sync.imap.reader import format_number_set
from sync.imap.stretch import PAGE_MESSAGES, Stretch, pages
from sync.types import FetchedMessage, FolderProgress

FIRST_MESSAGES = 50
"""A folder begins with the newest few, so that a person has something to read."""

BATCHES_A_TURN = 2
AHEAD = 2
"""Batches that are fetched before their turn."""

Progress = Callable[[str, FolderProgress], Awaitable[None]]
"""Told the folder's name and how far its backfill is."""


@dataclass(frozen=True, slots=True)
class _Fetched:
    """A batch that waits for its turn while the store reads it."""

    uids: list[int]
    messages: list[FetchedMessage]
    reading: asyncio.Task[None]


class Backfill:
    """The backfill of an open folder."""

    def __init__(self, stretch: Stretch, progress: Progress) -> None:
        self._stretch = stretch
        self._connection = stretch.connection
        self._store = stretch.store
        self._delivery = stretch.delivery
        self._progress = progress
        self._below: list[int] | None = None
        self._batches: deque[list[int]] = deque()
        self._ahead: deque[_Fetched] = deque()
        self._done = 0
        self._begun = False

    def begin_again(self) -> None:
        """The folder was opened anew: what is missing is listed anew."""
        self._below = None
        self._batches.clear()
        self._forget_ahead()

    def _forget_ahead(self) -> None:
        for each in self._ahead:
            each.reading.cancel()
        self._ahead.clear()

    async def go_on(self) -> bool:
        """Bring over some older mail, less when news come in. False when nothing older is missing."""
        if self._stretch.cursor.backfill_done:
            return False
        if self._below is None:
            await self._list_older()
        await self._bring_batches()
        if self._below or self._batches or self._ahead:
            if not self._connection.has_changes:
                await self._connection.ask_for_changes()
            return True
        await self._stretch.move(replace(self._stretch.cursor, lowest_uid=1, backfill_done=True))
        return False

    async def _list_older(self) -> None:
        """What of history is not here yet, newest first, and how much is."""
        known = set(await self._store.known_uids(self._stretch.name))
        # What stands below the stretch, known from a move or recognised before we were interrupted: nobody has looked
        # at its flags since.
        for page in pages(sorted(uid for uid in known if uid < self._stretch.cursor.lowest_uid)):
            await self._stretch.compare_flags(await self._connection.fetch_flags(format_number_set(page)))
        aside = await self._store.uids_set_aside(self._stretch.name)
        self._below = sorted(await self._stretch.history() - known - aside.keys(), reverse=True)
        self._done = len(known)
        self._begun = bool(known)
        await self._progress(self._stretch.name, FolderProgress(self._done, self._done + len(self._below)))

    async def _next_page(self) -> None:
        """Take the next messages that are to be fetched from what is below, after placing those that are known."""
        below = self._below or []
        page = below[: PAGE_MESSAGES if self._begun else FIRST_MESSAGES]
        del below[: len(page)]
        self._begun = True
        unknown: Sequence[int] = page
        sizes: dict[int, int] | None = None
        if self._stretch.recognises:
            listed = await self._connection.list_messages(page)
            sizes = {each.uid: each.size for each in listed}
            unknown = []
            for arrived in (True, False):
                some = [each for each in listed if (each.internal_date >= self._stretch.connected_at) == arrived]
                if some:
                    cursor = self._stretch.cursor
                    unknown += await self._store.recognise(self._stretch.name, some, cursor, arrived=arrived)
            self._stretch.note_page(known=len(unknown) < len(listed))
            self._done += len(page) - len(unknown)
        self._batches.extend(await self._delivery.batches(sorted(unknown, reverse=True), sizes))

    async def _bring_batches(self) -> None:
        """Store some batches, the next ones being read and fetched beside it; stop early at news."""
        for _ in range(BATCHES_A_TURN):
            if not self._ahead:
                await self._fetch_ahead()
            if not self._ahead:
                return
            next_up = self._ahead[0]
            coming = asyncio.create_task(self._fetch_ahead())
            try:
                await next_up.reading
                cursor = replace(self._stretch.cursor, lowest_uid=min(next_up.uids))
                await self._stretch.store_history(next_up.messages, cursor)
                self._ahead.popleft()
                self._done += len(next_up.uids)
                left = sum(map(len, (self._below or (), *self._batches, *(each.uids for each in self._ahead))))
                await self._progress(self._stretch.name, FolderProgress(self._done, self._done + left))
                await coming
            except BaseException:
                coming.cancel()
                await asyncio.gather(coming, return_exceptions=True)
                self._forget_ahead()
                raise
            if self._connection.has_changes:
                return

    async def _fetch_ahead(self) -> None:
        """Fetch until enough waits for its turn.

        What may be known already is compared with the store, and that moves the cursor: only when nothing waits.
        """
        while len(self._ahead) <= AHEAD:
            if not self._batches:
                if not self._below or (self._ahead and self._stretch.recognises):
                    return
                await self._next_page()
            if self._batches:
                await self._fetch_next()

    async def _fetch_next(self) -> None:
        uids = self._batches[0]
        messages = await self._delivery.fetch(uids)
        self._batches.popleft()
        reading = asyncio.create_task(self._store.read_ahead(self._stretch.name, messages))
        self._ahead.append(_Fetched(uids, messages, reading))
