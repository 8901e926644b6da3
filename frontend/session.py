"""One tab's session: who is signed in, what the rail shows, and the loop that keeps everything live.

`_view` is the tab's copy of the world (frontend/view.py). Handlers and the live loop replace it through `become`,
which paints what changed: the rail here, and every page state that registered itself as a painter.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Any, ClassVar

import reflex as rx
from msgspec.structs import replace
from reflex.event import EventSpec

from backend.accounts.contracts import AccountStateChanged
from backend.contacts.contracts import ContactChanged, ContactGone
from backend.events.contracts import (
    Doing,
    EventFrame,
    Frame,
    PositionFrame,
    PresenceFrame,
    RefusedFrame,
    ResetFrame,
    Snapshot,
)
from backend.mailboxes.contracts import WorkCounts
from backend.notifications.contracts import MarkNotificationsRead
from backend.people.contracts import Me
from backend.views.contracts import ViewCount
from frontend import palette, rail, telling
from frontend.api import Api, ApiError, SignedOut, session_of
from frontend.commands import KeyView, keys_now
from frontend.live import Live, LiveLost, LiveRefused, open_live, pause_before
from frontend.presence import Whereabouts, whereabouts
from frontend.reduce import receive
from frontend.view import View, begin

log = logging.getLogger(__name__)

COUNTS_AFTER = 0.15
"""Seconds after a change until the rail's numbers are asked for again: a burst asks once."""
SHOWN_OFFLINE_AFTER = 2
"""Attempts to reconnect before the person is told: a restart heals unseen."""

ENTERED_WITHIN = 30.0
"""Seconds that the live loop waits for the page's snapshot; after that nobody is signed in here."""

TO_SIGN_IN = "tandem.toSignIn()"
QUIET_EVENTS = (AccountStateChanged, ContactChanged, ContactGone)
"""Events that change none of the rail's numbers."""


class NotEntered(SignedOut):
    """The tab has no view: nobody is signed in, or the page has only begun to arrive."""


class Session(rx.State):
    """What every page of the interface shares."""

    ready: bool = False
    online: bool = True
    organisation: str = ""
    me: rail.MeView = rail.NOBODY
    personal: list[rail.MailboxView] = []
    groups: list[rail.MailboxView] = []
    work: rail.WorkView = rail.NO_WORK
    views: list[rail.ViewLink] = []
    notices: list[rail.NoticeView] = []
    unread_notices: int = 0
    telling: list[telling.TellView] = []
    """What has just happened and is worth a word outside the page (assets/js/notify.js)."""
    unread_tags: list[str] = []
    toast: rail.ToastView = rail.NO_TOAST
    keys: dict[str, KeyView] = keys_now({})
    """The shortcuts of all commands, as the person has them."""
    palette_news: palette.News = palette.NO_NEWS
    page_mark: str = rx.SessionStorage("", name="tandem-page")
    """Another one after every load of a page (assets/widgets/bridge.jsx)."""

    _anew: bool = True
    """Whether the page has just begun, or only found a lost line again: then what stands on it must stay."""
    _page: tuple[str, str] = ("", "")
    _socket: str = ""
    _view: View | None = None
    _counts: WorkCounts | None = None
    _place: tuple[int, Doing] = (0, "reading")
    """Where the person is (a conversation, or 0), and what they do there."""
    _watched: frozenset[int] = frozenset()
    """The conversations on the screen."""
    _view_counts: list[ViewCount] = []
    _session: str = ""
    """Whose snapshot `_view` is: the session of the cookie with which it was asked for."""

    painters: ClassVar[list[type[Session]]] = []
    """Page states with a `repaint`."""

    def api(self) -> Api:
        """The REST API as the person of this tab."""
        return Api(self.router.headers.cookie)

    def seen(self) -> View:
        """The view; raises `SignedOut` when there is none, as any handler can be called by anyone."""
        if self._view is None:
            raise NotEntered(401, "not_signed_in", "You are not signed in.", "", {})
        return self._view

    async def become(self, view: View) -> None:
        """Make `view` the tab's view and paint what changed."""
        before, self._view = self._view, view
        self.paint_rail(before, view)
        for painter in Session.painters:
            state = await self.get_state(painter)
            state.repaint(before, view)

    def repaint(self, before: View | None, view: View) -> None:
        """Paint what changed between two views; page states override it."""

    async def page_loaded(self) -> None:
        """A page begins anew in a tab that has a view already; not after a lost line. Page states override it."""

    def paint_rail(self, before: View | None, view: View) -> None:
        """The parts that every page shows."""
        if before is None or before.organisation is not view.organisation:
            self.organisation = view.organisation.name
        if before is None or before.me is not view.me:
            self.me = rail.paint_me(view.me)
            self.keys = keys_now(view.me.shortcuts)
        if before is None or before.mailboxes is not view.mailboxes or before.me is not view.me:
            self.paint_mailboxes(view)
        if before is None or before.notifications is not view.notifications or before.people is not view.people:
            self.notices = rail.paint_notices(view)
            self.unread_notices = view.unread_notifications
            self.unread_tags = telling.unread_tags(view)
        if before is None or before.views is not view.views:
            self.views = rail.paint_views(view, self._view_counts)
        if before is not None and (fresh := telling.fresh(before, view, datetime.now(UTC))):
            self.telling = fresh
        self.ready = True

    def paint_mailboxes(self, view: View) -> None:
        """The rail's mailboxes with their numbers."""
        self.personal, self.groups = rail.paint_mailboxes(view, self._counts)

    def say(self, text: str, *, tone: str = "", action: str = "", ref: int = 0, label: str = "Undo") -> None:
        """One sentence at the foot of the page, with something that can be taken back."""
        self.toast = rail.ToastView(
            id=self.toast["id"] + 1, text=text, tone=tone, action=action, ref=ref, label=label if action else ""
        )

    def fault(self, refused: ApiError) -> EventSpec | None:
        """Tell the person why something was refused; when the session is over, begin again.

        After the server's restart a page says what it still had to say before it has entered anew: that decides.
        """
        if isinstance(refused, NotEntered) and self.api().has_session:
            return None
        if isinstance(refused, SignedOut):
            return rx.call_script(TO_SIGN_IN)
        self.say(refused.sentence, tone="red")
        return None

    @rx.event
    async def enter(self) -> EventSpec | None:
        """On every page: make sure of who this is, and take a snapshot where the tab has none."""
        session = session_of(self.router.headers.cookie)
        socket, page = self.router.session.session_id, (str(self.page_mark), self.router.url.path)
        # On the way from page to page the socket stays; with a load of the page its mark changes.
        self._anew = socket == self._socket or page != self._page
        self._socket, self._page = socket, page
        if self._view is not None and session == self._session:
            for painter in Session.painters if self._anew else ():
                state = await self.get_state(painter)
                await state.page_loaded()
            return None
        api = self.api()
        try:
            snapshot = await api.get("/snapshot", Snapshot)
            counts = await api.get("/counts", WorkCounts)
            view_counts = await api.get("/view-counts", list[ViewCount]) if snapshot.views else []
        except ApiError as refused:
            self.reset()
            return self.fault(refused)
        if self._view is not None and self._view.me.person.id != snapshot.me.person.id:
            self.reset()
        self._session = session
        self._counts, self._view_counts = counts, view_counts
        self.work = rail.paint_work(counts)
        await self.become(begin(snapshot, self._view))
        return None

    @rx.event(background=True)
    async def follow(self) -> AsyncIterator[Any]:
        """The tab's live loop. It ends with the tab, or when the session does."""
        async with self:
            here = whereabouts(self.router.session.client_token)
            here.look(*self._place)
            here.watch(self._watched)
        attempt = 0
        began = time.monotonic()
        while True:
            async with self:
                view = self._view
                headers = self.router.headers
            if view is None:
                # A background event does not wait for the one before it: `enter` is still asking.
                if time.monotonic() - began > ENTERED_WITHIN:
                    return
                await asyncio.sleep(0.02)
                continue
            try:
                async with open_live(headers.cookie, headers.origin, view.positions) as live:
                    attempt = 0
                    async with self:
                        self.online = True
                        if self._view is not None and self._view.present:
                            await self.become(replace(self._view, present={}))  # the new line tells it anew
                    here.anew()
                    await self._relay(live, here)
            except (LiveRefused, SignedOut):
                async with self:
                    self.reset()
                yield rx.call_script(TO_SIGN_IN)
                return
            except (LiveLost, ApiError) as lost:
                log.info("The live line of a tab is down: %s", lost)
            attempt += 1
            if attempt == SHOWN_OFFLINE_AFTER:
                async with self:
                    self.online = False
            await asyncio.sleep(pause_before(attempt - 1))

    async def _relay(self, live: Live, here: Whereabouts) -> None:
        """Take in what arrives, and say where the person is, until the line is lost."""
        batches = live.batches()
        arriving: asyncio.Task[list[Frame]] = asyncio.ensure_future(anext(batches))
        moving = asyncio.ensure_future(here.changed.wait())
        # What a lost line left undone is done at once after the next connection.
        due: float | None = time.monotonic()
        try:
            while True:
                next_deed = min((at for at in (due, here.due) if at is not None), default=None)
                wait = None if next_deed is None else max(0.0, next_deed - time.monotonic())
                await asyncio.wait({arriving, moving}, timeout=wait, return_when=asyncio.FIRST_COMPLETED)
                await here.tell(live)
                if moving.done():
                    moving = asyncio.ensure_future(here.changed.wait())
                if arriving.done():
                    batch = arriving.result()
                    arriving = asyncio.ensure_future(anext(batches))
                    if await self._take_in(live, batch) and due is None:
                        due = time.monotonic() + COUNTS_AFTER
                if due is not None and time.monotonic() >= due:
                    due = None
                    await self._catch_up()
        finally:
            arriving.cancel()
            moving.cancel()

    async def _take_in(self, live: Live, batch: list[Frame]) -> bool:
        """Apply a batch; returns whether the rail's numbers may have changed."""
        follow: dict[str, int] = {}
        async with self:
            view = self.seen()
            again: list[str] = []
            for frame in batch:
                if isinstance(frame, EventFrame | PositionFrame | PresenceFrame):
                    view = receive(view, frame)
                elif isinstance(frame, ResetFrame):
                    again.append(frame.stream)
                elif isinstance(frame, RefusedFrame):
                    view = without_stream(view, frame.stream)
            again += [f"mailbox:{i}" for i in view.gained]
            if again:
                view = begin(await self.api().get("/snapshot", Snapshot), view)
                follow = {stream: view.positions[stream] for stream in again if stream in view.positions}
            await self.become(view)
            self.palette_news = palette.after(self.palette_news, batch)
        if follow:
            await live.subscribe(follow)
        return any(isinstance(each, EventFrame) and not isinstance(each.event, QUIET_EVENTS) for each in batch)

    async def _catch_up(self) -> None:
        """What follows changes without haste: the numbers, and what page states want fetched."""
        async with self:
            api = self.api()
            views = bool(self._view and self._view.views)
        counts = await api.get("/counts", WorkCounts)
        view_counts = await api.get("/view-counts", list[ViewCount]) if views else []
        async with self:
            self.count(counts)
            self.count_views(view_counts)
            for painter in Session.painters:
                state = await self.get_state(painter)
                await state.catch_up()

    async def catch_up(self) -> None:
        """Fetch what the last changes made old; page states override it."""

    def count(self, counts: WorkCounts) -> None:
        """Take new numbers."""
        if counts == self._counts:
            return
        self._counts = counts
        self.work = rail.paint_work(counts)
        if self._view is not None:
            self.paint_mailboxes(self._view)

    def count_views(self, counts: list[ViewCount]) -> None:
        """Take new numbers of the saved views."""
        if counts != self._view_counts and self._view is not None:
            self._view_counts = counts
            self.views = rail.paint_views(self._view, counts)

    @rx.event
    async def read_notices(self) -> EventSpec | None:
        """Mark all notifications read."""
        try:
            await self.api().post("/notifications/read", MarkNotificationsRead())
        except ApiError as refused:
            return self.fault(refused)
        return None

    def be_at(self, conversation_id: int, doing: Doing) -> None:
        """The person is there now, and does that; 0 is nowhere."""
        self._place = (conversation_id, doing)
        whereabouts(self.router.session.client_token).look(conversation_id, doing)

    def watch_conversations(self, conversation_ids: frozenset[int]) -> None:
        """Of these conversations the page shows who else is in them."""
        if conversation_ids != self._watched:
            self._watched = conversation_ids
            whereabouts(self.router.session.client_token).watch(conversation_ids)

    @rx.event
    async def set_away(self, at: str) -> EventSpec | None:
        """I am away until this moment; empty: here again."""
        try:
            me = await self.api().patch("/me", {"away_until": at or None}, Me)
            view = self.seen()
        except ApiError as refused:
            return self.fault(refused)
        await self.become(replace(view, me=me, people=view.people | {me.person.id: me.person}))
        self.say("Your team sees that you are away" if at else "Your team sees that you are back")
        return None

    @rx.event
    def tell_apart(self) -> None:
        """What was kept here of a mail that was sent, thrown away or changed meanwhile is a draft of its own."""
        self.say("A mail went on without what was kept of it here. That is a draft of your own now.")

    @rx.event
    async def saw(self, conversation_id: int) -> EventSpec | None:
        """The person has the conversation before them while something happens in it: they need not be told."""
        return await self._post("/notifications/read", {"conversation_id": conversation_id})

    @rx.event
    async def add_device(self, device: dict[str, Any]) -> EventSpec | None:
        """This browser is to be pushed to."""
        given = {name: str(device.get(name, "")) for name in ("endpoint", "p256dh", "auth", "name")}
        return await self._post("/push/devices", given)

    async def _post(self, path: str, body: Any) -> EventSpec | None:
        try:
            self.seen()
            await self.api().post(path, body)
        except ApiError as refused:
            return self.fault(refused)
        return None

    def hush(self) -> None:
        """Take the sentence at the foot away."""
        self.toast = rail.ToastView(id=self.toast["id"], text="", tone="", action="", ref=0, label="")


def without_stream(view: View, stream: str) -> View:
    """`view` no longer following `stream`."""
    return replace(view, positions={name: at for name, at in view.positions.items() if name != stream})
