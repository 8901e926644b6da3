"""Identities: added, changed and removed by admins."""

import msgspec

from backend.access.asker import Asker
from backend.addresses.actions import note_addresses
from backend.database.connection import fetch_row, fetch_value
from backend.errors import NotFound
from backend.events.record import action
from backend.identities.contracts import Identity, SaveIdentity
from backend.identities.queries import read_identity
from backend.outgoing_servers.queries import read_server
from backend.people.audit import audit
from backend.people.checks import check_email, check_name, refuse


async def add_identity(asker: Asker, given: SaveIdentity) -> Identity:
    """A further From. Its addresses get the mail that asks whose they are, unless they did before."""
    wanted = await _checked(given)
    async with action(asker.user_id):
        identity_id = await fetch_value(
            "INSERT INTO identities (mailbox_id, server_id, name, address, reply_to, created_at) "
            "VALUES ($1, $2, $3, $4, $5, now()) RETURNING id",
            wanted.mailbox_id,
            wanted.server_id,
            wanted.name,
            wanted.address,
            wanted.reply_to,
        )
        await note_addresses()
        await _note(asker, "identity_added", identity_id, wanted)
    return await read_identity(identity_id)


async def change_identity(asker: Asker, identity_id: int, given: SaveIdentity) -> Identity:
    """Change it. What was sent stays as it was; what is being written follows. Raises NotFound."""
    wanted = await _checked(given)
    async with action(asker.user_id):
        found = await fetch_value(
            "UPDATE identities SET mailbox_id = $2, server_id = $3, name = $4, address = $5, reply_to = $6 "
            "WHERE id = $1 RETURNING id",
            identity_id,
            wanted.mailbox_id,
            wanted.server_id,
            wanted.name,
            wanted.address,
            wanted.reply_to,
        )
        if found is None:
            raise _gone()
        await note_addresses()
        await _note(asker, "identity_changed", identity_id, wanted)
    return await read_identity(identity_id)


async def remove_identity(asker: Asker, identity_id: int) -> None:
    """Nobody sends as it any more; a draft that chose it must choose again. Raises NotFound."""
    async with action(asker.user_id):
        before = await fetch_row("DELETE FROM identities WHERE id = $1 RETURNING address", identity_id)
        if before is None:
            raise _gone()
        await audit(asker.user_id, "identity_removed", f"identity:{identity_id}", address=before["address"])


async def _checked(given: SaveIdentity) -> SaveIdentity:
    if given.mailbox_id is not None and not await fetch_value(
        "SELECT 1 FROM mailboxes WHERE id = $1 AND kind = 'group'", given.mailbox_id
    ):
        raise refuse("mailbox_id", "There is no such group mailbox.", "Choose among the group mailboxes.")
    if given.server_id is not None:
        await read_server(given.server_id)
    return msgspec.structs.replace(
        given,
        name=check_name(given.name),
        address=check_email(given.address, field="address"),
        reply_to=check_email(given.reply_to, field="reply_to") if given.reply_to.strip() else "",
    )


async def _note(asker: Asker, what: str, identity_id: int, wanted: SaveIdentity) -> None:
    await audit(
        asker.user_id,
        what,
        f"identity:{identity_id}",
        address=wanted.address,
        mailbox_id=wanted.mailbox_id,
        server_id=wanted.server_id,
        reply_to=wanted.reply_to,
    )


def _gone() -> NotFound:
    return NotFound("There is no such identity.", "It may have been removed meanwhile.")
