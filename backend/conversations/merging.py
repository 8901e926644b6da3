"""Conversations that a person unites: of one mailbox, the oldest survives, the others' addresses lead to it.

It comes to the same as when mail connects them (`join_conversations`): what is said and who follows unites, and it is
as private as the most private of them. Their keys unite, too, so that later mail of any of them comes into the one.
What they were before is kept, so that it can be taken back (`unmerging.py`).
"""

from collections.abc import Collection

from backend.access.asker import Asker
from backend.access.fetch import check_handles, handled_conversation
from backend.conversations.change import hold_membership
from backend.conversations.contracts import ConversationItem
from backend.conversations.kept_merges import keep, look_at
from backend.conversations.rows import item_for
from backend.conversations.splits import forget_splits
from backend.conversations.threads import join_conversations, sum_up, tell_joined
from backend.database.connection import fetch, fetch_value
from backend.errors import Conflict, Unacceptable
from backend.events.record import action
from backend.mail.store import hold_threading

MOST_MERGED = 50


async def merge_conversations(asker: Asker, conversation_id: int, other_ids: Collection[int]) -> ConversationItem:
    """Merge the others and this one; answers the one that they are now.

    Raises NotFound for what is out of sight, Unacceptable for none to merge with, or one of another mailbox, Conflict
    while a mail of one of them is on its way out.
    """
    if len(other_ids) > MOST_MERGED:
        raise Unacceptable(f"At most {MOST_MERGED} conversations are merged at once.", "Merge some of them first.")
    keys = [await handled_conversation(asker, each) for each in sorted({conversation_id, *other_ids})]
    ids = sorted({key.conversation_id for key in keys})
    mailbox_id = keys[0].mailbox_id
    if {key.mailbox_id for key in keys} != {mailbox_id}:
        raise Unacceptable("These conversations are in different mailboxes.", "Merge conversations of one mailbox.")
    if len(ids) < 2:
        raise Unacceptable("A conversation is merged with another one.", "Choose the other one.")
    async with action(asker.user_id) as act:
        await hold_membership(mailbox_id)
        await hold_threading(mailbox_id)
        await check_handles(asker.user_id, mailbox_id)
        standing = await fetch(
            "SELECT id FROM conversations WHERE id = ANY($1) AND joined_into IS NULL AND mailbox_id = $2 "
            "AND sees($3, id) ORDER BY id FOR UPDATE",
            ids,
            mailbox_id,
            asker.user_id,
        )
        if [record["id"] for record in standing] != ids:
            raise Conflict("One of these conversations changed at this moment.", "Look at them, and merge again.")
        if await fetch_value(
            "SELECT 1 FROM outgoing WHERE conversation_id = ANY($1) AND state = 'sending' LIMIT 1", ids
        ):
            raise Conflict("A mail of these conversations is being sent at this moment.", "Try again in a few seconds.")
        before = [await look_at(each) for each in ids]
        activity = await join_conversations(act, ids[0], ids[1:])
        await keep(before[0], before[1:], activity)
        await forget_splits(ids)
        await sum_up(ids[0])
        await tell_joined(act, ids[0], activity)
    return await item_for(asker, ids[0])
