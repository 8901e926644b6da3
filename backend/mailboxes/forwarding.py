"""Mailboxes without a mail account: the address that their mail is forwarded to, and whether that works."""

from email.utils import make_msgid

from backend.access.asker import Asker
from backend.database.connection import Row, execute, fetch, fetch_row, fetch_value
from backend.errors import Unacceptable
from backend.events.record import action
from backend.jobs import enqueue_or_hasten
from backend.mail.intake import tags_of
from backend.mailboxes.actions import check_address_is_free
from backend.mailboxes.contracts import Forwarding, ForwardingCheck, SetAddresses
from backend.mailboxes.membership import lock_memberships
from backend.people.audit import audit
from backend.people.checks import check_email, refuse

MOST_ADDRESSES = 100


async def read_forwarding(mailbox_id: int) -> Forwarding:
    """How mail reaches the mailbox through the intake account. Callers have passed `access_mailbox_settings`."""
    mailbox = await fetch_row("SELECT id, kind, address, last_arrival FROM mailboxes WHERE id = $1", mailbox_id)
    intake = await _connected_intake()
    addresses = await fetch("SELECT address FROM mailbox_addresses WHERE mailbox_id = $1 ORDER BY address", mailbox_id)
    check = await fetch_row("SELECT * FROM forwarding_checks WHERE mailbox_id = $1", mailbox_id)
    return Forwarding(
        mailbox_id=mailbox_id,
        forward_to=await _forward_to(mailbox, intake) if mailbox and intake else "",
        addresses=[row["address"] for row in addresses],
        last_received_at=await fetch_value(
            "SELECT max(stored_at) FROM messages WHERE mailbox_id = $1 AND arrival > 0", mailbox_id
        ),
        check=_check_of(check) if check else None,
    )


def _check_of(record: Row) -> ForwardingCheck:
    return ForwardingCheck(
        asked_at=record["asked_at"], sent_at=record["sent_at"], came_at=record["came_at"], problem=record["problem"]
    )


async def _connected_intake() -> Row | None:
    return await fetch_row(
        "SELECT m.id, m.address FROM mailboxes m JOIN mail_accounts a ON a.mailbox_id = m.id WHERE m.kind = 'intake'"
    )


async def _forward_to(mailbox: Row, intake: Row) -> str:
    """`intake+support@...`; with the mailbox's number where an older mailbox has that name."""
    name, unique = tags_of(mailbox["address"], mailbox["id"])
    others = await fetch(
        "SELECT id, address FROM mailboxes WHERE id < $1 AND kind <> 'intake' ORDER BY id", mailbox["id"]
    )
    taken = any(tags_of(row["address"], row["id"])[0] == name for row in others)
    local, _, domain = intake["address"].rpartition("@")
    return f"{local}+{unique if taken else name}@{domain}"


async def ask_for_check(asker: Asker, mailbox_id: int) -> Forwarding:
    """Send a test mail to the mailbox's address, to see whether it comes back by way of the forwarding.

    Raises Unacceptable when there is no intake account to send it from.
    """
    async with action(asker.user_id):
        intake = await _connected_intake()
        if intake is None:
            raise Unacceptable("There is no intake account yet.", "An admin connects one in the settings.")
        await execute(
            "INSERT INTO forwarding_checks (mailbox_id, message_id, asked_at, problem) VALUES ($1, $2, now(), '') "
            "ON CONFLICT (mailbox_id) DO UPDATE SET message_id = $2, asked_at = now(), sent_at = NULL, "
            "came_at = NULL, problem = ''",
            mailbox_id,
            make_msgid("forwarding-check", intake["address"].rpartition("@")[2]).strip("<>"),
        )
        await enqueue_or_hasten("check_forwarding", mailbox_id=mailbox_id)
    return await read_forwarding(mailbox_id)


async def set_addresses(asker: Asker, mailbox_id: int, given: SetAddresses) -> Forwarding:
    """Replace the further addresses of a mailbox. Raises Conflict for one that belongs to another mailbox."""
    addresses = sorted({check_email(each, field="addresses") for each in given.addresses if each.strip()})
    if len(addresses) > MOST_ADDRESSES:
        raise refuse("addresses", f"A mailbox has at most {MOST_ADDRESSES} further addresses.", "Leave some out.")
    async with action(asker.user_id):
        await lock_memberships()
        before = await fetch("SELECT address FROM mailbox_addresses WHERE mailbox_id = $1", mailbox_id)
        await execute("DELETE FROM mailbox_addresses WHERE mailbox_id = $1", mailbox_id)
        for address in addresses:
            await add_address(mailbox_id, address)
        await audit(
            asker.user_id,
            "mailbox_addresses_set",
            f"mailbox:{mailbox_id}",
            before=sorted(row["address"] for row in before),
            after=addresses,
        )
    return await read_forwarding(mailbox_id)


async def add_address(mailbox_id: int, address: str) -> None:
    """Let mail to a (checked) address belong to the mailbox. Call inside an action, after `lock_memberships`.

    Raises Conflict for the address of another mailbox, the intake's among them: it would catch everything.
    """
    await check_address_is_free(address, besides=mailbox_id)
    await execute(
        "INSERT INTO mailbox_addresses (mailbox_id, address) SELECT $1, $2 "
        "WHERE NOT EXISTS (SELECT 1 FROM mailboxes WHERE id = $1 AND address = $2) ON CONFLICT (address) DO NOTHING",
        mailbox_id,
        address,
    )
