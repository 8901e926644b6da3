"""A mail is handed to the outbox."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import reflex as rx

from backend.compose.contracts import Outgoing, SendDraft
from frontend.api import ApiError
from frontend.compose.saving import Saving

UNDO_SECONDS = 10


class Sending(Saving, mixin=True):
    """Sending, with some seconds to take it back."""

    @rx.event
    async def send_mail(
        self, draft_id: int, fields: dict[str, Any], then_done: bool, anyway: bool
    ) -> AsyncIterator[Any]:
        """Hand a mail to the outbox, with some seconds to take it back."""
        conversation_id = next((i for i, each in self.docked.items() if each["id"] == draft_id), 0)
        try:
            version = await self._store(draft_id, fields)
            outgoing = await self.api().post(
                f"/drafts/{draft_id}/send",
                SendDraft(version=version, then_done=then_done, undo_seconds=UNDO_SECONDS, even_if_answered=anyway),
                Outgoing,
            )
        except ApiError as refused:
            if then_done and conversation_id:
                yield rx.call_script(f"tandem.putBack({conversation_id})")
            yield await self._refused(draft_id, refused)
            return
        self._close(draft_id)
        if then_done and conversation_id:
            yield rx.call_script(f"tandem.settled({conversation_id})")
        names = ", ".join(each.name or each.address for each in outgoing.to[:2])
        self.say(f"Sending to {names}" if names else "Sending", action=f"send:{UNDO_SECONDS}", ref=outgoing.id)
