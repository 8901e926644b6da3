"""Mail that comes, is sent, changes its flags, or goes: each a transaction, told to everybody who sees it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

import msgspec

from backend.contacts.correspondents import note_correspondents
from backend.conversations.change import audience_of, changing, hold_membership, tell_sight
from backend.conversations.contracts import (
    ConversationChanged,
    HistoryStored,
    MarkChanged,
    MessageAdded,
    MessageRemoved,
)
from backend.conversations.rows import mark_of, read_row
from backend.conversations.threads import (
    begin_conversation,
    join_conversations,
    sum_up,
    tell_joined,
    visibility_for_new,
)
from backend.database.connection import Row, execute, execute_many, fetch, fetch_row, fetch_value
from backend.errors import NotFound
from backend.events.record import Action, action, mailbox_stream, user_stream
from backend.mail.queries import message_of
from backend.mail.raw import load_raw
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
from sync.mime.parse import parse_message


class StaleFence(Exception):
    """Another worker holds the account's lease now: nothing was written."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Fetched:
    """A message as it lies in a folder of the server, read."""

    uid: int
    flags: frozenset[str]
    received_at: datetime
    raw: bytes
    parsed: ParsedMessage


@dataclass(frozen=True, slots=True, kw_only=True)
class FolderKey:
    """The folder that a batch comes from, and the lease under which it was fetched."""

    folder_id: int
    role: str
    account_id: int
    mailbox_id: int
    fence: int


async def check_fence(account_id: int, fence: int) -> None:
    """Hold the account's lease for this transaction, or raise StaleFence."""
    held = await fetch_value("SELECT fence FROM mail_accounts WHERE id = $1 FOR SHARE", account_id)
    if held != fence:
        raise StaleFence


async def store_fetched(folder: FolderKey, messages: Sequence[Fetched], *, arrived: bool) -> None:
    """Store a batch from a folder, inside the caller's action (which moves the folder's cursor with it).

    Mail that *arrived* is numbered, told message by message, reopens what was done; *history* is told as one event.
    A message that the mailbox has already (a sent copy, a copy in another folder) only gains a placement.
    """
    async with action(None) as act:
        await check_fence(folder.account_id, folder.fence)
        await hold_membership(folder.mailbox_id)
        await hold_threading(folder.mailbox_id)
        mailbox = await fetch_row("SELECT * FROM mailboxes WHERE id = $1", folder.mailbox_id)
        if mailbox is None:
            raise StaleFence
        own = await _own_addresses(mailbox)
        new = 0
        ordered = sorted(messages, key=lambda m: m.uid) if arrived else messages
        for fetched in ordered:
            new += await _store_one(act, mailbox, folder, fetched, own, arrived=arrived)
        await _note_people(act, mailbox["id"], messages, own)
        if new and not arrived:
            act.record(mailbox_stream(mailbox["id"]), HistoryStored(mailbox_id=mailbox["id"], messages=new))


async def _own_addresses(mailbox: Row) -> set[str]:
    account = await fetch_value("SELECT lower(address) FROM mail_accounts WHERE mailbox_id = $1", mailbox["id"])
    return {mailbox["address"].lower(), *([account] if account else [])}


async def _store_one(
    act: Action, mailbox: Row, folder: FolderKey, fetched: Fetched, own: set[str], *, arrived: bool
) -> int:
    """Store one message; answers 1 if the mailbox did not have it."""
    if await fetch_value("SELECT 1 FROM placements WHERE folder_id = $1 AND uid = $2", folder.folder_id, fetched.uid):
        return 0
    stored = await find_stored(mailbox["id"], fetched.parsed)
    if stored is not None:
        await _place(folder, fetched, stored["id"])
        if stored["gone_at"] is not None:
            await _bring_back(act, stored)
        return 0
    sender = fetched.parsed.from_.address.lower() if fetched.parsed.from_ else ""
    message = ReadMessage(
        raw=fetched.raw,
        parsed=fetched.parsed,
        received_at=fetched.received_at,
        outgoing=folder.role == "sent" or sender in own,
    )
    incoming = arrived and not message.outgoing
    conversation_id = await _conversation_for(act, mailbox, message, own, junk=folder.role == "junk")
    arrival = await next_arrival(mailbox["id"]) if incoming else 0
    record = await insert_message(mailbox["id"], conversation_id, message, arrival)
    await leave_keys(mailbox["id"], conversation_id, message.parsed)
    await _place(folder, fetched, record["id"])
    audience_before = await audience_of(conversation_id)
    if incoming:
        await execute(
            "UPDATE conversations SET status = 'open' WHERE id = $1 AND status IN ('done', 'trash')", conversation_id
        )
    await sum_up(conversation_id)
    if arrived:
        await _tell_message(act, conversation_id, record, audience_before)
    if mailbox["kind"] == "personal" and not message.outgoing:
        await _mark_like_server(act, mailbox, conversation_id)
    return 1


async def _conversation_for(act: Action, mailbox: Row, message: ReadMessage, own: set[str], *, junk: bool) -> int:
    """The conversation where the message belongs: found, joined from several, or new."""
    found = await find_conversations(mailbox["id"], message, own)
    if not found:
        addressed = addressed_in(message.parsed)
        return await begin_conversation(
            mailbox["id"],
            message.parsed.subject,
            status="spam" if junk else "open",
            visibility=await visibility_for_new(mailbox, addressed),
        )
    if len(found) > 1:
        activity = await join_conversations(act, found[0], found[1:])
        await sum_up(found[0])
        await tell_joined(act, found[0], activity)
    return found[0]


async def _tell_message(act: Action, conversation_id: int, record: Row, audience_before: list[int] | None) -> None:
    row = await read_row(conversation_id)
    audience = await audience_of(conversation_id)
    if row.message_count > 1:
        await tell_sight(act, row, audience_before, audience)
    act.record(
        mailbox_stream(row.mailbox_id),
        MessageAdded(row=row, message=message_of(record)),
        conversation_id=conversation_id,
        audience=audience,
    )


async def _place(folder: FolderKey, fetched: Fetched, message_id: int) -> None:
    await execute(
        "INSERT INTO placements (folder_id, uid, message_id, flags, seen, size) VALUES ($1, $2, $3, $4, $5, $6) "
        "ON CONFLICT (folder_id, uid) DO NOTHING",
        folder.folder_id,
        fetched.uid,
        message_id,
        msgspec.json.encode(sorted(fetched.flags)).decode(),
        "\\Seen" in fetched.flags,
        len(fetched.raw),
    )


async def _bring_back(act: Action, stored: Row) -> None:
    """A message that was gone stands on the server again."""
    await execute("UPDATE messages SET gone_at = NULL WHERE id = $1", stored["id"])
    async with changing(None, stored["conversation_id"]) as change:
        await sum_up(stored["conversation_id"])
        record = await fetch_row("SELECT * FROM messages WHERE id = $1", stored["id"])
        assert record is not None
        change.tell(lambda row: MessageAdded(row=row, message=message_of(record)))


async def _note_people(act: Action, mailbox_id: int, messages: Sequence[Fetched], own: set[str]) -> None:
    people = [
        (fetched.parsed.from_.name, fetched.parsed.from_.address.lower(), None)
        for fetched in messages
        if fetched.parsed.from_ and fetched.parsed.from_.address and fetched.parsed.from_.address.lower() not in own
    ]
    if people:
        await note_correspondents(act, mailbox_id, people, max(fetched.received_at for fetched in messages))


async def apply_flags(folder: FolderKey, flags: Mapping[int, frozenset[str]]) -> None:
    """Flags as they stand on the server. In a personal mailbox, Seen is its owner's read state, both ways."""
    async with action(None) as act:
        await check_fence(folder.account_id, folder.fence)
        mailbox = await fetch_row("SELECT * FROM mailboxes WHERE id = $1", folder.mailbox_id)
        if mailbox is None:
            raise StaleFence
        await execute_many(
            "UPDATE placements SET flags = $3, seen = $4 WHERE folder_id = $1 AND uid = $2",
            [
                (folder.folder_id, uid, msgspec.json.encode(sorted(each)).decode(), "\\Seen" in each)
                for uid, each in sorted(flags.items())
            ],
        )
        if mailbox["kind"] != "personal":
            return
        touched = await fetch(
            "SELECT DISTINCT m.conversation_id AS id FROM placements p JOIN messages m ON m.id = p.message_id "
            "WHERE p.folder_id = $1 AND p.uid = ANY($2) AND m.direction = 'incoming' ORDER BY 1",
            folder.folder_id,
            list(flags),
        )
        for record in touched:
            await _mark_like_server(act, mailbox, record["id"])


async def _mark_like_server(act: Action, mailbox: Row, conversation_id: int) -> None:
    """Give the owner of a personal mailbox the read state that the server's Seen flags say."""
    unseen = await fetch_value(
        "SELECT EXISTS (SELECT 1 FROM messages m JOIN placements p ON p.message_id = m.id "
        "WHERE m.conversation_id = $1 AND m.direction = 'incoming' AND NOT p.seen)",
        conversation_id,
    )
    last_arrival = await fetch_value("SELECT last_arrival FROM conversations WHERE id = $1", conversation_id)
    record = await fetch_row(
        "INSERT INTO read_marks (conversation_id, user_id, read_up_to, forced_unread, revision) "
        "VALUES ($1, $2, $3, $4, 1) ON CONFLICT (conversation_id, user_id) DO UPDATE SET "
        "read_up_to = greatest(read_marks.read_up_to, $3), forced_unread = $4, revision = read_marks.revision + 1 "
        "WHERE read_marks.forced_unread <> $4 OR read_marks.read_up_to < $3 RETURNING *",
        conversation_id,
        mailbox["owner_id"],
        0 if unseen else last_arrival,
        unseen,
    )
    if record is not None and (unseen or last_arrival or record["revision"] > 1):
        mark = mark_of(conversation_id, record)
        act.record(user_stream(mailbox["owner_id"]), MarkChanged(mailbox_id=mailbox["id"], mark=mark))


async def remove_placements(folder: FolderKey, uids: Sequence[int]) -> None:
    """These messages stand in the folder no more.

    One that stands in no folder at all was deleted on the server: it is shown no more, its bytes stay. A
    conversation whose last incoming message went this way moves to the Trash, where a person can restore it.
    """
    async with action(None):
        await check_fence(folder.account_id, folder.fence)
        await hold_membership(folder.mailbox_id)
        gone = await fetch(
            "DELETE FROM placements WHERE folder_id = $1 AND uid = ANY($2) RETURNING message_id",
            folder.folder_id,
            list(uids),
        )
        orphans = await fetch(
            "SELECT m.id, m.conversation_id FROM messages m WHERE m.id = ANY($1) AND m.gone_at IS NULL "
            "AND NOT EXISTS (SELECT 1 FROM placements p WHERE p.message_id = m.id) ORDER BY m.conversation_id, m.id",
            [record["message_id"] for record in gone],
        )
        for record in orphans:
            await _remove_message(record["conversation_id"], record["id"])


async def _remove_message(conversation_id: int, message_id: int) -> None:
    async with changing(None, conversation_id) as change:
        others = await fetch_value(
            "SELECT count(*) FROM messages WHERE conversation_id = $1 AND gone_at IS NULL AND id <> $2 "
            "AND direction = 'incoming'",
            conversation_id,
            message_id,
        )
        if others == 0:
            await execute(
                "UPDATE conversations SET status = 'trash' WHERE id = $1 AND status <> 'trash'", conversation_id
            )
            change.tell(lambda row: ConversationChanged(row=row))
            return
        await execute("UPDATE messages SET gone_at = now() WHERE id = $1", message_id)
        await sum_up(conversation_id)
        change.tell(lambda row: MessageRemoved(row=row, message_id=message_id))


async def forget_folder(folder: FolderKey) -> None:
    """UIDVALIDITY changed: the placements are void, the messages stay and take their new UIDs as they are met."""
    async with action(None):
        await check_fence(folder.account_id, folder.fence)
        await execute("DELETE FROM placements WHERE folder_id = $1", folder.folder_id)
        await execute(
            "UPDATE folders SET uid_validity = 0, highest_uid = 0, lowest_uid = 0, highest_modseq = 0, "
            "backfill_done = false WHERE id = $1",
            folder.folder_id,
        )


async def store_sent_message(outgoing_id: int) -> None:
    """A mail has left: it stands in its conversation from now on. Call inside the action that records it."""
    outgoing = await fetch_row("SELECT * FROM outgoing WHERE id = $1", outgoing_id)
    if outgoing is None:
        raise NotFound("There is no such mail in the outbox.")
    raw = await load_raw(outgoing["raw_digest"])
    parsed = parse_message(raw)
    async with action(outgoing["author_id"]) as act:
        await hold_membership(outgoing["mailbox_id"])
        await hold_threading(outgoing["mailbox_id"])
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
            record = await insert_message(outgoing["mailbox_id"], outgoing["conversation_id"], message, 0)
            await leave_keys(outgoing["mailbox_id"], outgoing["conversation_id"], parsed)
            await sum_up(outgoing["conversation_id"])
            change.tell(lambda row: MessageAdded(row=row, message=message_of(record)))
        recipients = [
            (person.name, person.address.lower(), None) for person in (*parsed.to, *parsed.cc) if person.address
        ]
        if recipients:
            await note_correspondents(act, outgoing["mailbox_id"], recipients[:100], message.received_at)
