"""A colleague writes there, too: read theirs, take it over, or write one's own."""

from __future__ import annotations

from typing import Any

import msgspec
import reflex as rx
from reflex.event import EventSpec

from backend.compose.contracts import CreateDraft, Draft, DraftKind
from frontend.api import ApiError
from frontend.compose.opening import Opening
from frontend.compose.views import NONE, QUIET, content, typed


class Colleagues(Opening, mixin=True):
    """What a person chooses where a colleague has begun a reply."""

    @rx.event
    def stop_asking(self, conversation_id: int) -> None:
        """The person does not want to reply after all."""
        self._ask_no_more(conversation_id)

    @rx.event
    def read_theirs(self, conversation_id: int) -> EventSpec | None:
        """Unfold the colleague's draft, which grows as they write."""
        asked = self.asking.get(conversation_id)
        self._ask_no_more(conversation_id)
        return rx.call_script(f"tandem.readDraft({asked['draft_id']})") if asked else None

    @rx.event
    async def write_own(self, conversation_id: int) -> EventSpec | None:
        """A reply of my own, knowing of the other one."""
        asked = self.asking.get(conversation_id)
        if asked is None:
            return None
        self._ask_no_more(conversation_id)
        try:
            return await self._write(conversation_id, asked["kind"], asked["message_id"])
        except ApiError as refused:
            return self.fault(refused)

    @rx.event
    async def take_over(self, draft_id: int) -> EventSpec | None:
        """Write on at a colleague's draft, as its author."""
        return await self._enter(f"/drafts/{draft_id}/take-over")

    @rx.event
    async def write_with(self, draft_id: int) -> EventSpec | None:
        """Write at a colleague's draft together with them."""
        return await self._enter(f"/drafts/{draft_id}/together")

    async def _enter(self, path: str) -> EventSpec | None:
        try:
            draft = await self.api().post(path, None, Draft)
        except ApiError as refused:
            return self.fault(refused)
        conversation_id = draft.conversation_id or 0
        self._ask_no_more(conversation_id)
        standing = self.docked.get(conversation_id)
        if standing is not None and standing["id"] != draft.id:
            self._folded |= {standing["id"]}  # what I began myself stays a draft
            self._close(standing["id"])
        self._folded -= {draft.id}
        self._open(self.seen(), draft)
        return rx.call_script("tandem.focusComposer()")

    @rx.event
    async def yield_draft(self, draft_id: int, fields: dict[str, Any]) -> EventSpec | None:
        """A colleague took this draft over, or sent it, or it is gone elsewhere: its composer closes. What I wrote
        besides is kept."""
        taken = self.status.get(draft_id, QUIET)["taken"]
        composer = next((each for each in (*self.docked.values(), self.fresh) if each["id"] == draft_id), NONE)
        if not taken or not composer["id"]:
            return None
        written = typed(0, fields)
        if draft_id in self._left_with:
            kept = _words(written.text) != _words(self._left_with[draft_id])
        elif fields.get("together"):
            kept = not fields.get("stored")
        else:
            kept = self._saved.get(draft_id) != content(written)
        if kept:
            wanted: DraftKind = composer["kind"]  # pyright: ignore[reportAssignmentType] # that of a draft
            try:
                place = CreateDraft(kind=wanted, conversation_id=composer["conversation_id"])
                if not composer["conversation_id"]:
                    place = CreateDraft(kind=wanted, mailbox_id=composer["mailbox_id"])
                own = await self.api().post("/drafts", place, Draft)
                await self.api().put(f"/drafts/{own.id}", msgspec.structs.replace(written, version=own.version), Draft)
            except ApiError as refused:
                return self.fault(refused)  # the composer stays, and with it the text
            self._folded |= {own.id}
        self._close(draft_id)
        self.say(f"{taken} What you had not saved is kept as a draft of your own." if kept else taken)
        return None


def _words(text: str) -> str:
    return "".join(text.split())
