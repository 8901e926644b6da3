"""Signatures of a person and of mailboxes, and for admins how the organisation's mail looks."""

from __future__ import annotations

from typing import Any, TypedDict

import reflex as rx
from reflex.event import EventSpec

from backend.templates.contracts import (
    HouseStyle,
    Rendered,
    RenderText,
    SaveSignature,
    Signature,
)
from frontend.api import ApiError, SignedOut
from frontend.components.forms import card, choice_field, problem, settings_page, text_field
from frontend.components.widgets import mail_preview, writer
from frontend.session import Session

FONTS = tuple(
    (each, each) for each in ("Arial", "Verdana", "Tahoma", "Trebuchet MS", "Georgia", "Times New Roman", "Courier New")
)


class Whose(TypedDict):
    """Whose signature can be written: 0 is one's own, else a mailbox's id."""

    id: int
    name: str


class SignaturePage(Session):
    """One signature at a time, and the organisation's style."""

    owners: list[Whose] = []
    owner: int = 0
    initial: str = ""
    opened: int = 0
    ready_to_write: bool = False
    shown: str = ""
    problem: str = ""
    font: str = "Arial"
    size: str = "14"
    footer: str = ""
    style_problem: str = ""

    _html: str = ""
    _version: int = 0
    _footer: str = ""

    async def page_loaded(self) -> None:
        """Nothing of an earlier visit is left."""
        self.owner, self.problem, self.style_problem, self.ready_to_write = 0, "", "", False

    @rx.event
    async def arrive(self) -> EventSpec | None:
        """On the page's load."""
        view = self._view
        if view is None:
            return None
        admin = view.me.person.role in ("owner", "admin")
        mine = [
            each
            for each in view.mailboxes.values()
            if each.kind != "intake" and (admin or each.owner_id == view.me.person.id)
        ]
        self.owners = [Whose(id=0, name="Mine"), *(Whose(id=each.id, name=each.name) for each in mine)]
        try:
            style = await self.api().get("/house-style", HouseStyle)
        except ApiError as refused:
            return self.fault(refused)
        self.font, self.size, self.footer = style.font, str(style.size), style.footer
        self._footer = style.footer
        return await self._open()

    @rx.event
    async def choose(self, owner: str) -> EventSpec | None:
        """Whose signature is written."""
        self.owner = int(owner)
        return await self._open()

    @rx.event
    async def hear(self, html: str) -> EventSpec | None:
        """What is typed, with a preview."""
        self._html = html
        return await self._preview()

    @rx.event
    async def save(self) -> EventSpec | None:
        """Keep the signature."""
        try:
            saved = await self.api().put(self._path(), SaveSignature(html=self._html, version=self._version), Signature)
        except ApiError as refused:
            self.problem = refused.sentence
            return self.fault(refused) if isinstance(refused, SignedOut) else None
        self._version, self.problem = saved.version, ""
        self.say("Signature saved")
        return None

    @rx.event
    def hear_footer(self, html: str) -> None:
        """The footer, as it is typed."""
        self._footer = html

    @rx.event
    async def save_style(self, given: dict[str, Any]) -> EventSpec | None:
        """How every mail looks from now on."""
        typed = str(given.get("size", ""))
        font: Any = str(given.get("font", "Arial"))
        style = HouseStyle(font=font, size=int(typed) if typed.isdigit() else 0, footer=self._footer)
        try:
            await self.api().put("/house-style", style, HouseStyle)
        except ApiError as refused:
            self.style_problem = refused.sentence
            return self.fault(refused) if isinstance(refused, SignedOut) else None
        self.style_problem = ""
        self.say("Every mail that is sent looks so from now on")
        return None

    def _path(self) -> str:
        return f"/mailboxes/{self.owner}/signature" if self.owner else "/me/signature"

    async def _open(self) -> EventSpec | None:
        try:
            stored = await self.api().get(self._path(), Signature)
        except ApiError as refused:
            return self.fault(refused)
        self.initial, self._html, self._version = stored.html, stored.html, stored.version
        self.opened += 1
        self.ready_to_write, self.problem = True, ""
        return await self._preview()

    async def _preview(self) -> EventSpec | None:
        try:
            wanted = RenderText(html=self._html, mailbox_id=self.owner or None, examples=True)
            rendered = await self.api().post("/rendered-text", wanted, Rendered)
        except ApiError as refused:
            self.problem = refused.sentence
            return self.fault(refused) if isinstance(refused, SignedOut) else None
        self.shown, self.problem = rendered.html, ""
        return None


Session.painters.append(SignaturePage)
_state: Any = SignaturePage


def signatures() -> rx.Component:
    """The page."""
    return settings_page(
        "Signatures",
        rx.cond(_state.ready_to_write, rx.fragment(_signature(), rx.cond(_state.me.admin, _style()))),
        lead="What stands below a mail. It is filled in, and fixed, when the mail is sent.",
    )


def _signature() -> rx.Component:
    return card(
        "Signature",
        problem(_state.problem),
        rx.el.div(
            rx.el.label(
                rx.el.span("Whose", class_name="label"),
                rx.el.select(
                    rx.foreach(_state.owners, lambda each: rx.el.option(each.name, value=each.id.to_string())),
                    value=_state.owner.to_string(),
                    on_change=_state.choose,
                    class_name="select",
                ),
                rx.el.small("A mailbox's comes before one's own. The composer offers both.", class_name="hint"),
                class_name="field",
            ),
            rx.el.div(
                rx.el.span("Text", class_name="label"),
                writer(
                    initial=_state.initial,
                    label="Signature text",
                    on_write=_state.hear,
                    key=_state.opened.to_string(),
                ),
                rx.el.small(
                    "Fields can stand in it: ",
                    rx.el.code("{{ me.name }}"),
                    ", ",
                    rx.el.code("{{ mailbox.address }}"),
                    ", ",
                    rx.el.code("{{ organisation.name }}"),
                    class_name="hint",
                ),
                class_name="field",
            ),
            rx.el.section(
                mail_preview(html=_state.shown, styles=""),
                class_name="template-preview",
                custom_attrs={"aria-label": "Preview"},
            ),
            rx.el.div(
                rx.el.button("Save the signature", type="button", class_name="btn pri", on_click=_state.save),
                class_name="form-foot",
            ),
            class_name="form",
        ),
    )


def _style() -> rx.Component:
    return card(
        "Every mail of the organisation",
        rx.el.form(
            problem(_state.style_problem),
            rx.el.div(
                choice_field("Typeface", "font", FONTS, value=_state.font),
                text_field("Size in pixels", "size", value=_state.size, kind="number"),
                class_name="two-fields",
            ),
            rx.el.div(
                rx.el.span("Footer", class_name="label"),
                writer(initial=_state.footer, label="Footer text", on_write=_state.hear_footer),
                rx.el.small("Below the signature, small. Leave it empty for none.", class_name="hint"),
                class_name="field",
            ),
            rx.el.div(rx.el.button("Save the style", type="submit", class_name="btn pri"), class_name="form-foot"),
            on_submit=_state.save_style,
            class_name="form",
        ),
    )
