"""What is typed is stored, with the version that it is written on; of two texts both are kept."""

from __future__ import annotations

from typing import Any

import reflex as rx
from reflex.event import EventSpec

from backend.compose.contracts import Draft
from frontend.api import ApiError
from frontend.compose.answered import came_in
from frontend.compose.standing import StandingComposers
from frontend.compose.views import as_saved, content, typed
from frontend.inbox.came import paint_came


class Saving(StandingComposers, mixin=True):
    """Saving, and what becomes of a save that is refused."""

    @rx.event
    async def save(self, draft_id: int, fields: dict[str, Any]) -> EventSpec | None:
        """A pause in typing: store what stands in the composer."""
        try:
            version = await self._store(draft_id, fields)
        except ApiError as refused:
            return await self._refused(draft_id, refused)
        self._tell(draft_id, saved="Saved", serial=str(fields.get("serial") or 0), version=str(version))
        return None

    async def _store(self, draft_id: int, fields: dict[str, Any]) -> int:
        """Save if something changed; returns the stored version."""
        wanted = typed(self._versions.get(draft_id, 0), fields)
        if self._saved.get(draft_id) == content(wanted):
            return wanted.version
        draft = await self.api().put(f"/drafts/{draft_id}", wanted, Draft)
        self._versions = {**self._versions, draft_id: draft.version}
        self._saved = {**self._saved, draft_id: content(wanted)}
        return draft.version

    async def _refused(self, draft_id: int, refused: ApiError) -> EventSpec | None:
        """A stale save keeps both texts, an answer that was faster is shown; anything else is told in the composer."""
        if refused.status == 404 and draft_id == self.fresh["id"]:
            self._miss(draft_id)
            return None
        if refused.status != 409:
            self._tell(draft_id, error=refused.sentence)
            return self.fault(refused) if refused.status == 401 else None
        if refused.code == "answered_meanwhile":
            self._tell(draft_id, answered=refused.sentence, came=paint_came(self.seen(), came_in(refused)))
            return None
        if refused.code == "written_together":
            self._meet(draft_id)  # the composer finds its line, and what it holds goes in there
            return None
        try:
            theirs = await self.api().get(f"/drafts/{draft_id}", Draft)
        except ApiError as gone:
            return self.fault(gone)
        if self._look_whose(self.seen(), theirs):
            return None
        if theirs.version != self._versions.get(draft_id):
            self._tell(draft_id, error=refused.sentence, theirs=theirs.text or "(empty)")
        else:
            self._tell(draft_id, error=refused.sentence)
        return None

    @rx.event
    async def keep(self, draft_id: int, which: str, fields: dict[str, Any]) -> EventSpec | None:
        """Of two texts, keep `mine` or `theirs`."""
        try:
            stored = await self.api().get(f"/drafts/{draft_id}", Draft)
            if which == "theirs":
                self._open(self.seen(), stored)
                return None
            self._versions = {**self._versions, draft_id: stored.version}
            self._saved = {**self._saved, draft_id: content(as_saved(stored))}
            version = await self._store(draft_id, fields)
        except ApiError as refused:
            return await self._refused(draft_id, refused)
        self._tell(draft_id, saved="Saved", serial=str(fields.get("serial") or 0), version=str(version))
        return None
