"""Where the person of each tab is, as its live socket tells the server: with each change, and again while it lasts.

The page says where its person is (assets/js/presence.js), the list which conversations are on the screen. Both stand in
the tab's state; here is what of it this process' socket has told, found by the tab's token and gone with its live loop.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterable
from weakref import WeakValueDictionary

from backend.events.contracts import Doing
from frontend.live import Live

AGAIN = 20.0
"""Seconds after which a tab says once more where its person is."""


class Whereabouts:
    """Of one tab: what was said last, and what of it the server does not know yet."""

    def __init__(self) -> None:
        self.changed = asyncio.Event()
        self._place: tuple[int, Doing] = (0, "reading")
        self._watched: frozenset[int] = frozenset()
        self._place_told: tuple[int, Doing] = (0, "reading")
        self._watched_told: frozenset[int] = frozenset()
        self._told_at = 0.0

    def look(self, conversation_id: int, doing: Doing) -> None:
        """The person is there now; 0 is nowhere."""
        self._place = (conversation_id, doing)
        self.changed.set()

    def watch(self, conversation_ids: Iterable[int]) -> None:
        """These are on the screen."""
        wanted = frozenset(conversation_ids)
        if wanted != self._watched:
            self._watched = wanted
            self.changed.set()

    def anew(self) -> None:
        """A new line knows nothing."""
        self._place_told = (0, "reading")
        self._watched_told = frozenset()
        self.changed.set()

    @property
    def due(self) -> float | None:
        """When to say again where the person is; nobody says again that they are nowhere."""
        return self._told_at + AGAIN if self._place_told[0] else None

    async def tell(self, live: Live) -> None:
        """Say what the server does not know, or has not heard for a while."""
        self.changed.clear()
        if self._watched != self._watched_told:
            self._watched_told = self._watched
            await live.watch(self._watched)
        again = self.due is not None and time.monotonic() >= self.due
        if self._place != self._place_told or again:
            self._place_told, self._told_at = self._place, time.monotonic()
            await live.look(*self._place)


_tabs: WeakValueDictionary[str, Whereabouts] = WeakValueDictionary()


def whereabouts(token: str) -> Whereabouts:
    """Of the tab with this token; its live loop keeps it."""
    found = _tabs.get(token)
    if found is None:
        found = _tabs[token] = Whereabouts()
    return found
