"""The census: counting a folder on the server against the store, and making up for every difference.

Cursors are right as long as every server tells the truth and no programmer errs; a census does not trust them. It
compares the UIDs that the server lists with those that are placed here, fetches what is missing, removes what is gone,
and notes the result, so that people can see of each folder up to which moment it is complete.

It runs all the time, one folder after the other, and most of it costs next to nothing. UIDs only rise (RFC 9051 section
2.3.1.1): while a folder's UIDVALIDITY, UIDNEXT and number of messages are what they were when it was counted, it holds
the same messages, and the round asks for these three anyway. Then the store alone is counted again, in one statement
for all such folders. Where something changed the UIDs are listed anew; so are those of every folder a few times a day,
after an absence, and in a new process.

A missing message whose date is long past comes as history: nobody is notified of what a bug kept back for weeks.
"""

import random
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime

from sync.imap.folder import FolderSync, Standing
from sync.types import Census

LARGE_FOLDER = 50_000
"""Messages. Folders that are larger are listed less often, in proportion."""
SOON_SECONDS = 60.0
"""Folders whose count is overdue are counted within so long, one here and one there."""


@dataclass(frozen=True, slots=True)
class Count:
    """A census, and what it takes to confirm it later: all messages of the server, and those placed here with the sum
    of their UIDs."""

    census: Census
    on_server: int
    placed: tuple[int, int]


async def take_census(folder: FolderSync) -> Count:
    """Count one folder that is open and caught up, mend it, and note the result in the store. Raises as FolderSync."""
    name = folder.folder.name
    await folder.retry_set_aside()
    there, wanted = await folder.wanted()
    here = set(await folder.store.known_uids(name))
    aside = set(await folder.store.uids_set_aside(name))
    highest = folder.cursor.highest_uid  # what came meanwhile is told in another way
    gone = {uid for uid in (here | aside) - there if uid <= highest}
    if gone:
        await folder.forget(sorted(gone))
        here -= gone
        aside -= gone
    complete = folder.cursor.backfill_done
    lowest = 1 if complete else folder.cursor.lowest_uid
    missing = {uid for uid in wanted - here - aside if lowest <= uid <= highest}
    if missing:
        await folder.bring(sorted(missing))
        here = set(await folder.store.known_uids(name))
        aside = set(await folder.store.uids_set_aside(name))
    wanted = {uid for uid in wanted if uid <= highest}
    left = wanted - here - aside
    waiting = 0 if complete else sum(uid < lowest for uid in left)
    census = Census(
        checked_at=datetime.now(UTC),
        on_server=len(wanted),
        stored=len(wanted & here),
        missing=len(left) - waiting,
        set_aside=len(wanted & aside),
        waiting=waiting,
        note=_note(len(missing), len(gone)),
    )
    await folder.store.census_taken(name, census)
    return Count(census, len(there), (len(here), sum(here)))


def _note(missing: int, gone: int) -> str:
    parts = [f"{missing} {_was(missing)} missing and {_was(missing)} fetched"] if missing else []
    parts += [f"{gone} {_was(gone)} gone and {_was(gone)} removed"] if gone else []
    return ("; ".join(parts) + ".") if parts else ""


def _was(number: int) -> str:
    return "was" if number == 1 else "were"


@dataclass(slots=True)
class _Folder:
    due_at: float
    listed_at: float = 0.0
    standing: Standing | None = None
    """As it was when listed; None: to be listed in any case."""
    placed: tuple[int, int] = (0, 0)


@dataclass(slots=True)
class Schedule:
    """When each folder of an account is counted again, and whether it has to be listed for that."""

    pause: float
    """Seconds between two counts of a folder."""
    listed_every: float
    """Seconds after which its UIDs are listed in any case."""
    begun: bool = False
    _folders: dict[str, _Folder] = field(default_factory=dict)

    def begin(self, counted_at: Mapping[str, datetime]) -> None:
        """Go on from what the store knows of earlier processes."""
        self.begun = True
        now = datetime.now(UTC)
        for name, at in counted_at.items():
            left = self.pause - (now - at).total_seconds()
            soon = random.uniform(0, min(SOON_SECONDS, self.pause))
            self._folders.setdefault(name, _Folder(time.monotonic() + max(left, soon)))

    def is_due(self, name: str) -> bool:
        """Whether the folder is to be counted now. One that was never counted is."""
        folder = self._folders.get(name)
        return folder is None or time.monotonic() >= folder.due_at

    def is_unchanged(self, name: str, standing: Standing) -> bool:
        """Whether the server holds in the folder what it held when that was last listed, not too long ago."""
        folder = self._folders.get(name)
        if folder is None or folder.standing != standing:
            return False
        return time.monotonic() - folder.listed_at < self.listed_every

    def placed(self, name: str) -> tuple[int, int]:
        """How many messages were placed here when the folder was last listed, and the sum of their UIDs."""
        return self._folders[name].placed

    def listed(self, name: str, count: Count, standing: Standing) -> None:
        """The folder was counted. `standing` is as told just before."""
        census = count.census
        sound = standing.messages == count.on_server and not (census.missing or census.set_aside or census.waiting)
        pause = self.pause * max(1.0, count.on_server / LARGE_FOLDER)
        self._folders[name] = _Folder(
            due_at=_later(pause), listed_at=time.monotonic(), standing=standing if sound else None, placed=count.placed
        )

    def confirmed(self, name: str) -> None:
        """The last count holds still."""
        self._folders[name].due_at = _later(self.pause)

    def count_now(self, *names: str) -> None:
        """These folders are to be listed and counted as soon as somebody comes by; without names: all."""
        for name in names or [*self._folders]:
            self._folders[name] = _Folder(0.0)

    def doubt_all(self) -> None:
        """We were away: every folder is to be listed soon, one here and one there."""
        for folder in self._folders.values():
            folder.standing = None
            folder.due_at = min(folder.due_at, time.monotonic() + random.uniform(0, min(SOON_SECONDS, self.pause)))

    def forget(self, name: str) -> None:
        """The folder is gone."""
        self._folders.pop(name, None)


def _later(pause: float) -> float:
    return time.monotonic() + pause * random.uniform(0.8, 1.2)
