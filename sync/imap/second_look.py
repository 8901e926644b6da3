"""A second look at where we moved mail to, a moment later.

A mail that another program moves on within half a second of our own move is told of by nobody: some servers (Dovecot)
tell of changes half a second late, and of what came and went within that time not at all. We know where we put it, so
that place is looked at once more.
"""

import asyncio
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field

from sync.imap.folder import FolderSync
from sync.imap.reader import format_number_set


@dataclass(slots=True)
class SecondLooks:
    """The places of one account that are to be looked at again, each when its time has come."""

    pause: float
    """Seconds between a move and the second look."""
    _due: dict[str, set[int]] = field(default_factory=dict)

    def add(self, moved: Mapping[str, Collection[int]], wake: Callable[[Collection[str]], None]) -> None:
        """These UIDs were given to what we moved, by folder. `wake` is told the folders when their time has come."""

        def ripen() -> None:
            for folder, uids in moved.items():
                self._due.setdefault(folder, set()).update(uids)
            wake(moved.keys())

        asyncio.get_running_loop().call_later(self.pause, ripen)

    @property
    def folders(self) -> list[str]:
        """Those whose time has come."""
        return [*self._due]

    def take(self, folder: str) -> set[int]:
        """The UIDs to look for in a folder; they are looked for once."""
        return self._due.pop(folder, set())


async def look_for(folder: FolderSync, uids: Collection[int]) -> None:
    """Forget those of these messages that are placed here and stand in the (open) folder no more."""
    if not uids:
        return
    here = await folder.store.known_flags(folder.folder.name, min(uids), max(uids))
    placed = here.keys() & set(uids)
    if placed:
        there = await folder.connection.search(f"UID {format_number_set(placed)}")
        gone = placed.difference(there)
        if gone:
            await folder.forget(sorted(gone))
