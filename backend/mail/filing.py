"""Messages that come from no folder of a mail server, stored: imported ones, and those that an admin sorts.

What becomes of a message is the same as for one that a watcher fetched (backend/mail/actions.py): known by identity,
put where its headers say, told as one that arrived or as one event for a batch of history.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from backend.contacts.correspondents import Correspondent, note_correspondents
from backend.conversations.change import hold_membership, tell_guests
from backend.conversations.contracts import HistoryStored, Status
from backend.database.connection import Row, execute, execute_many, fetch, fetch_row
from backend.errors import NotFound
from backend.events.record import Action, action, mailbox_stream
from backend.mail.actions import tell_arrived
from backend.mail.batches import Incoming, store_batch
from backend.mail.fetched import Fetched
from backend.mail.flag_words import by_conversation, flags_json
from backend.mail.intake import own_addresses
from backend.mail.labels import labels_begin
from backend.mail.places import Where
from backend.mail.standing import begins_with
from backend.mail.store import hold_threading

_OPENNESS: tuple[Status, ...] = ("trash", "spam", "done", "open")
"""A conversation that an import begins is as open as the most open of its messages."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Filed:
    """A message to store. `message.uid` tells it apart in its batch and means nothing else.

    `place`: where it lay before, which says what a conversation begins with that begins with it. `unread` counts in a
    personal mailbox, where it is its owner's.
    """

    message: Fetched
    place: Where = "inbox"
    unread: bool = False


@dataclass(slots=True)
class Filing:
    """What became of the batches of one import so far."""

    new: int = 0
    known: int = 0
    begun: dict[int, Status] = field(default_factory=dict)
    """Conversations that this import began, with their status."""


async def file_history(mailbox_id: int, batch: Sequence[Filed], filing: Filing) -> None:
    """Store a batch of old mail: it notifies nobody, reopens nothing, and is one event. Counts into `filing`."""
    if not batch:
        return
    begun: dict[int, Status] = dict(filing.begun)
    new = 0
    async with action(None) as act:
        mailbox = await _hold(mailbox_id)
        own = await own_addresses(mailbox_id)
        by_place: dict[Where, list[Fetched]] = defaultdict(list)
        for filed in batch:
            by_place[filed.place].append(filed.message)
        ids: dict[int, int] = {}
        for place in sorted(by_place, key=_openness, reverse=True):
            messages = [Incoming(each, place) for each in by_place[place]]
            stored = await store_batch(act, mailbox, messages, own, arrived=False)
            status = begins_with(place, arrived=False)
            begun |= dict.fromkeys(stored.begun, status)
            await _open_up([each for each in stored.grown if each in begun], status, begun)
            await tell_guests(act, stored.grown)
            new += len(stored.new)
            ids |= stored.ids
        await _keep_flags({ids[filed.message.uid]: filed.message.flags for filed in batch if filed.message.flags})
        await _take_labels({ids[filed.message.uid]: filed.message.flags for filed in batch if filed.message.flags})
        if mailbox["kind"] == "personal":
            await _leave_unread(mailbox, [ids[filed.message.uid] for filed in batch if filed.unread])
        await _note_senders(act, mailbox_id, batch, own)
        if new:
            act.record(mailbox_stream(mailbox_id), HistoryStored(mailbox_id=mailbox_id, messages=new))
    # Only what was committed counts: a batch that failed is tried again, message by message.
    filing.begun = begun
    filing.new += new
    filing.known += len(batch) - new


def _openness(place: Where) -> int:
    return _OPENNESS.index(begins_with(place, arrived=False))


async def _open_up(conversation_ids: Sequence[int], status: Status, begun: dict[int, Status]) -> None:
    """These conversations of the import have got messages that are worth this status."""
    for conversation_id in conversation_ids:
        if _OPENNESS.index(status) > _OPENNESS.index(begun[conversation_id]):
            await execute("UPDATE conversations SET status = $2 WHERE id = $1", conversation_id, status)
            begun[conversation_id] = status


async def _keep_flags(flags: Mapping[int, frozenset[str]]) -> None:
    """What these messages were marked with where they lay; on a mail server their folders say it."""
    await execute_many(
        "UPDATE messages SET kept_flags = $2 WHERE id = $1 AND kept_flags = '[]'",
        [(message_id, flags_json(each)) for message_id, each in sorted(flags.items())],
    )


async def _take_labels(flags: Mapping[int, frozenset[str]]) -> None:
    """What is flagged has a star."""
    if flags:
        records = await fetch("SELECT id, conversation_id FROM messages WHERE id = ANY($1)", list(flags))
        await labels_begin(by_conversation((record["conversation_id"], flags[record["id"]]) for record in records))


async def _leave_unread(mailbox: Row, message_ids: Sequence[int]) -> None:
    await execute(
        "INSERT INTO read_marks (conversation_id, user_id, read_up_to, forced_unread, revision) "
        "SELECT DISTINCT conversation_id, $2::bigint, 0, true, 1 FROM messages "
        "WHERE id = ANY($1) AND direction = 'incoming' AND arrival = 0 "
        "ON CONFLICT (conversation_id, user_id) DO NOTHING",
        list(message_ids),
        mailbox["owner_id"],
    )


async def file_arrived(act: Action, mailbox_id: int, batch: Sequence[Filed]) -> None:
    """Store messages as ones that arrive now. Those that the mailbox has are passed over."""
    mailbox = await _hold(mailbox_id)
    own = await own_addresses(mailbox_id)
    messages = [Incoming(filed.message, filed.place) for filed in batch]
    await tell_arrived(act, mailbox, await store_batch(act, mailbox, messages, own, arrived=True))
    await _note_senders(act, mailbox_id, batch, own)


async def _hold(mailbox_id: int) -> Row:
    """In the order of those who store mail: the membership, then the threads. Raises NotFound."""
    await hold_membership(mailbox_id)
    await hold_threading(mailbox_id)
    mailbox = await fetch_row("SELECT * FROM mailboxes WHERE id = $1", mailbox_id)
    if mailbox is None:
        raise NotFound("There is no such mailbox.", "It may have been removed meanwhile.")
    return mailbox


async def _note_senders(act: Action, mailbox_id: int, batch: Sequence[Filed], own: set[str]) -> None:
    people = [
        Correspondent(each.prepared.sender_name, each.prepared.sender_address, None, each.received_at)
        for each in (filed.message for filed in batch)
        if each.prepared.sender_address and each.prepared.sender_address not in own
    ]
    if people:
        await note_correspondents(act, mailbox_id, people, max(filed.message.received_at for filed in batch))
