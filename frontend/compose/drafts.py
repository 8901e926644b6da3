"""The page of my drafts."""

from __future__ import annotations

from typing import Any, TypedDict

import reflex as rx
from reflex.event import EventSpec

from backend.compose.contracts import Draft
from frontend.api import ApiError
from frontend.components.forms import settings_bridge
from frontend.components.frame import page
from frontend.components.parts import avatar, empty, icon, icon_button, link
from frontend.components.widgets import ago
from frontend.compose.state import Compose
from frontend.compose.window import compose_window
from frontend.faces import Face, address_face, shown_name
from frontend.session import Session


class DraftLine(TypedDict):
    id: int
    to_whom: str
    subject: str
    text: str
    at: str
    mailbox: str
    dot: int
    face: Face


class Drafts(Session):
    """What I have begun and not sent."""

    lines: list[DraftLine] = []
    fetched: bool = False

    @rx.event
    async def arrive(self) -> EventSpec | None:
        """On the page's load."""
        if self._view is None:
            return None
        try:
            await self._fetch()
        except ApiError as refused:
            return self.fault(refused)
        return None

    async def catch_up(self) -> None:
        """Drafts change in other tabs too."""
        if self.fetched and self.router.url.path.startswith("/drafts"):
            await self._fetch()

    async def _fetch(self) -> None:
        view = self.seen()
        drafts = await self.api().get("/drafts", list[Draft])
        self.lines = [
            DraftLine(
                id=each.id,
                to_whom=", ".join(shown_name(to) for to in each.to[:3]) or "Nobody yet",
                subject=each.subject or "(no subject)",
                text=each.text.strip()[:160],
                at=each.updated_at.isoformat(),
                mailbox=view.mailboxes[each.mailbox_id].name if each.mailbox_id in view.mailboxes else "",
                dot=view.mailboxes[each.mailbox_id].colour % 10 if each.mailbox_id in view.mailboxes else 9,
                face=address_face(each.to[0] if each.to else None),
            )
            for each in drafts
        ]
        self.fetched = True

    @rx.event
    async def discard(self, draft_id: int) -> EventSpec | None:
        """Throw a draft away."""
        try:
            await self.api().delete(f"/drafts/{draft_id}")
            await self._fetch()
        except ApiError as refused:
            return self.fault(refused)
        self.say("Draft discarded", action="discard", ref=draft_id)
        return None


Session.painters.append(Drafts)
_state: Any = Drafts
_compose: Any = Compose


def drafts() -> rx.Component:
    """My drafts, last touched first."""
    return page(
        rx.el.main(
            rx.el.header(
                link(
                    icon("chevron-left", 20),
                    to="/",
                    class_name="btn q sq phone-only",
                    custom_attrs={"aria-label": "Back"},
                ),
                rx.el.h1("Drafts"),
                rx.el.span(class_name="grow"),
                rx.el.button(
                    icon("square-pen", 16),
                    "Compose",
                    type="button",
                    class_name="btn pri",
                    on_click=_compose.write_new(0),
                    custom_attrs={"data-key": "c"},
                ),
                class_name="head",
            ),
            rx.el.div(
                rx.foreach(_state.lines, _line),
                rx.cond(
                    _state.fetched & (_state.lines.length() == 0),
                    empty("pencil", "No drafts", "What you begin to write is saved as you type and waits here."),
                ),
                class_name="page-scroll",
            ),
            class_name="page-main",
        ),
        compose_window(),
        settings_bridge(),
        name="drafts-app",
    )


def _line(line: Any) -> rx.Component:
    return rx.el.div(
        rx.el.button(
            avatar(line.face),
            rx.el.span(
                rx.el.span(rx.el.b(line.to_whom), " ", line.subject, class_name="el"),
                rx.el.small(line.text, class_name="el"),
                class_name="line-text",
            ),
            rx.el.small(rx.el.span(class_name="dot dot" + line.dot.to_string()), line.mailbox, class_name="from-line"),
            ago(at=line.at),
            type="button",
            class_name="draft-open",
            on_click=_compose.open_draft(line.id),
        ),
        icon_button("trash-2", "Discard this draft", on_click=_state.discard(line.id)),
        class_name="draft-line",
        key=line.id,
    )
