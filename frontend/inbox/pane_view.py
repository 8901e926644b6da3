"""A conversation's pane: head, the flow of messages and comments, the dock, and the side."""

from __future__ import annotations

from typing import Any

import reflex as rx

from frontend.components.parts import act_button, avatar, icon, icon_button, key_hint, link
from frontend.components.widgets import ago, comment_box, composer, keep, mail_frame, rich_text
from frontend.compose.state import Compose
from frontend.inbox.panes import EntryView, PaneView
from frontend.inbox.state import Inbox
from frontend.outbox.state import Outbox

# Variables of a state are expressions here; their types are Reflex's own affair.
_inbox: Any = Inbox
_compose: Any = Compose
_outbox: Any = Outbox

Pane = Any
Entry = Any


@rx.memo
def pane(shown: rx.vars.ObjectVar[PaneView]) -> rx.Component:
    """One conversation standing in the page; a style rule shows the selected one."""
    return _pane(shown)


def _pane(shown: Pane) -> rx.Component:
    return rx.el.article(
        rx.el.div(
            _head(shown),
            rx.el.div(
                rx.el.h1(shown.subject, class_name="phone-only thread-subject"),
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
                class_name="thread",
                tab_index=0,
                custom_attrs={"aria-label": "Messages"},
            ),
            _dock(shown),
            class_name="talk",
        ),
        _side(shown),
        class_name="pane",
        custom_attrs={
            "data-pane": shown.id.to_string(),
            "data-mailbox": shown.mailbox_id.to_string(),
            "data-status": shown.status,
            "aria-label": shown.subject,
        },
    )


def _head(shown: Pane) -> rx.Component:
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
                title=shown.lock + ": " + shown.lock_names,
                custom_attrs={"aria-label": shown.lock},
            ),
        ),
        rx.el.h1(shown.subject, class_name="el subject desk-only", title=shown.subject),
        rx.el.span(class_name="grow"),
        rx.el.button(
            rx.cond(
                shown.assignee.initials != "",
                rx.fragment(avatar(shown.assignee, small=True), rx.el.span(shown.assignee_short, class_name="el")),
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
        ),
        rx.cond(
            shown.contact.id > 0,
            link(
                icon("contact", 15),
                rx.el.span("Open contact", class_name="desk-only"),
                to=f"/contacts/?contact={shown.contact.id}",
                class_name="btn contact-link",
                custom_attrs={"aria-label": "Open contact"},
            ),
        ),
        rx.cond(
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
        ),
        icon_button(
            "ellipsis",
            "More",
            class_name="btn q sq",
            custom_attrs={"data-menu": "more", "aria-haspopup": "menu", "aria-expanded": "false"},
        ),
        rx.cond(
            shown.status != "trash",
            act_button(act="trash", key="#", class_name="reader", custom_attrs={"tabIndex": -1, "aria-hidden": "true"}),
        ),
        class_name="head",
    )


# ---- the flow


@rx.memo
def entry(piece: rx.vars.ObjectVar[EntryView], conversation: rx.Var[int]) -> rx.Component:
    """One piece of the flow."""
    return rx.fragment(_entry(piece, conversation))


def _entry(piece: Entry, conversation: rx.Var[int]) -> Any:
    return rx.match(
        piece.kind,
        ("message", rx.cond(piece.open, _message(piece, conversation), _folded(piece, conversation))),
        ("comment", _comment(piece)),
        ("activity", rx.el.div(piece.text, " · ", ago(at=piece.at, long=True), class_name="act")),
        ("outgoing", _outgoing(piece)),
        ("writing", _writing(piece)),
        rx.fragment(),
    )


def _folded(piece: Entry, conversation: rx.Var[int]) -> rx.Component:
    return rx.el.button(
        avatar(piece.face, small=True),
        rx.el.b(piece.who),
        rx.el.span(piece.snippet, class_name="el"),
        ago(at=piece.at, long=True),
        type="button",
        class_name="fold",
        on_click=_inbox.toggle_message(conversation, piece.id),
        custom_attrs={"aria-expanded": "false", "data-message": piece.id.to_string()},
    )


def _message(piece: Entry, conversation: rx.Var[int]) -> rx.Component:
    return rx.el.section(
        rx.el.div(
            avatar(piece.face),
            rx.el.button(
                rx.el.b(piece.who),
                rx.el.span(" ", piece.to_whom, class_name="to"),
                rx.el.br(class_name="phone-only"),
                type="button",
                class_name="from",
                title=piece.address,
                on_click=_inbox.toggle_message(conversation, piece.id),
                custom_attrs={"aria-expanded": "true"},
            ),
            rx.el.span(class_name="grow"),
            rx.el.a(
                icon("code", 14),
                href=piece.raw,
                class_name="source",
                title="The raw source of this mail",
                target="_blank",
                rel="noopener",
                custom_attrs={"aria-label": "Raw source"},
            ),
            ago(at=piece.at),
            class_name="msg-head",
        ),
        rx.cond(piece.problems != "", rx.el.p(icon("triangle-alert", 14), piece.problems, class_name="problem")),
        rx.cond(
            piece.blocked > 0,
            rx.el.div(
                icon("image-off", 14),
                rx.el.span("Images from the sender’s servers are not loaded."),
                rx.el.button(
                    "Show images", type="button", class_name="link", on_click=_inbox.show_images(conversation, piece.id)
                ),
                class_name="blocked",
            ),
        ),
        rx.cond(
            piece.frame != "",
            mail_frame(url=piece.frame, title="Mail of " + piece.who),
            rx.fragment(
                rich_text(text=piece.text),
                rx.cond(
                    piece.cut,
                    rx.el.button(
                        "Show all of it",
                        type="button",
                        class_name="link",
                        on_click=_inbox.show_whole(conversation, piece.id),
                    ),
                ),
                rx.cond(
                    piece.quoted_open & (piece.quoted != ""),
                    rx.el.blockquote(rich_text(text=piece.quoted), class_name="quoted"),
                ),
            ),
        ),
        rx.el.div(
            rx.foreach(piece.files, _file),
            rx.cond(
                piece.quoted != "",
                rx.el.button(
                    icon("ellipsis", 13),
                    rx.cond(piece.quoted_open, "hide quoted text", "quoted text"),
                    type="button",
                    class_name="chip",
                    on_click=_inbox.toggle_quote(conversation, piece.id),
                    custom_attrs={"aria-expanded": rx.cond(piece.quoted_open, "true", "false")},
                ),
            ),
            class_name="msg-foot",
        ),
        class_name=rx.cond(piece.outgoing, "msg ours", "msg"),
        custom_attrs={"data-message": piece.id.to_string(), "aria-label": "Mail of " + piece.who},
    )


def _file(file: Any) -> rx.Component:
    return rx.el.a(
        icon("paperclip", 13),
        rx.el.span(file.name, class_name="el"),
        rx.el.small(file.size),
        href=file.url,
        class_name="chip file",
        custom_attrs={"download": file.name},
    )


def _comment(piece: Entry) -> rx.Component:
    return rx.el.section(
        rx.el.div(
            avatar(piece.face, small=True), rx.el.b(piece.who), ago(at=piece.at, long=True), class_name="cmt-head"
        ),
        rich_text(text=piece.text, mentions=piece.mentions),
        class_name="cmt",
        custom_attrs={"aria-label": "Comment of " + piece.who + ", seen by your team only"},
    )


CHOICE_WORDS = {
    "send_again": "Send again",
    "was_sent": "It was sent",
    "edit": "Edit",
    "cancel": "Do not send",
}


def choice_button(outgoing_id: Any, choice: Any) -> rx.Component:
    """One of a person's choices for a mail that has not left."""
    return rx.el.button(
        rx.match(choice, *((name, words) for name, words in CHOICE_WORDS.items()), ""),
        type="button",
        class_name="btn",
        on_click=_outbox.resolve(outgoing_id, choice),
    )


def _outgoing(piece: Entry) -> rx.Component:
    return rx.el.section(
        rx.el.div(
            avatar(piece.face),
            rx.el.div(rx.el.b(piece.who), rx.el.span(" ", piece.to_whom, class_name="to"), class_name="from"),
            rx.el.span(piece.tag.text, class_name="tag t-" + piece.tag.tone),
            rx.el.span(class_name="grow"),
            ago(at=piece.at),
            class_name="msg-head",
        ),
        rich_text(text=piece.text),
        rx.cond(
            piece.reason != "",
            rx.el.div(
                rx.el.p(rx.el.b(piece.reason), " ", piece.remedy),
                rx.foreach(piece.refused, lambda line: rx.el.p(line, class_name="third")),
                rx.cond(
                    piece.server_words != "",
                    rx.el.details(rx.el.summary("The server’s words"), rx.el.pre(piece.server_words)),
                ),
                class_name="reason",
            ),
        ),
        rx.cond(
            piece.choices.length() > 0,
            rx.el.div(rx.foreach(piece.choices, lambda choice: choice_button(piece.id, choice)), class_name="bar"),
        ),
        class_name="msg ours waiting",
        custom_attrs={"aria-label": "Mail of " + piece.who + ", " + piece.tag.text},
    )


def _writing(piece: Entry) -> rx.Component:
    return rx.el.div(
        avatar(piece.face, small=True),
        rx.el.span(rx.el.b(piece.who), " is writing a reply", rx.cond(piece.text != "", ": ", "")),
        rx.el.span(piece.text, class_name="el third"),
        class_name="writing",
    )


# ---- the dock


def _dock(shown: Pane) -> rx.Component:
    """Reply and comment; the composer in their place while it stands open."""
    return rx.el.footer(
        rx.cond(
            _compose.docked.contains(shown.id),
            composer(
                draft=_compose.docked[shown.id],
                files=_compose.files,
                status=_compose.status,
                suggestions=_compose.suggestions,
                on_save=_compose.save,
                on_send=_compose.send_mail,
                on_discard=_compose.discard,
                on_fold=_compose.fold,
                on_query=_compose.suggest,
                on_attached=_compose.attached,
                on_detach=_compose.detach,
                on_keep=_compose.keep,
            ),
            rx.el.div(
                rx.el.button(
                    icon("reply", 15),
                    "Reply",
                    key_hint("R"),
                    type="button",
                    class_name="btn tall",
                    on_click=_compose.reply(shown.id, "reply", 0),
                    custom_attrs={"data-key": "r"},
                ),
                rx.el.button(
                    icon("reply-all", 15),
                    rx.el.span("Reply all", class_name="desk-only"),
                    type="button",
                    class_name="btn tall",
                    title="Reply to all",
                    on_click=_compose.reply(shown.id, "reply_all", 0),
                    custom_attrs={"data-key": "a", "aria-label": "Reply all"},
                ),
                comment_box(
                    people=_inbox.mentionable,
                    mailbox=shown.mailbox_id,
                    on_send=lambda text, people, teams: _inbox.comment(shown.id, text, people, teams),
                ),
                class_name="dock-line",
            ),
        ),
        class_name="dock",
    )


# ---- the side


def _side(shown: Pane) -> rx.Component:
    return rx.el.aside(
        rx.el.div(
            avatar(shown.correspondent),
            rx.el.div(
                rx.el.b(shown.correspondent.name, class_name="el"),
                rx.el.span(shown.correspondent_address, class_name="third el"),
                class_name="who-is",
            ),
            class_name="side-head",
        ),
        rx.cond(
            shown.contact.id > 0,
            rx.fragment(
                rx.el.h2(
                    "Contact",
                    link("Open contact", icon("arrow-up-right", 13), to=f"/contacts/?contact={shown.contact.id}"),
                ),
                _contact(shown.contact),
            ),
        ),
        rx.cond(
            shown.also_in.length() > 0,
            rx.fragment(
                rx.el.h2("Also in"),
                rx.foreach(
                    shown.also_in,
                    lambda each: rx.el.a(
                        each.mailbox,
                        href=f"/?mailbox={each.mailbox_id}&conversation={each.id}",
                        class_name="earlier",
                        custom_attrs={"data-conversation": each.id.to_string()},
                    ),
                ),
            ),
        ),
        rx.cond(
            shown.earlier.length() > 0,
            rx.fragment(
                rx.el.h2("Earlier conversations", rx.el.span(shown.earlier.length())),
                rx.foreach(shown.earlier, _earlier),
            ),
        ),
        class_name="side",
        custom_attrs={"aria-label": "About the sender"},
    )


def _contact(contact: Any) -> rx.Component:
    def line(label: str, value: Any) -> rx.Component:
        return rx.cond(value != "", rx.fragment(rx.el.dt(label), rx.el.dd(value)))

    return rx.el.dl(
        line("Company", contact.company),
        line("Phone", contact.phone),
        rx.cond(
            contact.addresses.length() > 1,
            rx.fragment(
                rx.el.dt("Writes from"),
                rx.el.dd(rx.foreach(contact.addresses, lambda each: rx.el.div(each, class_name="el", title=each))),
            ),
        ),
        line("Notes", contact.notes),
        class_name="kv",
    )


def _earlier(each: Any) -> rx.Component:
    return rx.el.a(
        rx.el.span(each.subject, class_name="el"),
        rx.el.small(ago(at=each.at), " · ", each.status, " · ", each.mailbox, class_name="el"),
        href=f"/?mailbox={each.mailbox_id}&conversation={each.id}",
        class_name="earlier",
        custom_attrs={"data-conversation": each.id.to_string()},
    )
