"""The inbox page: list, the conversations that stand ready, and the menus they share."""

from __future__ import annotations

from typing import Any

import reflex as rx

from frontend.components.frame import page
from frontend.components.parts import avatar, empty, icon, key_hint, menu_item, panel
from frontend.components.widgets import away_words, bridge, presence_board
from frontend.compose.state import Compose
from frontend.compose.window import compose_window
from frontend.inbox import places
from frontend.inbox.about_view import about_panel
from frontend.inbox.list_view import list_pane
from frontend.inbox.many_view import delete_dialog, delete_item, many_menu
from frontend.inbox.merging_view import merge_item, merge_menu, unmerge_item
from frontend.inbox.moving_view import move_item, move_menu
from frontend.inbox.pane_view import pane
from frontend.inbox.presence_state import Presence
from frontend.inbox.remind_view import remind_menu
from frontend.inbox.share_view import share_menu
from frontend.inbox.splitting_view import split_menu
from frontend.inbox.state import Inbox
from frontend.inbox.tag_view import tag_menu
from frontend.session import Session

# Variables of a state are expressions here; their types are Reflex's own affair.
_inbox: Any = Inbox
_session: Any = Session
_compose: Any = Compose
_presence: Any = Presence


def inbox() -> rx.Component:
    """Rail, list, conversation, side."""
    return page(
        rx.el.main(
            list_pane(),
            rx.el.div(
                *(pane(shown=getattr(_inbox, f"place{index}")) for index in range(places.COUNT)),
                rx.el.div(
                    *(rx.el.div(class_name="shade") for _ in range(3)),
                    class_name="pane-waiting",
                    custom_attrs={"aria-busy": "true", "aria-label": "Loading"},
                ),
                rx.el.div(
                    empty(
                        "mail-open", "No conversation is open", "Choose one on the left, or press J for the first one."
                    ),
                    class_name="pane-none",
                ),
                class_name="panes",
            ),
            class_name="desk",
            custom_attrs={
                "data-desk": "yes",
                "data-kind": _inbox.kind,
                "data-mailbox": _inbox.mailbox_id.to_string(),
                "data-shows": _inbox.shows,
                "data-query": _inbox.query,
                "data-me": _session.me.id.to_string(),
            },
        ),
        _assign_menu(),
        many_menu(),  # before the menu of one: a key presses what is offered for those chosen
        _more_menu(),
        remind_menu(),
        tag_menu(),
        about_panel(),
        delete_dialog(),
        share_menu(),
        merge_menu(),
        split_menu(),
        move_menu(),
        compose_window(),
        bridge(
            theme=_session.me.theme,
            locale=_session.me.locale,
            time_zone=_session.me.time_zone,
            on_select=_inbox.select,
            on_status=_inbox.set_status,
            on_assign=_inbox.assign,
            on_listing=_inbox.open_listing,
            on_window=_inbox.move_window,
            on_unread=_inbox.mark_unread,
            on_remind=_inbox.remind,
            on_tag=_inbox.tag,
            on_star=_inbox.star,
            on_new_tag=_inbox.new_tag,
            on_visibility=_inbox.set_visibility,
            on_away=_session.set_away,
            on_many=_inbox.change_many,
            on_mark_all=_inbox.mark_all,
            on_empty_trash=_inbox.empty_trash,
            on_share=_inbox.share,
            on_merge=_inbox.merge,
            on_unmerge=_inbox.unmerge,
            on_split=_inbox.split,
            on_move=_inbox.move,
            on_find_mergeable=_inbox.find_mergeable,
            on_reply=_compose.reply,
            on_looking=_presence.looking,
        ),
        presence_board(here=_presence.here),
        name="inbox",
    )


def _assign_menu() -> rx.Component:
    """One menu for all conversations: the script shows those who can open the mailbox of the selected one."""
    return panel(
        "assign",
        "Assign to",
        rx.el.input(
            type="text",
            placeholder="Assign to",
            auto_complete="off",
            class_name="filter",
            custom_attrs={"data-filter": "yes", "aria-label": "Find a person or team"},
        ),
        rx.el.div(
            menu_item(
                icon("user-check", 16),
                "Assign to me",
                key_hint("Shift I"),
                custom_attrs={"data-act": "assign-me", "data-key": "I", "data-words": "assign to me"},
            ),
            rx.foreach(_inbox.assignable, _assignable),
            menu_item(
                icon("circle-slash", 16),
                "Nobody",
                custom_attrs={"data-act": "assign", "data-words": "nobody unassign"},
            ),
            class_name="panel-list",
            role="menu",
            custom_attrs={"aria-label": "People and teams"},
        ),
        role="dialog",
    )


def _assignable(each: Any) -> rx.Component:
    return menu_item(
        avatar(each.face, small=True),
        rx.el.span(each.name, class_name="el"),
        rx.cond(each.team > 0, rx.el.small("Team")),
        away_words(each.face),
        key=each.user.to_string() + "-" + each.team.to_string(),
        custom_attrs={
            "data-act": "assign",
            "data-user": each.user.to_string(),
            "data-team": each.team.to_string(),
            "data-words": each.name,
            "data-mailboxes": each.mailboxes,
        },
    )


def _more_menu() -> rx.Component:
    return panel(
        "more",
        "More",
        menu_item(
            icon("forward", 16),
            "Forward",
            key_hint("F"),
            custom_attrs={"data-act": "forward", "data-key": "f"},
        ),
        menu_item(icon("mail", 16), "Mark unread", custom_attrs={"data-act": "unread", "data-for-guests": "yes"}),
        menu_item(
            icon("shield-alert", 16),
            "Mark as spam",
            custom_attrs={"data-act": "spam", "data-unless-status": "spam"},
        ),
        menu_item(
            icon("shield-check", 16),
            "Not spam",
            custom_attrs={"data-act": "open", "data-if-status": "spam"},
        ),
        menu_item(icon("ban", 16), "Block sender", custom_attrs={"data-act": "block"}),
        rx.el.div(
            menu_item(icon("tag", 16), "Tags", custom_attrs={"data-menu": "tags", "aria-haspopup": "dialog"}),
            class_name="phone-only",
            role="none",
        ),
        menu_item(icon("contact", 16), "Open contact", custom_attrs={"data-act": "contact", "data-for-guests": "yes"}),
        _follow("bell-plus", "Follow", "false"),
        _follow("bell-off", "Follow no more", "true"),
        menu_item(
            icon("users", 16),
            "Share",
            custom_attrs={"data-menu": "share", "data-key": "S", "aria-haspopup": "dialog"},
        ),
        merge_item(),
        move_item(),
        unmerge_item(),
        _see("lock-open", "Open to the mailbox", "open", "Everybody who opens this mailbox sees it"),
        _see("lock", "Make private", "private", "Only people of this mailbox, never through a share"),
        _see("shield", "Make confidential", "confidential", "Only who is assigned, mentioned or added"),
        menu_item(
            icon("trash-2", 16),
            "Move to Trash",
            key_hint("#"),
            custom_attrs={"data-act": "trash", "data-unless-status": "trash"},
        ),
        delete_item(),
    )


def _follow(icon_name: str, text: str, following: str) -> rx.Component:
    """The button of the side, which not every screen has room for; only what can be done is offered."""
    return menu_item(
        icon(icon_name, 16),
        text,
        key_hint("W"),
        custom_attrs={"data-act": "follow", "data-following": following, "data-key": "w", "data-for-guests": "yes"},
    )


def _see(icon_name: str, text: str, visibility: str, title: str) -> rx.Component:
    """Who sees the conversation; what it is already is not offered."""
    return menu_item(
        icon(icon_name, 16),
        text,
        title=title,
        custom_attrs={"data-act": "visibility", "data-visibility": visibility},
    )
