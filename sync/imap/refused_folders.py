"""Folders that the server does not let us read: noted for people, and tried again, less and less often.

One such folder keeps back no other, and does not make the account's state a bad one: people see it at the folder.
"""

import logging
import random
import time
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from sync.errors import CommandRefused, server_problem
from sync.imap.line import Account
from sync.types import FolderRefusal, Problem

log = logging.getLogger(__name__)

GROWTH = 3
"""Each pause is so many times the one before."""
_OF_FOLDERS = {"read_only": "folder_not_permitted", "refused_by_server": "folder_refused"}
"""What a refusal means when it answers the opening of a folder."""


@dataclass(slots=True)
class RefusedFolders:
    """Those of one account. Lives as long as its watcher; a new one tries them all at once, and once."""

    account: Account
    _tries: dict[str, int] = field(default_factory=dict)
    _again_at: dict[str, float] = field(default_factory=dict)

    async def begin(self) -> None:
        """Go on from what the store knows of earlier processes."""
        for name in await self.account.store.refused_folders():
            self._tries.setdefault(name, 0)

    def __contains__(self, name: str) -> bool:
        return name in self._tries

    def waits(self, name: str) -> bool:
        """Whether the folder is left alone for now."""
        return time.monotonic() < self._again_at.get(name, 0)

    def try_now(self) -> None:
        """Somebody wants to know: try all of them when one comes by."""
        self._again_at.clear()

    async def refused(self, name: str, refusal: CommandRefused) -> None:
        """The server said no. A folder that is not there is another matter."""
        if refusal.code == "no_such_folder":
            return
        tries = self._tries[name] = self._tries.get(name, 0) + 1
        timing = self.account.timing
        pause = min(timing.refused_last_retry, timing.refused_retry * GROWTH ** min(tries - 1, 20))
        pause *= random.uniform(0.8, 1.2)
        self._again_at[name] = time.monotonic() + pause
        now = datetime.now(UTC)
        log.info("a folder is refused (%s), again in %.0f s: %s", refusal.code, pause, refusal.server_words)
        told = FolderRefusal(now, now + timedelta(seconds=pause), self._problem(refusal))
        await self.account.store.folder_refused(name, told)

    async def opened(self, name: str) -> None:
        """The server lets us read it."""
        if name in self._tries:
            await self.account.store.folder_refused(name, None)
            self.forget(name)

    def forget(self, name: str) -> None:
        """The folder is gone."""
        self._tries.pop(name, None)
        self._again_at.pop(name, None)

    def _problem(self, refusal: CommandRefused) -> Problem:
        code = _OF_FOLDERS.get(refusal.code)
        if code is None:
            return refusal.problem
        login = self.account.login
        words = refusal.server_words
        return server_problem(
            code, host=login.host, port=login.port, username=login.username, server_words=words
        ).problem
