"""Watching one account: two lines to its server, each opened again when it breaks.

                       +-- inbox line:  INBOX        catch up, backfill, then IDLE (or polling)
    AccountWatcher.run |
                       +-- others line: Sent (later: every other folder), each visited in turn: asked by STATUS
                           every `poll_seconds` or on `nudge()`, opened when something happened

New mail must not wait behind old mail of another folder, so the inbox has a line of its own. The others line opens
only once the inbox line has signed in: a wrong password is tried once, not twice.

A line that fails waits, longer each time, with jitter, and begins again; what it had is in the cursors. A problem
that only a person can mend (`permanent`) is shown as NeedsYou and tried again slowly. The account's state is the
worst of its lines. `run()` ends only by cancellation or LeaseLost, and leaves neither task nor socket. When the store
fails (a database that restarts), the line is opened again like after any other failure: nothing was lost, because
the cursor did not move.
"""

import asyncio
import logging
import random
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from sync.errors import CommandRefused, LeaseLost, ServerProblem
from sync.imap.answers import FolderStatus
from sync.imap.connection import Connection, open_connection
from sync.imap.folder import FolderSync
from sync.ports import AccountStore
from sync.types import (
    AccountState,
    Connecting,
    FolderInfo,
    FolderProgress,
    FolderRole,
    ImapLogin,
    NeedsYou,
    Problem,
    Retrying,
    Syncing,
    UpToDate,
)

log = logging.getLogger(__name__)

OTHER_ROLES: tuple[FolderRole, ...] = ("sent",)
"""Which folders besides the inbox are brought over."""


@dataclass(frozen=True, slots=True)
class Timing:
    """Seconds. Tests shorten them."""

    idle: float = 9 * 60
    """IDLE is renewed this often: servers may end it after 30 minutes (RFC 2177), home routers after 10."""
    settle: float = 1
    """After a change the server is asked once more, this much later."""
    poll: float = 60
    """The other folders are asked this often; the inbox too where IDLE is missing (then at most every 30 s)."""
    command: float = 60
    """A server that is silent for so long within a command is given up."""
    first_retry: float = 1
    last_retry: float = 300
    permanent_retry: float = 3600
    """How often it is tried again what only a person can mend: some servers lock accounts after failed sign-ins."""
    report: float = 0.3
    """Progress is reported at most this often."""


class AccountWatcher:
    """Keeps one account in step with its server until cancelled."""

    def __init__(
        self, login: ImapLogin, store: AccountStore, *, connected_at: datetime, timing: Timing | None = None
    ) -> None:
        """`connected_at`: when the account was connected; mail from before is history."""
        self._login = login
        self._connected_at = connected_at
        self._store = store
        self._timing = timing or Timing()
        self._signed_in = asyncio.Event()
        self._board = _Board(store, self._timing.report, ("inbox", "others"))
        self._inbox = _Line("inbox", self, self._watch_inbox)
        self._others = _Line("others", self, self._watch_others)
        self._folders: list[FolderInfo] = []

    async def run(self) -> None:
        """Watch. Raises LeaseLost when the store says so; CancelledError is the ordinary end."""
        try:
            async with asyncio.TaskGroup() as lines:
                lines.create_task(self._inbox.keep(), name="imap inbox line")
                lines.create_task(self._others.keep(after=self._signed_in), name="imap others line")
        except BaseExceptionGroup as failures:
            lost = failures.subgroup(LeaseLost)
            if lost is not None:
                raise LeaseLost("the lease of the account went elsewhere") from lost
            raise

    def nudge(self) -> None:
        """Look now: at every folder, and again at a server that is being waited for."""
        self._inbox.wake.set()
        self._others.wake.set()

    # -- the lines -----------------------------------------------------------------------------------------------

    async def _watch_inbox(self, line: "_Line") -> None:
        connection = await self._connect(line)
        await self._list_folders(connection)
        self._signed_in.set()
        inbox = next((folder for folder in self._folders if folder.role == "inbox"), _INBOX)
        folder = self._folder_sync(connection, inbox, line)
        await folder.open()
        await folder.catch_up()
        settled = False
        while True:
            await line.check_lease()
            while await folder.backfill():
                if connection.has_changes:
                    await folder.catch_up(connection.take_changes())
            await line.current()
            await self._wait_for_news(connection, line, settled)
            settled = not connection.has_changes
            if connection.has_changes:
                await folder.catch_up(connection.take_changes())

    async def _wait_for_news(self, connection: Connection, line: "_Line", settled: bool) -> None:
        """Until the server told something, somebody nudged, or it is time to look.

        What happens in the moment when IDLE begins is lost on some servers (pymap does so). So after any change the
        first IDLE is a short one, and is followed by a question.
        """
        if connection.offers("IDLE"):
            seconds = self._timing.idle if settled else self._timing.settle
            await connection.wait_for_changes(seconds, line.wake)
        else:
            await line.sleep(min(self._timing.poll, 30))
        woken = line.wake.is_set()
        line.wake.clear()
        if not connection.has_changes and (woken or not settled or not connection.offers("IDLE")):
            await connection.ask_for_changes()

    async def _watch_others(self, line: "_Line") -> None:
        connection = await self._connect(line)
        seen: dict[str, FolderStatus] = {}
        while True:
            await line.check_lease()
            for info in self._folders:
                if info.role in OTHER_ROLES and info.selectable:
                    try:
                        await self._visit(connection, info, seen, line)
                    except CommandRefused as refusal:
                        if refusal.code != "no_such_folder":
                            raise
                        await self._list_folders(connection)
                        break  # deleted or renamed meanwhile: the others wait for the next round
            await line.current()
            await line.sleep(self._timing.poll)
            line.wake.clear()

    async def _visit(
        self, connection: Connection, info: FolderInfo, seen: dict[str, FolderStatus], line: "_Line"
    ) -> None:
        """Bring one of the other folders up to date, unless its STATUS is what it was after the last visit."""
        if await connection.folder_status(info.name) == seen.get(info.name):
            return
        folder = self._folder_sync(connection, info, line)
        await folder.open()
        await folder.catch_up()
        while await folder.backfill():
            await line.check_lease()
            if connection.has_changes:
                await folder.catch_up(connection.take_changes())
        await connection.close_folder()
        seen[info.name] = await connection.folder_status(info.name)

    async def _list_folders(self, connection: Connection) -> None:
        self._folders = await connection.list_folders()
        await self._store.folders_found(self._folders)

    async def _connect(self, line: "_Line") -> Connection:
        await line.check_lease()
        await line.show(Connecting())
        line.connection = await open_connection(self._login, timeout=self._timing.command)
        return line.connection

    def _folder_sync(self, connection: Connection, info: FolderInfo, line: "_Line") -> FolderSync:
        async def progress(name: str, how_far: FolderProgress) -> None:
            await line.show(Syncing({name: how_far}))

        return FolderSync(connection, self._store, info, connected_at=self._connected_at, progress=progress)

    # -- for the lines -------------------------------------------------------------------------------------------

    @property
    def store(self) -> AccountStore:
        return self._store

    @property
    def timing(self) -> Timing:
        return self._timing

    @property
    def board(self) -> "_Board":
        return self._board


_INBOX = FolderInfo("INBOX", "INBOX", None, "inbox")


def _store_failed(error: Exception) -> Problem:
    return Problem(
        code="store_failed",
        permanent=False,
        sentence="Mail that arrived could not be stored here.",
        remedy="It is fetched again by itself. If this stays, an admin finds the reason in the worker's log.",
        server_words=type(error).__name__,
    )


class _Line:
    """One connection that is opened again and again, and what it has to say about the account's state."""

    def __init__(self, name: str, watcher: AccountWatcher, work: Callable[["_Line"], Awaitable[None]]) -> None:
        self.name = name
        self.wake = asyncio.Event()
        self.connection: Connection | None = None
        self._watcher = watcher
        self._work = work
        self._failures = 0
        self._healthy_since: float | None = None

    async def keep(self, after: asyncio.Event | None = None) -> None:
        """Work, and begin again after each failure, until cancelled or the lease is lost."""
        if after is not None:
            await after.wait()
        while True:
            try:
                await self._work(self)
            except ServerProblem as failure:
                await self._hang_up()
                await self._wait_after(failure.problem)
            except LeaseLost:
                raise
            except Exception as error:
                log.exception("%s line: the store failed", self.name)
                await self._hang_up()
                await self._wait_after(_store_failed(error))
            finally:
                await self._hang_up()

    async def current(self) -> None:
        """Everything is as on the server."""
        if self._healthy_since is None:
            self._healthy_since = time.monotonic()
        await self.show(UpToDate(datetime.now(UTC)))

    async def show(self, state: AccountState) -> None:
        """This line's part of the account's state."""
        await self._watcher.board.show(self.name, state)

    async def check_lease(self) -> None:
        """Raises LeaseLost when another process has the account."""
        if not await self._watcher.store.still_leased():
            raise LeaseLost("the lease of the account went elsewhere")

    async def sleep(self, seconds: float) -> None:
        """Until `wake` is set, or the time is over."""
        try:
            async with asyncio.timeout(seconds):
                await self.wake.wait()
        except TimeoutError:
            return  # the time is over: that is one of the two ends

    async def _wait_after(self, problem: Problem) -> None:
        timing = self._watcher.timing
        if self._healthy_since is not None and time.monotonic() - self._healthy_since > timing.first_retry:
            self._failures = 0
        self._healthy_since = None
        self._failures += 1
        pause = min(timing.last_retry, timing.first_retry * 2 ** (self._failures - 1))
        if problem.permanent:
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


class _Board:
    """The account's one state, put together from its lines', and reported when it changes."""

    _RANK = (NeedsYou, Retrying, Syncing, Connecting, UpToDate)
    _UP_TO_DATE_SECONDS = 30.0

    def __init__(self, store: AccountStore, seconds: float, lines: tuple[str, ...]) -> None:
        self._store = store
        self._seconds = seconds
        self._parts: dict[str, AccountState] = {name: Connecting() for name in lines}
        self._reported: AccountState | None = None
        self._reported_at = 0.0

    async def show(self, line: str, state: AccountState) -> None:
        """Take up a line's state, and report the account's when it differs in more than progress."""
        self._parts[line] = state
        whole = self._whole()
        if type(whole) is type(self._reported):
            pause = {Syncing: self._seconds, UpToDate: self._UP_TO_DATE_SECONDS}.get(type(whole), 0.0)
            if whole == self._reported or time.monotonic() - self._reported_at < pause:
                return
        self._reported, self._reported_at = whole, time.monotonic()
        await self._store.report(whole)

    def _whole(self) -> AccountState:
        parts = list(self._parts.values())
        worst = min(parts, key=lambda part: self._RANK.index(type(part)))
        if isinstance(worst, Syncing):
            together: dict[str, FolderProgress] = {}
            for part in parts:
                if isinstance(part, Syncing):
                    together.update(part.folders)
            return Syncing(together)
        return worst
