"""Merging conversations from the inbox, and taking it back."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import reflex as rx
from reflex.event import EventSpec

from backend.conversations.contracts import (
    ConversationDetail,
    ConversationGone,
    ConversationItem,
    ConversationPage,
    MergeConversations,
    TakeMergeBack,
)
from backend.search.contracts import FoundPage
from frontend.api import ApiError
from frontend.inbox.list_state import ListState
from frontend.inbox.merges import OFFERED, MergeableView, last_merge, likely, paint_mergeable
from frontend.reduce import apply
from frontend.view import with_detail, with_item, with_page


class MergingState(ListState, mixin=True):
    """One conversation with another, or many that are ticked."""

    mergeable: list[MergeableView] = []
    mergeable_sought: bool = False
    """Words were searched for: an empty list means that nothing was found."""

    @rx.event
    async def find_mergeable(self, conversation_id: int, words: str) -> EventSpec | None:
        """What a conversation could be merged with: of its mailbox, by words; without any, what is likely."""
        view = self.seen()
        row = view.rows.get(conversation_id)
        self.mergeable_sought = bool(words.strip())
        if row is None:
            self.mergeable = []
            return None
        found = likely(view, view.details.get(conversation_id), row)
        if self.mergeable_sought:
            try:
                page = await self.api().get("/search", FoundPage, q=words, mailbox_id=row.mailbox_id)
            except ApiError as refused:
                return self.fault(refused)
            found = [item.row for item in page.items if item.row.id != conversation_id][:OFFERED]
        self.mergeable = paint_mergeable(found)
        return None

    @rx.event
    async def merge(self, ids: list[int]) -> AsyncIterator[Any]:
        """Make them one. The rows of all but the oldest have gone already; a refusal puts them back and says why."""
        kept, *others = sorted(set(ids))
        try:
            path = f"/conversations/{kept}/merge"
            item = await self.api().post(path, MergeConversations(other_ids=others), ConversationItem)
            detail = await self.api().get(f"/conversations/{item.row.id}", ConversationDetail)
        except ApiError as refused:
            yield rx.call_script(f"tandem.putBack(...{others})")
            yield self.fault(refused)
            return
        view = self.seen()
        for each in others:
            view = apply(ConversationGone(conversation_id=each, joined_into=item.row.id), view)
        await self.become(with_detail(with_item(view, item), detail))
        yield rx.call_script(f"tandem.settled(...{others})")
        self.say(
            f"{len(ids)} conversations merged into “{item.row.subject.strip() or '(no subject)'}”",
            action=f"unmerge:{last_merge(detail)}",
            ref=item.row.id,
        )

    @rx.event
    async def unmerge(self, conversation_id: int, activity_id: int) -> EventSpec | None:
        """Take a merge back; without a line that tells of it, the last one."""
        try:
            await self.part(conversation_id, activity_id)
        except ApiError as refused:
            return self.fault(refused)
        self.say("The merge was taken back")
        return None

    async def part(self, conversation_id: int, activity_id: int) -> None:
        """Let everything go back where it came from, and show it."""
        if not activity_id:
            detail = self.seen().details.get(conversation_id)
            activity_id = last_merge(detail) if detail else 0
        path = f"/conversations/{conversation_id}"
        item = await self.api().post(f"{path}/unmerge", TakeMergeBack(activity_id=activity_id), ConversationItem)
        detail = await self.api().get(path, ConversationDetail)
        view = with_detail(with_item(self.seen(), item), detail)
        if self._listing is not None and self._listing.kind == "mailbox":
            # What came back stands in the list at once; the others are told by the event, too.
            listing = self._listing
            view = with_page(view, await self.api().get(listing.path(), ConversationPage, **listing.parameters()))
        await self.become(view)
