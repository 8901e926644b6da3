"""Connecting mail accounts, pausing and disconnecting them, and what watchers report of them."""

from datetime import timedelta
from typing import Any, Literal

import msgspec

from backend.access.asker import Asker
from backend.access.fetch import access_mailbox_settings
from backend.accounts.attempts import Attempt, Outcome, TriedFolder, try_servers
from backend.accounts.checks import check_connect
from backend.accounts.contracts import (
    AccountSettings,
    AccountState,
    AccountStateChanged,
    ConnectAccount,
    ServerCheck,
    SignIn,
)
from backend.accounts.credentials import Passwords, seal_passwords
from backend.accounts.queries import NOT_BEGUN, PAUSED, read_account, state_of
from backend.database.connection import Row, execute, execute_many, fetch_row, fetch_value
from backend.errors import NotFound, Unacceptable
from backend.events.record import Action, action, mailbox_stream
from backend.jobs import enqueue
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
    return (await try_servers(asker, mailbox_id, Attempt(check_connect(given)))).checks


async def connect_account(asker: Asker, mailbox_id: int, given: ConnectAccount) -> AccountSettings:
    """Try both servers, then store the account; its watcher begins at once. Again with a new password: goes on
    where it was. With another server or user name it is another account, and starts from the beginning.

    Raises Unacceptable with `details["checks"]` when a server could not be used, and like `check_account`.
    """
    wanted = check_connect(given)
    tried = await try_servers(asker, mailbox_id, Attempt(wanted))
    passwords = Passwords(imap=wanted.password, smtp=wanted.smtp_password)
    return await store_account(asker, mailbox_id, wanted, tried, passwords, "password")


async def store_account(
    asker: Asker, mailbox_id: int, wanted: ConnectAccount, tried: Outcome, passwords: Passwords, sign_in: SignIn
) -> AccountSettings:
    """Store what was tried. A new account that is not to begin yet waits, paused, for its plan."""
    if tried.failed is not None:
        raise Unacceptable(tried.failed.reason, tried.failed.remedy, checks=tried.checks)
    async with action(asker.user_id) as act:
        before = await hold_account(asker, mailbox_id)
        if before is not None and (before["imap_host"], before["username"]) != (wanted.imap.host, wanted.username):
            await _forget(before)
            before = None
        account_id = await _store(mailbox_id, wanted, passwords, sign_in, before)
        await _store_folders(account_id, tried.folders)
        if await fetch_value("SELECT 1 FROM messages WHERE mailbox_id = $1 AND hidden LIMIT 1", mailbox_id):
            # What an earlier account's plan left out: this one's decides now.
            await enqueue("hide_and_show", account_id=account_id)
        await wake_watchers(account_id)
        await tell_mailbox(act, mailbox_id)
        await audit(
            asker.user_id,
            "account_connected" if before is None else "account_reauthorised",
            f"mailbox:{mailbox_id}",
            address=wanted.address,
            username=wanted.username,
            imap=wanted.imap,
            smtp=wanted.smtp,
            sign_in=sign_in,
        )
    return await read_account(mailbox_id)


async def disconnect_account(
    asker: Asker, mailbox_id: int, *, mail: Literal["keep", "remove"] = "keep", name: str = ""
) -> None:
    """Forget the account and its password, and end its watcher. The mail stays, or is removed from here in the
    background; then `name` repeats the mailbox's name. The mail on the server stays in any case.

    Raises NotFound without an account, Unacceptable for another name.
    """
    async with action(asker.user_id) as act:
        before = await hold_account(asker, mailbox_id)
        if before is None:
            raise _no_account()
        mailbox = (await read_shared([mailbox_id]))[mailbox_id]
        if mail == "remove" and name.strip() != mailbox.name:
            sentence = "This is not the mailbox's name."
            remedy = f"Type {mailbox.name} to remove its mail from here."
            raise Unacceptable(sentence, remedy, fields={"name": sentence})
        await _forget(before)
        if mail == "remove":
            newest = await fetch_value("SELECT max(id) FROM messages WHERE mailbox_id = $1", mailbox_id)
            await enqueue("remove_mail", mailbox_id=mailbox_id, up_to=newest or 0)
        await tell_mailbox(act, mailbox_id)
        await audit(
            asker.user_id, "account_disconnected", f"mailbox:{mailbox_id}", address=before["address"], mail=mail
        )


async def pause_account(asker: Asker, mailbox_id: int) -> AccountSettings:
    """Nobody fetches for it until it is resumed. Raises NotFound without an account."""
    async with action(asker.user_id) as act:
        before = await hold_account(asker, mailbox_id)
        if before is None:
            raise _no_account()
        if before["paused_at"] is None:
            await execute(
                "UPDATE mail_accounts SET paused_at = now(), state = $2, lease_holder = '', lease_until = now(), "
                "fence = fence + 1 WHERE id = $1",
                before["id"],
                encode_state(msgspec.structs.replace(PAUSED, mailbox_id=mailbox_id)),
            )
            await wake_watchers(before["id"])
            await tell_mailbox(act, mailbox_id)
            await audit(asker.user_id, "account_paused", f"mailbox:{mailbox_id}")
    return await read_account(mailbox_id)


async def resume_account(asker: Asker, mailbox_id: int) -> AccountSettings:
    """Fetch again, from where it stopped. Raises NotFound without an account."""
    async with action(asker.user_id) as act:
        before = await hold_account(asker, mailbox_id)
        if before is None:
            raise _no_account()
        if before["paused_at"] is not None:
            await resume(before)
            await wake_watchers(before["id"])
            await tell_mailbox(act, mailbox_id)
            await audit(asker.user_id, "account_resumed", f"mailbox:{mailbox_id}")
    return await read_account(mailbox_id)


async def resume(account: Row) -> None:
    """Let watchers take the account: who does carries over what was done here meanwhile.

    One that begins only now counts as connected now: older mail is history.
    """
    await execute(
        "UPDATE mail_accounts SET connected_at = CASE WHEN paused_at = connected_at THEN now() ELSE connected_at END, "
        "paused_at = NULL, state = $2, lease_until = now() WHERE id = $1",
        account["id"],
        encode_state(AccountState(mailbox_id=account["mailbox_id"], status="connecting")),
    )


async def report_state(account_id: int, state: AccountState) -> None:
    """What a watcher says of its account, told to those who can open the mailbox. An account that is gone or paused is
    passed over; so is a report that says the same again."""
    asked = "SELECT id, mailbox_id, state, paused_at FROM mail_accounts WHERE id = $1"
    if not _is_news(await fetch_row(asked, account_id), state):
        return  # most reports: spares them a transaction
    async with action(None) as act:
        row = await fetch_row(f"{asked} FOR UPDATE", account_id)
        if row is None or not _is_news(row, state):
            return
        await execute("UPDATE mail_accounts SET state = $2 WHERE id = $1", account_id, encode_state(state))
        act.record(mailbox_stream(row["mailbox_id"]), AccountStateChanged(state=state))


def _is_news(account: Row | None, state: AccountState) -> bool:
    return account is not None and account["paused_at"] is None and not _says_nothing_new(state_of(account), state)


def _says_nothing_new(before: AccountState, after: AccountState) -> bool:
    if before == after:
        return True
    if msgspec.structs.replace(before, checked_at=after.checked_at) != after:
        return False
    return bool(before.checked_at and after.checked_at and after.checked_at - before.checked_at < UNCHANGED_FOR)


def _no_account() -> NotFound:
    return NotFound("This mailbox has no mail account.", "Connect one in the mailbox's settings.")


async def hold_account(asker: Asker, mailbox_id: int) -> Row | None:
    """Check again, now under the locks, that the person may do this; answers the account's row, locked.

    In the order of those who store mail: the account, then the mailbox."""
    await lock_memberships()
    row = await fetch_row("SELECT * FROM mail_accounts WHERE mailbox_id = $1 FOR UPDATE", mailbox_id)
    await lock_mailbox(mailbox_id)
    await access_mailbox_settings(asker, mailbox_id)
    return row


async def _forget(account: Row) -> None:
    await execute("DELETE FROM mail_accounts WHERE id = $1", account["id"])
    await wake_watchers(account["id"])


async def _store(
    mailbox_id: int, wanted: ConnectAccount, passwords: Passwords, sign_in: SignIn, before: Row | None
) -> int:
    """A new row, or the same one signed in anew: without a lease holder, and with a fence that ends the old one.

    What was paused stays so. `paused_at` of one that has not begun is exactly its `connected_at`.
    """
    waits = not wanted.begin if before is None else before["paused_at"] is not None
    if waits:
        never = before is None or before["paused_at"] == before["connected_at"]
        state = msgspec.structs.replace(NOT_BEGUN if never else PAUSED, mailbox_id=mailbox_id)
    else:
        state = AccountState(mailbox_id=mailbox_id, status="connecting")
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
        "sign_in": sign_in,
        "credentials": seal_passwords(settings(), passwords),
        "state": encode_state(state),
    }
    places = ", ".join(f"${number}" for number in range(1, len(values) + 1))
    changes = ", ".join(f"{column} = excluded.{column}" for column in values)
    return await fetch_value(
        f"INSERT INTO mail_accounts ({', '.join(values)}, connected_at, paused_at, lease_holder, lease_until, fence) "
        f"VALUES ({places}, now(), {'now()' if waits else 'NULL'}, '', now(), 0) "
        f"ON CONFLICT (mailbox_id) DO UPDATE SET {changes}, "
        "lease_holder = '', lease_until = now(), fence = mail_accounts.fence + 1 RETURNING id",
        *values.values(),
    )


async def _store_folders(account_id: int, folders: list[TriedFolder]) -> None:
    """What the server listed while it was tried, so that a person can choose before anything is fetched."""
    await execute_many(
        "INSERT INTO folders (account_id, name, title, role, selectable, object_id, server_messages, server_bytes) "
        "VALUES ($1, $2, $3, $4, $5, $6, coalesce($7::bigint, 0), coalesce($8::bigint, 0)) "
        "ON CONFLICT (account_id, name) DO UPDATE "
        "SET title = $3, role = $4, selectable = $5, object_id = $6, "
        "server_messages = coalesce($7::bigint, folders.server_messages), "
        "server_bytes = coalesce($8::bigint, folders.server_bytes)",
        [
            (account_id, each.name, each.title, each.role, each.selectable, each.object_id, each.messages, each.bytes)
            for each in folders
        ],
    )


def encode_state(state: AccountState) -> str:
    return msgspec.json.encode(state).decode()


async def wake_watchers(account_id: int) -> None:
    """Whoever watches the account looks at it again when this commits."""
    await execute("SELECT pg_notify($1, $2)", ACCOUNTS_CHANNEL, str(account_id))


async def tell_mailbox(act: Action, mailbox_id: int) -> None:
    """The mailbox as it now is, its account's state with it, to those who can open it."""
    mailbox = (await read_shared([mailbox_id]))[mailbox_id]
    act.record(mailbox_stream(mailbox_id), MailboxChanged(mailbox=mailbox))
