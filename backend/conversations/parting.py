"""What splitting a conversation and taking a merge back have in common: telling of a conversation that stands apart."""

from backend.conversations.change import Audience, audience_of, tell, tell_added
from backend.conversations.contracts import Activity, ConversationChanged
from backend.conversations.rows import read_row, readers
from backend.database.connection import execute
from backend.events.record import Action
from backend.notifications.actions import tell_notifications_again


async def seers(mailbox_id: int, audience: Audience) -> list[int]:
    """Everybody who sees it."""
    return [*(audience.readers if audience.readers is not None else await readers(mailbox_id)), *audience.guests]


async def tell_there(act: Action, conversation_id: int, said: Activity) -> None:
    """The conversation is there, for everybody who sees it, with their own marks and notifications."""
    row, audience = await read_row(conversation_id), await audience_of(conversation_id)
    everybody = await seers(row.mailbox_id, audience)
    await tell_added(act, row, audience, everybody)
    tell(act, row, ConversationChanged(row=row, activity=said), audience)
    await tell_notifications_again(act, conversation_id, everybody)


async def keep_told(holder_id: int, parted_id: int) -> None:
    """Who sees the one and not the other was told of both in one: that they were told stays, not what."""
    await execute(
        "UPDATE notifications SET conversation_id = $1, text = '', message_id = NULL, comment_id = NULL "
        "WHERE conversation_id = $2 AND sees(user_id, $1) AND NOT sees(user_id, $2)",
        holder_id,
        parted_id,
    )


async def count_comments(conversation_ids: list[int]) -> None:
    await execute(
        "UPDATE conversations c SET comment_count = "
        "(SELECT count(*) FROM comments WHERE conversation_id = c.id AND deleted_at IS NULL) WHERE id = ANY($1)",
        conversation_ids,
    )
