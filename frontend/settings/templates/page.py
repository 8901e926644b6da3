"""Templates and snippets in the settings: found, written with a preview beside, shared and deleted."""

from __future__ import annotations

from typing import Any

import reflex as rx

from frontend.components.forms import card, settings_page, sure
from frontend.components.parts import empty, icon
from frontend.components.widgets import template_import
from frontend.settings.templates.form_view import template_form
from frontend.settings.templates.library_view import library
from frontend.settings.templates.state import Templates

_state: Any = Templates


def templates() -> rx.Component:
    """The list, and the form above it while somebody writes."""
    return settings_page(
        "Templates",
        rx.cond(_state.above == "form", template_form()),
        rx.cond(_state.above == "library", library()),
        rx.cond(
            _state.above == "import",
            card("Import HTML", template_import(on_made=_state.take, on_close=_state.leave)),
        ),
        rx.el.input(
            type="search",
            placeholder="Find by name, folder or words",
            on_change=_state.find.debounce(200),
            class_name="input",
            custom_attrs={"aria-label": "Find a template"},
        ),
        rx.cond(
            _state.lines.length() > 0,
            card("Templates and snippets", rx.el.ul(rx.foreach(_state.lines, _line), class_name="lines")),
            rx.cond(
                _state.fetched,
                rx.cond(
                    _state.query != "",
                    empty("search", "Nothing found", "Look for other words."),
                    empty("notebook-text", "No templates yet", "What you write again and again needs writing once."),
                ),
            ),
        ),
        lead="Whole mails and passages, with fields that are filled in for whom you write to.",
        aside=rx.fragment(
            rx.el.button(
                icon("library", 15),
                rx.el.span("Library", class_name="wide-only"),
                type="button",
                class_name="btn",
                on_click=_state.look,
                custom_attrs={"aria-label": "Library", "aria-expanded": _state.above == "library"},
            ),
            rx.el.button(
                icon("file-code", 15),
                rx.el.span("Import HTML", class_name="wide-only"),
                type="button",
                class_name="btn",
                on_click=_state.begin_import,
                custom_attrs={"aria-label": "Import HTML", "aria-expanded": _state.above == "import"},
            ),
            rx.el.button(
                icon("plus", 15), "New template", type="button", class_name="btn pri", on_click=_state.write(0)
            ),
        ),
    )


def _line(line: Any) -> rx.Component:
    return rx.el.li(
        rx.cond(line.kind == "snippet", icon("text-quote"), icon("notebook-text")),
        rx.el.div(
            rx.el.b(line.name),
            rx.el.small(line.begins, class_name="el"),
            rx.el.small(line.notes),
            class_name="line-text",
        ),
        rx.cond(
            line.changeable,
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
                    "It is gone for everybody it is shared with. Mails that were written with it stay.",
                    "Delete the template",
                    _state.remove(line.id),
                    face=icon("trash-2", 15),
                ),
            ),
        ),
        key=line.id,
    )
