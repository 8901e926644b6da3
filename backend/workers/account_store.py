"""What the IMAP engine needs from a store (sync/ports.py), on our database.

Messages are read in a thread, then stored together with the folder's cursor in one action, under the fence of this
worker's lease: a worker that slept while its account went to another writes nothing (StaleFence -> LeaseLost).
"""

import asyncio
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Literal

import asyncpg
import msgspec

from backend.accounts import contracts
from backend.accounts.actions import report_state
from backend.compose.actions.elsewhere import read_found, take_listed
from backend.database.connection import Row, execute, fetch, fetch_row, fetch_value
from backend.events.record import action
from backend.mail.actions import (
    Fetched,
    FolderKey,
    StaleFence,
    apply_flags,
    check_fence,
    forget_folder,
    recognise,
    remove_placements,
    store_fetched,
)
from backend.mail.raw import store_raws
from backend.mail.reading import Prepared
from backend.workers.reader import Reader, read_all
from sync.errors import CannotStore, LeaseLost
from sync.types import (
    DRAFT,
    AccountState,
    Census,
    Connecting,
    FetchedMessage,
    FolderCursor,
    FolderInfo,
    FolderRefusal,
    ListedMessage,
    NeedsYou,
    Retrying,
    Syncing,
    SyncPlan,
)

MESSAGE_FAULTS = (
    asyncpg.DataError,
    asyncpg.IntegrityConstraintViolationError,
    asyncpg.ProgramLimitExceededError,
    ValueError,
    LookupError,
    RecursionError,
    TypeError,
)
"""What a message can be to blame for when its batch cannot be stored. Anything else is the database's fault."""
STORE_FAULTS = (asyncpg.PostgresError, asyncpg.InterfaceError, OSError)
"""What the database can be to blame for."""


@dataclass(frozen=True, slots=True)
class Lease:
    """The right to act for an account, as long as nobody has a higher fence."""

    account_id: int
    mailbox_id: int
    fence: int


class PostgresAccountStore:
    """An `sync.ports.AccountStore` for one account, held by this worker under `lease`."""

    def __init__(self, lease: Lease, reader: Reader | None = None) -> None:
        """`reader` reads large batches in another process; without one they are read in a thread."""
        self._lease = lease
        self._reader = reader
        self._folders: dict[str, FolderKey] = {}
        self._ahead: dict[str, dict[int, tuple[FetchedMessage, Prepared]]] = {}
        """What was read of the messages that are stored next, by folder and by the message's identity here."""

    async def plan(self) -> SyncPlan:
        rows = await fetch(
            "SELECT a.history_from, f.name, f.chosen FROM mail_accounts a LEFT JOIN folders f ON f.account_id = a.id "
            "WHERE a.id = $1",
            self._lease.account_id,
        )
        return SyncPlan(
            history_from=rows[0]["history_from"] if rows else None,
            chosen={row["name"]: row["chosen"] for row in rows if row["name"] is not None},
        )

    async def folders_found(self, folders: Sequence[FolderInfo]) -> None:
        # By name: both lines of an account may list its folders at once, and servers list them in no fixed order.
        told = sorted({folder.name: folder for folder in folders}.values(), key=lambda folder: folder.name)
        names = [folder.name for folder in told]
        rows = await fetch("SELECT * FROM folders WHERE account_id = $1", self._lease.account_id)
        known = {row["name"]: row for row in rows}
        if all(_is_known(known.get(folder.name), folder) for folder in told):
            return

        async def write() -> None:
            await self._rename(folders)
            await execute(
                "INSERT INTO folders (account_id, name, role, title, selectable, gathers, object_id) SELECT $1, * FROM "
                "unnest($2::text[], $3::text[], $4::text[], $5::bool[], $6::text[], $7::text[]) "
                "ON CONFLICT (account_id, name) DO UPDATE SET role = excluded.role, title = excluded.title, "
                "selectable = excluded.selectable, gathers = excluded.gathers, "
                "object_id = coalesce(nullif(excluded.object_id, ''), folders.object_id) "
                "WHERE (folders.role, folders.title, folders.selectable, folders.gathers) "
                "<> (excluded.role, excluded.title, excluded.selectable, excluded.gathers) "
                "OR excluded.object_id NOT IN ('', folders.object_id)",
                self._lease.account_id,
                names,
                [folder.role or "" for folder in told],
                [folder.title for folder in told],
                [folder.selectable for folder in told],
                [folder.gathers for folder in told],
                [folder.object_id for folder in told],
            )
            await execute(
                "UPDATE folders f SET server_messages = coalesce(t.messages, f.server_messages), "
                "server_bytes = coalesce(t.size, f.server_bytes) FROM "
                "unnest($2::text[], $3::int[], $4::bigint[]) AS t (name, messages, size) "
                "WHERE f.account_id = $1 AND f.name = t.name "
                "AND (t.messages <> f.server_messages OR t.size <> f.server_bytes)",
                self._lease.account_id,
                names,
                [folder.messages for folder in told],
                [folder.size for folder in told],
            )

        await self._fenced(write)
        self._folders.clear()

    async def _rename(self, folders: Sequence[FolderInfo]) -> None:
        """A folder that has another name on the server keeps its messages here: MAILBOXID says that it is the same."""
        listed = [folder.name for folder in folders]
        for folder in folders:
            if folder.object_id:
                await execute(
                    "UPDATE folders SET name = $3 WHERE id = (SELECT id FROM folders WHERE account_id = $1 "
                    "AND object_id = $2 AND name <> ALL($4) LIMIT 1) "
                    "AND NOT EXISTS (SELECT 1 FROM folders WHERE account_id = $1 AND name = $3)",
                    self._lease.account_id,
                    folder.object_id,
                    folder.name,
                    listed,
                )

    async def known_folders(self) -> Mapping[str, FolderCursor | None]:
        rows = await fetch("SELECT * FROM folders WHERE account_id = $1", self._lease.account_id)
        return {row["name"]: _cursor_of(row) for row in rows}

    async def folders_gone(self, folders: Sequence[str]) -> None:
        for name in folders:
            row = await self._row(name)
            if row is None:
                continue
            key = await self._key(name)

            async def write(key: FolderKey = key) -> None:
                placed = await fetch("SELECT uid FROM placements WHERE folder_id = $1", key.folder_id)
                await remove_placements(key, [record["uid"] for record in placed])
                await execute("DELETE FROM folders WHERE id = $1", key.folder_id)

            await self._fenced(write)
            self._folders.pop(name, None)

    async def cursor(self, folder: str) -> FolderCursor | None:
        self._ahead.pop(folder, None)
        row = await self._row(folder)
        return None if row is None else _cursor_of(row)

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

    async def read_ahead(self, folder: str, messages: Sequence[FetchedMessage]) -> None:
        try:
            prepared = await self._prepare(messages)
            # The larger half of what is written, beside the batch that is stored now. Should ours never be stored,
            # bytes that nothing refers to do no harm.
            async with action(None):
                await store_raws({read.digest: each.raw for each, read in zip(messages, prepared, strict=True)})
        except (*MESSAGE_FAULTS, *STORE_FAULTS):
            return  # met again, and told, when they are stored
        ahead = self._ahead.setdefault(folder, {})
        ahead.update((id(each), (each, read)) for each, read in zip(messages, prepared, strict=True))

    async def store_messages(
        self, folder: str, messages: Sequence[FetchedMessage], cursor: FolderCursor, *, arrived: bool
    ) -> None:
        key = await self._key(folder)

        async def write() -> None:
            await store_fetched(key, read, arrived=arrived)
            await self._write_cursor(key, cursor)
            await execute(
                "DELETE FROM messages_set_aside WHERE folder_id = $1 AND uid = ANY($2)",
                key.folder_id,
                [message.uid for message in messages],
            )

        try:
            read = await self._read(folder, messages)
            await self._fenced(write)
        except MESSAGE_FAULTS as fault:
            raise CannotStore(type(fault).__name__) from fault

    async def recognise(
        self, folder: str, listed: Sequence[ListedMessage], cursor: FolderCursor, *, arrived: bool
    ) -> Sequence[int]:
        key = await self._key(folder)
        unknown: list[int] = []

        async def write() -> None:
            unknown[:] = await recognise(key, listed, arrived=arrived)
            if not unknown:
                await self._write_cursor(key, cursor)

        await self._fenced(write)
        return unknown

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
            await execute("DELETE FROM messages_set_aside WHERE folder_id = $1 AND uid = ANY($2)", key.folder_id, uids)
            await self._write_cursor(key, cursor)

        await self._fenced(write)

    async def reset_folder(self, folder: str) -> None:
        key = await self._key(folder)

        async def write() -> None:
            await forget_folder(key)
            await execute("DELETE FROM messages_set_aside WHERE folder_id = $1", key.folder_id)

        await self._fenced(write)

    async def set_aside(
        self, folder: str, uid: int, words: str, *, reason: Literal["refused", "unstorable"] = "refused"
    ) -> None:
        key = await self._key(folder)

        async def write() -> None:
            await execute(
                "INSERT INTO messages_set_aside (folder_id, uid, server_words, reason, tries, next_try_at, at) "
                "VALUES ($1, $2, $3, $4, 1, now() + interval '1 minute', now()) "
                "ON CONFLICT (folder_id, uid) DO UPDATE SET server_words = $3, reason = $4, "
                "tries = messages_set_aside.tries + 1, "
                "next_try_at = now() + least(interval '1 day', interval '1 minute' * 4 ^ messages_set_aside.tries)",
                key.folder_id,
                uid,
                words[:500],
                reason,
            )

        await self._fenced(write)

    async def uids_set_aside(self, folder: str) -> Mapping[int, bool]:
        key = await self._key(folder)
        rows = await fetch(
            "SELECT uid, next_try_at <= now() AS due FROM messages_set_aside WHERE folder_id = $1", key.folder_id
        )
        return {row["uid"]: row["due"] for row in rows}

    async def census_taken(self, folder: str, census: Census) -> None:
        key = await self._key(folder)

        async def write() -> None:
            counted = msgspec.json.encode(census).decode()
            await execute("UPDATE folders SET census = $2 WHERE id = $1", key.folder_id, counted)

        await self._fenced(write)

    async def folder_refused(self, folder: str, refusal: FolderRefusal | None) -> None:
        key = await self._key(folder)

        async def write() -> None:
            told = {} if refusal is None else msgspec.to_builtins(refusal) | {"since": refusal.at.isoformat()}
            await execute(
                "UPDATE folders SET refused = $2::jsonb || CASE WHEN $3 AND refused ? 'since' "
                "THEN jsonb_build_object('since', refused->'since') ELSE '{}' END WHERE id = $1",
                key.folder_id,
                msgspec.json.encode(told).decode(),
                refusal is not None,
            )

        await self._fenced(write)

    async def refused_folders(self) -> Collection[str]:
        rows = await fetch("SELECT name FROM folders WHERE account_id = $1 AND refused <> '{}'", self._lease.account_id)
        return [row["name"] for row in rows]

    async def counted_at(self) -> Mapping[str, datetime]:
        rows = await fetch(
            "SELECT name, (census->>'checked_at')::timestamptz AS at FROM folders "
            "WHERE account_id = $1 AND census ? 'checked_at'",
            self._lease.account_id,
        )
        return {row["name"]: row["at"] for row in rows}

    async def confirm_censuses(self, unchanged: Mapping[str, tuple[int, int]]) -> Collection[str]:
        confirmed: set[str] = set()

        async def write() -> None:
            rows = await fetch(
                "UPDATE folders f SET census = jsonb_set(f.census, '{checked_at}', to_jsonb($5::text)) "
                "FROM unnest($2::text[], $3::bigint[], $4::bigint[]) AS t (name, placed, uids) "
                "WHERE f.account_id = $1 AND f.name = t.name AND f.census ? 'checked_at' AND (t.placed, t.uids) = "
                "(SELECT count(*), coalesce(sum(p.uid), 0) FROM placements p WHERE p.folder_id = f.id) "
                "RETURNING f.name",
                self._lease.account_id,
                list(unchanged),
                [placed for placed, _ in unchanged.values()],
                [uids for _, uids in unchanged.values()],
                datetime.now(UTC).isoformat(),
            )
            confirmed.update(row["name"] for row in rows)

        await self._fenced(write)
        return confirmed

    async def known_drafts(self, folder: str, uid_validity: int) -> Collection[int]:
        rows = await fetch(
            "SELECT uid FROM draft_copies WHERE account_id = $1 AND uid_validity = $2 AND uid IS NOT NULL",
            self._lease.account_id,
            uid_validity,
        )
        return {row["uid"] for row in rows}

    async def drafts_listed(
        self, folder: str, uid_validity: int, uids: Collection[int], drafts: Sequence[FetchedMessage]
    ) -> None:
        found = [await read_found(each.uid, each.raw, flagged=DRAFT in each.flags) for each in drafts]

        async def write() -> None:
            await take_listed(self._lease.account_id, uid_validity, uids, found)

        await self._fenced(write)

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
            "highest_modseq = $6, backfill_done = $7, since = $8 WHERE id = $1",
            key.folder_id,
            cursor.uid_validity,
            cursor.history_below,
            cursor.highest_uid,
            cursor.lowest_uid,
            cursor.highest_modseq,
            cursor.backfill_done,
            cursor.since,
        )

    async def _prepare(self, messages: Sequence[FetchedMessage]) -> list[Prepared]:
        raws = [message.raw for message in messages]
        return await (self._reader.read(raws) if self._reader is not None else asyncio.to_thread(read_all, raws))

    async def _read(self, folder: str, messages: Sequence[FetchedMessage]) -> list[Fetched]:
        ahead = self._ahead.get(folder, {})
        known = [ahead.pop(id(each), None) for each in messages]
        read = [each[1] for each in known if each is not None]
        if len(read) < len(messages):
            read = await self._prepare(messages)
        return [
            Fetched(
                uid=message.uid,
                flags=message.flags,
                received_at=message.internal_date,
                raw=message.raw,
                parsed=prepared,
                email_id=message.email_id,
            )
            for message, prepared in zip(messages, read, strict=True)
        ]

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


def _cursor_of(row: Row) -> FolderCursor | None:
    if row["uid_validity"] == 0:
        return None
    return FolderCursor(
        uid_validity=row["uid_validity"],
        history_below=row["history_below"],
        highest_uid=row["highest_uid"],
        lowest_uid=row["lowest_uid"],
        highest_modseq=row["highest_modseq"],
        backfill_done=row["backfill_done"],
        since=row["since"],
    )


def _is_known(row: Row | None, told: FolderInfo) -> bool:
    """Whether the store has all that the server tells of the folder."""
    if row is None:
        return False
    named = (told.role or "", told.title, told.selectable, told.gathers)
    return (
        (row["role"], row["title"], row["selectable"], row["gathers"]) == named
        and told.object_id in ("", row["object_id"])
        and told.messages in (None, row["server_messages"])
        and told.size in (None, row["server_bytes"])
    )


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
