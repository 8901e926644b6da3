"""Which conversations a list shows, and in which order: pure, over the view."""

from __future__ import annotations

from datetime import datetime
from functools import lru_cache
from typing import Literal, get_args

import msgspec

from backend.conversations.contracts import ConversationPage, ConversationRow, ListView
from backend.search.contracts import Excerpt, FoundPage
from backend.views.contracts import Filters
from frontend.inbox.fitting import fits
from frontend.view import View

ListingKind = Literal["mailbox", "mine", "mentions", "reminders", "search", "tag", "view", "filter", "shared"]
KINDS: tuple[ListingKind, ...] = get_args(ListingKind)
OPEN_VIEWS: frozenset[ListView] = frozenset({"open", "unassigned", "mine"})
"""What is snoozed is hidden from these, and what has a reminder stands on top."""


class Listing(msgspec.Struct, frozen=True, kw_only=True):
    """A list that a person opened, and how far it has been fetched.

    `query` is what was searched for, the number of a tag or of a view, or filters as JSON. `version` is that of the
    view whose rows were fetched.
    Lists that only the server can decide (mentions, search, words) hold their `ids`; the others follow from the rows.
    """

    kind: ListingKind
    mailbox_id: int = 0
    shows: ListView = "open"
    query: str = ""
    version: int = 0
    ids: frozenset[int] = frozenset()
    next_cursor: str | None = None
    horizon: tuple[datetime, int] | None = None
    """The oldest row fetched, while older ones are still on the server."""
    ranked: tuple[int, ...] = ()
    """Ids in the order in which a search by relevance has them."""
    excerpts: dict[int, Excerpt] = {}
    """Where the words stand, by conversation."""

    def path(self) -> str:
        """Where the API serves this list."""
        match self.kind:
            case "mailbox":
                return f"/mailboxes/{self.mailbox_id}/conversations"
            case "search":
                return "/search"
            case "tag":
                return f"/tags/{self.number}/conversations"
            case "view":
                return f"/views/{self.number}/conversations"
            case "filter":
                return "/filtered"
            case _:
                return "/my-work"

    def parameters(self) -> dict[str, str | int | None]:
        """The query of the request for this list, without a cursor."""
        match self.kind:
            case "mailbox":
                return {"view": self.shows}
            case "search":
                return {"q": self.query, "mailbox_id": self.mailbox_id or None}
            case "tag" | "view":
                return {}
            case "filter":
                return {"filters": self.query}
            case _:
                return {"view": self.kind}

    def with_page(self, page: ConversationPage) -> Listing:
        """This list after one more page."""
        last = page.items[-1].row if page.items else None
        more = page.next_cursor is not None and last is not None
        ranked = isinstance(page, FoundPage) and page.by_relevance
        excerpts = page.excerpts if isinstance(page, FoundPage) else []
        return msgspec.structs.replace(
            self,
            ids=self.ids | {item.row.id for item in page.items},
            ranked=(*self.ranked, *(i.row.id for i in page.items if i.row.id not in self.ids)) if ranked else (),
            excerpts=self.excerpts | {each.conversation_id: each for each in excerpts},
            next_cursor=page.next_cursor,
            horizon=(last.last_at, last.id) if more and last is not None else None,
        )

    @property
    def _by_server(self) -> bool:
        return self.kind in ("mentions", "search")

    @property
    def number(self) -> int:
        """The number of the tag or the view."""
        return int(self.query) if self.kind in ("tag", "view") and self.query.isdecimal() else 0

    def filters(self, view: View) -> Filters | None:
        """What a view holds; None for a list that is none, or whose view is gone."""
        if self.kind == "filter":
            return _read_filters(self.query)
        saved = view.views.get(self.number) if self.kind == "view" else None
        return saved.filters if saved is not None else None

    @property
    def pins(self) -> bool:
        """Whether what has a reminder stands on top, and what is snoozed nowhere."""
        return self.kind == "mine" or (self.kind == "mailbox" and self.shows in OPEN_VIEWS)

    def holds(self, view: View, row: ConversationRow) -> bool:
        """Whether `row` belongs in this list, as far as it has been fetched."""
        if self._by_server:
            return row.id in self.ids
        if self.kind in ("view", "filter"):
            return self._fits(view, row)
        reminder = view.reminder(row.id)
        if self.kind == "reminders":
            return reminder is not None and row.status not in ("trash", "spam")
        if self.pins:
            mark = view.marks.get(row.id)
            if mark is not None and mark.snoozed:
                return False
        if not (self.pins and reminder) and self.horizon is not None and (row.last_at, row.id) < self.horizon:
            return False
        if self.kind == "tag":
            return self.number in row.tag_ids and self.number in view.tags and row.status not in ("trash", "spam")
        if self.kind == "shared":
            return row.mailbox_id not in view.mailboxes and row.status not in ("trash", "spam")
        if self.kind == "mine":
            return row.status == "open" and row.assignee_id == view.me.person.id
        if row.mailbox_id != self.mailbox_id:
            return False
        match self.shows:
            case "open":
                return row.status == "open"
            case "unassigned":
                return row.status == "open" and row.assignee_id is None and row.assigned_team_id is None
            case "mine":
                return row.status == "open" and row.assignee_id == view.me.person.id
            case "all":
                return row.status not in ("trash", "spam")
            case status:
                return row.status == status

    def _fits(self, view: View, row: ConversationRow) -> bool:
        filters = self.filters(view)
        if filters is None:
            return False
        if self.horizon is not None:
            place = (row.last_at, row.id)
            if place < self.horizon if filters.order == "newest" else place > self.horizon:
                return False
        return fits(view, row, filters, words=row.id in self.ids)


@lru_cache(maxsize=256)
def _read_filters(text: str) -> Filters | None:
    """Filters out of an address that anybody may have typed."""
    try:
        return msgspec.json.decode(text or "{}", type=Filters)
    except msgspec.MsgspecError:
        return None


def listed(view: View, listing: Listing) -> list[ConversationRow]:
    """The rows of `listing`: what has a reminder, the due ones first, then the others, newest first."""
    rows = [row for row in view.rows.values() if listing.holds(view, row)]
    filters = listing.filters(view)
    oldest_first = filters is not None and filters.order == "oldest"
    rows.sort(key=lambda row: (row.last_at, row.id), reverse=not oldest_first)
    if listing.ranked:
        rank = {number: place for place, number in enumerate(listing.ranked)}
        rows.sort(key=lambda row: rank.get(row.id, len(rank)))
    if not (listing.pins or listing.kind == "reminders"):
        return rows
    pinned = [(reminder, row) for row in rows if (reminder := view.reminder(row.id)) is not None]
    pinned.sort(key=lambda each: (not each[0].due, each[0].at, each[1].id))
    return [row for _, row in pinned] + [row for row in rows if view.reminder(row.id) is None]
