"""The head of a conversation's pane: subject, who it is assigned to, and what can be done with it."""

from __future__ import annotations

from typing import Any

import reflex as rx

from frontend.components.parts import act_button, avatar, icon, icon_button, key_hint
from frontend.components.widgets import away_words
from frontend.inbox.remind_view import remind_button
from frontend.inbox.star_view import star_button
from frontend.inbox.tag_view import tag_button


def head(shown: Any) -> rx.Component:
    return rx.el.header(
        icon_button(
            "chevron-left",
            "Back to the list",
            icon_size=20,
            class_name="btn q sq phone-only",
            custom_attrs={"data-act": "back"},
        ),
        rx.el.span(shown.mailbox, class_name="phone-only back-name"),
        rx.cond(
            shown.lock != "",
            rx.el.span(
                icon("lock", 15),
                class_name="lock",
                role="img",
                title=rx.cond(shown.lock_names != "", shown.lock + ": " + shown.lock_names, shown.lock),
                custom_attrs={"aria-label": shown.lock},
            ),
        ),
        rx.cond(shown.guest, rx.fragment(), star_button(shown.starred, "Star", key="s")),
        rx.el.h1(shown.subject, class_name="subject desk-only", title=shown.subject),
        rx.el.span(class_name="grow"),
        rx.cond(shown.guest, rx.fragment(), _assign(shown)),
        rx.cond(shown.guest, rx.fragment(), tag_button()),
        remind_button(shown),
        rx.cond(shown.guest, rx.fragment(), _finish(shown)),
        icon_button(
            "ellipsis",
            "More",
            class_name="btn q sq",
            custom_attrs={"data-menu": "more", "aria-haspopup": "menu", "aria-expanded": "false"},
        ),
        rx.cond(
            (shown.status != "trash") & ~shown.guest,
            act_button(act="trash", key="#", class_name="reader", custom_attrs={"tabIndex": -1, "aria-hidden": "true"}),
        ),
        class_name="head",
    )


def _assign(shown: Any) -> rx.Component:
    """Whose it is; opens the menu."""
    return rx.el.button(
        rx.cond(
            shown.assignee.initials != "",
            rx.fragment(
                avatar(shown.assignee, small=True),
                rx.el.span(shown.assignee_short, class_name="el"),
                away_words(shown.assignee),
            ),
            rx.fragment(icon("user-plus", 15), rx.el.span("Assign")),
        ),
        icon("chevron-down", 14),
        type="button",
        class_name="btn assign",
        custom_attrs={
            "data-menu": "assign",
            "data-key": "i",
            "aria-haspopup": "dialog",
            "aria-expanded": "false",
            "aria-label": rx.cond(
                shown.assignee.initials != "", "Assigned to " + shown.assignee.name + ". Assign", "Assign"
            ),
        },
    )


def _finish(shown: Any) -> rx.Component:
    """Done, or back to Open."""
    return rx.cond(
        shown.status == "open",
        act_button(
            icon("check", 15),
            rx.el.span("Done"),
            key_hint("E"),
            act="done",
            key="e",
            class_name="btn done",
            title="Done",
            custom_attrs={"aria-label": "Done"},
        ),
        act_button(
            icon("undo-2", 15),
            rx.el.span(rx.cond(shown.status == "spam", "Not spam", "Move to Open")),
            act="open",
            class_name="btn",
        ),
    )
