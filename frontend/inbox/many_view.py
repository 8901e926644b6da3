"""Acting in the list: what appears on a row under the pointer, and the bar for conversations that are ticked.

Which are ticked is the browser's affair (assets/js/many.js); so is when the bar is seen.
"""

from __future__ import annotations

from typing import Any

import reflex as rx

from frontend.components.parts import icon, icon_button, key_hint, menu_item, panel
from frontend.inbox.merging_view import merge_those_chosen
from frontend.inbox.moving_view import move_those_chosen
from frontend.inbox.star_view import star_button
from frontend.inbox.state import Inbox
from frontend.session import Session

# Variables of a state are expressions here; their types are Reflex's own affair.
_inbox: Any = Inbox
_session: Any = Session


def mark_box(row: Any) -> rx.Component:
    """The box to tick, below the face."""
    return rx.el.input(
        type="checkbox",
        class_name="mark",
        custom_attrs={"data-mark": row.id.to_string(), "aria-label": "Choose " + row.subject},
    )


def row_deeds(row: Any) -> rx.Component:
    """Star, take, remind, read, done, trash: on the row under the pointer, or that has the focus."""
    return rx.el.span(
        star_button(row.starred, "Star: " + row.subject),
        rx.cond(row.mine, rx.fragment(), _deed(row, "user-plus", "Assign to me", {"data-act": "assign-me"})),
        rx.cond(
            row.status == "open",
            rx.fragment(
                _deed(
                    row,
                    "alarm-clock",
                    "Remind me",
                    {"data-menu": "remind", "aria-haspopup": "dialog", "aria-expanded": "false"},
                ),
                _deed(row, "check", "Done", {"data-act": "done"}),
            ),
            _deed(row, "undo-2", "Move to Open", {"data-act": "open"}),
        ),
        rx.cond(
            row.unread,
            _deed(row, "mail-open", "Mark read", {"data-act": "read"}),
            _deed(row, "mail", "Mark unread", {"data-act": "unread"}),
        ),
        rx.cond(row.status == "trash", rx.fragment(), _deed(row, "trash-2", "Move to Trash", {"data-act": "trash"})),
        class_name="row-deeds",
    )


def _deed(row: Any, icon_name: str, label: str, attributes: dict[str, Any]) -> rx.Component:
    return rx.el.button(
        icon(icon_name, 15),
        type="button",
        title=label,
        class_name="btn q sq",
        custom_attrs=attributes | {"aria-label": label + ": " + row.subject},
    )


def many_bar() -> rx.Component:
    """Over the list's head while something is ticked: how many, and what can be done with them."""
    return rx.el.div(
        rx.el.input(
            type="checkbox",
            title="Choose all of this list",
            custom_attrs={"data-mark-all": "yes", "aria-label": "Choose all of this list"},
        ),
        rx.el.span(class_name="many-count", role="status", custom_attrs={"data-many-count": "yes"}),
        rx.el.span(class_name="grow"),
        _button("user-plus", "Assign those chosen", {"data-menu": "assign", "data-key": "i"} | _DIALOG),
        _button("alarm-clock", "Remind me of those chosen", {"data-menu": "remind", "data-key": "h"} | _DIALOG),
        _button("tag", "Tag those chosen", {"data-menu": "tags", "data-key": "l"} | _DIALOG),
        rx.cond(
            _closed(),
            _button("undo-2", "Move those chosen to Open", {"data-act": "open"}),
            _button("check", "Mark those chosen done", {"data-act": "done", "data-key": "e"}),
        ),
        rx.cond(
            (_inbox.kind == "mailbox") & (_inbox.shows == "trash"),
            rx.cond(
                may_delete(), _button("trash-2", "Delete those chosen for good", {"data-act": "delete"}), rx.fragment()
            ),
            _button("trash-2", "Move those chosen to Trash", {"data-act": "trash", "data-key": "#"}),
        ),
        _button(
            "ellipsis",
            "More for those chosen",
            {"data-menu": "many", "aria-haspopup": "menu", "aria-expanded": "false"},
        ),
        _button("x", "Choose none", {"data-act": "unmark"}),
        class_name="many-bar",
        role="toolbar",
        custom_attrs={"data-many": "yes", "aria-label": "Conversations chosen"},
    )


_DIALOG = {"aria-haspopup": "dialog", "aria-expanded": "false"}


def _button(icon_name: str, label: str, attributes: dict[str, Any]) -> rx.Component:
    return icon_button(icon_name, label, custom_attrs=attributes)


def _closed() -> Any:
    """Whether the list holds what is not open."""
    return (_inbox.kind == "mailbox") & (
        (_inbox.shows == "done") | (_inbox.shows == "trash") | (_inbox.shows == "spam")
    )


def may_delete() -> Any:
    """Whether I may delete for good what is listed; of lists over several mailboxes the API knows more."""
    return _session.me.admin | (_inbox.current_mailbox.kind == "personal")


def empty_trash() -> rx.Component:
    """Above the Trash."""
    return rx.cond(
        (_inbox.kind == "mailbox") & (_inbox.shows == "trash") & may_delete() & (_inbox.rows.length() > 0),
        rx.el.button("Empty Trash", type="button", class_name="chip", custom_attrs={"data-act": "empty-trash"}),
    )


def delete_item() -> rx.Component:
    """In the menu of a conversation that is in the Trash."""
    return rx.cond(
        may_delete(),
        menu_item(
            icon("trash-2", 16), "Delete for good", custom_attrs={"data-act": "delete", "data-if-status": "trash"}
        ),
    )


def delete_dialog() -> rx.Component:
    """Asked before anything is deleted for good; what, is written by assets/js/many.js."""
    return rx.el.dialog(
        rx.el.h2(custom_attrs={"data-what": "yes"}),
        rx.el.p(
            "Mail, comments, drafts and files are removed for everybody, here and on the mail server. "
            "This cannot be undone."
        ),
        rx.el.div(
            rx.el.button("Cancel", type="button", class_name="btn", custom_attrs={"data-act": "close-dialog"}),
            rx.el.button(
                "Delete for good", type="button", class_name="btn danger", custom_attrs={"data-act": "delete-now"}
            ),
            class_name="dialog-foot",
        ),
        class_name="dialog delete-dialog",
        custom_attrs={"aria-label": "Delete for good"},
    )


def many_menu() -> rx.Component:
    """What else can be done with those that are ticked."""
    return panel(
        "many",
        "More",
        merge_those_chosen(),
        move_those_chosen(),
        menu_item(icon("mail-open", 16), "Mark read", custom_attrs={"data-act": "read"}),
        menu_item(icon("mail", 16), "Mark unread", custom_attrs={"data-act": "unread"}),
        menu_item(
            icon("star", 16),
            rx.el.span("Star", custom_attrs={"data-starred-words": "yes"}),
            key_hint("S"),
            custom_attrs={"data-act": "star", "data-key": "s"},
        ),
        menu_item(icon("undo-2", 16), "Move to Open", custom_attrs={"data-act": "open", "data-unless-status": "open"}),
        menu_item(icon("check", 16), "Done", custom_attrs={"data-act": "done", "data-unless-status": "done"}),
        menu_item(
            icon("shield-alert", 16), "Mark as spam", custom_attrs={"data-act": "spam", "data-unless-status": "spam"}
        ),
        menu_item(
            icon("lock-open", 16),
            "Open to the mailbox",
            custom_attrs={"data-act": "visibility", "data-visibility": "open"},
        ),
        menu_item(
            icon("lock", 16), "Make private", custom_attrs={"data-act": "visibility", "data-visibility": "private"}
        ),
        menu_item(
            icon("shield", 16),
            "Make confidential",
            custom_attrs={"data-act": "visibility", "data-visibility": "confidential"},
        ),
    )
