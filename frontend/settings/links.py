"""Saved links in the settings: for everybody to see, for admins to change."""

from __future__ import annotations

from typing import Any, TypedDict, get_args

import reflex as rx
from reflex.event import EventSpec

from backend.links.contracts import LinkKind, SavedLink, SaveLink
from backend.templates.contracts import MergeField
from frontend.api import ApiError, SignedOut
from frontend.components.forms import card, choice_field, problem, settings_page, sure, text_field
from frontend.components.parts import empty, icon
from frontend.session import Session

KINDS = (
    ("appointment", "Appointment"),
    ("survey", "Survey"),
    ("landing_page", "Landing page"),
    ("deal_room", "Deal room"),
    ("conference", "Conference"),
)


class LinkLine(TypedDict):
    """A link in the list; `notes` says of which kind it is, and how often it was used."""

    id: int
    name: str
    kind: str
    url: str
    notes: str


class LinkForm(TypedDict):
    """What stands in the form when it opens; `id` 0 is a new one."""

    id: int
    version: int
    name: str
    kind: str
    url: str


NEW = LinkForm(id=0, version=0, name="", kind="appointment", url="")


class Links(Session):
    """The organisation's links, and the one that is being written."""

    lines: list[LinkLine] = []
    fields: list[str] = []
    fetched: bool = False
    form: LinkForm = NEW
    writing: bool = False
    opened: int = 0
    """So often a form was opened: each time it is filled anew."""
    problem: str = ""

    _links: list[SavedLink] = []

    async def page_loaded(self) -> None:
        """Nothing of an earlier visit is left."""
        self.writing, self.problem, self.fetched = False, "", False

    @rx.event
    async def arrive(self) -> EventSpec | None:
        """On the page's load."""
        if self._view is None:
            return None
        try:
            self.fields = [f"{{{{ {each.name} }}}}" for each in await self.api().get("/merge-fields", list[MergeField])]
        except ApiError as refused:
            return self.fault(refused)
        return await self._fetch()

    @rx.event
    def write(self, link_id: int) -> EventSpec:
        """Open the form, for a new link or one of the list."""
        chosen = next((each for each in self._links if each.id == link_id), None)
        self.form = (
            NEW
            if chosen is None
            else LinkForm(id=chosen.id, version=chosen.version, name=chosen.name, kind=chosen.kind, url=chosen.url)
        )
        self.writing, self.problem = True, ""
        self.opened += 1
        return rx.call_script("setTimeout(() => document.querySelector('.link-form input')?.focus(), 0)")

    @rx.event
    def leave(self) -> None:
        """Close the form."""
        self.writing, self.problem = False, ""

    @rx.event
    async def save(self, given: dict[str, Any]) -> EventSpec | None:
        """Keep what was written."""
        kind: LinkKind = given.get("kind") if given.get("kind") in get_args(LinkKind) else "appointment"  # pyright: ignore
        wanted = SaveLink(
            name=str(given.get("name", "")), kind=kind, url=str(given.get("url", "")), version=self.form["version"]
        )
        try:
            if self.form["id"]:
                await self.api().put(f"/links/{self.form['id']}", wanted, SavedLink)
            else:
                await self.api().post("/links", wanted, SavedLink)
        except ApiError as refused:
            self.problem = refused.sentence
            return self.fault(refused) if isinstance(refused, SignedOut) else None
        self.leave()
        self.say("Saved")
        return await self._fetch()

    @rx.event
    async def remove(self, link_id: int) -> EventSpec | None:
        """Away with a link."""
        try:
            await self.api().delete(f"/links/{link_id}")
        except ApiError as refused:
            return self.fault(refused)
        self.say("Link deleted")
        return await self._fetch()

    async def _fetch(self) -> EventSpec | None:
        try:
            self._links = await self.api().get("/links", list[SavedLink])
        except ApiError as refused:
            return self.fault(refused)
        words = dict(KINDS)
        self.lines = [
            LinkLine(
                id=each.id,
                name=each.name,
                kind=each.kind,
                url=each.url,
                notes=f"{words[each.kind]} · {_used(each.uses)}",
            )
            for each in self._links
        ]
        self.fetched = True
        return None


def _used(uses: int) -> str:
    return "never used" if not uses else "used once" if uses == 1 else f"used {uses} times"


_state: Any = Links


def links() -> rx.Component:
    """The list, and the form above it while an admin writes."""
    return settings_page(
        "Links",
        rx.cond(_state.writing, _writing()),
        rx.cond(
            _state.lines.length() > 0,
            card("Saved links", rx.el.ul(rx.foreach(_state.lines, _line), class_name="lines")),
            rx.cond(
                _state.fetched,
                empty("link", "No links yet", "An appointment, a survey, a room: admins save its address here."),
            ),
        ),
        lead="Addresses that go into mails again and again, filled in for whom you write to.",
        aside=rx.cond(
            _state.me.admin,
            rx.el.button(icon("plus", 15), "New link", type="button", class_name="btn pri", on_click=_state.write(0)),
        ),
    )


def _writing() -> rx.Component:
    form = _state.form
    return card(
        rx.cond(form.id == 0, "New link", "Change the link"),
        rx.el.form(
            problem(_state.problem),
            rx.el.div(
                text_field("Name", "name", value=form.name, required=True, placeholder="Choose a time"),
                choice_field("Kind", "kind", KINDS, value=form.kind),
                class_name="field-pairs",
            ),
            text_field(
                "Address",
                "url",
                value=form.url,
                required=True,
                placeholder="https://meet.example/ana?email={{ contact.email }}",
                hint="It begins with https:// and a host. Fields behind that are filled in for whom you write to.",
            ),
            rx.el.details(
                rx.el.summary("Fields that can stand in it"),
                rx.el.ul(rx.foreach(_state.fields, lambda each: rx.el.li(rx.el.code(each))), class_name="field-list"),
                rx.el.p(
                    "A link with an empty field leads nowhere, so its writer is asked. Where it may be empty, say so: ",
                    rx.el.code('{{ contact.phone | default("") }}'),
                    class_name="hint",
                ),
            ),
            rx.el.div(
                rx.el.button("Save", type="submit", class_name="btn pri"),
                rx.el.button("Cancel", type="button", class_name="btn", on_click=_state.leave),
                class_name="form-foot",
            ),
            on_submit=_state.save,
            key=_state.opened.to_string(),
            class_name="form link-form",
        ),
    )


def _line(line: Any) -> rx.Component:
    return rx.el.li(
        icon("link"),
        rx.el.div(
            rx.el.b(line.name), rx.el.small(line.url, class_name="el"), rx.el.small(line.notes), class_name="line-text"
        ),
        rx.cond(
            _state.me.admin,
            rx.fragment(
                rx.el.button(
                    "Edit",
                    type="button",
                    class_name="btn",
                    on_click=_state.write(line.id),
                    custom_attrs={"aria-label": "Edit " + line.name},
                ),
                sure(
                    "Delete " + line.name,
                    "Nobody can put it into a mail any more. Mails that it stands in keep it.",
                    "Delete the link",
                    _state.remove(line.id),
                    face=icon("trash-2", 15),
                ),
            ),
        ),
        key=line.id,
    )
