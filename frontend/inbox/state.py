"""The inbox of one tab: the open list and the conversations that stand in the page.

Selection belongs to the browser (assets/js/desk.js), which shows a conversation that already stands in the page at
once and tells us afterwards. Here the neighbours of the selected one are kept ready in a fixed number of places
(`place0` to `place15`): a conversation keeps its place while it is near, so that a change sends one place and React
rebuilds nothing. The list holds a window of the fetched rows; the rest of its height is empty space.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import reflex as rx
from msgspec.structs import replace
from reflex.event import EventSpec

from backend.conversations.contracts import (
    AddComment,
    Assign,
    Comment,
    ConversationDetail,
    ConversationItem,
    ConversationPage,
    SetRead,
    SetStatus,
    Status,
)
from backend.mail.contracts import MessageBody
from backend.notifications.contracts import MarkNotificationsRead
from frontend.api import ApiError, SignedOut
from frontend.inbox import places
from frontend.inbox.colleagues import AssignableView, MentionView, paint_assignable, paint_mentionable
from frontend.inbox.listing import Listing, listed
from frontend.inbox.panes import FREE, Opened, PaneView, first_opened, paint_pane, stands_open
from frontend.inbox.rows import RowView, paint_row
from frontend.rail import NO_MAILBOX, MailboxView
from frontend.session import Session
from frontend.view import View, covers, with_detail, with_page, without_details

WINDOW = 80
"""Rows that stand in the page; the cost of a change grows with them."""
STEP = 20
"""The window moves by this many rows."""
ROW_HEIGHT = 84
"""Pixels of a row: --row-height in assets/css/tokens.css."""
PAGE = 50
BEFORE, AFTER = 2, 3
"""Neighbours of the selected conversation that are kept ready."""
IN_SIGHT = 10
"""Rows that a screen shows at once."""
AT_ONCE = 4
"""Conversations that are fetched together to stand ready, the nearest first."""

STATUS_SAID = {
    "done": "Marked done",
    "trash": "Moved to Trash",
    "open": "Moved to Open",
    "spam": "Marked as spam",
    "block": "Sender blocked",
}


class Inbox(Session):
    """List and conversations."""

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

    place0: PaneView = FREE
    place1: PaneView = FREE
    place2: PaneView = FREE
    place3: PaneView = FREE
    place4: PaneView = FREE
    place5: PaneView = FREE
    place6: PaneView = FREE
    place7: PaneView = FREE
    place8: PaneView = FREE
    place9: PaneView = FREE
    place10: PaneView = FREE
    place11: PaneView = FREE
    place12: PaneView = FREE
    place13: PaneView = FREE
    place14: PaneView = FREE
    place15: PaneView = FREE

    assignable: list[AssignableView] = []
    mentionable: list[MentionView] = []

    _listing: Listing | None = None
    _first: int = 0
    _in_sight: int = 0
    _selected: int = 0
    _standing: tuple[int, ...] = (0,) * places.COUNT
    _opened: dict[int, Opened] = {}
    _painted: dict[int, Any] = {}
    _history: int = 0
    _readying: int = 0
    """Which run of `stand_ready` is the last one; earlier ones give up."""

    # ---- painting

    @rx.var
    def current_mailbox(self) -> MailboxView:
        """The open mailbox as the rail knows it."""
        for mailbox in [*self.groups, *self.personal]:
            if mailbox["id"] == self.mailbox_id:
                return mailbox
        return NO_MAILBOX

    def repaint(self, before: View | None, view: View) -> None:
        """Paint the list and the places whose conversations changed."""
        names = before is None or before.people is not view.people or before.teams is not view.teams
        read = before is None or before.marks is not view.marks or before.mailboxes is not view.mailboxes
        if names or read or before is None or before.rows is not view.rows:
            self.paint_list(view)
        if names or before is None or before.mailboxes is not view.mailboxes:
            self.assignable = paint_assignable(view)
            self.mentionable = paint_mentionable(view)
        self.paint_places(view, everything=names or before is None or before.mailboxes is not view.mailboxes)

    def paint_list(self, view: View) -> None:
        """The window of rows around `_first`."""
        listing = self._listing
        if listing is None:
            return
        rows = listed(view, listing)
        first = max(0, min(self._first, len(rows) - WINDOW))
        across = listing.kind != "mailbox"
        painted = [paint_row(view, row, across=across) for row in rows[first : first + WINDOW]]
        if painted != self.rows:
            self.rows = painted
        self._first = first
        self.space_above = first * ROW_HEIGHT
        self.space_below = max(0, len(rows) - first - WINDOW) * ROW_HEIGHT
        mailbox = view.mailboxes.get(listing.mailbox_id)
        self.title = {
            "mine": "My work",
            "mentions": "Mentions",
            "search": "Search results",
        }.get(listing.kind, mailbox.name if mailbox else "")

    def paint_places(self, view: View, *, everything: bool = False) -> None:
        """The conversations that stand in the page."""
        for index, conversation_id in enumerate(self._standing):
            detail = view.details.get(conversation_id)
            if detail is None:
                if conversation_id and getattr(self, f"place{index}")["id"]:
                    self._show(index, FREE)
                continue
            mark = view.marks.get(conversation_id)
            opened = self._opened.get(conversation_id, Opened())
            look = (detail, mark, opened)
            known = self._painted.get(index)
            same = known is not None and known[0] is detail and known[1] is mark and known[2] == opened
            if same and not everything:
                continue
            self._painted[index] = look
            self._show(index, paint_pane(view, detail, opened))

    def _show(self, index: int, pane: PaneView) -> None:
        setattr(self, f"place{index}", pane)
        if not pane["id"]:
            self._painted.pop(index, None)

    # ---- lists

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
            yield rx.call_script(f"tandem.select({conversation_id})")

    @rx.event
    async def open_listing(self, kind: str, mailbox_id: int, shows: str) -> AsyncIterator[Any]:
        """Open a list: of a mailbox, or across mailboxes."""
        async for step in self._open(_listing_of(kind, mailbox_id, shows, "")):
            yield step

    @rx.event
    async def search(self, form: dict[str, Any]) -> AsyncIterator[Any]:
        """Search by words: in the open mailbox, or everywhere from a list across mailboxes."""
        words = str(form.get("q", "")).strip()
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
            page = await self.api().get(listing.path(), ConversationPage, **listing.parameters(), **_limit(listing))
        except ApiError as refused:
            self.loading = False
            self.trouble = "" if isinstance(refused, SignedOut) else refused.sentence
            yield self.fault(refused)
            return
        self._listing = listing.with_page(page)
        self._first = self._in_sight = 0
        self._history = view.history
        self.kind, self.mailbox_id, self.shows = listing.kind, listing.mailbox_id, listing.shows
        self.query = listing.query
        self.loading, self.trouble = False, ""
        await self.become(with_page(view, page))
        yield rx.call_script("tandem.listed()")
        yield Inbox.stand_ready

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
                page = await self.api().get(
                    listing.path(),
                    ConversationPage,
                    cursor=listing.next_cursor,
                    **listing.parameters(),
                    **_limit(listing),
                )
            except ApiError as refused:
                yield self.fault(refused)
                return
            self._listing = listing.with_page(page)
            self._first = wanted
            await self.become(with_page(view, page))
        if wanted != self._first:
            self._first = wanted
            self.paint_list(view if self._view is None else self._view)
        self._in_sight = first_visible
        yield Inbox.stand_ready

    async def catch_up(self) -> None:
        """Fetch the first page again after old mail was stored; fetch bodies that events brought without."""
        view, listing = self._view, self._listing
        if view is None or listing is None:
            return
        if view.history != self._history or listing.kind == "mentions":
            self._history = view.history
            fresh = replace(listing, next_cursor=None, horizon=None)
            page = await self.api().get(fresh.path(), ConversationPage, **fresh.parameters(), **_limit(fresh))
            known = len(listed(view, listing))
            if known <= len(page.items) or listing.kind == "mentions":
                self._listing = fresh.with_page(page)
            await self.become(with_page(view, page))
        await self._fetch_bodies()

    # ---- conversations

    @rx.event
    async def select(self, conversation_id: int) -> AsyncIterator[Any]:
        """The browser shows this conversation: make sure that it stands in the page, and mark it read."""
        try:
            view = self.seen()
            self._selected = conversation_id
            if conversation_id not in view.details:
                detail = await self.api().get(f"/conversations/{conversation_id}", ConversationDetail)
                view = with_detail(self.seen(), detail)
                if detail.row.id != conversation_id:
                    self._selected = detail.row.id
                    yield rx.call_script(f"tandem.select({detail.row.id})")
            self._standing = places.with_one(self._standing, self._selected, self._near(view))
            self._keep_opened(view)
            await self.become(view)
            yield
            await self._fetch_bodies()
            await self._mark_read(self._selected)
            await self._read_notices(self._selected)
        except ApiError as refused:
            yield rx.call_script(f"tandem.gone({conversation_id})")
            yield self.fault(refused)
            return
        yield Inbox.stand_ready

    async def _mark_read(self, conversation_id: int) -> None:
        view = self.seen()
        row = view.rows.get(conversation_id)
        if row is not None and view.unread(row):
            item = await self.api().put(f"/conversations/{conversation_id}/read", SetRead(read=True), ConversationItem)
            await self.become(with_item(self.seen(), item))

    async def _read_notices(self, conversation_id: int) -> None:
        """Who opens a conversation has seen what notifications tell of it."""
        fresh = [
            each.id for each in self.seen().notifications if each.conversation_id == conversation_id and not each.read
        ]
        if fresh:
            await self.api().post("/notifications/read", MarkNotificationsRead(ids=fresh))

    @rx.event(background=True)
    async def stand_ready(self) -> None:
        """Keep the neighbours of the selected conversation in the page, so that the next one opens at once.

        Conversations are fetched without holding the state, so that a person who selects meanwhile goes first. One
        that was fetched before an event that the view has seen already is fetched again: see `covers`.
        """
        async with self:
            self._readying += 1
            mine = self._readying
        for _ in range(2 * places.COUNT):
            async with self:
                view, api = self._view, self.api()
                if view is None or self._readying != mine:
                    return
                missing = [i for i in self._near(view) if i not in view.details][:AT_ONCE]
            fetched = await asyncio.gather(
                *(api.get(f"/conversations/{each}", ConversationDetail) for each in missing), return_exceptions=True
            )
            async with self:
                view = self._view
                if view is None or self._readying != mine:
                    return
                for detail in fetched:
                    if isinstance(detail, ApiError):
                        return  # gone, or signed out: the event or the next click tells
                    if isinstance(detail, BaseException):
                        raise detail
                    if covers(detail, view):
                        view = with_detail(view, detail)
                near = [i for i in self._near(view) if i in view.details]
                self._standing = places.with_near(self._standing, self._selected, near)
                view = without_details(view, set(self._standing))
                self._keep_opened(view)
                await self.become(view)
                if not missing:
                    await self._fetch_bodies()
                    return

    def _keep_opened(self, view: View) -> None:
        """What is unfolded, for the conversations in the page alone."""
        opened = self._opened
        self._opened = {i: opened[i] if i in opened else first_opened(detail) for i, detail in view.details.items()}

    def _near(self, view: View) -> list[int]:
        """What is likely to be opened next: the selected conversation's neighbours, then the rows in sight."""
        if self._listing is None:
            return []
        ids = [row.id for row in listed(view, self._listing)]
        near: list[int] = []
        if self._selected in ids:
            at = ids.index(self._selected)
            after, before = ids[at + 1 : at + 1 + AFTER], ids[max(0, at - BEFORE) : at][::-1]
            near = [*after[:1], *before[:1], *after[1:], *before[1:]]
        in_sight = ids[self._in_sight : self._in_sight + IN_SIGHT]
        near += [each for each in in_sight if each not in near and each != self._selected]
        return near[: places.COUNT - 1]

    async def _fetch_bodies(self) -> None:
        """Fetch the bodies of unfolded messages that came without one."""
        view = self.seen()
        wanted: list[tuple[int, int]] = []
        for conversation_id in self._standing:
            detail = view.details.get(conversation_id)
            if detail is None:
                continue
            have = {body.message_id for body in detail.bodies}
            opened = self._opened.get(conversation_id, Opened())
            wanted += [(conversation_id, i) for i in stands_open(detail, opened) if i not in have]
        if not wanted:
            return
        api = self.api()
        answers = await asyncio.gather(
            *(api.get(f"/messages/{message_id}", MessageBody) for _, message_id in wanted), return_exceptions=True
        )
        view = self.seen()
        for (conversation_id, _), body in zip(wanted, answers, strict=True):
            detail = view.details.get(conversation_id)
            if isinstance(body, BaseException):
                if not isinstance(body, ApiError):
                    raise body
                continue  # the message went away meanwhile; its event tells
            if detail is not None:
                fresh = replace(detail, bodies=[*detail.bodies, body])
                view = replace(view, details=view.details | {conversation_id: fresh})
        await self.become(view)

    async def _open_more(self, conversation_id: int, opened: Opened) -> None:
        self._opened = {**self._opened, conversation_id: opened}
        if self._view is not None:
            self.paint_places(self._view)
            await self._fetch_bodies()

    @rx.event
    async def toggle_message(self, conversation_id: int, message_id: int) -> None:
        """Fold or unfold one message."""
        opened = self._opened.get(conversation_id, Opened())
        await self._open_more(conversation_id, replace(opened, toggled=opened.toggled ^ {message_id}))

    @rx.event
    async def toggle_quote(self, conversation_id: int, message_id: int) -> None:
        """Fold or unfold the quoted text of one message."""
        opened = self._opened.get(conversation_id, Opened())
        await self._open_more(conversation_id, replace(opened, quotes=opened.quotes ^ {message_id}))

    @rx.event
    async def show_images(self, conversation_id: int, message_id: int) -> None:
        """Let the remote images of one message come, through the proxy."""
        opened = self._opened.get(conversation_id, Opened())
        await self._open_more(conversation_id, replace(opened, images=opened.images | {message_id}))

    @rx.event
    async def show_whole(self, conversation_id: int, message_id: int) -> None:
        """Show all of a long text."""
        opened = self._opened.get(conversation_id, Opened())
        await self._open_more(conversation_id, replace(opened, whole=opened.whole | {message_id}))

    @rx.event
    async def show_everything(self, conversation_id: int) -> None:
        """Show the early entries of a long conversation too."""
        opened = self._opened.get(conversation_id, Opened())
        await self._open_more(conversation_id, replace(opened, everything=True))

    # ---- what people do with a conversation

    @rx.event
    async def set_status(self, conversation_id: int, status: str) -> AsyncIterator[Any]:
        """Done, trash, spam, or open again; `block` also blocks the writer.

        The row has gone already; a refusal puts it back and says why.
        """
        try:
            before = self.seen().rows.get(conversation_id)
            if status == "block":
                item = await self.api().post(f"/conversations/{conversation_id}/block-sender", None, ConversationItem)
                await self.become(with_item(self.seen(), item))
            else:
                wanted: Status = status  # pyright: ignore[reportAssignmentType] # the API refuses any other word
                await self.change(conversation_id, "status", SetStatus(status=wanted))
        except ApiError as refused:
            yield rx.call_script(f"tandem.putBack({conversation_id})")
            yield self.fault(refused)
            return
        yield rx.call_script(f"tandem.settled({conversation_id})")
        if before is not None and before.status != status:
            self.say(STATUS_SAID.get(status, "Changed"), action=f"status:{before.status}", ref=conversation_id)

    @rx.event
    async def assign(self, conversation_id: int, user_id: int, team_id: int) -> EventSpec | None:
        """To a person, a team, or (both 0) nobody."""
        try:
            await self.change(conversation_id, "assignee", Assign(user_id=user_id or None, team_id=team_id or None))
        except ApiError as refused:
            return self.fault(refused)
        return None

    @rx.event
    async def mark_unread(self, conversation_id: int) -> AsyncIterator[Any]:
        """Unread again, for me alone."""
        try:
            await self.change(conversation_id, "read", SetRead(read=False))
        except ApiError as refused:
            yield self.fault(refused)
            return
        yield rx.call_script("tandem.close()")

    @rx.event
    async def read_all(self) -> EventSpec | None:
        """Everything in the open mailbox counts as read."""
        try:
            await self.api().post(f"/mailboxes/{self.mailbox_id}/read-all")
        except ApiError as refused:
            return self.fault(refused)
        return None

    async def change(self, conversation_id: int, what: str, body: Any) -> None:
        item = await self.api().put(f"/conversations/{conversation_id}/{what}", body, ConversationItem)
        await self.become(with_item(self.seen(), item))

    @rx.event
    async def comment(self, conversation_id: int, text: str, people: list[int], teams: list[int]) -> EventSpec | None:
        """Say something to the team, beside the mail."""
        try:
            said = await self.api().post(
                f"/conversations/{conversation_id}/comments",
                AddComment(text=text, mention_ids=people, team_mention_ids=teams),
                Comment,
            )
            view = self.seen()
            detail = view.details.get(conversation_id)
            if detail is not None and all(each.id != said.id for each in detail.comments):
                fresh = replace(detail, comments=[*detail.comments, said])
                await self.become(replace(view, details=view.details | {conversation_id: fresh}))
        except ApiError as refused:
            return self.fault(refused)
        return None


def with_item(view: View, item: ConversationItem) -> View:
    """`view` with one conversation's row and mark, as an action answered them."""
    return with_page(view, ConversationPage(items=[item], next_cursor=None, positions=[]))


def _listing_of(kind: str, mailbox_id: int, shows: str, query: str) -> Listing:
    known = kind if kind in ("mailbox", "mine", "mentions", "search") else "mailbox"
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


Session.painters.append(Inbox)
