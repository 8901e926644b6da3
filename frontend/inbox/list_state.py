"""The open list of one tab: a window of the fetched rows stands in the page, the rest of its height is empty space."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from typing import Any

import reflex as rx
from msgspec.structs import replace

from backend.conversations.contracts import ConversationPage
from backend.search.contracts import FoundPage
from frontend.api import ApiError, SignedOut
from frontend.inbox.filter_form import single_status
from frontend.inbox.listing import KINDS, Listing, listed
from frontend.inbox.rows import PaintedRows, RowView
from frontend.rail import NO_MAILBOX, MailboxView
from frontend.session import Session
from frontend.view import View, with_page

WINDOW = 80
"""Rows that stand in the page; the cost of a change grows with them."""
STEP = 20
"""The window moves by this many rows."""
ROW_HEIGHT = 84
"""Pixels of a row: --row-height in assets/css/tokens.css."""
PAGE = 50
MOST_MARKED = 500
"""Conversations that can be ticked at once."""


class ListState(Session, mixin=True):
    """The list: of a mailbox, across mailboxes, or found by a search."""

    kind: str = "mailbox"
    mailbox_id: int = 0
    shows: str = "open"
    title: str = ""
    query: str = ""
    rows: list[RowView] = []
    space_above: int = 0
    space_below: int = 0
    loading: bool = True
    trouble: str = ""
    first_arrival: bool = False
    """The list is empty because nothing has ever arrived here."""

    _listing: Listing | None = None
    _painted_rows: PaintedRows | None = None
    _row_ids: frozenset[int] = frozenset()
    _first: int = 0
    _in_sight: int = 0
    _history: int = 0

    @rx.var
    def current_mailbox(self) -> MailboxView:
        """The open mailbox as the rail knows it."""
        for mailbox in [*self.groups, *self.personal]:
            if mailbox["id"] == self.mailbox_id:
                return mailbox
        return NO_MAILBOX

    def _rows_changed(self) -> Any:
        """The event that follows when other rows are in sight."""
        raise NotImplementedError

    def paint_list(self, view: View) -> None:
        """The window of rows around `_first`."""
        listing = self._listing
        if listing is None:
            return
        rows = listed(view, listing)
        first = max(0, min(self._first, len(rows) - WINDOW))
        across = listing.kind != "mailbox"
        self._painted_rows = self._painted_rows or PaintedRows()
        shown = rows[first : first + WINDOW]
        painted = self._painted_rows.paint(view, shown, across=across, excerpts=listing.excerpts)
        if painted != self.rows:
            self.rows = painted
            self._row_ids = frozenset(row["id"] for row in painted)
        self._first = first
        self.space_above = first * ROW_HEIGHT
        self.space_below = max(0, len(rows) - first - WINDOW) * ROW_HEIGHT
        mailbox = view.mailboxes.get(listing.mailbox_id)
        self.title = {
            "mine": "My work",
            "mentions": "Mentions",
            "reminders": "Reminders",
            "shared": "Shared with me",
            "search": "Search results",
            "filter": "Filtered",
            "view": saved.name if (saved := view.views.get(listing.number)) else "View",
            "tag": tag.name if (tag := view.tags.get(listing.number)) else "Tag",
        }.get(listing.kind, mailbox.name if mailbox else "")

    @rx.event
    async def arrive(self) -> AsyncIterator[Any]:
        """On the inbox's page: open what its address names, else the first mailbox."""
        view = self._view
        if view is None:
            return
        asked = self.router.url.query_parameters
        conversation_id = _number(asked.get("conversation"))
        mailbox_id = _number(asked.get("mailbox"))
        kind = asked.get("list") or "mailbox"
        if kind == "mailbox" and mailbox_id not in view.mailboxes:
            groups = [*self.groups, *self.personal]
            mailbox_id = groups[0]["id"] if groups else 0
        if kind == "mailbox" and not mailbox_id:
            self.loading = False
            return
        shows = asked.get("view") or "open"
        async for step in self._open(_listing_of(kind, mailbox_id, shows, asked.get("q") or "")):
            yield step
        if conversation_id:
            spot = re.fullmatch(r"[mco]\d+", asked.get("at") or "")
            yield rx.call_script(f"tandem.select({conversation_id}, {{at: '{spot[0] if spot else ''}'}})")

    @rx.event
    async def open_listing(self, kind: str, mailbox_id: int, shows: str) -> AsyncIterator[Any]:
        """Open a list: of a mailbox, or across mailboxes. `shows`: which, or the number of a tag or a saved view, or
        what is searched for or filtered by."""
        query = shows if kind in ("tag", "view", "search", "filter") else ""
        async for step in self._open(_listing_of(kind, mailbox_id, shows, query)):
            yield step

    @rx.event
    async def search(self, form: dict[str, Any]) -> AsyncIterator[Any]:
        """Search by words: in the open mailbox, or everywhere from a list across mailboxes."""
        async for step in self._search(str(form.get("q", "")).strip()):
            yield step

    async def _search(self, words: str) -> AsyncIterator[Any]:
        inside = self.mailbox_id
        wanted = _listing_of("search", inside, "all", words) if words else _listing_of("mailbox", inside, "open", "")
        if not words and not inside:
            wanted = _listing_of("mine", 0, "open", "")
        async for step in self._open(wanted):
            yield step

    async def _open(self, listing: Listing) -> AsyncIterator[Any]:
        """Fetch the first page of `listing` and keep its first conversations ready."""
        try:
            view = self.seen()
            page = await self._fetch(listing)
        except ApiError as refused:
            self.loading = False
            self.trouble = "" if isinstance(refused, SignedOut) else refused.sentence
            yield self.fault(refused)
            return
        self._listing = self._fetched(listing, page)
        self._first = self._in_sight = 0
        self.found(page if isinstance(page, FoundPage) else None)
        self._history = view.history
        self.kind, self.mailbox_id, self.shows = listing.kind, listing.mailbox_id, listing.shows
        if (filters := listing.filters(view)) is not None:
            self.shows = single_status(filters)
        self.query = listing.query
        self.loading, self.trouble = False, ""
        await self.become(with_page(view, page))
        yield rx.call_script("tandem.listed()")
        yield self._rows_changed()

    @rx.event
    async def move_window(self, first_visible: int) -> AsyncIterator[Any]:
        """The person scrolled: bring the window along, and fetch older rows before its end is seen."""
        view, listing = self._view, self._listing
        if view is None or listing is None:
            return
        total = len(listed(view, listing))
        wanted = max(0, (first_visible - (WINDOW - 2 * STEP) // 2) // STEP * STEP)
        if listing.next_cursor is not None and first_visible + WINDOW > total:
            try:
                self._first = wanted
                await self._fetch_older(listing)
            except ApiError as refused:
                yield self.fault(refused)
                return
        if wanted != self._first:
            self._first = wanted
            self.paint_list(view if self._view is None else self._view)
        self._in_sight = first_visible
        yield self._rows_changed()

    @rx.event
    async def mark_all(self) -> AsyncIterator[Any]:
        """Tick all of the list: what is still on the server is fetched first, as far as one selection goes."""
        try:
            while self._listing is not None and self._listing.next_cursor is not None:
                if len(listed(self.seen(), self._listing)) >= MOST_MARKED:
                    break
                await self._fetch_older(self._listing)
            ids = [row.id for row in listed(self.seen(), self._listing)] if self._listing is not None else []
        except ApiError as refused:
            yield self.fault(refused)
            return
        yield rx.call_script(f"tandem.marks({ids[:MOST_MARKED]})")

    async def _fetch(self, listing: Listing, cursor: str | None = None) -> ConversationPage:
        kind = FoundPage if listing.kind == "search" else ConversationPage
        asked = listing.parameters() | ({"cursor": cursor} if cursor else {})
        return await self.api().get(listing.path(), kind, **asked, **_limit(listing))

    def found(self, page: FoundPage | None) -> None:
        """What is told of the first page of a search; None: the list is none."""
        raise NotImplementedError

    async def _fetch_older(self, listing: Listing) -> None:
        """The next page of the list."""
        page = await self._fetch(listing, cursor=listing.next_cursor)
        self._listing = listing.with_page(page)
        await self.become(with_page(self.seen(), page))

    async def _list_again(self) -> None:
        """Fetch the first page again after old mail was stored."""
        view, listing = self._view, self._listing
        if view is None or listing is None:
            return
        filters = listing.filters(view)
        by_server = listing.kind == "mentions" or (filters is not None and filters.words != "")
        changed = listing.kind == "view" and listing.version != self._version(listing)
        if view.history != self._history or by_server or changed:
            self._history = view.history
            if listing.kind == "view" and filters is None:
                return  # deleted, or no longer shared with me: the list is empty
            fresh = replace(listing, next_cursor=None, horizon=None)
            page = await self._fetch(fresh)
            known = len(listed(view, listing))
            if known <= len(page.items) or by_server or changed:
                self._listing = self._fetched(fresh, page)
            await self.become(with_page(view, page))

    def _version(self, listing: Listing) -> int:
        saved = self._view.views.get(listing.number) if self._view and listing.kind == "view" else None
        return saved.version if saved else 0

    def _fetched(self, listing: Listing, page: ConversationPage) -> Listing:
        """The list with its first page, as of the view that stands now."""
        return replace(listing.with_page(page), version=self._version(listing))


def _listing_of(kind: str, mailbox_id: int, shows: str, query: str) -> Listing:
    known = kind if kind in KINDS else "mailbox"
    views = ("open", "unassigned", "mine", "done", "trash", "spam", "all")
    return Listing(
        kind=known,  # pyright: ignore[reportArgumentType] # checked above
        mailbox_id=mailbox_id,
        shows=shows if shows in views else "open",  # pyright: ignore[reportArgumentType]
        query=query,
    )


def _limit(listing: Listing) -> dict[str, int]:
    return {"limit": PAGE} if listing.kind == "mailbox" else {}


def _number(text: str | None) -> int:
    return int(text) if text and text.isascii() and text.isdigit() else 0
