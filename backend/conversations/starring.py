"""The star of a conversation: one of its mails is flagged (RFC 9051 section 2.3.2).

A server knows one flag, not one for each member: whoever sees the mailbox sees the same star
(docs/decisions/0024-stars-and-keywords.md).
"""

from backend.access.asker import Asker
from backend.conversations.change import ConversationChange, handling
from backend.conversations.contracts import ConversationChanged, ConversationItem
from backend.conversations.rows import item_for
from backend.conversations.trail import add_activity
from backend.conversations.wishes import wish_starred, wish_unstarred
from backend.database.connection import execute


async def set_star(asker: Asker, conversation_id: int, starred: bool) -> ConversationItem:
    """A star, or none, here and on the mail server."""
    async with handling(asker, conversation_id) as change:
        if change.before["starred"] != starred:
            await (wish_starred if starred else wish_unstarred)(conversation_id)
            await put_star(change, starred)
    return await item_for(asker, conversation_id, change.row)


async def put_star(change: ConversationChange, starred: bool) -> None:
    """Let a conversation have a star or none from now on, and tell so."""
    await execute("UPDATE conversations SET starred = $2 WHERE id = $1", change.conversation_id, starred)
    activity = await add_activity(change, "starred" if starred else "unstarred")
    change.tell(lambda row: ConversationChanged(row=row, activity=activity))
