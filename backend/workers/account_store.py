"""What the IMAP engine needs from a store (sync/ports.py), on our database.

Messages are read in a thread, then stored together with the folder's cursor in one action, under the fence of this
worker's lease: a worker that slept while its account went to another writes nothing (StaleFence -> LeaseLost).
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass

from backend.accounts import contracts
from backend.accounts.actions import report_state
from backend.database.connection import Row, execute, fetch, fetch_row, fetch_value
from backend.events.record import action
from backend.mail.actions import (
    Fetched,
    FolderKey,
    StaleFence,
    apply_flags,
    check_fence,
    forget_folder,
    remove_placements,
    store_fetched,
)
from sync.errors import LeaseLost
from sync.mime.parse import parse_message
from sync.types import (
    AccountState,
    Connecting,
    FetchedMessage,
    FolderCursor,
    FolderInfo,
    NeedsYou,
    Retrying,
    Syncing,
)


@dataclass(frozen=True, slots=True)
class Lease:
    """The right to act for an account, as long as nobody has a higher fence."""

    account_id: int
    mailbox_id: int
    fence: int


class PostgresAccountStore:
    """An `sync.ports.AccountStore` for one account, held by this worker under `lease`."""

    def __init__(self, lease: Lease) -> None:
        self._lease = lease
        self._folders: dict[str, FolderKey] = {}

    async def folders_found(self, folders: Sequence[FolderInfo]) -> None:
        async def write() -> None:
            for folder in folders:
                await execute(
                    "INSERT INTO folders (account_id, name, role) VALUES ($1, $2, $3) "
                    "ON CONFLICT (account_id, name) DO UPDATE SET role = $3",
                    self._lease.account_id,
                    folder.name,
                    folder.role or "",
                )
            await execute(
                "DELETE FROM folders WHERE account_id = $1 AND name <> ALL($2) "
                "AND NOT EXISTS (SELECT 1 FROM placements WHERE folder_id = folders.id)",
                self._lease.account_id,
                [folder.name for folder in folders],
            )

        await self._fenced(write)
        self._folders.clear()

    async def cursor(self, folder: str) -> FolderCursor | None:
        row = await self._row(folder)
        if row is None or row["uid_validity"] == 0:
            return None
        return FolderCursor(
            uid_validity=row["uid_validity"],
            history_below=row["history_below"],
            highest_uid=row["highest_uid"],
            lowest_uid=row["lowest_uid"],
            highest_modseq=row["highest_modseq"],
            backfill_done=row["backfill_done"],
        )

    async def move_cursor(self, folder: str, cursor: FolderCursor) -> None:
        key = await self._key(folder)
        await self._fenced(lambda: self._write_cursor(key, cursor))

    async def known_uids(self, folder: str) -> Sequence[int]:
        key = await self._key(folder)
        return [row["uid"] for row in await fetch("SELECT uid FROM placements WHERE folder_id = $1", key.folder_id)]

    async def known_flags(self, folder: str, first_uid: int, last_uid: int) -> Mapping[int, frozenset[str]]:
        key = await self._key(folder)
        rows = await fetch(
            "SELECT uid, ARRAY(SELECT jsonb_array_elements_text(flags)) AS flags FROM placements "
            "WHERE folder_id = $1 AND uid BETWEEN $2 AND $3",
            key.folder_id,
            first_uid,
            last_uid,
        )
        return {row["uid"]: frozenset(row["flags"]) for row in rows}

    async def store_messages(
        self, folder: str, messages: Sequence[FetchedMessage], cursor: FolderCursor, *, arrived: bool
    ) -> None:
        key = await self._key(folder)
        read = await asyncio.to_thread(_read_all, messages)

        async def write() -> None:
            await store_fetched(key, read, arrived=arrived)
            await self._write_cursor(key, cursor)

        await self._fenced(write)

    async def apply_flags(self, folder: str, flags: Mapping[int, frozenset[str]], cursor: FolderCursor) -> None:
        key = await self._key(folder)

        async def write() -> None:
            await apply_flags(key, flags)
            await self._write_cursor(key, cursor)

        await self._fenced(write)

    async def remove_uids(self, folder: str, uids: Sequence[int], cursor: FolderCursor) -> None:
        key = await self._key(folder)

        async def write() -> None:
            await remove_placements(key, uids)
            await self._write_cursor(key, cursor)

        await self._fenced(write)

    async def reset_folder(self, folder: str) -> None:
        key = await self._key(folder)
        await self._fenced(lambda: forget_folder(key))

    async def set_aside(self, folder: str, uid: int, server_words: str) -> None:
        key = await self._key(folder)
        await execute(
            "INSERT INTO messages_set_aside (folder_id, uid, server_words, at) VALUES ($1, $2, $3, now()) "
            "ON CONFLICT (folder_id, uid) DO UPDATE SET server_words = $3, at = now()",
            key.folder_id,
            uid,
            server_words[:500],
        )

    async def report(self, state: AccountState) -> None:
        await report_state(self._lease.account_id, state_contract(self._lease.mailbox_id, state))

    async def still_leased(self) -> bool:
        return bool(
            await fetch_value(
                "SELECT 1 FROM mail_accounts WHERE id = $1 AND fence = $2 AND lease_until > now()",
                self._lease.account_id,
                self._lease.fence,
            )
        )

    async def _fenced(self, write: Callable[[], Awaitable[None]]) -> None:
        """Run a write in one action, if the lease still stands."""
        try:
            async with action(None):
                await check_fence(self._lease.account_id, self._lease.fence)
                await write()
        except StaleFence as fault:
            raise LeaseLost("the lease of the account went elsewhere") from fault

    async def _write_cursor(self, key: FolderKey, cursor: FolderCursor) -> None:
        await execute(
            "UPDATE folders SET uid_validity = $2, history_below = $3, highest_uid = $4, lowest_uid = $5, "
            "highest_modseq = $6, backfill_done = $7 WHERE id = $1",
            key.folder_id,
            cursor.uid_validity,
            cursor.history_below,
            cursor.highest_uid,
            cursor.lowest_uid,
            cursor.highest_modseq,
            cursor.backfill_done,
        )

    async def _row(self, folder: str) -> Row | None:
        return await fetch_row(
            "SELECT * FROM folders WHERE account_id = $1 AND name = $2", self._lease.account_id, folder
        )

    async def _key(self, folder: str) -> FolderKey:
        known = self._folders.get(folder)
        if known is None:
            row = await self._row(folder)
            if row is None:
                raise LeaseLost(f"the folder of account {self._lease.account_id} was removed")
            known = FolderKey(
                folder_id=row["id"],
                role=row["role"],
                account_id=self._lease.account_id,
                mailbox_id=self._lease.mailbox_id,
                fence=self._lease.fence,
            )
            self._folders[folder] = known
        return known


def _read_all(messages: Sequence[FetchedMessage]) -> list[Fetched]:
    return [
        Fetched(uid=m.uid, flags=m.flags, received_at=m.internal_date, raw=m.raw, parsed=parse_message(m.raw))
        for m in messages
    ]


def state_contract(mailbox_id: int, state: AccountState) -> contracts.AccountState:
    """The engine's state as people read it."""
    match state:
        case Connecting():
            return contracts.AccountState(mailbox_id=mailbox_id, status="connecting")
        case Syncing():
            progress = state.folders.values()
            return contracts.AccountState(
                mailbox_id=mailbox_id,
                status="syncing",
                done=sum(folder.done for folder in progress),
                total=sum(folder.total for folder in progress),
            )
        case Retrying() | NeedsYou():
            return contracts.AccountState(
                mailbox_id=mailbox_id,
                status="retrying" if isinstance(state, Retrying) else "needs_you",
                reason=state.problem.sentence,
                remedy=state.problem.remedy,
                server_words=state.problem.server_words,
            )
        case _:
            return contracts.AccountState(mailbox_id=mailbox_id, status="up_to_date", checked_at=state.at)
