"""Where a conversation belongs and who sees it: shared with one more person, or no more."""

from __future__ import annotations

import reflex as rx
from reflex.event import EventSpec

from backend.conversations.contracts import ConversationItem, ShareConversation
from frontend.api import ApiError
from frontend.inbox.list_state import ListState
from frontend.view import with_item


class SharingState(ListState, mixin=True):
    """Sharing."""

    @rx.event
    async def share(self, conversation_id: int, user_id: int, team_id: int, on: bool) -> EventSpec | None:
        """Show it to a person or (`user_id` 0) a team, or take that back."""
        path = f"/conversations/{conversation_id}/shares"
        named = self.seen().people.get(user_id) or self.seen().teams.get(team_id)
        name = named.name if named else "them"
        try:
            if on:
                wanted = ShareConversation(user_id=user_id or None, team_id=team_id or None)
                item = await self.api().post(path, wanted, ConversationItem)
                self.say(f"Shared with {name}", action=f"share:{user_id}:{team_id}", ref=conversation_id)
            else:
                item = await self.api().delete(path, ConversationItem, user_id=user_id or None, team_id=team_id or None)
                self.say(f"No longer shared with {name}")
            await self.become(with_item(self.seen(), item))
        except ApiError as refused:
            return self.fault(refused)
        return None
