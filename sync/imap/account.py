"""Watching one account: two lines to its server, each opened again when it breaks.

                       +-- inbox line:  INBOX        catch up, backfill, then IDLE (or polling)
    AccountWatcher.run |
                       +-- others line: every other folder that is followed, visited when something happened there:
                           told by NOTIFY, else asked for, the important ones oftener (sync.imap.rounds)

New mail must not wait behind old mail of another folder, so the inbox has a line of its own. The others line signs in
only once the inbox line has: a wrong password is tried once, not twice. Where the server allows no second connection,
the inbox line goes round the other folders too, between two IDLEs.

What a line had when it failed is in the cursors; coming back where nothing is new takes four questions on the inbox
line: signing in, ENABLE, opening the inbox, and how all folders stand. That done, the account is up to date, and the
others line is opened to watch. The account's state is the worst of its lines. `run()` ends only by cancellation or
LeaseLost, and leaves neither task nor socket. When the store fails (a database that restarts), the line is opened
again like after any other failure: nothing was lost, because the cursor did not move.
"""

import asyncio
import logging
import time
from collections.abc import Collection, Mapping
from datetime import datetime

from sync.errors import CommandRefused, LeaseLost
from sync.imap.board import Board
from sync.imap.census import take_census
from sync.imap.connection import Connection
from sync.imap.folder import FolderSync
from sync.imap.line import Account, Line, Timing
from sync.imap.rounds import Known, Rounds, folder_sync
from sync.imap.second_look import look_for
from sync.ports import AccountStore
from sync.types import FolderInfo, ImapLogin, Problem

__all__ = ["AccountWatcher", "Timing"]

log = logging.getLogger(__name__)

_INBOX = FolderInfo("INBOX", "INBOX", None, "inbox")
OTHERS_WAIT_SECONDS = 1.0
"""After the inbox line has signed in, the others line waits no longer for it to catch up."""


class AccountWatcher:
    """Keeps one account in step with its server until cancelled."""

    def __init__(
        self, login: ImapLogin, store: AccountStore, *, connected_at: datetime, timing: Timing | None = None
    ) -> None:
        """`connected_at`: when the account was connected; mail from before is history."""
        timing = timing or Timing()
        board = Board(store, timing.report, ("inbox", "others"))
        self._account = Account(login, store, timing, board, connected_at)
        self._others_may = asyncio.Event()
        """Set when the others line may sign in, for the first time."""
        self._inbox = Line("inbox", self._account, self._watch_inbox)
        self._others = Line("others", self._account, self._watch_others, spare=self._do_alone)
        self._rounds = Rounds(self._account)
        self._alone = False
        self._round_wanted = False

    async def run(self) -> None:
        """Watch. Raises LeaseLost when the store says so; CancelledError is the ordinary end."""
        try:
            async with asyncio.TaskGroup() as lines:
                lines.create_task(self._inbox.keep(), name="imap inbox line")
                lines.create_task(self._keep_others(), name="imap others line")
        except BaseExceptionGroup as failures:
            lost = failures.subgroup(LeaseLost)
            if lost is not None:
                raise LeaseLost("the lease of the account went elsewhere") from lost
            raise

    async def _keep_others(self) -> None:
        """Of a new account both lines are needed at once: the server is reached while the inbox line signs in."""
        if not await self._is_new():
            await self._others_may.wait()
        await self._others.keep(after=self._others_may)

    async def _is_new(self) -> bool:
        try:
            return await self._account.store.cursor(_INBOX.name) is None
        except LeaseLost:
            raise
        except Exception as error:
            task = asyncio.current_task()
            if task is not None and task.cancelling():
                raise asyncio.CancelledError from error  # on its way out the store failed, and hid that
            log.exception("others line: the store failed")
            return False  # the inbox line meets the same, and tells of it

    def nudge(self) -> None:
        """Look now: at every folder, and again at a server or a folder that is being waited for."""
        self._rounds.refused.try_now()
        self._inbox.wake.set()
        self._want_round()

    def look_again(self, moved: Mapping[str, Collection[int]]) -> None:
        """We moved mail: by folder, the UIDs that it has there now. Somebody else may move it on in the same moment."""
        self._rounds.looks.add(moved, self._wake_for)

    def _wake_for(self, folders: Collection[str]) -> None:
        if _INBOX.name in folders:
            self._inbox.wake.set()
        if self._alone:
            self._inbox.wake.set()
        elif set(folders) - {_INBOX.name}:
            self._others.wake.set()

    def _want_round(self) -> None:
        """Let the others line look at every folder now."""
        self._round_wanted = True
        self._others.wake.set()

    def count(self) -> None:
        """Take a census of every folder now."""
        self._rounds.schedule.count_now()
        self.nudge()

    # -- the inbox line ------------------------------------------------------------------------------------------

    async def _watch_inbox(self, line: Line) -> None:
        looking_up = asyncio.create_task(self._look_up())  # while the server is waited for
        try:
            connection = await line.connect()
            known = await looking_up
        finally:
            looking_up.cancel()
            await asyncio.gather(looking_up, return_exceptions=True)
        opening = asyncio.get_running_loop().call_later(OTHERS_WAIT_SECONDS, self._others_may.set)
        try:
            folder = await self._open_inbox(connection, line, known)
        except BaseException:
            self._others_may.set()
            raise
        finally:
            opening.cancel()
        schedule = self._rounds.schedule
        settled, fresh = False, not folder.was_complete
        while True:
            while await folder.backfill():
                await line.check_lease()
                if connection.has_changes:
                    await folder.catch_up(connection.take_changes())
            self._inbox_is_here()
            if self._alone:
                await self._go_round_alone(connection, line, folder)
            await line.current()
            self._others_may.set()
            if fresh:
                schedule.count_now(_INBOX.name)
                fresh = False
            await self._count_inbox(folder)
            await self._wait_for_news(connection, line, settled)
            await line.check_lease()
            settled = not connection.has_changes
            if connection.has_changes:
                await folder.catch_up(connection.take_changes())
            await look_for(folder, self._rounds.looks.take(_INBOX.name))

    async def _look_up(self) -> Known:
        store = self._account.store
        await self._rounds.counting()
        return Known(await store.known_folders(), await store.plan())

    async def _open_inbox(self, connection: Connection, line: Line, known: Known) -> FolderSync:
        """Open the inbox and catch it up. If that is all there was to do, the others line's part of the account's
        state is known before that line is opened."""
        if line.was_away:
            self._rounds.schedule.doubt_all()
        if known.folders.get(_INBOX.name) is None:
            self._others_may.set()
            await self._rounds.list_folders(connection)  # else the others line lists them, and here no time is lost
        folder = folder_sync(self._account, connection, _INBOX, known.plan, line)
        try:
            await folder.open()
        except CommandRefused as refusal:
            if not connection.lost:
                await self._rounds.refused.refused(_INBOX.name, refusal)
            raise
        await folder.catch_up()
        if folder.was_complete:
            self._inbox_is_here()
            if not self._others_may.is_set() and await self._rounds.nothing_new(connection, known):
                self._others.is_current()
                return folder
        self._others_may.set()
        return folder

    def _inbox_is_here(self) -> None:
        if not self._account.inbox_is_here.is_set():
            self._account.inbox_is_here.set()
            if any(info.gathers == "all" for info in self._rounds.folders):
                self._want_round()

    async def _wait_for_news(self, connection: Connection, line: Line, settled: bool) -> None:
        """Until the server told something, somebody nudged, or it is time to look.

        What happens in the moment when IDLE begins is lost on some servers (pymap does so). So after any change the
        first IDLE is a short one, and is followed by a question.
        """
        timing = self._account.timing
        if connection.offers("IDLE"):
            patience = min(timing.idle, timing.poll) if self._alone else timing.idle
            await connection.wait_for_changes(patience if settled else timing.settle, line.wake)
        else:
            await line.sleep(min(timing.poll, 30))
        woken = line.wake.is_set()
        line.wake.clear()
        if not connection.has_changes and (woken or not settled or not connection.offers("IDLE")):
            await connection.ask_for_changes()

    async def _count_inbox(self, folder: FolderSync) -> None:
        """When it is due, and when the history has just arrived; what was set aside is tried again oftener."""
        schedule = await self._rounds.counting()
        await self._rounds.refused.opened(_INBOX.name)
        if not schedule.is_due(_INBOX.name):
            await folder.retry_set_aside()
            return
        if schedule.is_unchanged(_INBOX.name, folder.standing) and not folder.connection.has_changes:
            await self._rounds.confirm([_INBOX.name])
            return
        schedule.listed(_INBOX.name, await take_census(folder), folder.standing)

    # -- the others line -----------------------------------------------------------------------------------------

    async def _watch_others(self, line: Line) -> None:
        connection = await line.connect()
        self._alone = False
        if line.was_away:
            self._rounds.schedule.doubt_all()
        told = await connection.watch_folders()
        looked_at = -self._account.timing.poll_all
        while True:
            news = connection.take_news()
            now = time.monotonic()
            wanted, self._round_wanted = self._round_wanted, False
            line.wake.clear()
            if wanted or news.renamed or news.overflow or now - looked_at >= self._account.timing.poll_all:
                looked_at = now
                told = told and not news.overflow
                await self._rounds.go_round(connection, line)
            elif told:
                await self._rounds.go_to(news.changed, connection, line)
            else:
                await self._rounds.go_short(connection, line)
            await self._rounds.look_again(connection, line)
            await line.current()
            if told:
                await connection.wait_for_changes(self._account.timing.poll_all, line.wake)
            else:
                await line.sleep(self._account.timing.poll)
            await line.check_lease()

    def _do_alone(self, problem: Problem) -> bool:
        """The others line cannot be opened: where connections are counted, the inbox line does its work."""
        if problem.code != "too_many_connections":
            return False
        self._alone = True
        self._inbox.wake.set()
        return True

    async def _go_round_alone(self, connection: Connection, line: Line, folder: FolderSync) -> None:
        """Leave the inbox for the other folders, and come back."""
        await connection.close_folder()
        await self._rounds.go_round(connection, line)
        await self._rounds.look_again(connection, line)
        await folder.open()
        await folder.catch_up()
        await self._others.current()
