"""Reading identities, and what one person can send as."""

from collections.abc import Sequence

import msgspec

from backend.access.asker import Asker
from backend.addresses.queries import is_verified, may_be_from
from backend.database.connection import Row, fetch, fetch_row, fetch_value
from backend.errors import NotFound
from backend.identities.contracts import DraftSender, Identity, ReplyToChoice, SenderChoice, Senders, SendingHabits
from backend.outgoing_servers.forcing import forced_from, forcing_provider
from backend.outgoing_servers.queries import server_for, server_record
from backend.outgoing_servers.system import can_mail
from backend.settings import settings

_sender = msgspec.json.Decoder(DraftSender)
_habits = msgspec.json.Decoder(SendingHabits)


def sender_of(record: Row) -> DraftSender:
    """Of a record with the column `sender`."""
    return _sender.decode(record["sender"])


def habits_of(record: Row) -> SendingHabits:
    """Of a user's record."""
    return _habits.decode(record["sending"])


async def habits_for(asker: Asker) -> SendingHabits:
    """What the person chose last, as far as they can choose it still."""
    record = await fetch_row("SELECT sending FROM users WHERE id = $1", asker.user_id)
    habits = habits_of(record) if record else SendingHabits()
    mailbox = await fetch_row(
        "SELECT m.id, m.kind FROM mailboxes m JOIN mailbox_readers r ON r.mailbox_id = m.id AND r.user_id = $1 "
        "WHERE m.id = $2",
        asker.user_id,
        habits.mailbox_id,
    )
    if mailbox is None:
        return SendingHabits(one_each=habits.one_each)
    offered = [each["id"] for each in await identities_of(mailbox) if await may_be_from(each["address"])]
    if habits.identity_id not in offered:
        return SendingHabits(mailbox_id=habits.mailbox_id, one_each=habits.one_each)
    return habits


async def list_identities() -> list[Identity]:
    """All of them, those of the organisation first."""
    return [await _as_seen(record) for record in await fetch("SELECT * FROM identities ORDER BY mailbox_id, id")]


async def read_identity(identity_id: int) -> Identity:
    """One. Raises NotFound."""
    record = await fetch_row("SELECT * FROM identities WHERE id = $1", identity_id)
    if record is None:
        raise NotFound("There is no such identity.", "It may have been removed meanwhile.")
    return await _as_seen(record)


async def _as_seen(record: Row) -> Identity:
    server = await _server_of_identity(record)
    forced = forced_from(server["host"], server["username"]) if server else ""
    return Identity(
        id=record["id"],
        mailbox_id=record["mailbox_id"],
        server_id=record["server_id"],
        name=record["name"],
        address=record["address"],
        reply_to=record["reply_to"],
        verified=await is_verified(record["address"]),
        offered=await may_be_from(record["address"]),
        forced_from=forced if forced != record["address"] else "",
    )


async def _server_of_identity(record: Row) -> Row | None:
    if record["server_id"] is not None:
        return await server_record(record["server_id"])
    return await server_for(record["mailbox_id"]) if record["mailbox_id"] is not None else None


async def identities_of(mailbox: Row) -> Sequence[Row]:
    """The identities that mail of a mailbox may use: its own and, of a group mailbox, those of the organisation."""
    return await fetch(
        "SELECT * FROM identities WHERE mailbox_id = $1 OR (mailbox_id IS NULL AND $2 = 'group') ORDER BY id",
        mailbox["id"],
        mailbox["kind"],
    )


async def read_senders(asker: Asker, draft_id: int) -> Senders:
    """What the person can choose from for a draft that they may write. A new mail may be from any mailbox of theirs."""
    draft = await fetch_row("SELECT * FROM drafts WHERE id = $1", draft_id)
    if draft is None:
        raise NotFound("There is no such draft.", "It may have been sent or thrown away meanwhile.")
    anywhere = draft["kind"] == "new" and draft["conversation_id"] is None
    mailboxes = await fetch(
        "SELECT m.*, u.name AS owner FROM mailboxes m LEFT JOIN users u ON u.id = m.owner_id "
        "WHERE m.id IN (SELECT mailbox_id FROM mailbox_readers WHERE user_id = $1) AND (m.id = $2 OR $3) "
        "ORDER BY m.id <> $2, m.kind, m.id",
        asker.user_id,
        draft["mailbox_id"],
        anywhere,
    )
    choices = [choice for mailbox in mailboxes for choice in await _choices(mailbox)]
    return Senders(
        choices=choices,
        reply_to=await _reply_to_choices(asker.user_id, draft["mailbox_id"]),
        sender=sender_of(draft),
        can_ask=await can_mail(settings()),
        one_each=draft["kind"] == "new" and (await habits_for(asker)).one_each,
    )


async def _choices(mailbox: Row) -> list[SenderChoice]:
    own = await _choice(mailbox, None)
    others = [
        await _choice(mailbox, record)
        for record in await identities_of(mailbox)
        if await may_be_from(record["address"])
    ]
    return [own, *others]


async def _choice(mailbox: Row, identity: Row | None) -> SenderChoice:
    wanted = identity["address"] if identity else mailbox["address"]
    server = await server_for(mailbox["id"], identity["server_id"] if identity else None)
    forced = forced_from(server["host"], server["username"]) if server else ""
    address = forced or wanted
    return SenderChoice(
        mailbox_id=mailbox["id"],
        identity_id=identity["id"] if identity else None,
        name=identity["name"] if identity else mailbox["default_from_name"] or mailbox["owner"] or mailbox["name"],
        address=address,
        verified=await is_verified(address),
        group=mailbox["kind"] == "group",
        forced_by=forcing_provider(server["host"]) if server and forced and forced != wanted else "",
        wanted=wanted if forced and forced != wanted else "",
    )


async def _reply_to_choices(user_id: int, mailbox_id: int) -> list[ReplyToChoice]:
    found = [ReplyToChoice(kind="own", address=await own_address(user_id))]
    if group := await group_address(user_id, mailbox_id):
        found.append(ReplyToChoice(kind="group", address=group))
    return found


async def own_address(user_id: int) -> str:
    """The person's own address."""
    return await fetch_value("SELECT email FROM users WHERE id = $1", user_id) or ""


async def group_address(user_id: int, mailbox_id: int) -> str:
    """The address of this group mailbox; of another one's mail, that of the person's first group mailbox."""
    return (
        await fetch_value(
            "SELECT m.address FROM mailboxes m JOIN mailbox_readers r ON r.mailbox_id = m.id AND r.user_id = $1 "
            "WHERE m.kind = 'group' ORDER BY m.id <> $2, m.id LIMIT 1",
            user_id,
            mailbox_id,
        )
        or ""
    )
