"""Mail that comes, is sent, changes its flags, or goes: each a transaction, told to everybody who sees it."""

from collections.abc import Mapping, Sequence

from backend.contacts.correspondents import Correspondent, note_correspondents
from backend.conversations.change import (
    Audience,
    audience_of_row,
    changing,
    hold_membership,
    tell,
    tell_guests,
    tell_sight,
)
from backend.conversations.contracts import ConversationChanged, ConversationRow, HistoryStored, MessageAdded
from backend.conversations.following import let_follow
from backend.conversations.in_turn import assign_in_turn
from backend.conversations.rows import read_rows
from backend.conversations.threads import sum_up
from backend.database.connection import Row, execute, fetch, fetch_row, fetch_value
from backend.errors import NotFound
from backend.events.record import Action, action, mailbox_stream
from backend.mail.batches import Incoming, Stored, store_batch
from backend.mail.deleted import pass_over_deleted
from backend.mail.fetched import Fetched, FolderKey, StaleFence, check_fence
from backend.mail.flag_words import by_conversation, labels_of
from backend.mail.flags import set_flags
from backend.mail.following import status_follows
from backend.mail.intake import own_addresses, targets
from backend.mail.intents import want
from backend.mail.labels import labels_begin, labels_follow
from backend.mail.marks import mark_like_server
from backend.mail.moved import with_moved
from backend.mail.places import where
from backend.mail.placing import (
    arrived_again,
    bring_back,
    place,
    place_of,
    placed_uids,
    remove_unplaced,
    settle_later,
    take_out,
    void_placements,
)
from backend.mail.queries import ITEM_COLUMNS, message_of
from backend.mail.raw import load_raw
from backend.mail.recognition import Listed, stored_twins
from backend.mail.standing import GRACE
from backend.mail.store import ReadMessage, find_stored, hold_threading, insert_message, leave_keys
from backend.mail.word_index import take_down_soon
from backend.notifications.actions import notify
from sync.mime.parse import parse_message

__all__ = [  # what those who store mail need, in one place
    "Fetched",
    "FolderKey",
    "StaleFence",
    "apply_flags",
    "check_fence",
    "forget_folder",
    "recognise",
    "remove_placements",
    "settle_removed",
    "store_fetched",
    "store_sent_message",
    "tell_arrived",
]


async def store_fetched(folder: FolderKey, messages: Sequence[Fetched], *, arrived: bool) -> None:
    """Store a batch from a folder, inside the caller's action (which moves the folder's cursor with it).

    Mail that *arrived* is numbered, told message by message, reopens what was done; *history* is told as one event.
    A message that the mailbox has already (a sent copy, a copy in another folder) only gains a placement; one that is
    placed there already, by who carried a move over, takes its flags. Mail of the intake account goes to the mailboxes
    that it is for.
    """
    async with action(None) as act:
        await check_fence(folder.account_id, folder.fence)
        placed = await placed_uids(folder, [each.uid for each in messages])
        fresh = [each.ready() for each in messages if each.uid not in placed]
        met = {each.uid: each.flags for each in messages if each.uid in placed}
        await take_down_soon(len(fresh))
        for mailbox_id, held_by, parts in await with_moved(await _by_mailbox(folder, fresh)):
            mailbox = await _hold(mailbox_id)
            own = await own_addresses(mailbox_id)
            kept = await pass_over_deleted(folder, mailbox_id, parts)
            placed.update({each.uid for each in parts} - {each.uid for each in kept})
            if not kept:
                continue
            parts = kept
            ordered = sorted(parts, key=lambda each: each.uid) if arrived else parts
            incoming = await _places(folder, mailbox_id, ordered)
            stored = await store_batch(act, mailbox, incoming, own, arrived=arrived, held_by=held_by)
            await _place(folder, [each for each in ordered if each.uid not in placed], stored)
            placed.update(each.uid for each in parts)
            await _take_labels(folder, mailbox_id, ordered, stored)
            if arrived:
                await _put_away(folder, incoming, stored)
                await tell_arrived(act, mailbox, stored)
            elif stored.new:
                event = HistoryStored(mailbox_id=mailbox_id, messages=len(stored.new))
                act.record(mailbox_stream(mailbox_id), event)
                await tell_guests(act, stored.grown)
            if mailbox["kind"] == "personal" and mailbox_id == folder.mailbox_id and held_by is None:
                # Whoever reads in the intake account reads for nobody here.
                touched = sorted({*stored.begun, *stored.grown, *stored.known_conversations})
                await mark_like_server(act, mailbox, touched, tell=arrived)
            await _note_people(act, mailbox_id, parts, own)
        if met:
            await _take_flags(act, folder, met)


async def _by_mailbox(folder: FolderKey, messages: Sequence[Fetched]) -> dict[int, list[Fetched]]:
    """The messages by the mailbox that gets them, in the order of the ids, so that nobody waits in a circle."""
    kind = await fetch_row("SELECT kind FROM mailboxes WHERE id = $1", folder.mailbox_id)
    if kind is None or kind["kind"] != "intake":
        return {folder.mailbox_id: list(messages)} if messages else {}
    found: dict[int, list[Fetched]] = {}
    for each in messages:
        for mailbox_id in await targets(folder.account_id, each.whole, role=folder.role):
            found.setdefault(mailbox_id, []).append(each)
    return dict(sorted(found.items()))


async def _hold(mailbox_id: int) -> Row:
    """The mailbox, in which until the transaction ends nobody else stores mail and nobody's access changes."""
    await hold_membership(mailbox_id)
    await hold_threading(mailbox_id)
    mailbox = await fetch_row("SELECT * FROM mailboxes WHERE id = $1", mailbox_id)
    if mailbox is None:
        raise StaleFence
    return mailbox


async def _places(folder: FolderKey, mailbox_id: int, messages: Sequence[Fetched]) -> list[Incoming]:
    """What the folder means for each message; mail of a blocked sender counts as junk wherever it stands."""
    record = await fetch_row(
        "SELECT name, ARRAY(SELECT address FROM blocked_senders WHERE mailbox_id = $2 AND address = ANY($3)) "
        "AS blocked FROM folders WHERE id = $1",
        folder.folder_id,
        mailbox_id,
        list({each.prepared.sender_address for each in messages}),
    )
    stood = where(folder.role, record["name"] if record else "")
    unwanted = set(record["blocked"]) if record else set()
    return [
        Incoming(each, "junk" if stood != "sent" and each.prepared.sender_address in unwanted else stood)
        for each in messages
    ]


async def _place(folder: FolderKey, messages: Sequence[Fetched], stored: Stored) -> None:
    """The messages stand in the folder; the status of conversations follows where that changes something."""
    rows = [(each.uid, each.flags, len(each.raw), stored.ids[each.uid]) for each in messages]
    async with status_follows(stored.known_conversations, moved=True), status_follows(stored.grown, moved=False):
        await place(folder, rows)
        await arrived_again(stored.known)
    await bring_back(stored.gone)


async def _take_labels(folder: FolderKey, mailbox_id: int, messages: Sequence[Fetched], stored: Stored) -> None:
    """The star and the tags that the server marks them with; of new messages they are told with them."""
    found = {stored.ids[each.uid]: each.flags for each in messages if each.flags and labels_of(each.flags)}
    if not found or mailbox_id != folder.mailbox_id:
        return
    records = await fetch("SELECT id, conversation_id FROM messages WHERE id = ANY($1)", list(found))
    new = set(stored.new)
    marks = [(record["id"] in new, (record["conversation_id"], found[record["id"]])) for record in records]
    await labels_begin(by_conversation(each for fresh, each in marks if fresh))
    await labels_follow(by_conversation(each for fresh, each in marks if not fresh))


async def _put_away(folder: FolderKey, messages: Sequence[Incoming], stored: Stored) -> None:
    """New mail of blocked senders goes to the Junk folder on the server too."""
    new = set(stored.new)
    unwanted = {stored.ids[each.fetched.uid] for each in messages if each.place == "junk"} & new
    if unwanted and await place_of(folder) != "junk":
        await want(sorted(unwanted), "place", "junk")


async def tell_arrived(act: Action, mailbox: Row, stored: Stored) -> None:
    """What arrived is told, and then what begins with it is given out in turn, where the mailbox does that."""
    await _tell_messages(act, mailbox, stored)
    await assign_in_turn(mailbox, stored.begun)


async def _tell_messages(act: Action, mailbox: Row, stored: Stored) -> None:
    """Each new message, with the row of its conversation as it is now; who sees a confidential one only now, first."""
    records = await fetch(f"SELECT {ITEM_COLUMNS} FROM messages WHERE id = ANY($1) ORDER BY arrival, id", stored.new)
    rows = {row.id: row for row in await read_rows({record["conversation_id"] for record in records})}
    audiences: dict[int, Audience] = {}
    for row in rows.values():
        audiences[row.id] = await audience_of_row(row)
        if row.id in stored.grown:
            before = Audience(stored.audiences.get(row.id), audiences[row.id].guests)
            await tell_sight(act, row, before, audiences[row.id])
    for record in records:
        row = rows[record["conversation_id"]]
        tell(act, row, MessageAdded(row=row, message=message_of(record)), audiences[row.id])
        if record["arrival"]:
            await _tell_followers(act, row, record)
    for activity in stored.reopened:
        row = rows[activity.conversation_id]
        tell(act, row, ConversationChanged(row=row, activity=activity), audiences[row.id])


async def _tell_followers(act: Action, row: ConversationRow, message: Row) -> None:
    """New mail of somebody else has come into what these people follow."""
    sender = message_of(message).sender
    who = (sender.name or sender.address) if sender else ""
    text = message["snippet"]
    await notify(act, row.follower_ids, "reply", row.id, None, text, sender=who, message_id=message["id"])


async def _note_people(act: Action, mailbox_id: int, messages: Sequence[Fetched], own: set[str]) -> None:
    people = [
        Correspondent(each.prepared.sender_name, each.prepared.sender_address)
        for each in messages
        if each.prepared.sender_address and each.prepared.sender_address not in own
    ]
    if people:
        await note_correspondents(act, mailbox_id, people, max(each.received_at for each in messages))


# ---- what happens to messages on the server


async def recognise(folder: FolderKey, listed: Sequence[Listed], *, arrived: bool) -> list[int]:
    """Place those of the listed messages that the mailbox has already; answers the UIDs whose bodies are needed.

    After a change of UIDVALIDITY, and for copies in other folders. A message that was moved here takes its
    conversation's status with it, whether it `arrived` or is history. Mail of the intake account is always fetched:
    it may be for several mailboxes.
    """
    async with action(None) as act:
        await check_fence(folder.account_id, folder.fence)
        mailbox = await _hold(folder.mailbox_id)
        if mailbox["kind"] == "intake":
            return [each.uid for each in listed]
        placed = await placed_uids(folder, [each.uid for each in listed])
        asked = [each for each in listed if each.uid not in placed]
        twins = await stored_twins(mailbox["id"], asked)
        found = [each for each in asked if each.uid in twins]
        conversations = sorted({record["conversation_id"] for record in twins.values()})
        async with status_follows(conversations, moved=True):
            await place(folder, [(each.uid, each.flags, each.size, twins[each.uid]["id"]) for each in found])
            await arrived_again([record["id"] for record in twins.values()])
        await labels_follow(by_conversation((twins[each.uid]["conversation_id"], each.flags) for each in found))
        await bring_back(list({r["id"]: r for r in twins.values() if r["gone_at"] is not None}.values()))
        if mailbox["kind"] == "personal":
            await mark_like_server(act, mailbox, conversations, tell=arrived)
        if placed:
            await _take_flags(act, folder, {each.uid: each.flags for each in listed if each.uid in placed})
        return [each.uid for each in asked if each.uid not in twins]


async def apply_flags(folder: FolderKey, flags: Mapping[int, frozenset[str]]) -> None:
    """Flags as they stand on the server. In a personal mailbox, Seen is its owner's read state, both ways.

    While it is wished otherwise here, and not yet confirmed by the server, what people see is what is wished.
    """
    async with action(None) as act:
        await check_fence(folder.account_id, folder.fence)
        await _take_flags(act, folder, flags)


async def _take_flags(act: Action, folder: FolderKey, flags: Mapping[int, frozenset[str]]) -> None:
    mailbox = await fetch_row("SELECT * FROM mailboxes WHERE id = $1", folder.mailbox_id)
    if mailbox is None:
        raise StaleFence
    touched = await set_flags(folder, flags)
    if mailbox["kind"] == "personal":
        await mark_like_server(act, mailbox, touched)


async def remove_placements(folder: FolderKey, uids: Sequence[int]) -> None:
    """These messages stand in the folder no more.

    One that stands in no other folder may be on its way to one: only after a time of grace it counts as deleted
    (`settle_removed`, by a job).
    """
    async with action(None):
        await check_fence(folder.account_id, folder.fence)
        await _hold(folder.mailbox_id)
        await take_out(folder, uids)


async def settle_removed(mailbox_id: int, grace_seconds: float = GRACE.total_seconds()) -> None:
    """Messages that have stood in no folder for so long were deleted on the server: they are shown no more.

    A conversation whose last incoming message went this way moves to the Trash, where a person can restore it. Their
    bytes stay.
    """
    async with action(None):
        await hold_membership(mailbox_id)
        await hold_threading(mailbox_id)
        if not await remove_unplaced(mailbox_id, grace_seconds):
            await settle_later(mailbox_id)


async def forget_folder(folder: FolderKey) -> None:
    """UIDVALIDITY changed: the placements are void, the messages stay and take their new UIDs as they are met."""
    async with action(None):
        await check_fence(folder.account_id, folder.fence)
        await _hold(folder.mailbox_id)
        await void_placements(folder)
        await execute(
            "UPDATE folders SET uid_validity = 0, highest_uid = 0, lowest_uid = 0, highest_modseq = 0, "
            "backfill_done = false WHERE id = $1",
            folder.folder_id,
        )


async def store_sent_message(outgoing_id: int) -> None:
    """A mail has left: it stands in its conversation from now on. Call inside the action that records it.

    It is read where the conversation is; the account of the mailbox that sent it has the copy.
    """
    outgoing = await fetch_row("SELECT * FROM outgoing WHERE id = $1", outgoing_id)
    if outgoing is None:
        raise NotFound("There is no such mail in the outbox.")
    raw = await load_raw(outgoing["raw_digest"])
    parsed = parse_message(raw)
    async with action(outgoing["author_id"]) as act:
        mailbox_id = await fetch_value(
            "SELECT mailbox_id FROM conversations WHERE id = $1", outgoing["conversation_id"]
        )
        await hold_membership(mailbox_id)
        await hold_threading(mailbox_id)
        if await find_stored(outgoing["mailbox_id"], parsed) is not None:
            return
        message = ReadMessage(
            raw=raw,
            parsed=parsed,
            received_at=outgoing["sent_at"] or outgoing["created_at"],
            outgoing=True,
            author_id=outgoing["author_id"],
        )
        async with changing(outgoing["author_id"], outgoing["conversation_id"]) as change:
            number = (await insert_message(mailbox_id, outgoing["conversation_id"], message))["id"]
            record = await fetch_row(f"SELECT {ITEM_COLUMNS} FROM messages WHERE id = $1", number)
            assert record is not None
            if mailbox_id != outgoing["mailbox_id"]:
                await execute("UPDATE messages SET moved_from = $2 WHERE id = $1", record["id"], outgoing["mailbox_id"])
            await leave_keys(mailbox_id, outgoing["conversation_id"], parsed)
            await sum_up(outgoing["conversation_id"])
            change.tell(lambda row: MessageAdded(row=row, message=message_of(record)))
            author, text = outgoing["author_id"], record["snippet"]
            await let_follow(outgoing["conversation_id"], [], acting=author)
            following = {*change.before["follower_ids"]} - {author}
            where = outgoing["conversation_id"]
            await notify(change.act, following, "reply", where, author, text, message_id=record["id"])
        recipients = [
            (person.name, person.address.lower(), None) for person in (*parsed.to, *parsed.cc) if person.address
        ]
        if recipients:
            await note_correspondents(act, mailbox_id, recipients[:100], message.received_at)
