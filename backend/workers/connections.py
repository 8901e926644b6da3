"""Connections to submission servers, kept open from one mail to the next.

To connect, protect and sign in takes longer than to hand a mail over, and servers count sign-ins. A connection that
nobody needs is closed before the server would do that.
"""

import asyncio
import contextlib
from collections import defaultdict
from collections.abc import AsyncIterator

from sync.smtp import SmtpSession
from sync.types import SmtpLogin

IDLE_SECONDS = 8.0
MOST_MAILS = 100
"""Over one connection. Servers set limits of their own, from 50 or so on, and say 421 then."""


Key = tuple[object, ...]


def _key(login: SmtpLogin) -> Key:
    """What makes two sign-ins the same. Whoever has tokens is known by the user name: they change by the hour."""
    own = login.password if login.tokens is None else None
    return (login.host, login.port, login.security, login.username, own, login.helo_name, login.authority_pem)


class Kept:
    """A connection and what it has carried. `fresh`: it was opened for the mail that it is lent for."""

    def __init__(self, session: SmtpSession) -> None:
        self.session = session
        self.mails = 0
        self.closing: asyncio.TimerHandle | None = None

    @property
    def fresh(self) -> bool:
        return self.mails <= 1


class Connections:
    """Those of one process, by sign-in."""

    def __init__(self, idle_seconds: float = IDLE_SECONDS) -> None:
        self._idle_seconds = idle_seconds
        self._idle: defaultdict[Key, list[Kept]] = defaultdict(list)
        self._goodbyes: set[asyncio.Task[None]] = set()

    @contextlib.asynccontextmanager
    async def lent(self, login: SmtpLogin, *, fresh: bool = False) -> AsyncIterator[Kept]:
        """A connection for one mail: one that is open, unless it must be `fresh`. Raises ServerProblem."""
        key = _key(login)
        kept = None if fresh else self._take(key)
        if kept is None:
            kept = Kept(await SmtpSession(login).__aenter__())
        kept.mails += 1
        try:
            yield kept
        except BaseException as fault:
            await kept.session.__aexit__(type(fault), fault, None)
            raise
        self._give_back(key, kept)

    def _take(self, key: Key) -> Kept | None:
        idle = self._idle.get(key)
        while idle:
            kept = idle.pop()
            if kept.closing is not None:
                kept.closing.cancel()
            if kept.session.usable:
                return kept
            self._end(kept)
        return None

    def _give_back(self, key: Key, kept: Kept) -> None:
        if not kept.session.usable or kept.mails >= MOST_MAILS or self._idle_seconds <= 0:
            self._end(kept)
            return
        self._idle[key].append(kept)
        kept.closing = asyncio.get_running_loop().call_later(self._idle_seconds, self._expire, key, kept)

    def _expire(self, key: Key, kept: Kept) -> None:
        idle = self._idle.get(key, [])
        if kept in idle:
            idle.remove(kept)
            self._end(kept)
        if not idle:
            self._idle.pop(key, None)

    def _end(self, kept: Kept) -> None:
        task = asyncio.create_task(kept.session.__aexit__(None, None, None), name="goodbye")
        self._goodbyes.add(task)
        task.add_done_callback(self._goodbyes.discard)

    async def close(self) -> None:
        """Say goodbye on all that are idle."""
        for idle in list(self._idle.values()):
            while idle:
                kept = idle.pop()
                if kept.closing is not None:
                    kept.closing.cancel()
                self._end(kept)
        self._idle.clear()
        await asyncio.gather(*self._goodbyes, return_exceptions=True)
