"""The menu that moves conversations into another mailbox."""

from __future__ import annotations

from typing import Any

import reflex as rx

from frontend.components.parts import icon, key_hint, menu_item, panel
from frontend.session import Session

# Variables of a state are expressions here; their types are Reflex's own affair.
_session: Any = Session


def move_those_chosen() -> rx.Component:
    """In the menu of those that are ticked."""
    return _item({"data-for-chosen": "yes"})


def move_item() -> rx.Component:
    """In the menu of a conversation."""
    return _item({})


def _item(attributes: dict[str, Any]) -> rx.Component:
    """Without another mailbox there is nowhere to move to."""
    return rx.cond(
        _session.groups.length() + _session.personal.length() > 1,
        menu_item(
            icon("folder-input", 16),
            "Move to mailbox",
            key_hint("V"),
            custom_attrs={"data-menu": "move", "data-key": "v", "aria-haspopup": "dialog"} | attributes,
        ),
    )


def move_menu() -> rx.Component:
    """One menu for all conversations: the mailboxes that I can open, but the one where they stand."""
    return panel(
        "move",
        "Move to mailbox",
        rx.el.input(
            type="text",
            placeholder="Move to mailbox",
            auto_complete="off",
            class_name="filter",
            custom_attrs={"data-filter": "yes", "aria-label": "Find a mailbox"},
        ),
        rx.el.div(
            rx.foreach(_session.groups, _choice),
            rx.foreach(_session.personal, _choice),
            class_name="panel-list",
            role="menu",
            custom_attrs={"aria-label": "Mailboxes"},
        ),
        rx.el.p(
            "Who opens that mailbox sees it then, and replies go out from there. "
            "On the mail server its mail stays where it is.",
            class_name="panel-note",
        ),
        role="dialog",
    )


def _choice(mailbox: Any) -> rx.Component:
    return menu_item(
        icon("inbox", 16),
        rx.el.span(mailbox.name, class_name="el"),
        key=mailbox.id,
        custom_attrs={
            "data-act": "move",
            "data-to": mailbox.id.to_string(),
            "data-words": mailbox.name,
        },
    )
