"""Bringing one folder over, and keeping it true: the folder state machine.

A folder of a mail server is a growing list of messages, each with a UID that only ever rises. What we have of it is
one unbroken stretch of UIDs, from `lowest_uid` to `highest_uid`, kept in the cursor that is stored in the same
transaction as the messages it speaks of. The stretch grows at both ends: new mail above, older mail below. Whatever
interrupts us (a lost connection, a crash, a lease that went elsewhere), the stretch in the store is whole, and work
goes on at its ends. Nothing else needs to be remembered.

                      open()                                   EXAMINE
                        |
        no cursor       |  UIDVALIDITY differs                 the server renumbered: RESET
      +-----------------+-----------------+                    the store forgets the placements
      v                                   v                    and keeps the messages
    START <----------------------------- RESET
    an empty stretch at UIDNEXT           |
      |                                   | same UIDVALIDITY
      v                                   v
    CATCH UP  <------------------------------------------------------------+
    1. new:   UIDs above the stretch, oldest first, stored as arrived      |
    2. gone:  ours that the server no longer lists, removed                |
    3. flags: those that changed                                           | something was
       2 and 3 by the best that the server offers, see below               | told meanwhile
      |                                                                    |
      v                                                                    |
    BACKFILL  one batch below the stretch, newest first, as history -------+
      |       until nothing is below: backfill_done
      v
    CURRENT   wait for the server's word (IDLE or polling, sync.imap.account)
              new / flags / gone -----------------------------------------> CATCH UP, only what was told

What happened while we were away is learnt in one of three ways (RFC 7162):

    QRESYNC    the answer to opening the folder names the UIDs that vanished and the flags that changed: no question
    CONDSTORE  flags changed since the cursor's modseq; what is gone by a comparison of UIDs, if anything happened
    neither    all flags are read and compared, and all UIDs

History or arrived: UIDNEXT at the first opening is noted as `history_below`. Everything from there on arrived, also
when we were away while it did. What stands below is history, unless its INTERNALDATE is later than the moment when
the account was connected: after a RESET all UIDs are new. Of history only what came since `SyncPlan.history_from` is
brought over; when the plan reaches further back later, what is missing is listed again and fetched.

Recognising: a message may be in the mailbox already, from another folder or from before a RESET. Outside the inbox,
and after a RESET, the server's names or else the headers of a page are compared first, and only what is unknown is
fetched whole. Where two pages had nothing in common with the store this is given up until the next opening.

No single message keeps the others back: one that the server does not hand over, or that cannot be stored, is set
aside with its reason and tried again later (`sync.imap.delivery`). New mail is looked for between any two batches,
so a person sees it at once while a large folder is still coming. While a batch is stored the next is on its way; while
much new mail is read, the flags that QRESYNC told are stored.

The stretch and its cursor are `sync.imap.stretch`, CATCH UP is `sync.imap.catching_up`, BACKFILL `sync.imap.backfill`.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sync.errors import CommandRefused
from sync.imap.answers import Changes
from sync.imap.backfill import Backfill, Progress
from sync.imap.catching_up import CatchingUp
from sync.imap.connection import Connection
from sync.imap.stretch import Stretch
from sync.ports import AccountStore
from sync.types import FolderCursor, FolderInfo, SyncPlan


@dataclass(frozen=True, slots=True)
class Standing:
    """What a server says of a folder without listing it. Equal values: it holds the same messages."""

    uid_validity: int
    uid_next: int
    messages: int


class FolderSync:
    """One folder on one connection. `open()`, then `catch_up()` and `backfill()` as the essay says.

    All methods raise ServerProblem when the connection fails, and pass on what the store raises. Not for two tasks
    at once.
    """

    def __init__(
        self,
        connection: Connection,
        store: AccountStore,
        folder: FolderInfo,
        *,
        connected_at: datetime,
        progress: Progress,
        plan: SyncPlan | None = None,
    ) -> None:
        self.folder = folder
        self.connection = connection
        self.store = store
        self._stretch = Stretch(connection, store, folder, connected_at, plan or SyncPlan())
        self._catching_up = CatchingUp(self._stretch)
        self._backfill = Backfill(self._stretch, progress)
        self.was_complete = False
        """Whether nothing of the history was missing when the folder was opened."""

    @property
    def cursor(self) -> FolderCursor:
        """The cursor as stored. Only after `open()`."""
        return self._stretch.cursor

    @property
    def object_id(self) -> str:
        """MAILBOXID (RFC 8474), the same after a renaming; empty where the server has none. Only after `open()`."""
        return self._stretch.opened.object_id

    @property
    def standing(self) -> Standing:
        """How the open folder stands now, as far as it was caught up."""
        return Standing(self.cursor.uid_validity, self.cursor.highest_uid + 1, self.connection.exists)

    async def open(self) -> None:
        """Open the folder on the server and find our place in it: START, RESET or going on."""
        await self._stretch.open()
        self._catching_up.begin_again()
        self._backfill.begin_again()
        self.was_complete = self.cursor.backfill_done

    async def catch_up(self, told: Changes | None = None) -> None:
        """New mail, deletions and flags: what was `told`, or (after opening) whatever happened while away."""
        if told is None or told.new:
            await self._catching_up.new(told.new if told is not None else None)
        if told is None or told.gone:
            await self._catching_up.gone(told)
        if told is None:
            await self._catching_up.flags_since()
        elif told.flags:
            await self._catching_up.flags_told(told)

    async def backfill(self) -> bool:
        """Bring over a page of older mail, or less when news come in. False when nothing older is missing."""
        return await self._backfill.go_on()

    async def bring(self, uids: Sequence[int]) -> None:
        """Fetch messages that should be here and are not, wherever in the folder they stand (the census, retries).

        What came in the last day arrived; older mail is history, though it was connected when it came.
        """
        for batch in await self._stretch.delivery.batches(sorted(uids, reverse=True)):
            await self._stretch.store_late(await self._stretch.delivery.fetch(batch))

    async def forget(self, uids: Sequence[int]) -> None:
        """These messages are not in the folder."""
        await self.store.remove_uids(self.folder.name, uids, self.cursor)

    async def wanted(self) -> tuple[set[int], set[int]]:
        """The UIDs that the server has, and those of them that the plan wants."""
        everything = set(await self.connection.search("UID 1:*")) if self.connection.exists else set[int]()
        arrived = {uid for uid in everything if uid >= self.cursor.history_below}
        return everything, arrived | await self._stretch.history()

    async def retry_set_aside(self) -> None:
        """Try once more what was set aside and is due."""
        aside = await self.store.uids_set_aside(self.folder.name)
        for uid in [uid for uid, due in aside.items() if due]:
            try:
                message = await self._stretch.delivery.fetch_again(uid)
            except CommandRefused:
                if self.connection.lost:
                    raise
                continue  # refused again, and noted so
            if message is None:
                await self.forget([uid])
            else:
                await self._stretch.store_late([message])
