"""The read state of a personal mailbox is the Seen flag, both ways (DESIGN: "Read state").

What its owner did and the server has not confirmed wins: while a wish about Seen is open for a conversation its mark
stays as it is. Whenever that is over, or a message takes another place, the mark is what the flags say. So it cannot
differ from them for good, whatever order a server, a job and a person come in.

Everything runs inside the caller's action.
"""

from collections.abc import Collection

from backend.conversations.contracts import MarkChanged
from backend.conversations.rows import mark_of
from backend.database.connection import Row, fetch, fetch_row
from backend.events.record import Action, user_stream
from backend.mail.following import STANDS
from backend.notifications.actions import clear_notifications

_ON_ITS_WAY = (
    "EXISTS (SELECT 1 FROM messages w WHERE w.conversation_id = c.id AND w.direction = 'incoming' "
    "AND w.gone_at IS NULL AND (w.unplaced_at IS NOT NULL OR w.stood_in <> ''))"
)
"""SQL: a message of the conversation `c` stands nowhere at this moment, or is looked for in a folder numbered anew."""


async def marks_follow(
    act: Action, mailbox_id: int, conversation_ids: Collection[int], *, confirmed: Collection[int] = ()
) -> None:
    """Messages of these conversations have lost a place, or wishes about them are at an end (`confirmed`: their ids,
    in this transaction). A mark waits until all that the conversation has stands somewhere."""
    mailbox = await fetch_row("SELECT * FROM mailboxes WHERE id = $1 AND kind = 'personal'", mailbox_id)
    if mailbox is None or not conversation_ids:
        return
    settled = await fetch(
        f"SELECT c.id FROM conversations c WHERE c.id = ANY($1) AND c.mailbox_id = $2 AND NOT {_ON_ITS_WAY} "
        "AND EXISTS (SELECT 1 FROM messages m JOIN placements p ON p.message_id = m.id "
        "WHERE m.conversation_id = c.id AND m.direction = 'incoming')",
        list(conversation_ids),
        mailbox_id,
    )
    await mark_like_server(act, mailbox, [record["id"] for record in settled], confirmed=confirmed)


async def mark_like_server(
    act: Action,
    mailbox: Row,
    conversation_ids: Collection[int],
    *,
    tell: bool = True,
    confirmed: Collection[int] = (),
) -> None:
    """Give the owner of a personal mailbox the read state that the server's Seen flags say."""
    records = await fetch(
        "INSERT INTO read_marks (conversation_id, user_id, read_up_to, forced_unread, revision) "
        "SELECT c.id, $2, CASE WHEN unseen.any THEN 0 ELSE c.last_arrival END, unseen.any, 1 FROM conversations c "
        # Not EXISTS: of that PostgreSQL may make a table of all messages, and one for each time that it is named.
        "CROSS JOIN LATERAL (SELECT coalesce(bool_or(NOT p.seen), false) AS any FROM messages m "
        "JOIN placements p ON p.message_id = m.id "
        f"WHERE m.conversation_id = c.id AND m.direction = 'incoming' AND m.moved_from IS NULL AND {STANDS}) unseen "
        "WHERE c.id = ANY($1) AND c.mailbox_id = $4 "
        "AND NOT EXISTS (SELECT 1 FROM messages w JOIN server_intents i ON i.message_id = w.id "
        "WHERE w.conversation_id = c.id AND i.kind = 'seen' AND i.confirmed_at IS NULL AND i.id <> ALL($3)) "
        "ORDER BY c.id ON CONFLICT (conversation_id, user_id) DO UPDATE SET "
        "read_up_to = greatest(read_marks.read_up_to, excluded.read_up_to), forced_unread = excluded.forced_unread, "
        "revision = read_marks.revision + 1 WHERE read_marks.forced_unread <> excluded.forced_unread "
        "OR read_marks.read_up_to < excluded.read_up_to RETURNING *",
        list(conversation_ids),
        mailbox["owner_id"],
        list(confirmed),
        mailbox["id"],
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
