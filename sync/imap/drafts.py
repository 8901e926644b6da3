"""The Drafts folder of an account: small, and looked at as a whole whenever it changed.

It is not brought over like other folders: what stands in it is no mail yet. The store is told which UIDs there are, and
gets those whole that it has not looked at; what became of the others it knows by their absence.
"""

from dataclasses import dataclass, field

from sync.imap.answers import FolderStatus
from sync.imap.batches import bounded
from sync.imap.connection import Connection
from sync.imap.reader import format_number_set
from sync.ports import AccountStore

LARGEST_DRAFT = 40 * 1024 * 1024
"""Bytes; a larger one is left where it is. 25 MB of files are a third more when they are encoded."""
AT_ONCE_BYTES = 8 * 1024 * 1024
"""What is fetched with one command, unless a single draft is larger."""
MOST_DRAFTS = 200
"""New ones of one look, the newest: a folder with more is no place where somebody writes."""


@dataclass(slots=True)
class DraftsFolder:
    """What a watcher knows of it: how it stood when it was looked at last."""

    store: AccountStore
    _seen: dict[str, FolderStatus] = field(default_factory=dict)

    async def look(self, connection: Connection, name: str, status: FolderStatus | None = None) -> None:
        """Tell the store what stands there, unless nothing changed. Raises CommandRefused.

        `status` is how it stands, where that was told with the list of folders.
        """
        status = status or await connection.folder_status(name)
        if self._seen.get(name) == status:
            return
        opened = await connection.open_folder(name)
        try:
            uids = await connection.search("ALL") if opened.exists else []
            known = await self.store.known_drafts(name, opened.uid_validity)
            fresh = [uid for uid in uids if uid not in known][-MOST_DRAFTS:]
            sizes = await connection.fetch_sizes(fresh) if fresh else {}
            fitting = [uid for uid in fresh if sizes.get(uid, 0) <= LARGEST_DRAFT]
            drafts = [
                draft
                for some in bounded(fitting, sizes, most_bytes=AT_ONCE_BYTES, most=MOST_DRAFTS)
                for draft in await connection.fetch_messages(format_number_set(some))
            ]
            await self.store.drafts_listed(name, opened.uid_validity, uids, drafts)
            self._seen[name] = status  # as it stood before: what came meanwhile is seen again
        finally:
            if not connection.lost:
                await connection.close_folder()
                connection.take_changes()
