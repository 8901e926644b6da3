"""A composer opens: to answer, to write anew, to go on with a draft."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import reflex as rx
from reflex.event import EventSpec

from backend.compose.contracts import CreateDraft, Draft, DraftKind
from frontend.api import ApiError
from frontend.compose.standing import StandingComposers, is_mine
from frontend.compose.views import ANSWERS, AskView
from frontend.faces import first_name, person_face


class Opening(StandingComposers, mixin=True):
    """The ways into a composer, and out of it."""

    @rx.event
    async def reply(self, conversation_id: int, kind: str, message_id: int) -> EventSpec | None:
        """Answer: open my draft in this conversation, or begin one. Where a colleague has begun, ask first."""
        if conversation_id in self.docked:
            return rx.call_script("tandem.focusComposer()")
        try:
            view = self.seen()
            detail = view.details.get(conversation_id)
            drafts = sorted(detail.drafts if detail else [], key=lambda each: each.updated_at)
            if any(is_mine(each, view) for each in drafts):
                return await self._write(conversation_id, kind, message_id)
            theirs = [each for each in drafts if each.kind in ANSWERS]
            if not theirs or kind not in ANSWERS:
                return await self._write(conversation_id, kind, message_id)
        except ApiError as refused:
            return self.fault(refused)
        author = view.people.get(theirs[-1].author_id)
        asked = AskView(
            draft_id=theirs[-1].id,
            author=theirs[-1].author_id,
            who=first_name(author.name) if author else "Somebody",
            face=person_face(author),
            kind=kind,
            message_id=message_id,
        )
        self.asking = {**self.asking, conversation_id: asked}
        return rx.call_script("tandem.focusQuestion()")

    async def _write(self, conversation_id: int, kind: str, message_id: int) -> EventSpec:
        """Go on with my draft in the conversation, or begin one."""
        view = self.seen()
        detail = view.details.get(conversation_id)
        mine = [each for each in detail.drafts if is_mine(each, view)] if detail else []
        if mine:
            draft = mine[0]
        else:
            wanted: DraftKind = kind  # pyright: ignore[reportAssignmentType] # the API refuses any other
            draft = await self.api().post(
                "/drafts",
                CreateDraft(kind=wanted, conversation_id=conversation_id, message_id=message_id or None),
                Draft,
            )
        self._folded -= {draft.id}
        self._open(self.seen(), draft)
        return rx.call_script("tandem.focusComposer()")

    @rx.event
    async def write_new(self, mailbox_id: int) -> EventSpec | None:
        """Begin a new mail from a mailbox (0: the first of mine)."""
        try:
            view = self.seen()
            if not mailbox_id or mailbox_id not in view.mailboxes:
                mine = [*self.groups, *self.personal]
                if not mine:
                    self.say("Add a mailbox first: a mail needs an address to come from.", tone="red")
                    return None
                mailbox_id = mine[0]["id"]
            draft = await self.api().post("/drafts", CreateDraft(kind="new", mailbox_id=mailbox_id), Draft)
            self._open(view, draft)
        except ApiError as refused:
            return self.fault(refused)
        return rx.call_script("tandem.focusComposer()")

    @rx.event
    async def open_draft(self, draft_id: int) -> AsyncIterator[Any]:
        """Go on with a draft: in its conversation, or in the window for new mail."""
        try:
            view = self.seen()
            draft = await self.api().get(f"/drafts/{draft_id}", Draft)
        except ApiError as refused:
            yield self.fault(refused)
            return
        self._folded -= {draft_id}
        if draft.conversation_id is None:
            self._open(view, draft)
            yield rx.call_script("tandem.focusComposer()")
        else:
            yield rx.redirect(f"/?mailbox={draft.mailbox_id}&conversation={draft.conversation_id}")

    @rx.event
    async def begin_meeting_mail(
        self, conversation_id: int, meeting_id: int, method: str, proposal_of: str
    ) -> EventSpec | None:
        """A mail to those who are invited: with another time or place, or that the meeting is called off."""
        path = f"/conversations/{conversation_id}/meetings/{meeting_id}/drafts"
        try:
            draft = await self.api().post(path, {"method": method, "proposal_of": proposal_of}, Draft)
        except ApiError as refused:
            return self.fault(refused)
        self._ask_no_more(conversation_id)
        self.reopen(draft)
        return rx.call_script("tandem.focusComposer()")

    @rx.event
    async def renew(self, draft_id: int) -> EventSpec | None:
        """The browser gave the draft words that it had kept: its composer begins again, with them."""
        if draft_id not in (self.fresh["id"], *(each["id"] for each in self.docked.values())):
            return None
        try:
            draft = await self.api().get(f"/drafts/{draft_id}", Draft)
        except ApiError as refused:
            return self.fault(refused)
        if draft.version > self._versions.get(draft_id, 0):
            self._open(self.seen(), draft)
        return None

    def reopen(self, draft: Draft) -> None:
        """Show a draft that came back from the outbox."""
        self._folded -= {draft.id}
        self._open(self.seen(), draft)

    @rx.event
    async def discard(self, draft_id: int) -> EventSpec | None:
        """Throw a draft away."""
        try:
            await self.api().delete(f"/drafts/{draft_id}")
        except ApiError as refused:
            return self.fault(refused)
        self._close(draft_id)
        self.say("Draft discarded", action="discard:open", ref=draft_id)
        return None
