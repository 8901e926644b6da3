"""The account's one state, put together from what its lines say, and reported when it changes."""

import asyncio
import time

from sync.ports import AccountStore
from sync.types import AccountState, Connecting, FolderProgress, NeedsYou, Retrying, Syncing, UpToDate

_RANK = (NeedsYou, Retrying, Syncing, Connecting, UpToDate)
_UP_TO_DATE_SECONDS = 30.0


class Board:
    """One account's: `show` takes up a line's part. The account's state is the worst of them."""

    def __init__(self, store: AccountStore, seconds: float, lines: tuple[str, ...]) -> None:
        """`seconds`: progress is reported at most this often."""
        self._store = store
        self._seconds = seconds
        self._parts: dict[str, AccountState] = {name: Connecting() for name in lines}
        self._reported: AccountState | None = None
        self._reported_at = 0.0
        self._one_at_a_time = asyncio.Lock()

    def note(self, line: str, state: AccountState) -> None:
        """Take up a line's state, for the next time that another is shown."""
        self._parts[line] = state

    def is_current(self, line: str) -> bool:
        """Whether this line's part is known to be as on the server."""
        return isinstance(self._parts[line], UpToDate)

    async def show(self, line: str, state: AccountState) -> None:
        """Take up a line's state, and report the account's when it differs in more than progress."""
        self._parts[line] = state
        whole = self._whole()
        if type(whole) is type(self._reported):
            pause = {Syncing: self._seconds, UpToDate: _UP_TO_DATE_SECONDS}.get(type(whole), 0.0)
            if whole == self._reported or time.monotonic() - self._reported_at < pause:
                return
        self._reported, self._reported_at = whole, time.monotonic()
        async with self._one_at_a_time:  # else an older report of the other line could be written last, and stay
            if whole is self._reported:
                await self._store.report(whole)

    def _whole(self) -> AccountState:
        parts = list(self._parts.values())
        worst = min(parts, key=lambda part: _RANK.index(type(part)))
        if isinstance(worst, Syncing):
            together: dict[str, FolderProgress] = {}
            for part in parts:
                if isinstance(part, Syncing):
                    together.update(part.folders)
            return Syncing(together)
        return worst
