"""Removing the local copies of mail after its account was disconnected. The mail on the server stays.

Only what the account left behind goes: messages that stand in no folder. Had the mailbox been connected again
meanwhile, and a message been met there once more, it stays, for its folder counts it as fetched. Storing and removing
exclude each other by the lock under which a mailbox stores (`hold_threading`).
"""

from backend.conversations.change import audience_of, hold_membership, tell, tell_guests
from backend.conversations.contracts import ConversationGone, HistoryStored
from backend.conversations.threads import sum_up
from backend.database.connection import execute, fetch, fetch_value
from backend.events.record import Action, action, mailbox_stream
from backend.mail.store import hold_threading

BATCH = 200
"""Messages removed in one transaction."""


async def remove_mail(mailbox_id: int, up_to: int) -> None:
    """The job: remove the messages of a mailbox up to an id, and the conversations that are then empty.

    Idempotent. A conversation with mail that is still to be sent, or that a person must decide on, stays.
    """
    last = 0
    while True:
        async with action(None) as act:
            await hold_membership(mailbox_id)
            await hold_threading(mailbox_id)
            rows = await fetch(
                "SELECT m.id, m.conversation_id FROM messages m WHERE m.mailbox_id = $1 AND m.id > $2 AND m.id <= $3 "
                "AND m.moved_from IS NULL AND NOT EXISTS (SELECT 1 FROM placements p WHERE p.message_id = m.id) "
                "AND NOT EXISTS (SELECT 1 FROM outgoing o WHERE o.conversation_id = m.conversation_id "
                "AND o.state NOT IN ('sent', 'cancelled')) ORDER BY m.id LIMIT $4",
                mailbox_id,
                last,
                up_to,
                BATCH,
            )
            if not rows:
                return
            await execute("DELETE FROM messages WHERE id = ANY($1)", [row["id"] for row in rows])
            kept = 0
            for conversation_id in sorted({row["conversation_id"] for row in rows}):
                kept += await _settle(act, mailbox_id, conversation_id)
            await tell_guests(act, {row["conversation_id"] for row in rows})
            if kept:
                act.record(mailbox_stream(mailbox_id), HistoryStored(mailbox_id=mailbox_id, messages=kept))
        last = rows[-1]["id"]


async def _settle(act: Action, mailbox_id: int, conversation_id: int) -> int:
    """Remove a conversation that has no message left; answers 1 for one that stays, summed up anew."""
    if await fetch_value("SELECT 1 FROM messages WHERE conversation_id = $1 LIMIT 1", conversation_id):
        await sum_up(conversation_id)
        return 1
    audience = await audience_of(conversation_id)
    version = await fetch_value("SELECT version FROM conversations WHERE id = $1", conversation_id)
    await execute("DELETE FROM conversations WHERE id = $1 OR joined_into = $1", conversation_id)
    gone = ConversationGone(conversation_id=conversation_id, version=version)
    tell(act, (conversation_id, mailbox_id), gone, audience)
    return 0
