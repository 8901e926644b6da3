"""As whom a mail leaves: From, Sender and Reply-To, and what it leaves through. Worked out once, at Send.

From is the mailbox's own address or that of an identity of it, so that answers come back to the team and servers check
that domain's policy; but providers that put their account's own address there get it from us, with a Reply-To to the
address that was meant. Sender names who sends on the mailbox's behalf (RFC 5322 section 3.6.2).
"""

from dataclasses import dataclass

from backend.addresses.queries import may_be_from
from backend.compose.contracts import Draft
from backend.database.connection import Row, fetch_row, fetch_value
from backend.errors import Unacceptable
from backend.identities.contracts import DraftSender
from backend.identities.queries import group_address, identities_of, own_address
from backend.outgoing_servers.forcing import forced_from
from backend.outgoing_servers.queries import server_for
from backend.people.checks import check_email, refuse
from sync.mime.message import Address


@dataclass(frozen=True, slots=True)
class SendingAs:
    """`server_id` is what the identity leaves through; None: what its mailbox does, when the time has come."""

    from_: Address
    sender: Address | None
    reply_to: tuple[Address, ...]
    server_id: int | None


async def sending_as(draft: Draft, mailbox: Row, writer_id: int) -> SendingAs:
    """Raises Unacceptable for an identity that is gone or not verified, and for a Reply-To that is no address."""
    chosen = draft.sender
    identity = await _identity(chosen, mailbox)
    server_id = identity["server_id"] if identity else None
    wanted = identity["address"] if identity else mailbox["address"]
    server = await server_for(mailbox["id"], server_id)
    address = (forced_from(server["host"], server["username"]) if server else "") or wanted
    from_, sender = await _names(mailbox, identity, chosen, address, writer_id)
    answers_to = await _reply_to(chosen, identity, mailbox, writer_id, wanted)
    reply_to = (Address("", answers_to),) if answers_to and answers_to != address else ()
    return SendingAs(from_, sender, reply_to, server_id)


async def drafted_as(draft: Draft, mailbox: Row, writer_id: int) -> tuple[Address, Address | None]:
    """From and Sender of a mail that is not sent yet, whatever may still be wrong with the choice."""
    known = {record["id"]: record for record in await identities_of(mailbox)}
    identity = known.get(draft.sender.identity_id or 0)
    address = identity["address"] if identity else mailbox["address"]
    return await _names(mailbox, identity, draft.sender, address, writer_id)


async def _identity(chosen: DraftSender, mailbox: Row) -> Row | None:
    if chosen.identity_id is None:
        return None
    for record in await identities_of(mailbox):
        if record["id"] == chosen.identity_id:
            if not await may_be_from(record["address"]):
                raise refuse(
                    "from",
                    f"Nobody has said yet that {record['address']} is theirs.",
                    "Choose another From, or ask an admin to send the link again.",
                )
            return record
    raise refuse("from", "This From is not there any more.", "Choose another one.")


async def _names(
    mailbox: Row, identity: Row | None, chosen: DraftSender, address: str, writer_id: int
) -> tuple[Address, Address | None]:
    """From, and Sender where somebody sends on the mailbox's behalf."""
    name = identity["name"] if identity else await _own_name(mailbox)
    if mailbox["kind"] != "group":
        return Address(name, address), None
    if chosen.from_name:
        name = chosen.from_name
    if mailbox["send_as"] == "mailbox":
        return Address(name, address), None
    writer = await fetch_row("SELECT name, email FROM users WHERE id = $1", writer_id)
    assert writer is not None
    if mailbox["send_as"] == "person":
        # A name that was typed for this mail is the whole name.
        return Address(name if chosen.from_name else f"{writer['name']}, {name}", address), None
    # Whoever is both has no need of the field.
    on_behalf = Address(writer["name"], writer["email"]) if writer["email"] != address else None
    return Address(name, address), on_behalf


async def _own_name(mailbox: Row) -> str:
    """The mailbox's From name; without one, its own name, or that of the person whose it is."""
    if mailbox["default_from_name"]:
        return mailbox["default_from_name"]
    if mailbox["kind"] == "personal":
        return await fetch_value("SELECT name FROM users WHERE id = $1", mailbox["owner_id"]) or ""
    return mailbox["name"]


async def _reply_to(chosen: DraftSender, identity: Row | None, mailbox: Row, writer_id: int, wanted: str) -> str:
    """Where answers go; the address in From needs no field of its own."""
    match chosen.reply_to:
        case "own":
            return await own_address(writer_id)
        case "group":
            return await group_address(writer_id, mailbox["id"])
        case "outgoing":
            return ""
        case "other":
            return check_email(chosen.reply_to_address, field="reply_to")
        case "default":
            return (identity["reply_to"] if identity else "") or wanted


def check_sender(given: DraftSender, mailbox: Row) -> None:
    """What can be said before Send. Raises Unacceptable."""
    if given.from_name and mailbox["kind"] != "group":
        raise Unacceptable(
            "Only mail of a group mailbox changes its From name.", "Set your own name in the mailbox's settings."
        )
    if len(given.from_name) > 100 or not given.from_name.isprintable():
        raise refuse("from_name", "A name has at most 100 characters on one line.", "Make it shorter.")
    if given.reply_to == "other" and given.reply_to_address.strip():
        check_email(given.reply_to_address, field="reply_to")
