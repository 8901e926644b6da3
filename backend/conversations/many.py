"""The same change to many conversations: each as if it had been asked for alone, in a transaction of its own.

One transaction for all would hold every one of them locked until the last is changed, and one refusal would undo the
others (docs/decisions/0012-many-at-once.md). Whoever asks is told of each what became of it.
"""

from typing import assert_never

from backend.access.asker import Asker
from backend.access.fetch import access_conversation
from backend.conversations import actions, reminders, starring
from backend.conversations.contracts import (
    AssignMany,
    ChangeMany,
    ChangeTagsOfMany,
    ClearRemindersOfMany,
    ConversationItem,
    DeleteMany,
    ManyChange,
    ManyChanged,
    MoveMany,
    RefusedChange,
    RemindOfMany,
    SetReadOfMany,
    SetStarOfMany,
    SetStatusOfMany,
    SetVisibilityOfMany,
)
from backend.conversations.deleting import delete_conversations, refusal_of
from backend.conversations.moving import move_conversation
from backend.errors import TandemError
from backend.tags.actions import change_tags


async def change_many(asker: Asker, given: ChangeMany) -> ManyChanged:
    """Change each of the conversations, in the order of the ids. Those out of sight are refused as if they were not."""
    if isinstance(given.change, DeleteMany):
        outcome = await delete_conversations(asker, given.ids)
        return ManyChanged(items=[], refused=outcome.refused, deleted=outcome.deleted)
    items: dict[int, ConversationItem] = {}
    refused: list[RefusedChange] = []
    for conversation_id in sorted(set(given.ids)):
        try:
            seen = (await access_conversation(asker, conversation_id)).conversation_id
            if seen not in items:  # of two that were joined meanwhile, one is left
                items[seen] = await _change(asker, seen, given.change)
        except TandemError as fault:
            refused.append(refusal_of(conversation_id, fault))
    return ManyChanged(items=list(items.values()), refused=refused)


async def _change(asker: Asker, conversation_id: int, change: ManyChange) -> ConversationItem:
    match change:
        case AssignMany():
            return await actions.assign_conversation(asker, conversation_id, change)
        case MoveMany():
            return await move_conversation(asker, conversation_id, change.mailbox_id)
        case SetStatusOfMany():
            return await actions.set_status(asker, conversation_id, change.status)
        case SetVisibilityOfMany():
            return await actions.set_visibility(asker, conversation_id, change.visibility)
        case SetReadOfMany():
            return await actions.set_read(asker, conversation_id, change.read)
        case RemindOfMany():
            return await reminders.set_reminder(asker, conversation_id, change)
        case ClearRemindersOfMany():
            return await reminders.clear_reminder(asker, conversation_id)
        case ChangeTagsOfMany():
            return await change_tags(asker, conversation_id, change)
        case SetStarOfMany():
            return await starring.set_star(asker, conversation_id, change.starred)
        case DeleteMany():
            raise RuntimeError("Deleting for good is one act: `delete_conversations`.")
        case _:
            assert_never(change)
