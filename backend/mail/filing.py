"""Messages that come from no folder of a mail server, stored: imported ones, and those that an admin sorts.

What becomes of a message is the same as for one that a watcher fetched (backend/mail/actions.py): known by identity,
put where its headers say, told as one that arrived or as one event for a batch of history.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal

from backend.contacts.correspondents import Correspondent, note_correspondents
from backend.conversations.change import audience_of, hold_membership, tell_sight
from backend.conversations.contracts import HistoryStored, MessageAdded
from backend.conversations.rows import read_row
from backend.conversations.threads import (
    begin_conversation,
    join_conversations,
    sum_up,
    tell_joined,
    visibility_for_new,
)
from backend.database.connection import Row, execute, fetch, fetch_row
from backend.errors import NotFound
from backend.events.record import Action, action, mailbox_stream
from backend.mail.queries import message_of
from backend.mail.store import (
    ReadMessage,
    addressed_in,
    find_conversations,
    find_stored,
    hold_threading,
    insert_message,
    leave_keys,
    next_arrival,
)
from sync.mime.message import ParsedMessage

Status = Literal["open", "done", "spam", "trash"]
OPENNESS: tuple[Status, ...] = ("trash", "spam", "done", "open")
"""Of two messages of a conversation that is being imported, the later of these is the conversation's status."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Filed:
    """A message to store. `status` is what a conversation that begins with it gets; `unread` counts in a personal
    mailbox, where it is its owner's."""

    message: ReadMessage
    parsed: ParsedMessage
    status: Status = "open"
    unread: bool = False


@dataclass(slots=True)
class Filing:
    """What became of a batch; `begun` grows over the batches of one import."""

    new: int = 0
    known: int = 0
    begun: dict[int, Status] = field(default_factory=dict)
    """Conversations that this import began, with their status."""


async def own_addresses(mailbox_id: int) -> set[str]:
    """The lower-case addresses whose mail the mailbox itself wrote."""
    rows = await fetch(
        "SELECT lower(address) AS address FROM mailboxes WHERE id = $1 "
        "UNION SELECT lower(address) FROM mail_accounts WHERE mailbox_id = $1 "
        "UNION SELECT lower(address) FROM mailbox_addresses WHERE mailbox_id = $1",
        mailbox_id,
    )
    return {row["address"] for row in rows}


async def file_history(mailbox_id: int, batch: Sequence[Filed], filing: Filing) -> None:
    """Store a batch of old mail: it notifies nobody, reopens nothing, and is one event. Counts into `filing`."""
    async with action(None) as act:
        mailbox = await _hold(mailbox_id)
        own = await own_addresses(mailbox_id)
        begun: dict[int, Status] = {}
        new = 0
        for filed in batch:
            new += await _file_old(act, mailbox, filed, own, filing.begun, begun)
        for conversation_id in begun:
            await sum_up(conversation_id)
        await _note_senders(act, mailbox_id, batch, own)
        if new:
            act.record(mailbox_stream(mailbox_id), HistoryStored(mailbox_id=mailbox_id, messages=new))
    # Only what was committed counts: a batch that failed is tried again, message by message.
    filing.begun |= begun
    filing.new += new
    filing.known += len(batch) - new


async def _file_old(
    act: Action, mailbox: Row, filed: Filed, own: set[str], begun_before: dict[int, Status], begun: dict[int, Status]
) -> int:
    if await find_stored(mailbox["id"], filed.parsed) is not None:
        return 0
    found = await _find(act, mailbox, filed.message, own)
    conversation_id = found or await _begin(mailbox, filed)
    record = await insert_message(mailbox["id"], conversation_id, filed.message, 0)
    await leave_keys(mailbox["id"], conversation_id, filed.parsed)
    if found is None:
        begun[conversation_id] = filed.status
    else:
        await sum_up(conversation_id)
        status = begun.get(conversation_id) or begun_before.get(conversation_id)
        if status is not None and OPENNESS.index(filed.status) > OPENNESS.index(status):
            await execute("UPDATE conversations SET status = $2 WHERE id = $1", conversation_id, filed.status)
            begun[conversation_id] = filed.status
    if filed.unread and mailbox["kind"] == "personal" and record["direction"] == "incoming":
        await execute(
            "INSERT INTO read_marks (conversation_id, user_id, read_up_to, forced_unread, revision) "
            "VALUES ($1, $2, 0, true, 1) ON CONFLICT (conversation_id, user_id) DO NOTHING",
            conversation_id,
            mailbox["owner_id"],
        )
    return 1


async def file_arrived(act: Action, mailbox_id: int, messages: Sequence[Filed]) -> list[int]:
    """Store messages as ones that arrive now; answers the ids of their rows, or of the rows that they have already."""
    mailbox = await _hold(mailbox_id)
    own = await own_addresses(mailbox_id)
    ids = [await _file_new(act, mailbox, filed, own) for filed in messages]
    await _note_senders(act, mailbox_id, messages, own)
    return ids


async def _file_new(act: Action, mailbox: Row, filed: Filed, own: set[str]) -> int:
    message = filed.message
    stored = await find_stored(mailbox["id"], filed.parsed)
    if stored is not None:
        return stored["id"]
    found = await _find(act, mailbox, message, own)
    conversation_id = found or await _begin(mailbox, filed)
    audience_before = await audience_of(conversation_id)
    arrival = 0 if message.outgoing else await next_arrival(mailbox["id"])
    record = await insert_message(mailbox["id"], conversation_id, message, arrival)
    await leave_keys(mailbox["id"], conversation_id, filed.parsed)
    if not message.outgoing:
        await execute(
            "UPDATE conversations SET status = 'open' WHERE id = $1 AND status IN ('done', 'trash')", conversation_id
        )
    await sum_up(conversation_id)
    row, audience = await read_row(conversation_id), await audience_of(conversation_id)
    if found is not None:
        await tell_sight(act, row, audience_before, audience)
    act.record(
        mailbox_stream(mailbox["id"]),
        MessageAdded(row=row, message=message_of(record)),
        conversation_id=conversation_id,
        audience=audience,
    )
    return record["id"]


async def _hold(mailbox_id: int) -> Row:
    """In the order of those who store mail: the membership, then the threads. Raises NotFound."""
    await hold_membership(mailbox_id)
    await hold_threading(mailbox_id)
    mailbox = await fetch_row("SELECT * FROM mailboxes WHERE id = $1", mailbox_id)
    if mailbox is None:
        raise NotFound("There is no such mailbox.", "It may have been removed meanwhile.")
    return mailbox


async def _find(act: Action, mailbox: Row, message: ReadMessage, own: set[str]) -> int | None:
    """The conversation where the message belongs, joined from several if it connects them; None: a new one."""
    found = await find_conversations(mailbox["id"], message, own)
    if len(found) > 1:
        for conversation_id in found:
            await sum_up(conversation_id)
        activity = await join_conversations(act, found[0], found[1:])
        await sum_up(found[0])
        await tell_joined(act, found[0], activity)
    return found[0] if found else None


async def _begin(mailbox: Row, filed: Filed) -> int:
    parsed = filed.parsed
    visibility = await visibility_for_new(mailbox, addressed_in(parsed))
    conversation_id = await begin_conversation(
        mailbox["id"], parsed.subject, status=filed.status, visibility=visibility
    )
    if visibility != "open":
        # Who may join a private conversation is asked of these columns, within the same batch.
        await execute(
            "UPDATE conversations SET addressed = $2 WHERE id = $1",
            conversation_id,
            [*addressed_in(parsed), *([parsed.from_.address.lower()] if parsed.from_ else [])],
        )
    return conversation_id


async def _note_senders(act: Action, mailbox_id: int, messages: Sequence[Filed], own: set[str]) -> None:
    people = [
        Correspondent(sender.name, sender.address.lower(), None, filed.message.received_at)
        for filed in messages
        if (sender := filed.parsed.from_) and sender.address and sender.address.lower() not in own
    ]
    if people:
        await note_correspondents(act, mailbox_id, people, max(filed.message.received_at for filed in messages))
