"""Going round the folders of an account besides its inbox: which are followed, in which order, and which changed.

A round asks how the folders stand, all in one answer where the server can (LIST-STATUS, RFC 5819), and visits those
that changed since the last visit. A short round asks for the important ones only. Where the server tells of changes by
itself (NOTIFY), the round goes to the folders that it named.

Not followed are what was not chosen, and folders that show a choice of other folders' mail (\\Flagged, \\Important).
The one that shows all mail (\\All) comes last: what stands elsewhere is recognised. Drafts are no mail yet, and are
looked at in a way of their own (sync.imap.drafts).

A folder that is no longer listed is asked for by name before it is given up: a list may be incomplete. One that was
renamed keeps its messages by its MAILBOXID (RFC 8474); without that it is a new folder, whose messages are recognised
before the old one is given up. The id is taken from the answer to opening a folder: Cyrus 3.6 tells nonsense in STATUS.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace

from sync.errors import CommandRefused, ServerProblem
from sync.imap.answers import FolderStatus
from sync.imap.census import Schedule, take_census
from sync.imap.connection import Connection
from sync.imap.drafts import DraftsFolder
from sync.imap.folder import FolderSync, Standing
from sync.imap.line import Account, Line
from sync.imap.marks import Marked, Marks, marks_of
from sync.imap.refused_folders import RefusedFolders
from sync.imap.second_look import SecondLooks, look_for
from sync.types import FolderCursor, FolderInfo, FolderProgress, FolderRole, Syncing, SyncPlan

IMPORTANT: tuple[FolderRole, ...] = ("sent", "archive", "junk", "trash")
"""In the order of their visits; asked for more often than the others."""
COUNTED_AT_ONCE = 10
"""Folders that one round counts (census): hundreds are spread over several."""


@dataclass(frozen=True, slots=True)
class Known:
    """What the store knew of an account when a line to its server was opened: its folders' cursors, and the plan."""

    folders: Mapping[str, FolderCursor | None]
    plan: SyncPlan


class Rounds:
    """The other folders of one account. Lives as long as its watcher: what was seen outlasts a connection."""

    def __init__(self, account: Account) -> None:
        self.folders: list[FolderInfo] = []
        """As last listed."""
        self.refused = RefusedFolders(account)
        self._marked = Marked()
        self._drafts = DraftsFolder(account.store)
        self.looks = SecondLooks(account.timing.second_look)
        self._account = account
        self._seen: dict[str, FolderStatus] = {}
        self.schedule = Schedule(account.timing.census, account.timing.census_listed)
        self._ids: dict[str, str] = {}

    async def list_folders(self, connection: Connection) -> dict[str, FolderStatus]:
        """Ask the server which folders there are, tell the store if that is new, and answer how they stand."""
        listed, statuses = await connection.list_with_status()
        if connection.offers("OBJECTID"):
            known = await self._account.store.known_folders()
            for info in listed if known else ():
                if info.selectable and info.name not in known and info.name not in self._ids:
                    self._ids[info.name] = await self._ask_id(connection, info.name)
        await self._tell(listed)
        return statuses

    async def _ask_id(self, connection: Connection, name: str) -> str:
        """The folder's MAILBOXID. Whether it may be read shows when it is visited."""
        try:
            object_id = (await connection.open_folder(name)).object_id
            await connection.close_folder()
        except CommandRefused:
            if connection.lost:
                raise
            return ""
        return object_id

    async def _tell(self, listed: list[FolderInfo]) -> None:
        named = [replace(info, object_id=self._ids.get(info.name, "")) for info in listed]
        if named != self.folders:
            await self._account.store.folders_found(named)
        self.folders = named

    async def counting(self) -> Schedule:
        """When which folder is counted, going on from what the store knows."""
        if not self.schedule.begun:
            await self.refused.begin()
            self.schedule.begin(await self._account.store.counted_at())
        return self.schedule

    async def confirm(self, unchanged: Collection[str]) -> None:
        """The server holds in these folders what it held when they were counted: does the store, too?"""
        if not unchanged:
            return
        placed = {name: self.schedule.placed(name) for name in unchanged}
        confirmed = await self._account.store.confirm_censuses(placed)
        for name in unchanged:
            if name in confirmed:
                self.schedule.confirmed(name)
            else:
                self.schedule.count_now(name)

    async def go_round(self, connection: Connection, line: Line) -> None:
        """Look at every folder that is followed."""
        statuses = await self.list_folders(connection)
        plan = await self._account.store.plan()
        known = await self._account.store.known_folders()
        await self._visit_all(connection, line, plan, self._followed(plan, self.folders), known, statuses)
        await self._look_at_drafts(connection, plan, statuses)
        await self._tell(self.folders)
        await self._give_up_folders(connection, known)

    async def nothing_new(self, connection: Connection, known: Known) -> bool:
        """Whether all folders that are followed stand as the store has them, by one question that leaves open the
        folder which is open. False also where it cannot be told so."""
        if not (connection.offers("LIST-STATUS") and connection.resyncs):
            return False
        listed, statuses = await connection.list_with_status()
        return {info.name for info in listed} == known.folders.keys() and all(
            info.name in statuses
            and info.name not in self.refused
            and self._is_current(connection, info.name, statuses[info.name], known.folders[info.name], known.plan)
            for info in self._followed(known.plan, listed)
        )

    async def go_to(self, names: set[str], connection: Connection, line: Line) -> None:
        """Look at these folders, those of them that are followed."""
        plan = await self._account.store.plan()
        some = [info for info in self._followed(plan, self.folders) if info.name in names]
        if some:
            known = await self._account.store.known_folders()
            await self._visit_all(connection, line, plan, some, known, {})
        if names & {info.name for info in self.folders if info.role == "drafts"}:
            await self._look_at_drafts(connection, plan, {})

    async def go_short(self, connection: Connection, line: Line) -> None:
        """Look at the important folders."""
        roles = (*IMPORTANT, "drafts")
        await self.go_to({info.name for info in self.folders if info.role in roles}, connection, line)

    async def _look_at_drafts(
        self, connection: Connection, plan: SyncPlan, statuses: Mapping[str, FolderStatus]
    ) -> None:
        """The first folder for drafts, if it may be read: where there are several, it is the one that is written to."""
        for info in self.folders:
            if info.role == "drafts" and info.selectable and plan.chosen.get(info.name, True):
                if self.refused.waits(info.name):
                    return
                try:
                    await self._drafts.look(connection, info.name, statuses.get(info.name))
                except CommandRefused as refusal:
                    if connection.lost:
                        raise
                    await self.refused.refused(info.name, refusal)
                else:
                    await self.refused.opened(info.name)
                return

    async def look_again(self, connection: Connection, line: Line) -> None:
        """Look once more where we moved mail to, when its time has come; the inbox is looked at by its own line."""
        names = {name for name in self.looks.folders if name != "INBOX"}
        if not names:
            return
        plan = await self._account.store.plan()
        for info in self._followed(plan, self.folders):
            uids = self.looks.take(info.name)
            if not uids or self.refused.waits(info.name):
                continue
            try:
                status = await connection.folder_status(info.name)
                await self._visit(connection, info, plan, line, _standing(status), look=uids)
            except CommandRefused as refusal:
                if connection.lost:
                    raise
                await self.refused.refused(info.name, refusal)
        for name in names:
            self.looks.take(name)  # of folders that are not followed

    def _followed(self, plan: SyncPlan, folders: Sequence[FolderInfo]) -> list[FolderInfo]:
        def rank(info: FolderInfo) -> tuple[bool, int, str]:
            important = IMPORTANT.index(info.role) if info.role in IMPORTANT else len(IMPORTANT)
            return bool(info.gathers), important, info.title

        followed = [
            info
            for info in folders
            if info.selectable
            and info.gathers != "some"
            and (info.gathers != "all" or self._account.inbox_is_here.is_set())
            and info.role not in ("inbox", "drafts")
            and plan.chosen.get(info.name, True)
        ]
        return sorted(followed, key=rank)

    async def _visit_all(
        self,
        connection: Connection,
        line: Line,
        plan: SyncPlan,
        folders: list[FolderInfo],
        known: Mapping[str, FolderCursor | None],
        statuses: Mapping[str, FolderStatus],
    ) -> None:
        """Visit those that changed. One folder that the server refuses keeps back no other."""
        counts = COUNTED_AT_ONCE
        schedule = await self.counting()
        unchanged: list[str] = []
        plain = not connection.offers("CONDSTORE")
        looked_at = self._marked.turn(info.name for info in folders) if plain else set[str]()
        for info in folders:
            if self.refused.waits(info.name):
                continue
            try:
                status = statuses.get(info.name) or await connection.folder_status(info.name)
                cursor = known.get(info.name)
                due = cursor is None or schedule.is_due(info.name)
                current = info.name not in self.refused and self._is_current(
                    connection, info.name, status, cursor, plan
                )
                # Without a modseq only a visit tells of changed flags.
                if due and current and status.highest_modseq and schedule.is_unchanged(info.name, _standing(status)):
                    unchanged.append(info.name)
                    continue
                counting = counts > 0 and due
                if current and not counting:
                    if info.name in looked_at:
                        await self._visit(connection, info, plan, line, _standing(status), for_flags=True)
                    continue
                counts -= counting
                await self._visit(connection, info, plan, line, _standing(status), counting=counting)
                self._seen[info.name] = status  # as it stood before the visit: what came during it is seen again
            except CommandRefused as refusal:
                if connection.lost:
                    raise
                self._seen.pop(info.name, None)
                await self.refused.refused(info.name, refusal)
        await self.confirm(unchanged)

    def _is_current(
        self,
        connection: Connection,
        name: str,
        status: FolderStatus,
        cursor: FolderCursor | None,
        plan: SyncPlan,
    ) -> bool:
        """Whether a visit would find nothing: by what was seen before, or by what the store knows of the folder."""
        if cursor is None or not cursor.backfill_done or cursor.since != plan.history_from:
            return False
        if name in self._seen:
            return self._seen[name] == status
        return (
            connection.resyncs
            and status.highest_modseq > 0
            and status.highest_modseq == cursor.highest_modseq
            and status.uid_validity == cursor.uid_validity
            and status.uid_next == cursor.highest_uid + 1
        )

    async def _visit(
        self,
        connection: Connection,
        info: FolderInfo,
        plan: SyncPlan,
        line: Line,
        standing: Standing,
        *,
        counting: bool = False,
        for_flags: bool = False,
        look: Collection[int] = (),
    ) -> None:
        """Catch a folder up; `for_flags`: only if its flags are others than the last time."""
        folder = folder_sync(self._account, connection, info, plan, line)
        await folder.open()
        self._ids[info.name] = folder.object_id
        await self.refused.opened(info.name)
        try:
            fresh = not folder.cursor.backfill_done
            marks: Marks | None = None
            if not connection.offers("CONDSTORE"):
                marks = await marks_of(connection)
                if for_flags and self._marked.are(info.name, marks):
                    return
            await folder.catch_up()
            if marks is not None:
                self._marked.note(info.name, marks)
            while await folder.backfill():
                await line.check_lease()
                if connection.has_changes:
                    await folder.catch_up(connection.take_changes())
            await look_for(folder, look)
            if counting or fresh:
                self.schedule.listed(info.name, await take_census(folder), standing)
            while connection.has_changes:  # told while it was open, and not told again
                await folder.catch_up(connection.take_changes())
        finally:
            if not connection.lost:
                await connection.close_folder()
                connection.take_changes()

    async def _give_up_folders(self, connection: Connection, known: Mapping[str, FolderCursor | None]) -> None:
        listed = {info.name for info in self.folders}
        if "INBOX" not in listed:
            return  # every account has an inbox: this list is not complete
        gone = [name for name in known if name not in listed and not await self._exists(connection, name)]
        if gone:
            await self._account.store.folders_gone(gone)
            for name in gone:
                self._seen.pop(name, None)
                self.schedule.forget(name)
                self.refused.forget(name)
                self._marked.forget(name)

    async def _exists(self, connection: Connection, name: str) -> bool:
        try:
            await connection.folder_status(name)
        except CommandRefused as refusal:
            return refusal.code != "no_such_folder"
        except ServerProblem:
            raise
        return True


def _standing(status: FolderStatus) -> Standing:
    return Standing(status.uid_validity, status.uid_next, status.messages)


def folder_sync(account: Account, connection: Connection, info: FolderInfo, plan: SyncPlan, line: Line) -> FolderSync:
    """A folder of this account, which shows its progress on this line."""

    async def progress(name: str, how_far: FolderProgress) -> None:
        await line.show(Syncing({name: how_far}))

    return FolderSync(connection, account.store, info, connected_at=account.connected_at, progress=progress, plan=plan)
