"""Tags in the settings: renamed, coloured and deleted by admins; everybody makes them while tagging."""

from __future__ import annotations

from typing import Any

import reflex as rx
from reflex.event import EventSpec

from backend.tags.contracts import SaveTag, Tag
from frontend.api import ApiError, SignedOut
from frontend.components.forms import card, problem, settings_page, submit, sure, text_field
from frontend.components.parts import empty, icon
from frontend.inbox.tags import LabelView, paint_tags
from frontend.session import Session
from frontend.view import View

COLOURS = 10


class Tags(Session):
    """The organisation's tags."""

    tags: list[LabelView] = []
    problem: str = ""
    made: int = 0
    """So many were made here: each leaves an empty form, and a refusal leaves what was typed."""

    def repaint(self, before: View | None, view: View) -> None:
        if before is None or before.tags is not view.tags:
            self.tags = paint_tags(view)

    async def page_loaded(self) -> None:
        """Nothing of an earlier visit is left to be read."""
        self.problem = ""

    @rx.event
    async def make(self, form: dict[str, Any]) -> EventSpec | None:
        """A new tag."""
        try:
            made = await self.api().post("/tags", SaveTag(name=str(form.get("name", ""))), Tag)
        except ApiError as refused:
            self.problem = refused.sentence
            return self.fault(refused) if isinstance(refused, SignedOut) else None
        self.problem = ""
        self.made += 1
        self.say(f"“{made.name}” can be put on conversations now")
        return None

    @rx.event
    async def rename(self, tag_id: int, form: dict[str, Any]) -> EventSpec | None:
        """Another name, and another colour."""
        try:
            wanted = SaveTag(name=str(form.get("name", "")), colour=int(form.get("colour") or 0))
            await self.api().put(f"/tags/{tag_id}", wanted, Tag)
        except ApiError as refused:
            return self.fault(refused)
        self.say("Saved")
        return None

    @rx.event
    async def remove(self, tag_id: int) -> EventSpec | None:
        """Away with it."""
        try:
            await self.api().delete(f"/tags/{tag_id}")
        except ApiError as refused:
            return self.fault(refused)
        self.say("Tag deleted")
        return None


Session.painters.append(Tags)
_state: Any = Tags


def tags() -> rx.Component:
    """All tags."""
    return settings_page(
        "Tags",
        card(
            "New tag",
            rx.el.form(
                problem(_state.problem),
                text_field("Name", "name", required=True, placeholder="Warranty"),
                submit("Add"),
                on_submit=_state.make,
                key=_state.made.to_string(),
                class_name="form",
            ),
        ),
        rx.cond(
            _state.tags.length() > 0,
            card(
                "All tags",
                rx.el.ul(
                    rx.foreach(_state.tags, lambda each: rx.fragment(tag_line(label=each), key=each.id)),
                    class_name="lines",
                ),
            ),
            empty("tag", "No tags yet", "Make one here, or press L in a conversation."),
        ),
        lead="Words that your team puts on conversations. Everybody makes them; admins change them.",
    )


@rx.memo
def tag_line(label: rx.vars.ObjectVar[LabelView]) -> rx.Component:
    """One tag: a component of its own, for a form's answer is made where its values are in reach."""
    return _tag(label)


def _tag(tag: Any) -> rx.Component:
    return rx.el.li(
        rx.el.span(class_name="dot dot" + tag.colour.to_string()),
        rx.cond(
            _state.me.admin,
            rx.fragment(
                rx.el.form(
                    rx.el.input(
                        name="name",
                        default_value=tag.name,
                        max_length=40,
                        required=True,
                        class_name="input",
                        custom_attrs={"aria-label": "Name of " + tag.name},
                    ),
                    rx.el.select(
                        *(rx.el.option(f"Colour {number + 1}", value=str(number)) for number in range(COLOURS)),
                        name="colour",
                        default_value=tag.colour.to_string(),
                        class_name="select",
                        custom_attrs={"aria-label": "Colour of " + tag.name},
                    ),
                    rx.el.button(
                        "Save", type="submit", class_name="btn", custom_attrs={"aria-label": "Save " + tag.name}
                    ),
                    on_submit=lambda form: _state.rename(tag.id, form),
                    key=tag.name + tag.colour.to_string(),
                    class_name="tag-form",
                ),
                sure(
                    "Delete " + tag.name,
                    "It disappears from every conversation. This cannot be undone.",
                    "Delete the tag",
                    _state.remove(tag.id),
                    face=icon("trash-2", 15),
                ),
            ),
            rx.el.span(tag.name),
        ),
    )
