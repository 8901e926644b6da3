"""Who follows a conversation, and so is told of what is said and written in it.

Whoever acts in it (comments, answers, takes it) follows it from then on; so does whoever is mentioned or assigned,
unless they left: leaving holds until their own next action. The followers stand in the conversation's row. One who
lost sight of it is told nothing (`notify`), and follows again when it comes back into sight.
"""

from collections.abc import Collection

from backend.access.asker import Asker
from backend.conversations.change import changing
from backend.conversations.contracts import ConversationChanged, ConversationItem
from backend.conversations.rows import item_for
from backend.database.connection import execute


def joins(people: str, acting: str) -> str:
    """SQL: what an UPDATE of conversations sets so that these people follow, and whoever acts."""
    return (
        f"follower_ids = follower_ids || ARRAY(SELECT u FROM unnest({people}::bigint[]) u "
        f"WHERE u <> ALL(follower_ids) AND (u <> ALL(unfollowed_ids) OR u = {acting})), "
        f"unfollowed_ids = array_remove(unfollowed_ids, {acting}::bigint)"
    )


async def let_follow(conversation_id: int, user_ids: Collection[int], *, acting: int | None = None) -> None:
    """Let these people follow it, and whoever is `acting`. Call inside a change of the conversation."""
    wanted = sorted({*user_ids, acting} - {None})
    if wanted:
        await execute(
            f"UPDATE conversations SET {joins('$2', '$3')} WHERE id = $1 AND NOT follower_ids @> $2",
            conversation_id,
            wanted,
            acting,
        )


async def set_following(asker: Asker, conversation_id: int, following: bool) -> ConversationItem:
    """Follow, or follow no more, by hand."""
    async with changing(asker.user_id, conversation_id) as change:
        if following != (asker.user_id in change.before["follower_ids"]):
            if following:
                await let_follow(conversation_id, [], acting=asker.user_id)
            else:
                await execute(
                    "UPDATE conversations SET follower_ids = array_remove(follower_ids, $2), "
                    "unfollowed_ids = array_append(unfollowed_ids, $2) WHERE id = $1",
                    conversation_id,
                    asker.user_id,
                )
            change.tell(lambda row: ConversationChanged(row=row))
    return await item_for(asker, conversation_id, change.row)
