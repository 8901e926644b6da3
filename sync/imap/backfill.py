"""What of a folder's history is not here yet: brought over below the stretch, page by page, newest first.

While a batch is stored the next is on its way; between any two of them news are looked for.
"""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace

from sync.imap.reader import format_number_set
from sync.imap.stretch import PAGE_MESSAGES, Stretch, pages
from sync.types import FetchedMessage, FolderProgress

FIRST_MESSAGES = 50
"""A folder begins with the newest few, so that a person has something to read."""

Progress = Callable[[str, FolderProgress], Awaitable[None]]
"""Told the folder's name and how far its backfill is."""


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
        self._ahead: tuple[list[int], list[FetchedMessage]] | None = None
        self._done = 0

    def begin_again(self) -> None:
        """The folder was opened anew: what is missing is listed anew."""
        self._below, self._ahead = None, None
        self._batches.clear()

    async def go_on(self) -> bool:
        """Bring over a page of older mail, or less when news come in. False when nothing older is missing."""
        if self._stretch.cursor.backfill_done:
            return False
        if self._below is None:
            await self._list_older()
        if not self._batches and self._ahead is None:
            await self._next_page()
        await self._bring_batches()
        if self._below or self._batches or self._ahead is not None:
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
        await self._progress(self._stretch.name, FolderProgress(self._done, self._done + len(self._below)))

    async def _next_page(self) -> None:
        """Take the next messages that are to be fetched from what is below, after placing those that are known."""
        below = self._below or []
        page = below[: PAGE_MESSAGES if self._done else FIRST_MESSAGES]
        del below[: len(page)]
        if not page:
            return
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
        """Fetch and store the page's batches, the next one on its way while one is stored; stop early at news."""
        while self._batches or self._ahead is not None:
            batch, messages = self._ahead or await self._fetch_next()
            self._ahead = None
            coming = asyncio.create_task(self._fetch_next()) if self._batches else None
            try:
                await self._stretch.store_history(messages, replace(self._stretch.cursor, lowest_uid=min(batch)))
                self._done += len(batch)
                left = len(self._below or ()) + sum(len(each) for each in self._batches)
                await self._progress(self._stretch.name, FolderProgress(self._done, self._done + left))
                self._ahead = await coming if coming is not None else None
            except BaseException:
                if coming is not None:
                    coming.cancel()
                    await asyncio.gather(coming, return_exceptions=True)
                raise
            if self._connection.has_changes:
                return

    async def _fetch_next(self) -> tuple[list[int], list[FetchedMessage]]:
        batch = self._batches[0]
        messages = await self._delivery.fetch(batch)
        await self._store.read_ahead(self._stretch.name, messages)
        self._batches.popleft()
        return batch, messages
