"""Splitting conversations from the inbox."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import reflex as rx

from backend.conversations.contracts import (
    ConversationDetail,
    ConversationItem,
    MergeConversations,
    SplitConversation,
)
from frontend.api import ApiError
from frontend.inbox.list_state import ListState
from frontend.view import with_detail, with_item


class SplittingState(ListState, mixin=True):
    """A mail, or it and all after it, into a conversation of its own."""

    @rx.event
    async def split(
        self, conversation_id: int, message_id: int, and_all_after: bool, with_comments: bool, subject: str
    ) -> AsyncIterator[Any]:
        """Split it off, and show what it is now."""
        given = SplitConversation(
            message_id=message_id, and_all_after=and_all_after, with_comments=with_comments, subject=subject
        )
        try:
            item = await self.api().post(f"/conversations/{conversation_id}/split", given, ConversationItem)
            await self.become(with_item(self.seen(), item))
            for each in (conversation_id, item.row.id):
                detail = await self.api().get(f"/conversations/{each}", ConversationDetail)
                await self.become(with_detail(self.seen(), detail))
        except ApiError as refused:
            yield self.fault(refused)
            return
        yield rx.call_script(f"tandem.select({item.row.id})")
        self.say("Split off into a conversation of its own", action=f"unsplit:{item.row.id}", ref=conversation_id)

    async def unsplit(self, conversation_id: int, split_id: int) -> None:
        """Make the two one again."""
        path = f"/conversations/{conversation_id}"
        given = MergeConversations(other_ids=[split_id])
        item = await self.api().post(f"{path}/merge", given, ConversationItem)
        detail = await self.api().get(f"/conversations/{item.row.id}", ConversationDetail)
        await self.become(with_detail(with_item(self.seen(), item), detail))
