"""Acting for an account under a lease: every write is one action that first looks whether the lease still stands."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from backend.database.connection import Row, fetch_row, fetch_value
from backend.events.record import action
from backend.mail.fetched import FolderKey, StaleFence, check_fence
from sync.errors import LeaseLost


@dataclass(frozen=True, slots=True)
class Lease:
    """The right to act for an account, as long as nobody has a higher fence."""

    account_id: int
    mailbox_id: int
    fence: int


class Leased:
    """What is kept of one account, by the worker that holds it."""

    def __init__(self, lease: Lease) -> None:
        self._lease = lease
        self._folders: dict[str, FolderKey] = {}

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
