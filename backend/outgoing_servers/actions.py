"""Outgoing servers: made, changed and removed by admins, chosen for a mailbox, and what senders report of them."""

from datetime import UTC, datetime

import msgspec
from msgspec import UNSET

from backend.access.asker import Asker
from backend.accounts.checks import LONGEST_NAME as LONGEST_USER
from backend.accounts.checks import LONGEST_PASSWORD, server_faults, trimmed
from backend.accounts.contracts import ServerAddress
from backend.accounts.credentials import Passwords, seal_passwords
from backend.database.connection import Row, execute, fetch_row, fetch_value
from backend.errors import Conflict, NotFound, Unacceptable
from backend.events.record import action
from backend.mailboxes.membership import lock_mailbox, lock_memberships
from backend.outgoing_servers.contracts import (
    MailboxSending,
    OutgoingServer,
    SaveOutgoingServer,
    ServerHealth,
    SetMailboxSending,
)
from backend.outgoing_servers.queries import read_sending, read_server
from backend.people.audit import audit
from backend.people.checks import check_name, refuse
from backend.settings import settings

MOST_PER_MINUTE = 100_000


async def add_server(asker: Asker, given: SaveOutgoingServer) -> OutgoingServer:
    """A further server. Nothing leaves through it before it is chosen, or serves for all."""
    wanted = _checked(given)
    async with action(asker.user_id):
        await _take_turn(wanted)
        server_id = await fetch_value(
            "INSERT INTO outgoing_servers (name, host, port, security, username, credentials, for_all, state, "
            "created_at, per_minute) VALUES ($1, $2, $3, $4, $5, $6, $7, '{}', now(), $8) RETURNING id",
            wanted.name,
            wanted.host,
            wanted.port,
            wanted.security,
            wanted.username,
            _sealed(wanted.password),
            wanted.for_all,
            wanted.per_minute,
        )
        await _note(asker, "outgoing_server_added", server_id, wanted)
    return await read_server(server_id)


async def change_server(asker: Asker, server_id: int, given: SaveOutgoingServer) -> OutgoingServer:
    """Change it. What was heard of it before is forgotten when it is another one now, and so is the password.

    Raises NotFound, Conflict for the server that an account is, Unacceptable for a new place without a password.
    """
    wanted = _checked(given)
    async with action(asker.user_id):
        before = await _hold(server_id)
        elsewhere = (before["host"], before["username"]) != (wanted.host, wanted.username)
        if elsewhere and wanted.username and not wanted.password:
            # A stored password must not go to a server that it was not given for.
            raise refuse("password", "Another server or user name needs its password.", "Type the password.")
        await _take_turn(wanted)
        await execute(
            "UPDATE outgoing_servers SET name = $2, host = $3, port = $4, security = $5, username = $6, for_all = $7, "
            "credentials = CASE WHEN $9 THEN $8 ELSE credentials END, state = '{}', size_limit = NULL, "
            "per_minute = $10, paced_until = NULL WHERE id = $1",
            server_id,
            wanted.name,
            wanted.host,
            wanted.port,
            wanted.security,
            wanted.username,
            wanted.for_all,
            _sealed(wanted.password),
            elsewhere or bool(wanted.password),
            wanted.per_minute,
        )
        await _note(asker, "outgoing_server_changed", server_id, wanted)
    return await read_server(server_id)


async def remove_server(asker: Asker, server_id: int) -> None:
    """Forget it and its password: whoever sent through it sends as by default again, and so does what waits."""
    async with action(asker.user_id):
        before = await _hold(server_id)
        await execute("DELETE FROM outgoing_servers WHERE id = $1", server_id)
        await audit(asker.user_id, "outgoing_server_removed", f"outgoing_server:{server_id}", host=before["host"])


async def set_sending(asker: Asker, mailbox_id: int, given: SetMailboxSending) -> MailboxSending:
    """Choose what a group mailbox sends through, or reset that to the default. Callers have passed
    `access_mailbox_settings`.
    """
    asker.check_admin()
    if given.server_id is not UNSET:
        async with action(asker.user_id):
            await lock_memberships()
            await lock_mailbox(mailbox_id)
            if await fetch_value("SELECT kind FROM mailboxes WHERE id = $1", mailbox_id) != "group":
                raise refuse("server_id", "Only group mailboxes choose their server.", "Leave it at the default.")
            if given.server_id is not None:
                await read_server(given.server_id)
            await execute("UPDATE mailboxes SET outgoing_server_id = $2 WHERE id = $1", mailbox_id, given.server_id)
            await audit(asker.user_id, "mailbox_sending_set", f"mailbox:{mailbox_id}", server_id=given.server_id)
    return await read_sending(mailbox_id)


async def report_health(server_id: int, health: ServerHealth) -> None:
    """What a sender met at the server. What says nothing new is not written."""
    stored = msgspec.json.encode(health).decode()
    if health.status == "well":
        await execute(
            "UPDATE outgoing_servers SET state = $2 WHERE id = $1 AND state ->> 'status' IS DISTINCT FROM 'well'",
            server_id,
            stored,
        )
    else:
        await execute("UPDATE outgoing_servers SET state = $2 WHERE id = $1", server_id, stored)


async def learn_size_limit(server_id: int, limit: int | None) -> None:
    """The server says how large a mail may be."""
    await execute(
        "UPDATE outgoing_servers SET size_limit = $2 WHERE id = $1 AND size_limit IS DISTINCT FROM $2", server_id, limit
    )


async def take_turn(server_id: int) -> float:
    """Seconds until the next mail may leave through a server, where an admin set a pace; that moment is then taken."""
    return (
        await fetch_value(
            "UPDATE outgoing_servers SET paced_until = greatest(paced_until, clock_timestamp()) "
            "+ interval '1 minute' / per_minute WHERE id = $1 AND per_minute > 0 RETURNING "
            "extract(epoch FROM paced_until - interval '1 minute' / per_minute - clock_timestamp())::float",
            server_id,
        )
        or 0.0
    )


def well() -> ServerHealth:
    return ServerHealth(status="well", at=datetime.now(UTC))


def failing(reason: str, remedy: str, server_words: str) -> ServerHealth:
    return ServerHealth(
        status="failing", at=datetime.now(UTC), reason=reason, remedy=remedy, server_words=server_words[:1_000]
    )


def _checked(given: SaveOutgoingServer) -> SaveOutgoingServer:
    """The same, trimmed. Raises Unacceptable that names every wrong field."""
    place = trimmed(ServerAddress(host=given.host, port=given.port, security=given.security))
    wanted = msgspec.structs.replace(
        given, name=check_name(given.name), host=place.host, username=given.username.strip()
    )
    fields = {name.removeprefix("smtp."): words for name, words in server_faults("smtp", place).items()}
    for field, longest in (("username", LONGEST_USER), ("password", LONGEST_PASSWORD)):
        text = getattr(wanted, field)
        if len(text) > longest or not text.isprintable():
            fields[field] = f"This is no {field.replace('username', 'user name')}."
    if wanted.password and not wanted.username:
        fields["username"] = "A password belongs to a user name."
    if not 0 <= wanted.per_minute <= MOST_PER_MINUTE:
        fields["per_minute"] = "Mails a minute are a number from 1 on, or none."
    if fields:
        raise Unacceptable("This server cannot be used so.", " ".join(dict.fromkeys(fields.values())), fields=fields)
    return wanted


async def _hold(server_id: int) -> Row:
    row = await fetch_row("SELECT * FROM outgoing_servers WHERE id = $1 FOR UPDATE", server_id)
    if row is None:
        raise NotFound("There is no such outgoing server.", "It may have been removed meanwhile.")
    if row["account_id"] is not None:
        raise Conflict("This is the account of a mailbox.", "Change it in the settings of that mailbox.")
    return row


async def _take_turn(wanted: SaveOutgoingServer) -> None:
    """One server serves for all: whichever was that is so no more."""
    if wanted.for_all:
        await execute("UPDATE outgoing_servers SET for_all = false WHERE for_all")


def _sealed(password: str) -> bytes:
    return seal_passwords(settings(), Passwords(imap="", smtp=password))


async def _note(asker: Asker, what: str, server_id: int, wanted: SaveOutgoingServer) -> None:
    await audit(
        asker.user_id,
        what,
        f"outgoing_server:{server_id}",
        host=wanted.host,
        port=wanted.port,
        security=wanted.security,
        username=wanted.username,
        for_all=wanted.for_all,
    )
