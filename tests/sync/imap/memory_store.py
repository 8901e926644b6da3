"""An AccountStore in memory: it keeps what the engine hands over, and checks that the engine keeps its promises."""

import asyncio
import time
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Literal

from sync.errors import CannotStore
from sync.types import (
    AccountState,
    Census,
    FetchedMessage,
    FolderCursor,
    FolderInfo,
    FolderRefusal,
    ListedMessage,
    SyncPlan,
)


@dataclass
class StoredFolder:
    """What is known of one folder."""

    cursor: FolderCursor | None = None
    messages: dict[int, FetchedMessage] = field(default_factory=dict)
    flags: dict[int, frozenset[str]] = field(default_factory=dict)
    arrived: dict[int, bool] = field(default_factory=dict)
    order: list[int] = field(default_factory=list)
    stored_at: dict[int, float] = field(default_factory=dict)
    set_aside: dict[int, str] = field(default_factory=dict)
    reasons: dict[int, str] = field(default_factory=dict)
    census: Census | None = None
    refused: FolderRefusal | None = None
    resets: int = 0


class MemoryStore:
    """Implements sync.ports.AccountStore. `leased = False` takes the lease away; `fail` raises at the next write.

    `wanted` is the plan; `poison` are bytes that no message may hold to be stored; `due` lets what was set aside be
    tried again. What it ever saw it recognises, as the database does: by email_id, or by header and size. Old mail
    waits to be stored while `history_may_come` is cleared.
    """

    def __init__(self) -> None:
        self.folders: dict[str, StoredFolder] = {}
        self.listed: list[FolderInfo] = []
        self.states: list[AccountState] = []
        self.leased = True
        self.fail: Exception | None = None
        self.calls: list[str] = []
        self.wanted = SyncPlan()
        self.poison: bytes | None = None
        self.due = False
        self.history_may_come = asyncio.Event()
        self.history_may_come.set()
        self.seen: list[FetchedMessage] = []
        self.drafts: dict[int, bytes] = {}
        self.drafts_validity = 0
        self.drafts_fetched: list[int] = []
        self.recognised: list[tuple[str, int]] = []
        self._changed = asyncio.Event()

    def folder(self, name: str = "INBOX") -> StoredFolder:
        return self.folders.setdefault(name, StoredFolder())

    async def until(self, condition: Callable[[], object], timeout: float = 10) -> None:
        """Wait until something that the engine did makes the condition true; fails with the last state told."""
        try:
            async with asyncio.timeout(timeout):
                while not condition():
                    self._changed.clear()
                    await self._changed.wait()
        except TimeoutError:
            raise AssertionError(f"did not happen; last states {self.states[-3:]}, calls {self.calls[-10:]}") from None

    async def folders_found(self, folders: Sequence[FolderInfo]) -> None:
        self.listed = list(folders)
        self._note("folders_found")

    async def plan(self) -> SyncPlan:
        return self.wanted

    async def known_folders(self) -> Mapping[str, FolderCursor | None]:
        names = {folder.name for folder in self.listed} | self.folders.keys()
        return {name: self.folders[name].cursor if name in self.folders else None for name in names}

    async def folders_gone(self, folders: Sequence[str]) -> None:
        self._write(f"folders_gone {' '.join(folders)}")
        for name in folders:
            self.folders.pop(name, None)

    async def cursor(self, folder: str) -> FolderCursor | None:
        return self.folder(folder).cursor

    async def move_cursor(self, folder: str, cursor: FolderCursor) -> None:
        self._write(f"move_cursor {folder}")
        self._check_stretch(folder, cursor)
        self.folder(folder).cursor = cursor

    async def known_uids(self, folder: str) -> Sequence[int]:
        return list(self.folder(folder).messages)

    async def known_flags(self, folder: str, first_uid: int, last_uid: int) -> Mapping[int, frozenset[str]]:
        flags = self.folder(folder).flags
        return {uid: flags[uid] for uid in flags if first_uid <= uid <= last_uid}

    async def read_ahead(self, folder: str, messages: Sequence[FetchedMessage]) -> None:
        self._note(f"read_ahead {folder} {len(messages)}")

    async def store_messages(
        self, folder: str, messages: Sequence[FetchedMessage], cursor: FolderCursor, *, arrived: bool
    ) -> None:
        if not arrived:
            await self.history_may_come.wait()
        self._write(f"store_messages {folder} {len(messages)}")
        if self.poison is not None and any(self.poison in message.raw for message in messages):
            raise CannotStore("poison")
        self._check_stretch(folder, cursor)
        kept = self.folder(folder)
        for message in messages:
            kept.set_aside.pop(message.uid, None)
            if message.uid in kept.messages:
                continue
            kept.messages[message.uid] = message
            kept.flags[message.uid] = message.flags
            kept.arrived[message.uid] = arrived
            kept.order.append(message.uid)
            kept.stored_at[message.uid] = time.perf_counter()
            self.seen.append(message)
        kept.cursor = cursor

    async def recognise(
        self, folder: str, listed: Sequence[ListedMessage], cursor: FolderCursor, *, arrived: bool
    ) -> Sequence[int]:
        self._write(f"recognise {folder} {len(listed)}")
        kept = self.folder(folder)
        unknown: list[int] = []
        for message in listed:
            same = next((each for each in self.seen if _same(message, each)), None)
            if message.uid in kept.messages:
                continue
            if same is None:
                unknown.append(message.uid)
                continue
            self.recognised.append((folder, message.uid))
            kept.messages[message.uid] = same
            kept.flags[message.uid] = message.flags
            kept.arrived[message.uid] = arrived
            kept.order.append(message.uid)
        if not unknown:
            self._check_stretch(folder, cursor)
            kept.cursor = cursor
        return unknown

    async def apply_flags(self, folder: str, flags: Mapping[int, frozenset[str]], cursor: FolderCursor) -> None:
        self._write(f"apply_flags {folder} {len(flags)}")
        kept = self.folder(folder)
        kept.flags.update({uid: flags[uid] for uid in flags if uid in kept.messages})
        kept.cursor = cursor

    async def remove_uids(self, folder: str, uids: Sequence[int], cursor: FolderCursor) -> None:
        self._write(f"remove_uids {folder} {len(uids)}")
        kept = self.folder(folder)
        for uid in uids:
            kept.messages.pop(uid, None)
            kept.flags.pop(uid, None)
            kept.set_aside.pop(uid, None)
        kept.cursor = cursor

    async def reset_folder(self, folder: str) -> None:
        self._write(f"reset_folder {folder}")
        kept = StoredFolder(resets=self.folder(folder).resets + 1)
        self.folders[folder] = kept

    async def set_aside(
        self, folder: str, uid: int, words: str, *, reason: Literal["refused", "unstorable"] = "refused"
    ) -> None:
        self._write(f"set_aside {folder} {uid}")
        self.folder(folder).set_aside[uid] = words
        self.folder(folder).reasons[uid] = reason

    async def uids_set_aside(self, folder: str) -> Mapping[int, bool]:
        return dict.fromkeys(self.folder(folder).set_aside, self.due)

    async def census_taken(self, folder: str, census: Census) -> None:
        self._write(f"census_taken {folder}")
        self.folder(folder).census = census

    async def folder_refused(self, folder: str, refusal: FolderRefusal | None) -> None:
        self._write(f"folder_refused {folder}")
        self.folder(folder).refused = refusal

    async def refused_folders(self) -> Collection[str]:
        return [name for name, kept in self.folders.items() if kept.refused is not None]

    async def counted_at(self) -> Mapping[str, datetime]:
        return {name: kept.census.checked_at for name, kept in self.folders.items() if kept.census is not None}

    async def confirm_censuses(self, unchanged: Mapping[str, tuple[int, int]]) -> Collection[str]:
        self._write(f"confirm_censuses {' '.join(sorted(unchanged))}")
        same: list[str] = []
        for name, placed in unchanged.items():
            kept = self.folder(name)
            if kept.census is not None and (len(kept.messages), sum(kept.messages)) == placed:
                kept.census = replace(kept.census, checked_at=datetime.now(UTC))
                same.append(name)
        return same

    async def known_drafts(self, folder: str, uid_validity: int) -> Collection[int]:
        return [uid for uid in self.drafts if self.drafts_validity == uid_validity]

    async def drafts_listed(
        self, folder: str, uid_validity: int, uids: Collection[int], drafts: Sequence[FetchedMessage]
    ) -> None:
        self._write("drafts_listed")
        if self.drafts_validity != uid_validity:
            self.drafts.clear()
        self.drafts_validity = uid_validity
        self.drafts_fetched += [draft.uid for draft in drafts]
        self.drafts.update((draft.uid, draft.raw) for draft in drafts)
        self.drafts = {uid: raw for uid, raw in self.drafts.items() if uid in set(uids)}

    async def report(self, state: AccountState) -> None:
        self.states.append(state)
        self._note("report")

    async def still_leased(self) -> bool:
        return self.leased

    def _check_stretch(self, folder: str, cursor: FolderCursor) -> None:
        """A cursor only ever grows its stretch, within one UIDVALIDITY."""
        before = self.folder(folder).cursor
        assert cursor.lowest_uid <= cursor.highest_uid + 1
        if before is not None:
            assert cursor.uid_validity == before.uid_validity
            assert cursor.highest_uid >= before.highest_uid
            assert cursor.lowest_uid <= before.lowest_uid
            assert cursor.history_below == before.history_below

    def _write(self, call: str) -> None:
        if self.fail is not None:
            failure, self.fail = self.fail, None
            raise failure
        self._note(call)

    def _note(self, call: str) -> None:
        self.calls.append(call)
        asyncio.get_running_loop().call_soon(self._changed.set)


def _same(listed: ListedMessage, stored: FetchedMessage) -> bool:
    if listed.email_id:
        return listed.email_id == stored.email_id
    return listed.size == stored.size and stored.raw.startswith(listed.header) and b"Message-ID" in listed.header
