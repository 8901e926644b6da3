"""The menu that merges a conversation with another one, and what takes it back."""

from __future__ import annotations

from typing import Any

import reflex as rx

from frontend.components.parts import icon, key_hint, menu_item, panel
from frontend.components.widgets import ago
from frontend.inbox.state import Inbox

# Variables of a state are expressions here; their types are Reflex's own affair.
_inbox: Any = Inbox


def merge_those_chosen() -> rx.Component:
    """In the menu of those that are ticked; offered for two or more (assets/js/many.js)."""
    return menu_item(
        icon("merge", 16),
        "Merge",
        key_hint("Shift M"),
        custom_attrs={"data-act": "merge", "data-key": "M", "data-for-several": "yes"},
    )


def merge_item() -> rx.Component:
    """In the menu of a conversation."""
    return menu_item(
        icon("merge", 16),
        "Merge with",
        key_hint("Shift M"),
        custom_attrs={"data-menu": "merge", "data-key": "M", "aria-haspopup": "dialog"},
    )


def unmerge_item() -> rx.Component:
    """In the menu of a conversation that holds others."""
    return menu_item(
        icon("split", 16), "Take the merge back", custom_attrs={"data-act": "unmerge", "data-if-merged": "yes"}
    )


def unmerge_button(conversation: Any, piece: Any) -> rx.Component:
    """Beside the line of the trail that tells of a merge."""
    return rx.cond(
        piece.choices.contains("unmerge"),
        rx.fragment(
            " · ",
            rx.el.button(
                "Take it back",
                type="button",
                class_name="link",
                title="Everything goes back to the conversation that it came from",
                on_click=_inbox.unmerge(conversation, piece.id),
            ),
        ),
    )


def merge_menu() -> rx.Component:
    """One menu for all conversations: what the selected one could be merged with."""
    return panel(
        "merge",
        "Merge with",
        rx.el.input(
            type="text",
            placeholder="Merge with",
            auto_complete="off",
            class_name="filter",
            custom_attrs={"data-filter": "yes", "data-find-mergeable": "yes", "aria-label": "Find a conversation"},
        ),
        rx.el.div(
            rx.foreach(_inbox.mergeable, _choice),
            class_name="panel-list",
            role="menu",
            custom_attrs={"aria-label": "Conversations of this mailbox"},
        ),
        rx.cond(
            _inbox.mergeable.length() == 0,
            rx.el.p(
                rx.cond(_inbox.mergeable_sought, "Nothing in this mailbox has these words.", "Search this mailbox."),
                class_name="panel-note",
                role="status",
            ),
        ),
        rx.el.p(
            "The older one takes in the other: mail, comments, tags and followers. It can be taken back.",
            class_name="panel-note",
        ),
        role="dialog",
        class_name="merge-panel",
    )


def _choice(each: Any) -> rx.Component:
    return menu_item(
        rx.el.span(
            rx.el.span(each.subject, class_name="el"),
            rx.el.small(each.who, class_name="el"),
            class_name="two-lines",
        ),
        ago(at=each.at),
        key=each.id,
        custom_attrs={"data-act": "merge", "data-other": each.id.to_string()},
    )
