"""The reminder menu of the selected conversation. What its entries mean now, and what was chosen, is the browser's
affair (assets/js/reminders.js): the person's own clock decides."""

from __future__ import annotations

from typing import Any

import reflex as rx

from frontend.components.parts import icon, menu_item, panel
from frontend.components.widgets import ago


def remind_button(shown: Any) -> rx.Component:
    """In the conversation's head: opens the menu, and tells the moment that is set."""
    return rx.el.button(
        icon("alarm-clock", 15),
        rx.cond(
            shown.remind_at != "",
            rx.cond(shown.remind_due, rx.el.span("Due"), ago(at=shown.remind_at, long=True)),
        ),
        type="button",
        class_name=rx.cond(shown.remind_due, "btn remind due", "btn remind"),
        title=rx.cond(shown.remind_at != "", "Change the reminder", "Remind me of this conversation"),
        custom_attrs={
            "data-menu": "remind",
            "data-key": "h",
            "aria-haspopup": "dialog",
            "aria-expanded": "false",
            "aria-label": rx.cond(shown.remind_at != "", "Change the reminder", "Remind me"),
        },
    )


def remind_mark(row: Any) -> rx.Component:
    """On a row: that I want to see it again, and when."""
    return rx.cond(
        row.remind_at != "",
        rx.el.span(
            icon("alarm-clock", 12),
            rx.cond(row.remind_due, "Due", ago(at=row.remind_at, long=True)),
            class_name=rx.cond(row.remind_due, "tag remind t-amber", "tag remind"),
        ),
    )


def remind_menu() -> rx.Component:
    """One menu for all conversations."""
    return panel(
        "remind",
        "Remind me",
        rx.el.div("Remind me", class_name="panel-title"),
        _moment("sun", "Later today", "today"),
        _moment("sunrise", "Tomorrow", "tomorrow"),
        _moment("calendar", "Next Monday", "monday"),
        _moment("hourglass", "If nobody replies", "silent"),
        rx.el.label(
            rx.el.input(type="checkbox", custom_attrs={"data-snooze": "yes"}),
            "Hide it from me until then",
            class_name="check-line",
        ),
        rx.el.div(
            rx.el.input(
                type="datetime-local",
                class_name="input",
                custom_attrs={"data-pick": "yes", "aria-label": "Day and time"},
            ),
            rx.el.button("Set", type="button", class_name="btn", custom_attrs={"data-when": "pick"}),
            class_name="pick-line",
        ),
        rx.el.p(class_name="refusal", role="alert", custom_attrs={"data-refusal": "yes"}),
        menu_item(icon("alarm-clock-off", 16), "Clear the reminder", custom_attrs={"data-when": "clear"}),
        role="dialog",
        class_name="remind-panel",
    )


def _moment(icon_name: str, text: str, when: str) -> rx.Component:
    return menu_item(icon(icon_name, 16), text, rx.el.small(), custom_attrs={"data-when": when})
