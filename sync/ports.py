"""What the IMAP engine needs from a store. The engine calls; somebody with a database implements.

One `AccountStore` serves one account and one watcher. Folders are named by `FolderInfo.name`. Within a folder
the engine never makes two calls at once, but calls for different folders may overlap, so each call takes its
own transaction. Any exception raised here ends the watcher's connection and is retried with back-off, except
`LeaseLost`, which ends the watcher, and `CannotStore`, which says that it is the messages' own fault.
"""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Literal, Protocol

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


class AccountStore(Protocol):
    """Where an account's folders, messages, flags and cursors are kept, and where its state is shown."""

    async def plan(self) -> SyncPlan:
        """What is to be brought over."""
        ...

    async def folders_found(self, folders: Sequence[FolderInfo]) -> None:
        """Every folder of the account, as just listed. One with a known `object_id` and another name was renamed.

        Those that are known and not listed are left alone: they may be missing by accident (`folders_gone`).
        """
        ...

    async def known_folders(self) -> Mapping[str, FolderCursor | None]:
        """Every folder that is known, listed or not, with the cursor last stored for it."""
        ...

    async def folders_gone(self, folders: Sequence[str]) -> None:
        """The server says that these folders do not exist. Their messages may stand in others: keep the bytes."""
        ...

    async def cursor(self, folder: str) -> FolderCursor | None:
        """The cursor last stored with the folder; None when it has never been synchronised, or was reset."""
        ...

    async def move_cursor(self, folder: str, cursor: FolderCursor) -> None:
        """Store a cursor that moves without messages (a modseq, an empty folder, the end of the backfill)."""
        ...

    async def known_uids(self, folder: str) -> Sequence[int]:
        """The UIDs of all messages placed in the folder, in any order."""
        ...

    async def known_flags(self, folder: str, first_uid: int, last_uid: int) -> Mapping[int, frozenset[str]]:
        """The flags last told by the server for the messages with first_uid <= UID <= last_uid."""
        ...

    async def read_ahead(self, folder: str, messages: Sequence[FetchedMessage]) -> None:
        """These messages are stored next: what can be done before their turn may be done now. Raises nothing."""
        ...

    async def store_messages(
        self, folder: str, messages: Sequence[FetchedMessage], cursor: FolderCursor, *, arrived: bool
    ) -> None:
        """Store messages, newest first when `arrived` is False, together with the cursor, in one transaction.

        A message whose UID is already placed in the folder must be passed over (work is repeated after a
        crash); one that was set aside no longer is. `arrived` is False for history: mail that was there before the
        account was connected. Raises CannotStore when one of the messages is the reason, and then stores nothing:
        the engine finds out which, and sets it aside.
        """
        ...

    async def recognise(
        self, folder: str, listed: Sequence[ListedMessage], cursor: FolderCursor, *, arrived: bool
    ) -> Sequence[int]:
        """Place those messages that the mailbox already has, without their bodies; answers the UIDs to be fetched.

        The same is what the server calls the same (`email_id`); or what has the same Message-ID and size and begins
        with exactly these header bytes. When nothing is left to be fetched, `cursor` is stored too, else not.
        """
        ...

    async def apply_flags(self, folder: str, flags: Mapping[int, frozenset[str]], cursor: FolderCursor) -> None:
        """Flags as they now stand on the server, with the cursor. UIDs that are not in the store are passed
        over.
        """
        ...

    async def remove_uids(self, folder: str, uids: Sequence[int], cursor: FolderCursor) -> None:
        """These messages are no longer in the folder. They may be in another one: keep the bytes."""
        ...

    async def reset_folder(self, folder: str) -> None:
        """UIDVALIDITY changed (RFC 9051 section 2.3.1.1): forget the cursor and all placements, keep the
        messages.

        The folder is then synchronised from the start; a message that is recognised takes its new UID.
        """
        ...

    async def set_aside(
        self, folder: str, uid: int, words: str, *, reason: Literal["refused", "unstorable"] = "refused"
    ) -> None:
        """This message is passed over for now, shown as such, and due again later, later each time.

        refused: the server lists it and does not hand it over (`words` are the server's); unstorable: it could not
        be stored here.
        """
        ...

    async def uids_set_aside(self, folder: str) -> Mapping[int, bool]:
        """The UIDs that are set aside in the folder, and whether each is due to be tried again."""
        ...

    async def census_taken(self, folder: str, census: Census) -> None:
        """The folder was counted: what people see of its completeness."""
        ...

    async def folder_refused(self, folder: str, refusal: FolderRefusal | None) -> None:
        """The server does not let us read this folder; None: it does now."""
        ...

    async def refused_folders(self) -> Collection[str]:
        """The folders that are noted as refused."""
        ...

    async def counted_at(self) -> Mapping[str, datetime]:
        """When each folder was last counted; those that never were are missing."""
        ...

    async def confirm_censuses(self, unchanged: Mapping[str, tuple[int, int]]) -> Collection[str]:
        """The server holds in these folders what it held at their last count.

        Where as many messages are placed here as then, with the same sum of UIDs (by folder: number and sum), that
        count holds for this moment too. Answers those folders.
        """
        ...

    async def known_drafts(self, folder: str, uid_validity: int) -> Collection[int]:
        """The UIDs in the Drafts folder that were handed over before, under this UIDVALIDITY."""
        ...

    async def drafts_listed(
        self, folder: str, uid_validity: int, uids: Collection[int], drafts: Sequence[FetchedMessage]
    ) -> None:
        """The Drafts folder holds these UIDs and no others; those of them that were not known come whole."""
        ...

    async def report(self, state: AccountState) -> None:
        """The account's state changed: what people see of it. Called at most a few times a second."""
        ...

    async def still_leased(self) -> bool:
        """Whether this process may still act for the account. False ends the watcher at once."""
        ...
