"""The plain way of storing mail, one message after the other: what storing in batches must come to as well."""

from collections.abc import Sequence

import msgspec

from backend.conversations.contracts import Visibility
from backend.conversations.threads import begin_conversation, join_conversations, sum_up
from backend.database.connection import Row, fetch, fetch_value
from backend.events.record import action
from backend.mail.fetched import Fetched
from backend.mail.reading import Prepared
from backend.mail.store import ReadMessage, addressed_in, find_stored, insert_message, leave_keys, links_of
from sync.mime.message import ParsedMessage
from sync.mime.threading import SUBJECT_WINDOW, ThreadLinks


async def store_one_by_one(mailbox: Row, own: set[str], messages: Sequence[Fetched]) -> None:
    """Find, join or begin, insert, sum up. None of the messages may be there already."""
    for each in messages:
        async with action(None) as act:
            message = ReadMessage(
                raw=each.raw,
                parsed=each.parsed,
                received_at=each.received_at,
                outgoing=each.prepared.sender_address in own,
            )
            assert await find_stored(mailbox["id"], each.parsed) is None
            found = await _find_conversations(mailbox["id"], message, own)
            if len(found) > 1:
                await join_conversations(act, found[0], found[1:])
                await sum_up(found[0])
            conversation = (
                found[0]
                if found
                else await begin_conversation(
                    mailbox["id"],
                    each.prepared.subject,
                    visibility=await _visibility_for_new(mailbox, addressed_in(each.parsed)),
                )
            )
            await insert_message(mailbox["id"], conversation, message)
            await leave_keys(mailbox["id"], conversation, each.parsed)
            await sum_up(conversation)


async def _find_conversations(mailbox_id: int, message: ReadMessage, own_addresses: set[str]) -> list[int]:
    """The conversations that the message belongs to by its headers, oldest first.

    A private conversation takes mail of its correspondents and our own only: naming its Message-ID is not enough.
    """
    found = await _linked(mailbox_id, links_of(message.parsed))
    sender = {_sender_of(message.parsed)}
    admitted = [
        record
        for record in found
        if record["visibility"] == "open" or message.outgoing or sender <= _people_of(record) | own_addresses
    ]
    closed = [record for record in admitted if record["visibility"] != "open"]
    if closed:
        # Nor does such mail carry a stranger's conversation in with it.
        known = own_addresses.union(*(_people_of(record) for record in closed))
        admitted = [record for record in admitted if record in closed or _writers_of(record) <= known]
    return [record["id"] for record in admitted]


def _sender_of(parsed: ParsedMessage | Prepared) -> str:
    """The lower-case address in From, or an empty string."""
    if isinstance(parsed, Prepared):
        return parsed.sender_address
    return parsed.from_.address.lower() if parsed.from_ else ""


async def _linked(mailbox_id: int, links: ThreadLinks) -> Sequence[Row]:
    date = links.date
    return await fetch(
        "SELECT c.id, c.visibility, c.addressed, c.correspondents FROM conversations c WHERE c.joined_into IS NULL "
        "AND c.id IN (SELECT conversation_id FROM thread_links WHERE mailbox_id = $1 "
        "AND (link = ANY($2) OR (link = ANY($3) AND at BETWEEN $4 AND $5))) ORDER BY c.id",
        mailbox_id,
        list(links.finds),
        list(links.dated_finds) if date else [],
        date - SUBJECT_WINDOW if date else None,
        date + SUBJECT_WINDOW if date else None,
    )


def _writers_of(conversation: Row) -> set[str]:
    return {person["address"].lower() for person in msgspec.json.decode(conversation["correspondents"])}


def _people_of(conversation: Row) -> set[str]:
    return _writers_of(conversation) | set(conversation["addressed"])


async def _visibility_for_new(mailbox: Row, addressed: list[str]) -> Visibility:
    """ "Mark incoming as private by default": private, and confidential when the mail names members personally."""
    if not mailbox["private_by_default"]:
        return "open"
    named = await fetch_value(
        "SELECT 1 FROM mailbox_readers r JOIN users u ON u.id = r.user_id "
        "WHERE r.mailbox_id = $1 AND u.email = ANY($2) LIMIT 1",
        mailbox["id"],
        addressed,
    )
    return "confidential" if named else "private"
