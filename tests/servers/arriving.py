"""A folder of a mailbox as its watcher sees it: mail comes in batches, flags change, messages go.

For tests about what happens after a mail was fetched; `delivery.deliver` is the short way for a single one. Tests about
fetching use a real Dovecot.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from backend.database.connection import execute
from backend.mail.actions import Fetched, FolderKey, apply_flags, remove_placements, settle_removed, store_fetched
from sync.mime.parse import parse_message
from tests.servers.delivery import folder_of


def message_id_of(raw: bytes) -> str:
    """The Message-ID, with its brackets."""
    return f"<{parse_message(raw).message_id}>"


@dataclass
class Arriving:
    """The Inbox of one mailbox, as a watcher sees it."""

    folder: FolderKey
    _next_uid: int = field(default=1)

    @classmethod
    async def into(cls, mailbox_id: int, role: str = "inbox") -> "Arriving":
        """Connect the mailbox to an account that nobody watches."""
        return cls(await folder_of(mailbox_id, role))

    async def deliver(
        self, *raws: bytes, arrived: bool = True, flags: Sequence[str] = (), received_at: datetime | None = None
    ) -> list[int]:
        """Store these messages in one batch; answers their UIDs."""
        batch = [
            Fetched(
                uid=self._next_uid + number,
                flags=frozenset(flags),
                received_at=received_at or datetime.now(UTC) + timedelta(milliseconds=number),
                raw=raw,
                parsed=parse_message(raw),
            )
            for number, raw in enumerate(raws)
        ]
        self._next_uid += len(batch)
        await store_fetched(self.folder, batch, arrived=arrived)
        return [each.uid for each in batch]

    async def flag(self, uid: int, *flags: str) -> None:
        """Another mail program set exactly these flags."""
        await apply_flags(self.folder, {uid: frozenset(flags)})

    async def expunge(self, *uids: int) -> None:
        """Another mail program deleted these messages, and the time of grace is over."""
        await remove_placements(self.folder, uids)
        await settle_removed(self.folder.mailbox_id, 0)

    async def lose_lease(self) -> None:
        """Another worker took the account."""
        await execute("UPDATE mail_accounts SET fence = fence + 1 WHERE id = $1", self.folder.account_id)
