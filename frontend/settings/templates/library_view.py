"""The library, each of its templates with a preview."""

from __future__ import annotations

from typing import Any

import reflex as rx

from frontend.components.forms import card
from frontend.components.parts import icon
from frontend.settings.templates.preview_view import preview
from frontend.settings.templates.state import Templates

_state: Any = Templates


def library() -> rx.Component:
    """All of them, to be looked at and added."""
    return card(
        "The library",
        rx.el.p(
            "Added, a template is a copy of your own, shared with everybody. What stands in brackets is filled in when "
            "it is used.",
            class_name="hint",
        ),
        rx.el.ul(rx.foreach(_state.library, _library_line), class_name="lines library-lines"),
    )


def _library_line(line: Any) -> rx.Component:
    return rx.el.li(
        rx.el.div(
            rx.el.button(
                rx.el.span(rx.el.b(line.name), rx.el.small(line.about), class_name="line-text"),
                rx.el.small(line.folder, class_name="folder"),
                icon("chevron-down", 15),
                type="button",
                class_name="library-line",
                on_click=_state.show(line.key),
                custom_attrs={"aria-expanded": _state.shown_key == line.key},
            ),
            rx.cond(_state.shown_key == line.key, preview(formatted=True)),
            class_name="grow",
        ),
        rx.el.button(
            "Add",
            type="button",
            class_name="btn",
            on_click=_state.add(line.key),
            custom_attrs={"aria-label": "Add " + line.name},
        ),
        key=line.key,
    )
