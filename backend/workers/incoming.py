"""Watching mail accounts: which of them this worker holds, and one engine for each.

A lease on an account is a row's `lease_holder`, `lease_until` and `fence`. Every few seconds a worker renews its own
leases and takes those that ran out; taking one raises the fence. Whoever slept past its lease finds the fence moved at
its next write, and stops. So two workers may believe for a moment that they hold an account, and only one can write.
"""

import asyncio
import logging
import os
import secrets
import socket
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

import asyncpg
import msgspec

from backend.compose import copies
from backend.database.connection import end_if_cancelled, engine, execute, fetch
from backend.errors import TandemError
from backend.mail import intents
from backend.workers.account_lease import Lease
from backend.workers.account_store import PostgresAccountStore
from backend.workers.logins import mail_login
from backend.workers.reader import Reader
from sync.errors import LeaseLost
from sync.imap.account import AccountWatcher

log = logging.getLogger(__name__)

ACCOUNTS_CHANNEL = "tandem_accounts"
"""NOTIFY here with an account's id when it was connected, changed or removed; empty: look at all."""
COUNT = "count "
"""Before the id: its folders are to be counted now (`tandem census`)."""
MOVED = "moved "
"""Before the account's id and the UIDs that moved mail has now, by folder, as JSON: looked at once more."""
MOST_TOLD = 7_500
"""Bytes of a NOTIFY (PostgreSQL takes 8,000). Of more moves at once, the census finds out."""
LEASE_SECONDS = 22
"""With the pause between two looks, an account of a worker that died moves to another within 30 s."""
RENEW_SECONDS = 5.0
MOST_ACCOUNTS = 300
"""Held by one worker at once."""


@dataclass(slots=True)
class _Watch:
    lease: Lease
    watcher: AccountWatcher
    task: asyncio.Task[None]


async def look_again(account_id: int, moved: Mapping[str, Collection[int]]) -> None:
    """Let whoever watches the account look once more, in a moment, where mail was moved to: UIDs by folder."""
    told = msgspec.json.encode({folder: sorted(uids) for folder, uids in moved.items()}).decode()
    payload = f"{MOVED}{account_id} {told}"
    if moved and len(payload.encode()) <= MOST_TOLD:
        await execute("SELECT pg_notify($1, $2)", ACCOUNTS_CHANNEL, payload)


class Watchers:
    """All the accounts that this worker watches."""

    def __init__(self) -> None:
        self.name = f"{socket.gethostname()}:{os.getpid()}:{secrets.token_hex(4)}"
        self._watches: dict[int, _Watch] = {}
        self._look = asyncio.Event()
        self._changed: set[int] = set()
        self._reader = Reader()
        self._task: asyncio.Task[None] | None = None

    async def start(self) -> None:
        self._task = asyncio.create_task(self._run(), name="account watchers")

    async def stop(self) -> None:
        """End every watch and give the leases back, so that another worker goes on at once."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
        held = list(self._watches)
        for account_id in held:
            await self._end(account_id)
        await self._reader.close()
        await execute(
            "UPDATE mail_accounts SET lease_until = now() WHERE lease_holder = $1 AND id = ANY($2)", self.name, held
        )
        await execute("SELECT pg_notify($1, '')", ACCOUNTS_CHANNEL)

    async def _run(self) -> None:
        while True:
            try:
                listener = await engine.get_new_connection()
                try:
                    await listener.add_listener(ACCOUNTS_CHANNEL, self._on_change)
                    while not listener.is_closed():
                        await self._look_round()
                        await self._sleep()
                finally:
                    await listener.close(timeout=2)
            except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError, TimeoutError) as fault:
                end_if_cancelled()
                log.warning("Account leases could not be renewed (%s); trying again.", type(fault).__name__)
                await asyncio.sleep(1)

    def _on_change(self, _connection: object, _pid: int, _channel: str, payload: str) -> None:
        if payload.startswith(COUNT):
            watch = self._watches.get(int(payload.removeprefix(COUNT)))
            if watch is not None:
                watch.watcher.count()
            return
        if payload.startswith(MOVED):
            account_id, _, moved = payload.removeprefix(MOVED).partition(" ")
            watch = self._watches.get(int(account_id))
            if watch is not None:
                watch.watcher.look_again(msgspec.json.decode(moved, type=dict[str, list[int]]))
            return
        if payload.isdecimal():
            self._changed.add(int(payload))
        self._look.set()

    async def _sleep(self) -> None:
        try:
            async with asyncio.timeout(RENEW_SECONDS):
                await self._look.wait()
        except TimeoutError:
            return  # time to renew
        self._look.clear()

    async def _look_round(self) -> None:
        """Renew what is held, end what was lost, take what is free."""
        changed, self._changed = self._changed, set()
        ended = [account_id for account_id in changed if await self._end(account_id)]
        if ended:
            await execute(
                "UPDATE mail_accounts SET lease_until = now() WHERE id = ANY($1) AND lease_holder = $2",
                ended,
                self.name,
            )
        renewed = await self._renew([watch.lease for watch in self._watches.values()])
        for account_id, watch in list(self._watches.items()):
            if watch.task.done() or account_id not in renewed:
                await self._end(account_id)
        free = await fetch(
            "UPDATE mail_accounts SET lease_holder = $1, lease_until = now() + make_interval(secs => $2), "
            "fence = fence + 1 WHERE id IN (SELECT id FROM mail_accounts WHERE (lease_until <= now() "
            # One that could not be opened, and has changed since, is tried again at once.
            "OR lease_holder = $1 AND id = ANY($4)) AND paused_at IS NULL ORDER BY id LIMIT $3 FOR UPDATE SKIP LOCKED) "
            "RETURNING id, mailbox_id, fence, connected_at",
            self.name,
            float(LEASE_SECONDS),
            max(0, MOST_ACCOUNTS - len(self._watches)),
            list(changed),
        )
        for row in free:
            await self._begin(Lease(row["id"], row["mailbox_id"], row["fence"]), row["connected_at"])

    async def _renew(self, leases: Sequence[Lease]) -> set[int]:
        """The accounts of those leases that still stood.

        All at once but for those whose mail is being stored: they are waited for, one by one, holding no other.
        """
        renewed = await self._renew_those(leases, "SKIP LOCKED") if leases else set[int]()
        for lease in leases:
            if lease.account_id not in renewed:
                renewed |= await self._renew_those([lease], "")
        return renewed

    async def _renew_those(self, leases: Sequence[Lease], locked: str) -> set[int]:
        rows = await fetch(
            "UPDATE mail_accounts SET lease_until = now() + make_interval(secs => $3) WHERE id IN ("
            "SELECT a.id FROM mail_accounts a JOIN unnest($1::bigint[], $2::bigint[]) AS t (id, fence) "
            f"ON a.id = t.id AND a.fence = t.fence WHERE a.lease_until > now() FOR NO KEY UPDATE OF a {locked}) "
            "RETURNING id",
            [lease.account_id for lease in leases],
            [lease.fence for lease in leases],
            float(LEASE_SECONDS),
        )
        return {row["id"] for row in rows}

    async def _begin(self, lease: Lease, connected_at: datetime) -> None:
        await self._end(lease.account_id)
        try:
            imap, _smtp = await mail_login(lease.account_id)
        except TandemError:
            # One account whose password cannot be opened keeps back no other; it is tried again with its next lease.
            log.exception("Account %s cannot be watched.", lease.account_id)
            return
        watcher = AccountWatcher(imap, PostgresAccountStore(lease, self._reader), connected_at=connected_at)
        task = asyncio.create_task(self._watch(watcher, lease), name=f"account {lease.account_id}")
        self._watches[lease.account_id] = _Watch(lease, watcher, task)
        # What could not be carried over while nobody watched it.
        await intents.look_again(lease.account_id)
        await copies.look_again(lease.account_id)

    async def _watch(self, watcher: AccountWatcher, lease: Lease) -> None:
        try:
            await watcher.run()
        except LeaseLost:
            log.info("Account %s is watched elsewhere now.", lease.account_id)
        except Exception:
            log.exception("The watcher of account %s failed; it is started again.", lease.account_id)
            await execute(
                "UPDATE mail_accounts SET lease_until = now() WHERE id = $1 AND fence = $2",
                lease.account_id,
                lease.fence,
            )

    async def _end(self, account_id: int) -> bool:
        """End the watch, if there is one; answers whether there was."""
        watch = self._watches.pop(account_id, None)
        if watch is not None:
            watch.task.cancel()
            await asyncio.gather(watch.task, return_exceptions=True)
        return watch is not None
