"""The three kinds of change in a folder, told while we watched or learnt after we were away: new, gone, flags.

How each is learnt by the best that the server offers says the essay in sync/imap/folder.py.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import replace

from sync.imap.answers import Changes
from sync.imap.stretch import Stretch, pages
from sync.types import FetchedMessage

DIRECT_MESSAGES = 3
"""Up to this many new messages are fetched without asking for their sizes first: one round trip instead of two."""
WORTH_READING_AHEAD = 20
"""New messages that are read while flags are looked after; fewer are read by the time that is arranged."""
FLAG_PAGE = 2000
"""UIDs whose flags are read and compared at once, where CONDSTORE is missing."""


class CatchingUp:
    """Brings the stretch of an open folder up to date."""

    def __init__(self, stretch: Stretch) -> None:
        self._stretch = stretch
        self._connection = stretch.connection
        self._store = stretch.store
        self._delivery = stretch.delivery
        self._flags_brought = False

    def begin_again(self) -> None:
        """The folder was opened anew, and what the server told then is news."""
        self._flags_brought = False

    async def new(self, announced: int | None) -> None:
        """Everything above the stretch, oldest first, so that the stretch stays unbroken.

        `announced` is how many the server spoke of; None after opening.
        """
        stretch = self._stretch
        first = stretch.cursor.highest_uid + 1
        if announced is None and stretch.opened.uid_next and stretch.opened.uid_next <= first:
            return
        many = announced is None or announced > DIRECT_MESSAGES
        if not many and (stretch.folder.role in ("inbox", "sent") or not stretch.recognises):
            messages = [each for each in await self._delivery.fetch_set(f"{first}:*") if each.uid >= first]
            if messages:
                await stretch.store_arrived(messages, replace(stretch.cursor, highest_uid=messages[-1].uid))
            return
        lists = stretch.recognises and stretch.folder.role != "inbox"
        sizes: dict[int, int] = {}
        if lists:
            uids = [uid for uid in await self._connection.search(f"UID {first}:*") if uid >= first]
        else:
            sizes = await self._connection.sizes_from(first)
            uids = sorted(sizes)
        for page in pages(uids):
            unknown: Sequence[int] = page
            if lists:
                listed = await self._connection.list_messages(page)
                sizes = {each.uid: each.size for each in listed}
                moved = replace(stretch.cursor, highest_uid=max(page))
                unknown = await self._store.recognise(stretch.name, listed, moved, arrived=True)
                if not unknown:
                    await stretch.moved(moved, stored=bool(listed))
                    continue
            for batch in await self._delivery.batches(sorted(unknown), sizes):
                last = max(page) if batch[-1] == max(unknown) else max(batch)
                messages = await self._fetch_reading(batch, bring_flags=announced is None)
                moved = replace(stretch.cursor, highest_uid=last)
                if last == uids[-1] and announced is None and self._nothing_else_was_told():
                    moved = replace(moved, highest_modseq=stretch.opened.highest_modseq)
                await stretch.store_arrived(messages, moved)

    async def _fetch_reading(self, uids: Sequence[int], *, bring_flags: bool) -> list[FetchedMessage]:
        """Fetch new messages, which the store reads meanwhile if they are many: the larger half beside the rest.

        Beside that what QRESYNC told of flags is handed over. The modseq of the cursor stays: what is gone since then
        was not looked after yet.
        """
        if len(uids) < WORTH_READING_AHEAD:
            return await self._delivery.fetch(uids)
        larger = len(uids) * 3 // 5  # the rest is read only when the flags are handed over
        messages = await self._delivery.fetch(uids[:larger])
        reading = [self._begin_reading(messages)]
        try:
            rest = await self._delivery.fetch(uids[larger:])
            if bring_flags and not self._flags_brought and self._stretch.opened.resync is not None:
                await self._stretch.apply_flags(self._flags_told_on_opening(), self._stretch.cursor)
                self._flags_brought = True
            reading.append(self._begin_reading(rest))
        finally:
            await asyncio.gather(*reading)
        return [*messages, *rest]

    def _begin_reading(self, messages: Sequence[FetchedMessage]) -> asyncio.Task[None]:
        return asyncio.create_task(self._store.read_ahead(self._stretch.name, messages))

    def _nothing_else_was_told(self) -> bool:
        """Whether new messages are all that is left of what the server told on opening."""
        resync = self._stretch.opened.resync
        return resync is not None and self._flags_brought and not resync.vanished

    def _flags_told_on_opening(self) -> dict[int, frozenset[str]]:
        resync = self._stretch.opened.resync
        changed = () if resync is None else resync.changed
        return {each.uid: each.flags for each in changed if each.uid <= self._stretch.cursor.highest_uid}

    async def gone(self, told: Changes | None) -> None:
        """Remove what the server no longer has: it names the UIDs, or all are compared.

        Numbers that agree prove nothing: what we do not count (a message left behind by a move and marked deleted,
        or set aside) may make up for what is gone. Only where CONDSTORE says that nothing happened they are believed.
        """
        resync = self._stretch.opened.resync if told is None else None
        named = told.vanished if told is not None else set(resync.vanished) if resync is not None else set[int]()
        if (told is None and resync is not None) or named:
            if named:
                known = await self._store.known_uids(self._stretch.name)
                await self._remove([uid for uid in known if uid in named])
            return
        known = await self._store.known_uids(self._stretch.name)
        if not known or (told is None and self._stretch.still and len(known) == self._connection.exists):
            return
        there = set(await self._connection.search(f"UID {min(known)}:{max(known)}"))
        await self._remove([uid for uid in known if uid not in there])

    async def _remove(self, gone: Sequence[int]) -> None:
        if gone:
            await self._store.remove_uids(self._stretch.name, gone, self._stretch.cursor)

    async def flags_since(self) -> None:
        """Flags that changed while we were away, in the whole stretch."""
        cursor = self._stretch.cursor
        moved = replace(cursor, highest_modseq=self._stretch.opened.highest_modseq)
        resync = self._stretch.opened.resync
        if resync is not None:
            # What was new came with its flags.
            await self._stretch.apply_flags({} if self._flags_brought else self._flags_told_on_opening(), moved)
            return
        if cursor.highest_uid < cursor.lowest_uid or cursor.highest_modseq == moved.highest_modseq != 0:
            await self._stretch.apply_flags({}, moved)
            return
        if cursor.highest_modseq and moved.highest_modseq:
            await self._flags_by_modseq(at_least=moved.highest_modseq)
            return
        for page in pages(sorted(await self._store.known_uids(self._stretch.name)), FLAG_PAGE):
            await self._stretch.compare_flags(await self._connection.fetch_flags(f"{page[0]}:{page[-1]}"))
        await self._stretch.apply_flags({}, moved)

    async def flags_told(self, told: Changes) -> None:
        """Flags that changed under our eyes; without CONDSTORE only by message number."""
        if self._stretch.cursor.highest_modseq:
            await self._flags_by_modseq(at_least=0)
            return
        # Flags of messages that are themselves new came with them.
        numbers = {number for number in told.flags if number <= self._connection.exists - told.new}
        if numbers:
            await self._stretch.compare_flags(await self._connection.fetch_flags_by_number(numbers))

    async def _flags_by_modseq(self, *, at_least: int) -> None:
        cursor = self._stretch.cursor
        # Below the stretch stands what was recognised already.
        changed = await self._connection.fetch_flags(
            f"1:{max(cursor.highest_uid, cursor.lowest_uid)}", changed_since=cursor.highest_modseq
        )
        highest = max([cursor.highest_modseq, at_least, *(each.modseq for each in changed)])
        await self._stretch.apply_flags(
            {each.uid: each.flags for each in changed}, replace(cursor, highest_modseq=highest)
        )
