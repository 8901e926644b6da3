"""The conversations that stand in the page of one tab.

Selection belongs to the browser (assets/js/desk.js), which shows a conversation that already stands in the page at
once and tells us afterwards. Here the neighbours of the selected one are kept ready in a fixed number of places
(`place0` to `place15`): a conversation keeps its place while it is near, so that a change sends one place and React
rebuilds nothing.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import reflex as rx
from msgspec.structs import replace

from backend.conversations.contracts import ConversationDetail, ConversationItem, LinkedConversation, SetRead
from backend.mail.contracts import MessageBody
from backend.notifications.contracts import MarkNotificationsRead
from frontend.api import ApiError, SignedOut
from frontend.inbox import places
from frontend.inbox.list_state import ListState
from frontend.inbox.listing import listed
from frontend.inbox.opened import Opened, first_opened, stands_open
from frontend.inbox.panes import FREE, PaneView, paint_pane
from frontend.view import View, covers, with_detail, with_item, without_details

BEFORE, AFTER = 2, 3
"""Neighbours of the selected conversation that are kept ready."""
IN_SIGHT = 10
"""Rows that a screen shows at once."""
AT_ONCE = 4
"""Conversations that are fetched together to stand ready, the nearest first."""


class StandingState(ListState, mixin=True):
    """The conversations that stand ready beside the list, and what of each is unfolded."""

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

    _selected: int = 0
    _standing: tuple[int, ...] = (0,) * places.COUNT
    _opened: dict[int, Opened] = {}
    _painted: dict[int, Any] = {}
    _asked: dict[int, frozenset[int]] = {}
    """Links that were asked for, by conversation: what was not told is not for this person."""
    _readying: int = 0
    """Which run of `stand_ready` is the last one; earlier ones give up."""

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
            linked = [view.rows.get(each.conversation_id) for each in detail.links]
            look = (detail, mark, opened, linked)
            known = self._painted.get(index)
            same = known is not None and known[0] is detail and known[1] is mark and known[2:] == (opened, linked)
            if same and not everything:
                continue
            self._painted[index] = look
            self._show(index, paint_pane(view, detail, opened))
        self.watch_conversations(self._row_ids | {each for each in self._standing if each})

    def _show(self, index: int, pane: PaneView) -> None:
        setattr(self, f"place{index}", pane)
        if not pane["id"]:
            self._painted.pop(index, None)

    @rx.event
    async def select(self, conversation_id: int) -> AsyncIterator[Any]:
        """The browser shows this conversation: make sure that it stands in the page, and mark it read."""
        try:
            view = self.seen()
            self._selected = conversation_id
            if conversation_id not in view.details or not view.details[conversation_id].viewer_ids:
                detail = await self.api().get(f"/conversations/{conversation_id}", ConversationDetail)
                view = with_detail(self.seen(), detail)
                if detail.row.id != conversation_id:
                    self._selected = detail.row.id
                    yield rx.call_script(f"tandem.select({detail.row.id})")
            self._standing = places.with_one(self._standing, self._selected, self._near(view))
            self._keep_opened(view)
            self._note_new_comments(view, self._selected)
            await self.become(view)
            yield
            await self._fetch_bodies()
            await self._mark_read(self._selected)
            await self._read_notices(self._selected)
        except ApiError as refused:
            yield rx.call_script(f"tandem.gone({conversation_id})")
            yield self.fault(refused)
            return
        yield self._rows_changed()

    async def _mark_read(self, conversation_id: int) -> None:
        view = self.seen()
        row = view.rows.get(conversation_id)
        if row is not None and (view.unread(row) or view.has_new_comments(row)):
            item = await self.api().put(f"/conversations/{conversation_id}/read", SetRead(read=True), ConversationItem)
            await self.become(with_item(self.seen(), item))

    async def _read_notices(self, conversation_id: int) -> None:
        """Who opens a conversation has seen what notifications tell of it."""
        fresh = [
            each.id for each in self.seen().notifications if each.conversation_id == conversation_id and not each.read
        ]
        if fresh:
            await self.api().post("/notifications/read", MarkNotificationsRead(ids=fresh))

    def _rows_changed(self) -> Any:
        return type(self).stand_ready

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
        self._asked = {i: each for i, each in self._asked.items() if i in view.details}
        self._opened = {
            i: opened[i] if i in opened else first_opened(view, detail) for i, detail in view.details.items()
        }

    def _note_new_comments(self, view: View, conversation_id: int) -> None:
        """What is new when a conversation is opened stands below a line, until it is opened again."""
        row, opened = view.rows.get(conversation_id), self._opened.get(conversation_id)
        if row is not None and opened is not None:
            fresh = replace(opened, comments_read=view.comments_read(row))
            self._opened = {**self._opened, conversation_id: fresh}

    async def fetch_rearranged(self) -> None:
        """Fetch again what stands in the page and was merged or parted."""
        view = self.seen()
        wanted = [each for each in self._standing if each in view.rearranged]
        if view.rearranged:
            await self.become(replace(view, rearranged=frozenset()))
        for conversation_id in wanted:
            try:
                detail = await self.api().get(f"/conversations/{conversation_id}", ConversationDetail)
            except SignedOut:
                raise
            except ApiError:
                continue  # out of sight meanwhile: its event tells
            if detail.row.id == conversation_id:
                await self.become(with_detail(self.seen(), detail))

    async def fetch_links(self) -> None:
        """Ask where comments lead that came by an event; whoever opens a conversation is told with it."""
        view = self.seen()
        wanted: dict[int, set[int]] = {}
        for conversation_id in self._standing:
            detail = view.details.get(conversation_id)
            if detail is None:
                continue
            said = {number for each in detail.comments for number in each.link_ids}
            unknown = said - {each.id for each in detail.links} - self._asked.get(conversation_id, frozenset())
            if unknown:
                wanted[conversation_id] = unknown
        if not wanted:
            return
        ids = sorted(set().union(*wanted.values()))
        found = await self.api().get("/conversation-links", list[LinkedConversation], ids=ids)
        view = self.seen()
        for conversation_id, unknown in wanted.items():
            self._asked = {**self._asked, conversation_id: self._asked.get(conversation_id, frozenset()) | unknown}
            detail = view.details.get(conversation_id)
            if detail is not None:
                fresh = replace(detail, links=[*detail.links, *(each for each in found if each.id in unknown)])
                view = replace(view, details=view.details | {conversation_id: fresh})
        await self.become(view)

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
