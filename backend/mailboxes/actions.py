"""Making mailboxes, changing their settings and who may open them, and removing them."""

import re
from collections.abc import Collection

from msgspec import UNSET

from backend.access.asker import Asker
from backend.database.connection import execute, fetch_row, fetch_value
from backend.errors import Conflict, Unacceptable
from backend.events.record import action, mailbox_stream, user_stream
from backend.mailboxes.contracts import (
    CreateMailbox,
    InTurn,
    MailboxChanged,
    MailboxGone,
    MailboxKind,
    MailboxSettings,
    SendAs,
    SetMailboxMembers,
    UpdateMailbox,
)
from backend.mailboxes.membership import (
    hold_accounts,
    lock_mailbox,
    lock_memberships,
    readers_changing,
    tell_gained,
)
from backend.mailboxes.queries import read_settings, read_shared
from backend.people.audit import audit
from backend.people.checks import LONGEST_NAME, check_email, check_name, refuse

COLOURS = 10
"""Of the interface; a colour is a number below this."""

_CONTROL = re.compile(r"[\x00-\x1f\x7f]")


async def create_mailbox(asker: Asker, given: CreateMailbox) -> MailboxSettings:
    """A group mailbox or the intake (admins), or one's own personal mailbox.

    Raises Conflict when its address is taken, or when there is an intake already.
    """
    if given.kind != "personal":
        asker.check_admin()
    if given.kind != "group" and (given.member_ids or given.team_ids):
        raise refuse("member_ids", "Only group mailboxes have members.", "Make a group mailbox to share it.")
    _check_send_as(given.kind, given.send_as)
    name, address = check_name(given.name), check_email(given.address, field="address")
    async with action(asker.user_id) as act:
        await lock_memberships()
        await check_address_is_free(address)
        if given.kind == "intake" and await fetch_value("SELECT 1 FROM mailboxes WHERE kind = 'intake'"):
            raise Conflict("There is an intake account already.", "One serves the whole organisation.")
        await _check_members(given.member_ids, given.team_ids)
        mailbox_id = await fetch_value(
            "INSERT INTO mailboxes (kind, name, address, owner_id, colour, default_from_name, reply_bcc, "
            "private_by_default, send_as, last_arrival, created_at) "
            "SELECT $1, $2, $3, $4, (SELECT count(*) FROM mailboxes) % $8, $5, $6, $7, $9, 0, now() RETURNING id",
            given.kind,
            name,
            address,
            asker.user_id if given.kind == "personal" else None,
            _check_from_name(given.default_from_name),
            check_email(given.reply_bcc, field="reply_bcc") if given.reply_bcc.strip() else "",
            given.private_by_default,
            COLOURS,
            given.send_as,
        )
        await _put_members(mailbox_id, given.member_ids, given.team_ids)
        mailbox = (await read_shared([mailbox_id]))[mailbox_id]
        for user_id in mailbox.reader_ids:
            await tell_gained(act, mailbox, user_id)
        await audit(
            asker.user_id,
            "mailbox_created",
            f"mailbox:{mailbox_id}",
            kind=given.kind,
            address=address,
            member_ids=given.member_ids,
            team_ids=given.team_ids,
        )
        return await read_settings(mailbox_id)


async def update_mailbox(asker: Asker, mailbox_id: int, given: UpdateMailbox) -> MailboxSettings:
    """Change the settings that are given; what is so already is no change, and is not on record as one."""
    async with action(asker.user_id) as act:
        await lock_memberships()
        await lock_mailbox(mailbox_id)
        await hold_accounts([mailbox_id])
        changes: dict[str, object] = {}
        if given.name is not UNSET:
            changes["name"] = check_name(given.name)
        if given.address is not UNSET:
            changes["address"] = check_email(given.address, field="address")
            await check_address_is_free(str(changes["address"]), besides=mailbox_id)
        if given.colour is not UNSET:
            if not 0 <= given.colour < COLOURS:
                raise refuse("colour", "There is no such colour.", "Choose another one.")
            changes["colour"] = given.colour
        if given.default_from_name is not UNSET:
            changes["default_from_name"] = _check_from_name(given.default_from_name)
        if given.reply_bcc is not UNSET:
            bcc = given.reply_bcc.strip()
            changes["reply_bcc"] = check_email(bcc, field="reply_bcc") if bcc else ""
        if given.private_by_default is not UNSET:
            changes["private_by_default"] = given.private_by_default
        if given.in_turn is not UNSET:
            await _check_in_turn(mailbox_id, given.in_turn)
            changes["in_turn"] = given.in_turn.how
            changes["in_turn_ids"] = sorted(set(given.in_turn.user_ids))
        before = (await read_shared([mailbox_id]))[mailbox_id]
        if given.send_as is not UNSET:
            _check_send_as(before.kind, given.send_as)
            changes["send_as"] = given.send_as
        stored = await fetch_row("SELECT * FROM mailboxes WHERE id = $1", mailbox_id)
        assert stored is not None
        changes = {column: value for column, value in changes.items() if value != stored[column]}
        for column, value in changes.items():
            await execute(f"UPDATE mailboxes SET {column} = $2 WHERE id = $1", mailbox_id, value)
        after = (await read_shared([mailbox_id]))[mailbox_id]
        if after != before:
            act.record(mailbox_stream(mailbox_id), MailboxChanged(mailbox=after))
        if changes:
            await audit(asker.user_id, "mailbox_changed", f"mailbox:{mailbox_id}", **changes)
        return await read_settings(mailbox_id)


async def set_mailbox_members(asker: Asker, mailbox_id: int, given: SetMailboxMembers) -> MailboxSettings:
    """Replace the users and teams who may open a group mailbox. An admin who adds themselves is on record."""
    async with action(asker.user_id) as act:
        await lock_memberships()
        if await fetch_value("SELECT kind FROM mailboxes WHERE id = $1", mailbox_id) != "group":
            raise Unacceptable("Only group mailboxes have members.", "Make a group mailbox to share it.")
        await _check_members(given.member_ids, given.team_ids)
        async with readers_changing(act, [mailbox_id]):
            before = (await read_shared([mailbox_id]))[mailbox_id]
            await execute("DELETE FROM mailbox_users WHERE mailbox_id = $1", mailbox_id)
            await execute("DELETE FROM mailbox_teams WHERE mailbox_id = $1", mailbox_id)
            await _put_members(mailbox_id, given.member_ids, given.team_ids)
        await audit(
            asker.user_id,
            "mailbox_members_set",
            f"mailbox:{mailbox_id}",
            before={"member_ids": before.member_ids, "team_ids": before.team_ids},
            after={"member_ids": sorted(set(given.member_ids)), "team_ids": sorted(set(given.team_ids))},
        )
        return await read_settings(mailbox_id)


async def delete_mailbox(asker: Asker, mailbox_id: int, name: str) -> None:
    """Remove the mailbox and all its conversations for good; the mail on the server stays. `name` confirms it.

    Raises Unacceptable for another name, Conflict while a mail is on its way out.
    """
    async with action(asker.user_id) as act:
        await lock_memberships()
        # A batch of mail holds its account first, then the membership: in the same order nobody waits in a circle.
        await execute("SELECT 1 FROM mail_accounts WHERE mailbox_id = $1 FOR UPDATE", mailbox_id)
        await lock_mailbox(mailbox_id)
        mailbox = (await read_shared([mailbox_id]))[mailbox_id]
        if name.strip() != mailbox.name:
            raise refuse("name", "This is not the mailbox's name.", f"Type {mailbox.name} to remove it.")
        waiting = await fetch_value(
            "SELECT count(*) FROM outgoing WHERE mailbox_id = $1 AND state IN ('scheduled', 'queued', 'sending')",
            mailbox_id,
        )
        if waiting:
            raise Conflict("Mail is still on its way out of this mailbox.", "Wait a minute, or take it back.")
        await _remove(mailbox_id)
        for user_id in mailbox.reader_ids:
            act.record(user_stream(user_id), MailboxGone(mailbox_id=mailbox_id))
        await audit(asker.user_id, "mailbox_deleted", f"mailbox:{mailbox_id}", name=mailbox.name)


async def _remove(mailbox_id: int) -> None:
    """Every row of the mailbox, and the contacts that nobody could know any more. Raw mail and files are collected
    later, when nothing refers to them."""
    await execute(
        "DELETE FROM contacts k USING contact_mailboxes cm WHERE cm.contact_id = k.id AND cm.mailbox_id = $1 "
        "AND NOT k.shared AND NOT EXISTS "
        "(SELECT 1 FROM contact_mailboxes o WHERE o.contact_id = k.id AND o.mailbox_id <> $1)",
        mailbox_id,
    )
    await execute("DELETE FROM mailboxes WHERE id = $1", mailbox_id)
    await execute("DELETE FROM events WHERE stream = $1", mailbox_stream(mailbox_id))


async def _check_in_turn(mailbox_id: int, given: InTurn) -> None:
    if given.how != "off" and await fetch_value("SELECT kind FROM mailboxes WHERE id = $1", mailbox_id) != "group":
        raise refuse("in_turn", "Only a group mailbox gives out its mail in turn.", "Leave it off.")
    known = await fetch_value(
        "SELECT count(*) FROM mailbox_readers WHERE mailbox_id = $1 AND user_id = ANY($2)", mailbox_id, given.user_ids
    )
    if known != len(set(given.user_ids)):
        raise refuse("in_turn", "One of these people cannot open the mailbox.", "Choose among those who can.")


async def check_address_is_free(address: str, besides: int = 0) -> None:
    """Raises Conflict when mail to the address belongs to another mailbox than `besides`."""
    if await fetch_value(
        "SELECT 1 FROM mailboxes WHERE address = $1 AND id <> $2 "
        "UNION SELECT 1 FROM mailbox_addresses WHERE address = $1 AND mailbox_id <> $2",
        address,
        besides,
    ):
        raise Conflict("This address has a mailbox here already.", "Each address has one mailbox. Use another address.")


async def _check_members(user_ids: Collection[int], team_ids: Collection[int]) -> None:
    people = await fetch_value("SELECT count(*) FROM users WHERE id = ANY($1) AND active", list(user_ids))
    if people != len(set(user_ids)):
        raise refuse("member_ids", "One of these people is not here any more.", "Choose among the people listed.")
    if await fetch_value("SELECT count(*) FROM teams WHERE id = ANY($1)", list(team_ids)) != len(set(team_ids)):
        raise refuse("team_ids", "One of these teams is not here any more.", "Choose among the teams listed.")


def _check_send_as(kind: MailboxKind, send_as: SendAs) -> None:
    if kind != "group" and send_as != "mailbox":
        raise refuse("send_as", "Only mail of a group mailbox names who sends it.", "Its owner is the sender anyway.")


def _check_from_name(value: str) -> str:
    name = value.strip()
    if len(name) > LONGEST_NAME or _CONTROL.search(name):
        raise refuse("default_from_name", "A name has at most 100 characters on one line.", "Make it shorter.")
    return name


async def _put_members(mailbox_id: int, user_ids: Collection[int], team_ids: Collection[int]) -> None:
    await execute(
        "INSERT INTO mailbox_users (mailbox_id, user_id) SELECT $1, unnest($2::bigint[])",
        mailbox_id,
        sorted(set(user_ids)),
    )
    await execute(
        "INSERT INTO mailbox_teams (mailbox_id, team_id) SELECT $1, unnest($2::bigint[])",
        mailbox_id,
        sorted(set(team_ids)),
    )
