"""Reading outgoing servers. What takes an id alone is unscoped: callers have passed backend/access first."""

from typing import cast

import msgspec

from backend.accounts.contracts import Security, SignIn
from backend.database.connection import Row, fetch, fetch_row, fetch_value
from backend.errors import NotFound
from backend.outgoing_servers.contracts import MailboxSending, OutgoingServer, ServerHealth
from backend.outgoing_servers.forcing import forced_from, forcing_provider

SERVERS = (
    "SELECT s.id, s.name, s.for_all, s.state, s.account_id, s.size_limit, s.per_minute, "
    "a.mailbox_id, coalesce(a.smtp_host, s.host) AS host, "
    "coalesce(a.smtp_port, s.port) AS port, coalesce(a.smtp_security, s.security) AS security, "
    "CASE WHEN a.id IS NULL THEN s.username ELSE coalesce(nullif(a.smtp_username, ''), a.username) END AS username, "
    "coalesce(a.sign_in, 'password') AS sign_in, coalesce(a.credentials, s.credentials) AS credentials "
    "FROM outgoing_servers s LEFT JOIN mail_accounts a ON a.id = s.account_id"
)
"""SQL: servers with what stands with their account, where they are one's own."""

_LISTED = (
    "(s.account_id IS NULL OR EXISTS (SELECT 1 FROM mailboxes m WHERE m.id = a.mailbox_id "
    "AND m.kind IN ('group', 'intake')))"
)
"""SQL: an admin may know of the server. The account of somebody's personal mailbox is theirs."""

_health = msgspec.json.Decoder(ServerHealth)


async def list_servers() -> list[OutgoingServer]:
    """The organisation's servers, then the accounts of group mailboxes and of the intake."""
    records = await fetch(f"{SERVERS} WHERE {_LISTED} ORDER BY s.account_id IS NOT NULL, s.id")
    users = await fetch("SELECT server_of(id) AS server_id, id FROM mailboxes WHERE kind = 'group' ORDER BY id")
    used: dict[int, list[int]] = {}
    for record in users:
        used.setdefault(record["server_id"], []).append(record["id"])
    return [server_as_seen(record, used.get(record["id"], [])) for record in records]


async def read_server(server_id: int) -> OutgoingServer:
    """One that an admin may know of. Raises NotFound."""
    for server in await list_servers():
        if server.id == server_id:
            return server
    raise NotFound("There is no such outgoing server.", "It may have been removed meanwhile.")


async def server_record(server_id: int | None) -> Row | None:
    """A record of SERVERS, credentials and all."""
    return await fetch_row(f"{SERVERS} WHERE s.id = $1", server_id)


async def server_for(mailbox_id: int, chosen_id: int | None = None) -> Row | None:
    """What a mail leaves through: the server that was chosen for it, if that is still there, else its mailbox's."""
    return await fetch_row(
        f"{SERVERS} WHERE s.id = coalesce((SELECT id FROM outgoing_servers WHERE id = $2), server_of($1))",
        mailbox_id,
        chosen_id,
    )


async def can_send(mailbox_id: int) -> bool:
    """Whether there is a server for the mailbox's mail."""
    return await fetch_value("SELECT server_of($1)", mailbox_id) is not None


async def read_sending(mailbox_id: int) -> MailboxSending:
    """What the mailbox sends through."""
    record = await fetch_row(
        "SELECT id, outgoing_server_id, server_of(id) AS effective_id FROM mailboxes WHERE id = $1", mailbox_id
    )
    assert record is not None
    return MailboxSending(
        mailbox_id=record["id"], server_id=record["outgoing_server_id"], effective_id=record["effective_id"]
    )


def health_of(record: Row) -> ServerHealth:
    return _health.decode(record["state"])


def server_as_seen(record: Row, used_by: list[int]) -> OutgoingServer:
    """A record of SERVERS, as a contract."""
    return OutgoingServer(
        id=record["id"],
        name=record["name"],
        host=record["host"],
        port=record["port"],
        security=cast(Security, record["security"]),
        username=record["username"],
        sign_in=cast(SignIn, record["sign_in"]),
        mailbox_id=record["mailbox_id"],
        for_all=record["for_all"],
        provider=forcing_provider(record["host"]),
        forced_from=forced_from(record["host"], record["username"]),
        used_by=used_by,
        health=health_of(record),
        size_limit=record["size_limit"],
        per_minute=record["per_minute"],
    )
