"""Reminders and snoozing: what one person wants to see again later. Nobody else learns of it.

A person has one for a conversation, in the row of their read mark: it is told with the mark, and one revision orders
both. A *reminder* lets the conversation stand on top of its list, before and after its moment; a *snooze* hides it from
the open lists until then. At its moment it is due (`backend/workers/reminders.py`): told once as a notification, and on
top until it is cleared, set anew, or the conversation leaves the list.

New mail of somebody else ends a snooze, and a reminder that was for silence: there is an answer.
"""

from collections.abc import Collection
from datetime import UTC, datetime, timedelta

from backend.access.asker import Asker
from backend.conversations.contracts import ConversationItem, MarkChanged, SetReminder
from backend.conversations.rows import item_for, mark_of
from backend.database.connection import fetch, fetch_row, fetch_value
from backend.errors import Unacceptable
from backend.events.record import Action, action, user_stream
from backend.notifications.actions import notify

FURTHEST = timedelta(days=5 * 366)
AT_ONCE = 100
"""Reminders that fall due in one transaction."""

_NOTHING = "remind_at = NULL, remind_kind = '', remind_if_silent = false, remind_due = false, revision = revision + 1"


async def set_reminder(asker: Asker, conversation_id: int, wanted: SetReminder) -> ConversationItem:
    """Remind the asking person, or hide the conversation from them until then; in the place of what was set before.

    Raises Unacceptable for a moment that is past, or over five years away.
    """
    now = datetime.now(UTC)
    if wanted.at <= now:
        raise Unacceptable("That moment is past.", "Choose a later one.")
    if wanted.at > now + FURTHEST:
        raise Unacceptable("That is more than five years away.", "Choose an earlier moment.")
    async with action(asker.user_id) as act:
        await remind(act, asker.user_id, conversation_id, wanted)
    return await item_for(asker, conversation_id)


async def remind(act: Action, user_id: int, conversation_id: int, wanted: SetReminder) -> None:
    """Set a person's reminder inside the caller's action. One whose moment has passed is due with the next round."""
    mailbox_id = await fetch_value("SELECT mailbox_id FROM conversations WHERE id = $1 FOR SHARE", conversation_id)
    record = await fetch_row(
        "INSERT INTO read_marks (conversation_id, user_id, read_up_to, forced_unread, revision, remind_at, "
        "remind_kind, remind_if_silent, remind_due) VALUES ($1, $2, 0, false, 1, $3, $4, $5, false) "
        "ON CONFLICT (conversation_id, user_id) DO UPDATE SET remind_at = $3, remind_kind = $4, "
        "remind_if_silent = $5, remind_due = false, revision = read_marks.revision + 1 RETURNING *",
        conversation_id,
        user_id,
        wanted.at,
        wanted.kind,
        wanted.if_silent,
    )
    assert record is not None
    act.record(user_stream(user_id), MarkChanged(mailbox_id=mailbox_id, mark=mark_of(conversation_id, record)))


async def clear_reminder(asker: Asker, conversation_id: int) -> ConversationItem:
    """Forget the asking person's reminder or snooze, if there is one."""
    async with action(asker.user_id) as act:
        mailbox_id = await fetch_value("SELECT mailbox_id FROM conversations WHERE id = $1 FOR SHARE", conversation_id)
        record = await fetch_row(
            f"UPDATE read_marks SET {_NOTHING} "
            "WHERE conversation_id = $1 AND user_id = $2 AND remind_at IS NOT NULL RETURNING *",
            conversation_id,
            asker.user_id,
        )
        if record is not None:
            mark = mark_of(conversation_id, record)
            act.record(user_stream(asker.user_id), MarkChanged(mailbox_id=mailbox_id, mark=mark))
    return await item_for(asker, conversation_id)


async def somebody_wrote(act: Action, mailbox_id: int, conversation_ids: Collection[int]) -> None:
    """New mail has come into these conversations: whoever waited for it, or had put them off, waits no more."""
    if not conversation_ids:
        return
    for record in await fetch(
        f"UPDATE read_marks SET {_NOTHING} WHERE conversation_id = ANY($1) AND remind_at IS NOT NULL "
        "AND NOT remind_due AND (remind_if_silent OR remind_kind = 'snooze') RETURNING *",
        sorted(conversation_ids),
    ):
        mark = mark_of(record["conversation_id"], record)
        act.record(user_stream(record["user_id"]), MarkChanged(mailbox_id=mailbox_id, mark=mark))


async def tell_due() -> int:
    """Let every reminder whose moment has come be due, once, whoever asks; answers how many were.

    Whoever lost sight of the conversation is told nothing of it: their mark alone changes.
    """
    async with action(None) as act:
        records = await fetch(
            "UPDATE read_marks r SET remind_due = true, revision = revision + 1 FROM conversations c "
            "WHERE r.id IN (SELECT id FROM read_marks WHERE remind_at <= now() AND NOT remind_due "
            "ORDER BY remind_at, id LIMIT $1 FOR UPDATE SKIP LOCKED) AND c.id = r.conversation_id "
            "RETURNING r.*, c.mailbox_id",
            AT_ONCE,
        )
        for record in records:
            conversation_id, user_id = record["conversation_id"], record["user_id"]
            mark = mark_of(conversation_id, record)
            act.record(user_stream(user_id), MarkChanged(mailbox_id=record["mailbox_id"], mark=mark))
            await notify(act, [user_id], "reminder", conversation_id, None, "")
    return len(records)
