"""A conversation's pane: head, the flow of messages and comments, the dock, and the side."""

from __future__ import annotations

from typing import Any

import reflex as rx

from frontend.components.widgets import here_line, keep
from frontend.inbox.dock_view import dock
from frontend.inbox.flow_view import entry
from frontend.inbox.head_view import head
from frontend.inbox.panes import PaneView
from frontend.inbox.share_view import share_line
from frontend.inbox.side_view import side
from frontend.inbox.state import Inbox
from frontend.inbox.tag_view import pane_labels

# Variables of a state are expressions here; their types are Reflex's own affair.
_inbox: Any = Inbox


@rx.memo
def pane(shown: rx.vars.ObjectVar[PaneView]) -> rx.Component:
    """One conversation standing in the page; a style rule shows the selected one."""
    return _pane(shown)


def _pane(shown: Any) -> rx.Component:
    return rx.el.article(
        rx.el.div(
            head(shown),
            rx.el.div(
                rx.el.h1(shown.subject, class_name="phone-only thread-subject"),
                pane_labels(shown),
                share_line(shown),
                rx.cond(
                    shown.hidden > 0,
                    rx.el.button(
                        "Show ",
                        shown.hidden,
                        " earlier entries",
                        type="button",
                        class_name="link centred",
                        on_click=_inbox.show_everything(shown.id),
                    ),
                ),
                rx.foreach(
                    shown.flow,
                    lambda each: keep(entry(piece=each, conversation=shown.id), value=each, key=each.key),
                ),
                here_line(conversation=shown.id),
                class_name="thread",
                tab_index=0,
                custom_attrs={"aria-label": "Messages"},
            ),
            dock(shown),
            class_name="talk",
        ),
        side(shown),
        class_name="pane",
        custom_attrs={
            "data-pane": shown.id.to_string(),
            "data-mailbox": shown.mailbox_id.to_string(),
            "data-status": shown.status,
            "data-reminder": shown.remind_kind,
            "data-comments": rx.cond(shown.comments, "new", ""),
            "data-visibility": shown.visibility,
            "data-tags": shown.tag_ids,
            "data-starred": rx.cond(shown.starred, "yes", ""),
            "data-assigned": shown.assigned,
            "data-shared": shown.shared,
            "data-seers": shown.seers.to_string(),
            "data-merged": rx.cond(shown.merged > 0, "yes", ""),
            "data-guest": rx.cond(shown.guest, "yes", ""),
            "aria-label": shown.subject,
        },
    )
