"""Taking back: the one button of the sentence at the foot of the page."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import reflex as rx

from backend.compose.contracts import Draft
from backend.conversations.contracts import Assign, ConversationItem, SetStatus, SetVisibility, Status, Visibility
from frontend.api import ApiError
from frontend.compose.state import Compose
from frontend.inbox.state import Inbox
from frontend.session import Session
from frontend.view import with_item


class Undo(Session):
    """Undoes what the toast names."""

    @rx.event
    async def undo(self) -> AsyncIterator[Any]:
        """Take it back; what cannot be taken back any more says why."""
        action, _, rest = self.toast["action"].partition(":")
        ref = self.toast["ref"]
        self.hush()
        try:
            if action == "status":
                inbox = await self.get_state(Inbox)
                wanted: Status = rest  # pyright: ignore[reportAssignmentType] # one that we stored ourselves
                await inbox.change(ref, "status", SetStatus(status=wanted))
                yield rx.call_script(f"tandem.putBack({ref})")
            elif action == "many":
                inbox = await self.get_state(Inbox)
                yield rx.call_script(f"tandem.putBack(...{await inbox.restore_many()})")
            elif action == "visibility":
                inbox = await self.get_state(Inbox)
                seen: Visibility = rest  # pyright: ignore[reportAssignmentType] # one that we stored ourselves
                await inbox.change(ref, "visibility", SetVisibility(visibility=seen))
            elif action == "assign":
                inbox = await self.get_state(Inbox)
                user, _, team = rest.partition(":")
                await inbox.change(ref, "assignee", Assign(user_id=int(user) or None, team_id=int(team) or None))
            elif action == "share":
                inbox = await self.get_state(Inbox)
                user, _, team = rest.partition(":")
                path, ids = f"/conversations/{ref}/shares", {"user_id": int(user) or None, "team_id": int(team) or None}
                item = await self.api().delete(path, ConversationItem, **ids)
                await inbox.become(with_item(inbox.seen(), item))
            elif action == "unmerge":
                inbox = await self.get_state(Inbox)
                await inbox.part(ref, int(rest))
            elif action == "move":
                inbox = await self.get_state(Inbox)
                yield rx.call_script(f"tandem.putBack(...{await inbox.move_back()})")
            elif action == "unsplit":
                inbox = await self.get_state(Inbox)
                await inbox.unsplit(ref, int(rest))
                yield rx.call_script(f"tandem.select({ref})")
            elif action == "remind":
                inbox = await self.get_state(Inbox)
                item = await self.api().delete(f"/conversations/{ref}/reminder", ConversationItem)
                await inbox.become(with_item(inbox.seen(), item))
            elif action == "discard":
                draft = await self.api().post(f"/discarded-drafts/{ref}/restore", None, Draft)
                if rest == "open":
                    compose = await self.get_state(Compose)
                    compose.reopen(draft)
                    yield rx.call_script("tandem.focusComposer()")
            elif action == "send":
                draft = await self.api().post(f"/outbox/{ref}/undo", None, Draft)
                compose = await self.get_state(Compose)
                compose.reopen(draft)
                if draft.conversation_id is not None:
                    yield rx.call_script(f"tandem.putBack({draft.conversation_id})")
                    yield rx.call_script(f"tandem.select({draft.conversation_id})")
        except ApiError as refused:
            yield self.fault(refused)
