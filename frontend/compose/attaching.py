"""Files of a draft: the browser sends them up itself, and says so."""

from __future__ import annotations

import reflex as rx
from reflex.event import EventSpec

from backend.compose.contracts import Draft
from frontend.api import ApiError
from frontend.compose.standing import StandingComposers


class Attaching(StandingComposers, mixin=True):
    """What hangs on a draft."""

    @rx.event
    async def attached(self, draft_id: int) -> EventSpec | None:
        """A file was uploaded by the browser: show it."""
        try:
            draft = await self.api().get(f"/drafts/{draft_id}", Draft)
        except ApiError as refused:
            return self.fault(refused)
        self._versions = {**self._versions, draft_id: draft.version}
        self._take_files(draft)
        return None

    @rx.event
    async def detach(self, draft_id: int, attachment_id: int) -> EventSpec | None:
        """Take a file off."""
        try:
            draft = await self.api().delete(f"/drafts/{draft_id}/attachments/{attachment_id}", Draft)
        except ApiError as refused:
            return self.fault(refused)
        self._versions = {**self._versions, draft_id: draft.version}
        self._take_files(draft)
        return None
