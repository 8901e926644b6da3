"""Connecting mail accounts, disconnecting them, and what watchers report of them."""

from datetime import timedelta
from typing import Any

import msgspec

from backend.access.asker import Asker
from backend.access.fetch import access_mailbox_settings
from backend.accounts.attempts import try_servers
from backend.accounts.checks import check_connect
from backend.accounts.contracts import AccountSettings, AccountState, AccountStateChanged, ConnectAccount, ServerCheck
from backend.accounts.credentials import Passwords, seal_passwords
from backend.accounts.queries import read_account, state_of
from backend.database.connection import Row, execute, fetch_row, fetch_value
from backend.errors import NotFound, Unacceptable
from backend.events.record import Action, action, mailbox_stream
from backend.mailboxes.contracts import MailboxChanged
from backend.mailboxes.membership import lock_mailbox, lock_memberships
from backend.mailboxes.queries import read_shared
from backend.people.audit import audit
from backend.settings import settings

ACCOUNTS_CHANNEL = "tandem_accounts"
"""Watchers hear here which account was connected, changed or removed."""
UNCHANGED_FOR = timedelta(minutes=1)
"""A report that says nothing new but a later time is written no more often than this."""


async def check_account(asker: Asker, mailbox_id: int, given: ConnectAccount) -> list[ServerCheck]:
    """Try both servers. Raises Unacceptable, TooManyAttempts, and Unavailable when no worker answers."""
    return await try_servers(asker, mailbox_id, check_connect(given))


async def connect_account(asker: Asker, mailbox_id: int, given: ConnectAccount) -> AccountSettings:
    """Try both servers, then store the account; its watcher begins at once. Again with a new password: goes on
    where it was. With another server or user name it is another account, and starts from the beginning.

    Raises Unacceptable with `details["checks"]` when a server could not be used, and like `check_account`.
    """
    wanted = check_connect(given)
    checks = await try_servers(asker, mailbox_id, wanted)
    failed = [check for check in checks if not check.ok]
    if failed:
        raise Unacceptable(failed[0].reason, failed[0].remedy, checks=checks)
    async with action(asker.user_id) as act:
        before = await _hold(asker, mailbox_id)
        if before is not None and (before["imap_host"], before["username"]) != (wanted.imap.host, wanted.username):
            await execute("DELETE FROM mail_accounts WHERE id = $1", before["id"])
            await _wake_watchers(before["id"])
            before = None
        account_id = await _store(mailbox_id, wanted)
        await _wake_watchers(account_id)
        await _tell(act, mailbox_id)
        await audit(
            asker.user_id,
            "account_connected" if before is None else "account_reauthorised",
            f"mailbox:{mailbox_id}",
            address=wanted.address,
            username=wanted.username,
            imap=wanted.imap,
            smtp=wanted.smtp,
        )
    return await read_account(mailbox_id)


async def disconnect_account(asker: Asker, mailbox_id: int) -> None:
    """Forget the account and its password, and end its watcher. The mail stays. Raises NotFound without one."""
    async with action(asker.user_id) as act:
        before = await _hold(asker, mailbox_id)
        if before is None:
            raise NotFound("This mailbox has no mail account.", "There is nothing to disconnect.")
        await execute("DELETE FROM mail_accounts WHERE id = $1", before["id"])
        await _wake_watchers(before["id"])
        await _tell(act, mailbox_id)
        await audit(asker.user_id, "account_disconnected", f"mailbox:{mailbox_id}", address=before["address"])


async def report_state(account_id: int, state: AccountState) -> None:
    """What a watcher says of its account, told to those who can open the mailbox. An account that is gone is
    passed over; so is a report that says the same again."""
    async with action(None) as act:
        row = await fetch_row("SELECT id, mailbox_id, state FROM mail_accounts WHERE id = $1 FOR UPDATE", account_id)
        if row is None or _says_nothing_new(state_of(row), state):
            return
        await execute(
            "UPDATE mail_accounts SET state = $2 WHERE id = $1", account_id, msgspec.json.encode(state).decode()
        )
        act.record(mailbox_stream(row["mailbox_id"]), AccountStateChanged(state=state))


def _says_nothing_new(before: AccountState, after: AccountState) -> bool:
    if before == after:
        return True
    if msgspec.structs.replace(before, checked_at=after.checked_at) != after:
        return False
    return bool(before.checked_at and after.checked_at and after.checked_at - before.checked_at < UNCHANGED_FOR)


async def _hold(asker: Asker, mailbox_id: int) -> Row | None:
    """Check again, now under the locks, that the person may do this; answers the account's row, locked.

    In the order of those who store mail: the account, then the mailbox."""
    await lock_memberships()
    row = await fetch_row("SELECT * FROM mail_accounts WHERE mailbox_id = $1 FOR UPDATE", mailbox_id)
    await lock_mailbox(mailbox_id)
    await access_mailbox_settings(asker, mailbox_id)
    return row


async def _store(mailbox_id: int, wanted: ConnectAccount) -> int:
    """A new row, or the same one signed in anew: without a lease holder, and with a fence that ends the old one."""
    values: dict[str, Any] = {
        "mailbox_id": mailbox_id,
        "address": wanted.address,
        "username": wanted.username,
        "imap_host": wanted.imap.host,
        "imap_port": wanted.imap.port,
        "imap_security": wanted.imap.security,
        "smtp_host": wanted.smtp.host,
        "smtp_port": wanted.smtp.port,
        "smtp_security": wanted.smtp.security,
        "smtp_username": wanted.smtp_username,
        "credentials": seal_passwords(settings(), Passwords(imap=wanted.password, smtp=wanted.smtp_password)),
        "state": msgspec.json.encode(AccountState(mailbox_id=mailbox_id, status="connecting")).decode(),
    }
    places = ", ".join(f"${number}" for number in range(1, len(values) + 1))
    changes = ", ".join(f"{column} = excluded.{column}" for column in values)
    return await fetch_value(
        f"INSERT INTO mail_accounts ({', '.join(values)}, connected_at, lease_holder, lease_until, fence) "
        f"VALUES ({places}, now(), '', now(), 0) ON CONFLICT (mailbox_id) DO UPDATE SET {changes}, "
        "lease_holder = '', lease_until = now(), fence = mail_accounts.fence + 1 RETURNING id",
        *values.values(),
    )


async def _wake_watchers(account_id: int) -> None:
    await execute("SELECT pg_notify($1, $2)", ACCOUNTS_CHANNEL, str(account_id))


async def _tell(act: Action, mailbox_id: int) -> None:
    mailbox = (await read_shared([mailbox_id]))[mailbox_id]
    act.record(mailbox_stream(mailbox_id), MailboxChanged(mailbox=mailbox))
