"""The menu that shows one conversation to somebody who cannot open its mailbox."""

from __future__ import annotations

from typing import Any

import reflex as rx

from frontend.components.parts import avatar, icon, panel
from frontend.inbox.state import Inbox

# Variables of a state are expressions here; their types are Reflex's own affair.
_inbox: Any = Inbox


def share_menu() -> rx.Component:
    """One menu for all conversations: the script ticks those whom the selected one is shared with."""
    return panel(
        "share",
        "Share with",
        rx.el.p(
            "Only people of its mailbox see a private conversation. Open it to the mailbox to share it.",
            class_name="panel-note",
            custom_attrs={"data-unless-visibility": "open"},
        ),
        rx.el.input(
            type="text",
            placeholder="Share with",
            auto_complete="off",
            class_name="filter",
            custom_attrs={
                "data-filter": "yes",
                "data-if-visibility": "open",
                "aria-label": "Who to share it with",
            },
        ),
        rx.el.div(
            rx.foreach(_inbox.sharable, _choice),
            class_name="panel-list",
            role="menu",
            custom_attrs={"aria-label": "People and teams", "data-if-visibility": "open"},
        ),
        rx.el.p(
            "They see this one conversation, and comment. They do not answer its mail.",
            class_name="panel-note",
            custom_attrs={"data-if-visibility": "open"},
        ),
        role="dialog",
    )


def _choice(each: Any) -> rx.Component:
    return rx.el.button(
        avatar(each.face, small=True),
        rx.el.span(each.name, class_name="el"),
        rx.cond(each.team > 0, rx.el.small("Team")),
        rx.el.span(class_name="grow"),
        icon("check", 15),
        type="button",
        role="menuitemcheckbox",
        class_name="menu-item",
        key=each.user.to_string() + "-" + each.team.to_string(),
        custom_attrs={
            "data-act": "share",
            "data-user": each.user.to_string(),
            "data-team": each.team.to_string(),
            "data-words": each.name,
            "data-besides-mailboxes": each.mailboxes,
            "aria-checked": "false",
        },
    )


def share_line(shown: Any) -> rx.Component:
    """Above a conversation's mails: with whom it is shared, or that it is shared with me."""
    return rx.cond(
        shown.guest,
        rx.el.div(icon("users", 14), "Shared with you, to read and to comment.", class_name="share-line"),
        rx.cond(
            shown.shared_names != "",
            rx.el.button(
                icon("users", 14),
                rx.el.span("Shared with ", shown.shared_names, class_name="el"),
                type="button",
                class_name="share-line",
                title="Change with whom this is shared",
                custom_attrs={"data-menu": "share", "aria-haspopup": "dialog", "aria-expanded": "false"},
            ),
        ),
    )
