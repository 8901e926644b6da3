"""The list pane: head, search, tabs, and the rows of the window."""

from __future__ import annotations

from typing import Any

import reflex as rx

from frontend.components.parts import avatar, empty, icon, icon_button, key_hint
from frontend.components.widgets import ago, here_faces, keep
from frontend.compose.state import Compose
from frontend.inbox.filter_view import filter_bar
from frontend.inbox.many_view import empty_trash, many_bar, mark_box, row_deeds
from frontend.inbox.remind_view import remind_mark
from frontend.inbox.rows import RowView
from frontend.inbox.search_view import found_line, order_chips, pieces, search_box
from frontend.inbox.star_view import star_mark
from frontend.inbox.state import Inbox
from frontend.inbox.tag_view import row_labels
from frontend.session import Session

# Variables of a state are expressions here; their types are Reflex's own affair.
_inbox: Any = Inbox
_session: Any = Session
_compose: Any = Compose


def list_pane() -> rx.Component:
    """Mailbox name with the live mark, search, tabs, conversations."""
    return rx.el.section(
        rx.el.div(
            rx.el.button(
                rx.el.h1(_inbox.title, class_name="el"),
                rx.el.span(icon("chevron-down", 14), class_name=rx.cond(_inbox.kind == "mailbox", "", "phone-only")),
                type="button",
                class_name="list-title",
                title=rx.cond(_inbox.kind == "mailbox", "About this mailbox", ""),
                on_click=_inbox.tell_about,
                custom_attrs={
                    "data-menu-phone": "mailboxes",
                    "aria-haspopup": "dialog",
                    "data-menu-desk": rx.cond(_inbox.kind == "mailbox", "about", ""),
                },
            ),
            rx.cond(
                _session.online,
                rx.el.span("Live", class_name="live", title="Changes appear by themselves"),
                rx.el.span("Offline", class_name="live off"),
            ),
            rx.el.span(class_name="grow"),
            icon_button(
                "list-checks",
                "Choose conversations",
                class_name="btn q sq phone-only",
                custom_attrs={"data-act": "choosing"},
            ),
            rx.cond(
                _inbox.kind == "mailbox",
                icon_button(
                    "mail-check", "Mark everything here read", class_name="btn q sq desk-only", on_click=_inbox.read_all
                ),
            ),
            rx.el.button(
                icon("square-pen", 16),
                rx.el.span("Compose", class_name="desk-only"),
                key_hint("C"),
                type="button",
                class_name="btn pri compose",
                on_click=_compose.write_new(_inbox.mailbox_id),
                custom_attrs={"data-key": "c", "aria-label": "Compose"},
            ),
            class_name="head",
        ),
        many_bar(),
        search_box(),
        found_line(),
        rx.match(_inbox.kind, ("mailbox", _tabs()), ("search", order_chips()), rx.fragment()),
        filter_bar(),
        rx.cond(_inbox.trouble != "", rx.el.div(_inbox.trouble, class_name="list-trouble", role="alert")),
        _account_line(),
        rx.el.div(
            rx.el.div(style={"height": _inbox.space_above.to_string() + "px"}),
            rx.el.div(rx.foreach(_inbox.rows, lambda each: keep(row(conversation=each), value=each, key=each.id))),
            rx.el.div(style={"height": _inbox.space_below.to_string() + "px"}),
            rx.cond(_inbox.rows.length() == 0, _nothing()),
            class_name="list",
            role="group",
            tab_index=-1,
            custom_attrs={"data-list-scroll": "yes", "aria-label": "Conversations", "aria-busy": _inbox.loading},
        ),
        class_name="pane-frame list-pane",
        custom_attrs={"aria-label": "List"},
    )


def _tabs() -> rx.Component:
    open_one = _inbox.current_mailbox
    return rx.el.div(
        _tab("Open", "open", open_one.open),
        _tab("Unassigned", "unassigned", open_one.unassigned),
        _tab("Mine", "mine", open_one.mine),
        # Elsewhere the rail has these three.
        _tab("Done", "done", None, only=rx.cond(_inbox.shows == "done", "", " phone-only")),
        _tab("Spam", "spam", None, only=rx.cond(_inbox.shows == "spam", "", " phone-only")),
        _tab("Trash", "trash", None, only=rx.cond(_inbox.shows == "trash", "", " phone-only")),
        rx.el.span(class_name="grow"),
        empty_trash(),
        class_name="tabs",
        role="group",
        custom_attrs={"aria-label": "Show"},
    )


def _tab(text: str, shows: str, count: Any, *, only: Any = "") -> rx.Component:
    return rx.el.a(
        text,
        rx.cond(count > 0, rx.el.span(" ", count)) if count is not None else rx.fragment(),
        href=f"/?mailbox={_inbox.mailbox_id}&view={shows}",
        class_name=rx.cond(_inbox.shows == shows, "chip on", "chip") + only,
        custom_attrs={
            "data-list": "mailbox",
            "data-mailbox": _inbox.mailbox_id.to_string(),
            "data-view": shows,
            "aria-current": rx.cond(_inbox.shows == shows, "true", "false"),
        },
    )


def _account_line() -> rx.Component:
    """First sync, or what is wrong with the account, in one line above the list."""
    one = _inbox.current_mailbox
    return rx.cond(
        _inbox.kind == "mailbox",
        rx.fragment(
            rx.cond(
                one.trouble != "",
                rx.el.div(icon("triangle-alert", 14), rx.el.span(one.trouble), class_name="pin", role="status"),
            ),
            rx.cond(
                one.progress != "",
                rx.el.div(
                    icon("refresh-cw", 14),
                    rx.el.span("Fetching mail: ", one.progress),
                    class_name="pin calm",
                    role="status",
                ),
            ),
        ),
    )


def _nothing() -> rx.Component:
    return rx.cond(
        _inbox.loading,
        rx.el.div(*(rx.el.div(class_name="row-shade") for _ in range(7)), custom_attrs={"aria-hidden": "true"}),
        rx.match(
            _inbox.kind,
            (
                "shared",
                empty("users", "Nothing is shared with you", "What colleagues share with you appears here."),
            ),
            ("tag", empty("tag", "Nothing has this tag", "Put it on a conversation with L.")),
            ("view", empty("filter", "Nothing fits this view", "What fits it appears here by itself.")),
            ("filter", empty("filter", "Nothing fits", "Try fewer filters.")),
            ("search", empty("search", "Nothing found", "Try fewer words, or another mailbox.")),
            (
                "mine",
                empty(
                    "circle-check", "Nothing is assigned to you", "What you take on appears here, from all mailboxes."
                ),
            ),
            (
                "reminders",
                empty(
                    "alarm-clock",
                    "No reminders",
                    "Open a conversation and press H: it comes back when you want to see it again.",
                ),
            ),
            (
                "mentions",
                empty(
                    "at-sign",
                    "Nobody mentioned you yet",
                    "When a colleague writes @ and your name, the conversation appears here.",
                ),
            ),
            rx.cond(
                _inbox.mailbox_id == 0,
                rx.cond(
                    _session.ready,
                    empty(
                        "inbox",
                        "No mailbox yet",
                        "Connect a mailbox, and its mail appears here.",
                        rx.el.a("Add a mailbox", href="/settings/mailboxes/", class_name="btn pri"),
                    ),
                ),
                rx.match(
                    _inbox.shows,
                    ("done", empty("check", "Nothing is done yet", "What you mark done moves here.")),
                    ("trash", empty("trash-2", "Trash is empty", "What you delete moves here.")),
                    ("spam", empty("shield-check", "No spam", "What you or your server take for spam moves here.")),
                    ("mine", empty("circle-check", "Nothing here is yours", "What you take on appears here.")),
                    (
                        "unassigned",
                        empty(
                            "circle-check", "Everything has somebody", "New mail that nobody has taken appears here."
                        ),
                    ),
                    empty("inbox", "All done", "New mail appears here by itself."),
                ),
            ),
        ),
    )


@rx.memo
def row(conversation: rx.vars.ObjectVar[RowView]) -> rx.Component:
    """One conversation in three lines, with its box to tick and what can be done with it at once."""
    return rx.el.div(
        mark_box(conversation),
        _link(conversation),
        row_deeds(conversation),
        class_name="row-box",
        custom_attrs={
            "data-box": conversation.id.to_string(),
            "data-mailbox": conversation.mailbox_id.to_string(),
            "data-status": conversation.status,
            "data-visibility": conversation.visibility,
            "data-tags": conversation.tag_ids,
            "data-starred": rx.cond(conversation.starred, "yes", ""),
            "data-reminder": conversation.remind_kind,
            "data-assigned": conversation.assigned,
        },
    )


def _link(conversation: Any) -> rx.Component:
    return rx.el.a(
        avatar(conversation.face),
        rx.el.span(
            conversation.who,
            rx.cond(conversation.count != "", rx.el.span(" ", conversation.count, class_name="third")),
            class_name="who",
        ),
        rx.el.span(ago(at=conversation.at), class_name="when"),
        rx.el.span(
            rx.cond(
                conversation.lock != "",
                rx.el.span(
                    icon("lock", 13),
                    class_name="lock",
                    title=conversation.lock,
                    role="img",
                    aria_label=conversation.lock,
                ),
            ),
            pieces(conversation.subject_pieces, conversation.subject),
            class_name="sub",
        ),
        rx.el.span(
            rx.cond(conversation.attached, icon("paperclip", 13)),
            rx.cond(conversation.outgoing, icon("corner-up-left", 13)),
            rx.cond(conversation.stands_in != "", rx.el.em(conversation.stands_in, ": ")),
            pieces(conversation.pieces, conversation.snippet),
            class_name="snip",
        ),
        rx.el.span(
            rx.cond(conversation.mailbox != "", rx.el.span(conversation.mailbox, class_name="tag")),
            star_mark(),
            row_labels(conversation),
            remind_mark(conversation),
            rx.cond(
                conversation.comments,
                rx.el.span(
                    icon("message-square-text", 12),
                    class_name="tag t-note",
                    title="New comments",
                    role="img",
                    aria_label="New comments",
                ),
            ),
            rx.foreach(conversation.tags, _tag),
            here_faces(conversation=conversation.id),
            rx.cond(conversation.assignee.initials != "", avatar(conversation.assignee, small=True)),
            class_name="meta",
        ),
        rx.cond(conversation.unread, rx.el.span("Unread", class_name="reader")),
        href="/?mailbox=" + conversation.mailbox_id.to_string() + "&conversation=" + conversation.id.to_string(),
        class_name=rx.cond(conversation.unread, "row new", "row"),
        draggable=False,
        custom_attrs={"data-conversation-id": conversation.id.to_string()},
    )


def _tag(tag: Any) -> rx.Component:
    return rx.el.span(tag.text, class_name="tag t-" + tag.tone)
