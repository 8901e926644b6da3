"""The flags of messages as they stand on the server, and what they say here.

Everything runs inside the caller's action.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence

import msgspec

from backend.conversations.change import hold_membership
from backend.conversations.contracts import MarkChanged
from backend.conversations.rows import mark_of
from backend.database.connection import Row, execute, fetch
from backend.events.record import Action, user_stream
from backend.mail.fetched import FolderKey
from backend.mail.following import STANDS, status_follows
from backend.mail.intents import FLAG_OF, open_kinds
from backend.mail.store import hold_threading
from backend.notifications.actions import clear_notifications

DELETED = "\\Deleted"
"""The flag of a message that waits to be expunged (RFC 9051 section 2.3.2)."""


async def set_flags(folder: FolderKey, flags: Mapping[int, frozenset[str]]) -> list[int]:
    """Flags as they stand on the server, but for what is wished otherwise here; answers the conversations touched.

    The status follows what is marked as deleted, or is so no more.
    """
    records = await fetch(
        "SELECT p.uid, p.message_id, m.conversation_id, m.direction, ARRAY(SELECT jsonb_array_elements_text(p.flags)) "
        "AS flags FROM placements p JOIN messages m ON m.id = p.message_id WHERE p.folder_id = $1 AND p.uid = ANY($2)",
        folder.folder_id,
        list(flags),
    )
    wished = await open_kinds([record["message_id"] for record in records])
    now = {
        record["uid"]: _merged(flags[record["uid"]], record["flags"], wished.get(record["message_id"], ()))
        for record in records
    }
    marked = {
        record["conversation_id"]
        for record in records
        if (DELETED in record["flags"]) != (DELETED in now[record["uid"]])
    }
    if marked:
        await hold_membership(folder.mailbox_id)
        await hold_threading(folder.mailbox_id)
    async with status_follows(marked, moved=True):
        await execute(
            "UPDATE placements p SET flags = w.flags, seen = w.seen "
            "FROM unnest($2::bigint[], $3::jsonb[], $4::boolean[]) AS w(uid, flags, seen) "
            "WHERE p.folder_id = $1 AND p.uid = w.uid",
            folder.folder_id,
            list(now),
            [flags_json(each) for each in now.values()],
            ["\\Seen" in each for each in now.values()],
        )
    return sorted({record["conversation_id"] for record in records if record["direction"] == "incoming"})


def _merged(there: frozenset[str], here: Collection[str], wished: Collection[str]) -> frozenset[str]:
    """The server's flags, with ours where an open wish speaks of the flag."""
    ours = {FLAG_OF[kind] for kind in wished if kind in FLAG_OF}
    return frozenset((there - ours) | (ours & set(here)))


def flags_json(flags: Iterable[str]) -> str:
    """Flags as their column holds them."""
    return msgspec.json.encode(sorted(flags)).decode()


async def mark_like_server(act: Action, mailbox: Row, conversation_ids: Sequence[int], *, tell: bool = True) -> None:
    """Give the owner of a personal mailbox the read state that the server's Seen flags say."""
    records = await fetch(
        "INSERT INTO read_marks (conversation_id, user_id, read_up_to, forced_unread, revision) "
        "SELECT c.id, $2, CASE WHEN unseen.any THEN 0 ELSE c.last_arrival END, unseen.any, 1 FROM conversations c "
        # Not EXISTS: of that PostgreSQL may make a table of all messages, and one for each time that it is named.
        "CROSS JOIN LATERAL (SELECT coalesce(bool_or(NOT p.seen), false) AS any FROM messages m "
        "JOIN placements p ON p.message_id = m.id "
        f"WHERE m.conversation_id = c.id AND m.direction = 'incoming' AND {STANDS}) unseen "
        "WHERE c.id = ANY($1) ORDER BY c.id ON CONFLICT (conversation_id, user_id) DO UPDATE SET "
        "read_up_to = greatest(read_marks.read_up_to, excluded.read_up_to), forced_unread = excluded.forced_unread, "
        "revision = read_marks.revision + 1 WHERE read_marks.forced_unread <> excluded.forced_unread "
        "OR read_marks.read_up_to < excluded.read_up_to RETURNING *",
        list(conversation_ids),
        mailbox["owner_id"],
    )
    if not tell:
        return
    read = [record["conversation_id"] for record in records if not record["forced_unread"]]
    if read:
        await clear_notifications(act, mailbox["owner_id"], "kind = 'reply' AND conversation_id = ANY($2)", read)
    for record in records:
        if record["forced_unread"] or record["read_up_to"] or record["revision"] > 1:
            mark = mark_of(record["conversation_id"], record)
            act.record(user_stream(mailbox["owner_id"]), MarkChanged(mailbox_id=mailbox["id"], mark=mark))
