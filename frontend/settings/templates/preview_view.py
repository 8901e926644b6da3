"""A template as it will read, in the form and in the library."""

from __future__ import annotations

from typing import Any

import reflex as rx

from frontend.components.widgets import mail_preview
from frontend.settings.templates.state import Templates

_state: Any = Templates


def preview(*, formatted: Any) -> rx.Component:
    """For whom it is filled in, what is missing then, and how it looks."""
    return rx.el.section(
        rx.el.label(
            rx.el.span("Filled in for", class_name="label"),
            rx.el.input(
                type="email",
                placeholder="Examples; or the address of a contact",
                list="template-contacts",
                default_value=_state.contact,
                on_change=_state.fill_for.debounce(300),
                auto_complete="off",
                class_name="input",
            ),
            rx.el.datalist(rx.foreach(_state.contacts, lambda each: rx.el.option(value=each)), id="template-contacts"),
            class_name="field",
        ),
        rx.cond(
            _state.missing != "",
            rx.el.p("Empty for this contact: " + _state.missing, class_name="hint", role="status"),
        ),
        rx.cond(
            _state.not_shown != "",
            rx.el.p(_state.not_shown, class_name="form-problem", role="status"),
            rx.fragment(
                rx.cond(_state.shown_subject != "", rx.el.b(_state.shown_subject)),
                rx.cond(
                    formatted,
                    mail_preview(html=_state.shown_html, styles=_state.shown_styles),
                    rx.el.p(_state.shown_text, class_name="shown-text"),
                ),
            ),
        ),
        class_name="template-preview",
        custom_attrs={"aria-label": "Preview"},
    )
