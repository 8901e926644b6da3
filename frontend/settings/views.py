"""Saved views in the settings: one's own, those shared with one, and for admins all that are shared."""

from __future__ import annotations

from typing import Any, TypedDict

import reflex as rx
from msgspec.structs import replace
from reflex.event import EventSpec

from backend.views.contracts import SavedView
from frontend.api import ApiError
from frontend.components.forms import card, settings_page, sure
from frontend.components.parts import empty, icon, link
from frontend.inbox.filter_form import filter_words, shared_words
from frontend.session import Session
from frontend.view import View


class ViewLine(TypedDict):
    """A view: what it holds, and with whom it is shared. `usable`: it stands in my rail."""

    id: int
    name: str
    holds: str
    shared: str
    changeable: bool
    usable: bool


class Views(Session):
    """The list of views."""

    lines: list[ViewLine] = []

    _shared: list[SavedView] = []

    def repaint(self, before: View | None, view: View) -> None:
        if before is None or before.views is not view.views or before.tags is not view.tags:
            self._paint(view)

    def _paint(self, view: View) -> None:
        others = {each.id: each for each in self._shared} | view.views
        self.lines = [
            ViewLine(
                id=each.id,
                name=each.name,
                holds=filter_words(view, each.filters),
                shared=shared_words(view, each),
                changeable=each.maker_id == view.me.person.id or view.me.person.role in ("owner", "admin"),
                usable=each.id in view.views,
            )
            for each in sorted(others.values(), key=lambda each: (each.name.casefold(), each.id))
        ]

    @rx.event
    async def arrive(self) -> EventSpec | None:
        """On the page's load: admins also see what others share."""
        view = self._view
        if view is None:
            return None
        try:
            self._shared = await self.api().get("/shared-views", list[SavedView]) if self.me["admin"] else []
        except ApiError as refused:
            return self.fault(refused)
        self._paint(view)
        return None

    @rx.event
    async def remove(self, view_id: int) -> EventSpec | None:
        """Away with a view."""
        try:
            await self.api().delete(f"/views/{view_id}")
        except ApiError as refused:
            return self.fault(refused)
        self._shared = [each for each in self._shared if each.id != view_id]
        view = self.seen()
        await self.become(replace(view, views={i: each for i, each in view.views.items() if i != view_id}))
        self._paint(self.seen())
        self.say("View deleted")
        return None


Session.painters.append(Views)
_state: Any = Views


def views() -> rx.Component:
    """All views that I can use."""
    return settings_page(
        "Views",
        rx.cond(
            _state.lines.length() > 0,
            card("Views", rx.el.ul(rx.foreach(_state.lines, _line), class_name="lines")),
            empty(
                "list-filter",
                "No views yet",
                "Filter a list with the button in its search box, and save what it shows.",
            ),
        ),
        lead="Filters with a name. Everybody who uses one sees what they may see, whoever made it.",
    )


def _line(line: Any) -> rx.Component:
    return rx.el.li(
        icon("list-filter"),
        rx.el.div(
            rx.cond(
                line.usable,
                link(rx.el.b(line.name), to="/?list=view&q=" + line.id.to_string(), class_name="link"),
                rx.el.b(line.name),
            ),
            rx.el.small(line.holds),
            rx.el.small(line.shared),
            class_name="line-text",
        ),
        rx.cond(
            line.changeable,
            sure(
                "Delete " + line.name,
                "It is gone for everybody it is shared with. Its conversations stay where they are.",
                "Delete the view",
                _state.remove(line.id),
                face=icon("trash-2", 15),
            ),
        ),
        key=line.id,
    )
