"""A line to an account's server: one connection that is opened again and again, and what it has to say.

A line that fails waits, longer each time, with jitter, and begins again. A problem that only a person can mend
(`permanent`) is tried again slowly; a server that asks for patience (Busy) gets it.
"""

import asyncio
import logging
import random
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from sync.errors import Busy, LeaseLost, ServerProblem
from sync.imap.board import Board
from sync.imap.connection import Connection, Greeted, open_connection, reach
from sync.ports import AccountStore
from sync.types import AccountState, Connecting, ImapLogin, NeedsYou, Problem, Retrying, UpToDate

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Timing:
    """Seconds. Tests shorten them."""

    idle: float = 9 * 60
    """IDLE is renewed this often: servers may end it after 30 minutes (RFC 2177), home routers after 10."""
    settle: float = 1
    """After a change the server is asked once more, this much later."""
    poll: float = 60
    """The important folders are asked this often; the inbox too where IDLE is missing (then at most every 30 s)."""
    poll_all: float = 300
    """All folders are asked this often, whatever else is known of them."""
    census: float = 900
    """Every folder is counted this often; also how long an absence may be before all are listed again."""
    census_listed: float = 6 * 3600
    """Every folder's UIDs are listed at least this often, even if nothing seems to have changed."""
    second_look: float = 2
    """So long after a move of ours the place where it went is looked at once more."""
    refused_retry: float = 300
    """A folder that the server refuses is asked for again after so long, then less and less often."""
    refused_last_retry: float = 6 * 3600
    command: float = 60
    """A server that is silent for so long within a command is given up."""
    connecting: float = 0.5
    """A connection that takes longer than this to be opened is told of."""
    first_retry: float = 1
    last_retry: float = 300
    busy_retry: float = 20
    """At least so long is waited for a server that asks for patience."""
    permanent_retry: float = 3600
    """How often it is tried again what only a person can mend: some servers lock accounts after failed sign-ins."""
    report: float = 0.3
    """Progress is reported at most this often."""


@dataclass(frozen=True, slots=True)
class Account:
    """What every part of a watcher needs to know of its account."""

    login: ImapLogin
    store: AccountStore
    timing: Timing
    board: Board
    connected_at: datetime
    """When the account was connected; mail from before is history."""
    inbox_is_here: asyncio.Event = field(default_factory=asyncio.Event)
    """Set once the inbox has been brought over: a folder that holds all mail waits for it, or both would be fetched."""


REACHED_SECONDS = 10
"""A server is not kept waiting for a sign-in any longer."""


class Line:
    """One line. `work` is run on it, again after each failure, until the task is cancelled or the lease is lost."""

    def __init__(
        self,
        name: str,
        account: Account,
        work: Callable[["Line"], Awaitable[None]],
        *,
        spare: Callable[[Problem], bool] = lambda problem: False,
    ) -> None:
        """`spare` is told each problem: True when the account can do without this line, which then waits long."""
        self.name = name
        self.account = account
        self.wake = asyncio.Event()
        self.connection: Connection | None = None
        self._greeted: Greeted | None = None
        self._work = work
        self._spare = spare
        self._failures = 0
        self._healthy_since: float | None = None
        self._current_at: float | None = None

    async def keep(self, after: asyncio.Event | None = None) -> None:
        """Work, and begin again after each failure, until cancelled or the lease is lost.

        With `after` nobody signs in before that has happened; the server is reached already.
        """
        if after is not None:
            await self._reach_until(after)
        while True:
            try:
                await self._work(self)
            except ServerProblem as failure:
                await self._hang_up()
                await self._wait_after(failure.problem, patient=isinstance(failure, Busy))
            except LeaseLost:
                raise
            except Exception as error:
                task = asyncio.current_task()
                if task is not None and task.cancelling():
                    raise asyncio.CancelledError from error  # on its way out the store failed, and hid that
                log.exception("%s line: the store failed", self.name)
                await self._hang_up()
                await self._wait_after(_store_failed(error))
            finally:
                await self._hang_up()

    async def _reach_until(self, event: asyncio.Event) -> None:
        """Wait for the event. If it comes soon, the server's greeting need not be waited for after it."""
        if event.is_set():
            return
        reaching = asyncio.ensure_future(reach(self.account.login, timeout=REACHED_SECONDS))
        waiting = asyncio.ensure_future(event.wait())
        try:
            await asyncio.wait({waiting}, timeout=REACHED_SECONDS)
            if waiting.done() and reaching.done() and reaching.exception() is None:
                self._greeted = reaching.result()
            else:
                await waiting
        finally:
            waiting.cancel()
            if self._greeted is None:
                await _let_go(reaching)

    async def connect(self) -> Connection:
        """Sign in. That a connection is being opened is told only when it takes a while, and something waits for it."""
        greeted, self._greeted = self._greeted, None
        opening = asyncio.ensure_future(
            open_connection(self.account.login, timeout=self.account.timing.command, greeted=greeted)
        )
        try:
            await self.check_lease()
            await asyncio.wait({opening}, timeout=self.account.timing.connecting)
            if not opening.done() and not self.account.board.is_current(self.name):
                await self.show(Connecting())
            self.connection = await opening
        except BaseException:
            if not opening.done():
                opening.cancel()
                await asyncio.gather(opening, return_exceptions=True)
            elif not opening.cancelled() and opening.exception() is None:
                self.connection = opening.result()  # it is closed with the line
            raise
        return self.connection

    async def current(self) -> None:
        """Everything is as on the server."""
        if self._healthy_since is None:
            self._healthy_since = time.monotonic()
        self._current_at = time.monotonic()
        await self.show(UpToDate(datetime.now(UTC)))

    def is_current(self) -> None:
        """Another line has found so, and is about to tell the account's state. This line is not open yet."""
        self._current_at = time.monotonic()
        self.account.board.note(self.name, UpToDate(datetime.now(UTC)))

    async def show(self, state: AccountState) -> None:
        """This line's part of the account's state."""
        await self.account.board.show(self.name, state)

    @property
    def was_away(self) -> bool:
        """Whether it is long since everything was as on the server."""
        return self._current_at is not None and time.monotonic() - self._current_at > self.account.timing.census

    async def check_lease(self) -> None:
        """Raises LeaseLost when another process has the account."""
        if not await self.account.store.still_leased():
            raise LeaseLost("the lease of the account went elsewhere")

    async def sleep(self, seconds: float) -> None:
        """Until `wake` is set, or the time is over."""
        try:
            async with asyncio.timeout(seconds):
                await self.wake.wait()
        except TimeoutError:
            return  # the time is over: that is one of the two ends

    async def _wait_after(self, problem: Problem, *, patient: bool = False) -> None:
        timing = self.account.timing
        if self._healthy_since is not None and time.monotonic() - self._healthy_since > timing.first_retry:
            self._failures = 0
        self._healthy_since = None
        self._failures += 1
        pause = min(timing.last_retry, timing.first_retry * 2 ** min(self._failures - 1, 30))
        if patient:
            pause = max(pause, timing.busy_retry)
        if problem.permanent or self._spare(problem):
            pause = timing.permanent_retry
        pause *= random.uniform(0.5, 1.5)
        at = datetime.now(UTC) + timedelta(seconds=pause)
        log.info("%s line: %s, again in %.0f s (%s)", self.name, problem.code, pause, problem.server_words)
        try:
            await self.check_lease()
            await self.show(NeedsYou(at, problem) if problem.permanent else Retrying(at, problem))
        except LeaseLost:
            raise
        except Exception:
            log.exception("%s line: its state could not be reported", self.name)
        await self.sleep(pause)
        self.wake.clear()

    async def _hang_up(self) -> None:
        connection, self.connection = self.connection, None
        if connection is not None:
            await connection.close()


async def _let_go(reaching: asyncio.Future[Greeted]) -> None:
    """End an attempt to reach a server, or what came of it. Why it failed shows when the line connects."""
    reaching.cancel()
    (found,) = await asyncio.gather(reaching, return_exceptions=True)
    if isinstance(found, Greeted):
        await found.break_off()


def _store_failed(error: Exception) -> Problem:
    return Problem(
        code="store_failed",
        permanent=False,
        sentence="Mail that arrived could not be stored here.",
        remedy="It is fetched again by itself. If this stays, an admin finds the reason in the worker's log.",
        server_words=type(error).__name__,
    )
