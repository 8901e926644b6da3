"""What the IMAP engine needs from a store (sync/ports.py), on our database.

Messages are read in a thread, then stored together with the folder's cursor in one action, under the fence of this
worker's lease: a worker that slept while its account went to another writes nothing (StaleFence -> LeaseLost).
"""

import asyncio
import hashlib
from collections.abc import Collection, Mapping, Sequence
from typing import Literal

import asyncpg

from backend.accounts.actions import report_state
from backend.compose.actions.elsewhere import read_found, take_listed
from backend.database.connection import execute, fetch
from backend.events.record import action
from backend.mail.actions import (
    Fetched,
    FolderKey,
    apply_flags,
    forget_folder,
    recognise,
    remove_placements,
    store_fetched,
)
from backend.mail.raw import store_raws
from backend.mail.reading import Prepared
from backend.workers.account_folders import AccountFolders, cursor_of
from backend.workers.account_lease import Lease
from backend.workers.account_state import state_contract
from backend.workers.reader import Reader, read_all
from sync.errors import CannotStore
from sync.types import DRAFT, AccountState, FetchedMessage, FolderCursor, ListedMessage

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


class PostgresAccountStore(AccountFolders):
    """An `sync.ports.AccountStore` for one account, held by this worker under `lease`."""

    def __init__(self, lease: Lease, reader: Reader | None = None) -> None:
        """`reader` reads large batches in another process; without one they are read in a thread."""
        super().__init__(lease)
        self._reader = reader
        self._ahead: dict[str, dict[int, tuple[FetchedMessage, Prepared]]] = {}
        """What was read of the messages that are stored next, by folder and by the message's identity here."""

    async def cursor(self, folder: str) -> FolderCursor | None:
        self._ahead.pop(folder, None)
        row = await self._row(folder)
        return None if row is None else cursor_of(row)

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
        # Their bytes, the larger half of what is written, are stored beside the reading, and beside the batch that is
        # stored now. Should ours never be stored, bytes that nothing refers to do no harm.
        keeping = asyncio.create_task(_keep_bytes(messages))
        try:
            try:
                prepared = await self._prepare(messages)
            finally:
                await keeping
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
            await self._write_cursor(key, cursor, settled=[message.uid for message in messages])

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
            await self._write_cursor(key, cursor, settled=uids)

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

    async def _write_cursor(self, key: FolderKey, cursor: FolderCursor, settled: Sequence[int] = ()) -> None:
        """The cursor as it stands now; what was set aside of the `settled` UIDs is so no more."""
        await execute(
            "WITH settled AS (DELETE FROM messages_set_aside WHERE folder_id = $1 AND uid = ANY($9)) "
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
            settled,
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


async def _keep_bytes(messages: Sequence[FetchedMessage]) -> None:
    raws = [each.raw for each in messages]
    digests = await asyncio.to_thread(lambda: [hashlib.sha256(raw).hexdigest() for raw in raws])
    async with action(None):
        await store_raws(dict(zip(digests, raws, strict=True)))
