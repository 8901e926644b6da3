"""The flow of a conversation: mails, comments, what happened, what waits to be sent, and who is writing."""

from __future__ import annotations

from typing import Any

import reflex as rx

from frontend.components.parts import avatar, download_link, icon, link
from frontend.components.widgets import ago, at_it, mail_frame, rich_text, their_draft
from frontend.compose.state import Compose
from frontend.inbox.comment_view import comment
from frontend.inbox.entries import EntryView
from frontend.inbox.meeting_view import meeting_card
from frontend.inbox.merging_view import unmerge_button
from frontend.inbox.shared_files import shared_line
from frontend.inbox.splitting_view import split_button
from frontend.inbox.state import Inbox
from frontend.outbox.state import Outbox

# Variables of a state are expressions here; their types are Reflex's own affair.
_inbox: Any = Inbox
_outbox: Any = Outbox
_compose: Any = Compose

Entry = Any


@rx.memo
def entry(piece: rx.vars.ObjectVar[EntryView], conversation: rx.Var[int]) -> rx.Component:
    """One piece of the flow."""
    return rx.fragment(_entry(piece, conversation))


def _entry(piece: Entry, conversation: rx.Var[int]) -> Any:
    return rx.match(
        piece.kind,
        ("message", rx.cond(piece.open, _message(piece, conversation), _folded(piece, conversation))),
        ("comment", comment(piece, conversation)),
        ("fresh", rx.el.div(rx.el.span("New"), class_name="fresh", role="separator")),
        (
            "activity",
            rx.el.div(
                piece.text, " · ", ago(at=piece.at, long=True), unmerge_button(conversation, piece), class_name="act"
            ),
        ),
        ("shared", shared_line(piece, conversation)),
        ("meeting", meeting_card(piece, conversation)),
        ("outgoing", _outgoing(piece)),
        ("writing", _writing(piece, conversation)),
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
            split_button(piece),
            rx.cond(piece.choices.contains("template"), _template_link(piece)),
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


def _template_link(piece: Entry) -> rx.Component:
    """To the form of a new template, which begins with this mail."""
    return link(
        icon("notebook-text", 14),
        to="/settings/templates/?message=" + piece.id.to_string(),
        class_name="source",
        title="Make a template of it",
        custom_attrs={"aria-label": "Make a template of it"},
    )


def _file(file: Any) -> rx.Component:
    return download_link(
        icon("paperclip", 13),
        rx.el.span(file.name, class_name="el"),
        rx.el.small(file.size),
        href=file.url,
        name=file.name,
        class_name="chip file",
    )


CHOICE_WORDS = {
    "send_anyway": "Send anyway",
    "send_again": "Send again",
    "send_now": "Send now",
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
            rx.cond(
                piece.leaves_at != "", rx.el.span("leaves ", ago(at=piece.leaves_at, long=True), class_name="third")
            ),
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
                rx.foreach(piece.came, _came),
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
        custom_attrs={
            "aria-label": "Mail of " + piece.who + ", " + piece.tag.text,
            "data-outgoing": piece.id.to_string(),
        },
    )


def came_line(came: Any, *children: Any) -> rx.Component:
    """What came meanwhile: who wrote, and how it begins."""
    return rx.el.blockquote(
        avatar(came.face, small=True),
        rx.el.span(rx.el.b(came.who), " ", came.text, class_name="came-text"),
        ago(at=came.at, long=True),
        *children,
        class_name="came",
    )


def _came(came: Any) -> rx.Component:
    return came_line(
        came,
        rx.cond(
            came.message_id > 0,
            rx.el.button(
                "Look at it",
                type="button",
                class_name="btn",
                custom_attrs={"data-act": "look", "data-look": came.message_id.to_string()},
            ),
        ),
    )


def _writing(piece: Entry, conversation: rx.Var[int]) -> rx.Component:
    """What a colleague writes, unless I write in it, too."""
    here = _compose.docked.contains(conversation) & (_compose.docked[conversation].id == piece.id)
    return rx.cond(here, rx.fragment(), _their_draft(piece, conversation))


def _way_in(text: str, deed: Any) -> rx.Component:
    return rx.el.button(text, type="button", class_name="btn", on_click=deed, custom_attrs={"data-opens": "yes"})


def _their_draft(piece: Entry, conversation: rx.Var[int]) -> rx.Component:
    """One line, which unfolds to the text as it grows."""
    return rx.el.details(
        rx.el.summary(
            avatar(piece.face, small=True),
            rx.el.span(
                rx.el.b(piece.who),
                " ",
                rx.cond(
                    piece.outgoing,
                    "has begun to forward this",
                    at_it(
                        conversation=conversation, author=piece.author, now="is replying", otherwise="has begun a reply"
                    ),
                ),
            ),
            rx.el.span(piece.snippet, class_name="el third"),
            ago(at=piece.at, long=True),
        ),
        rx.el.div(
            rx.cond(piece.to_whom != "", rx.el.p("to ", piece.to_whom, class_name="to")),
            rx.match(
                piece.html,
                (
                    "",
                    rx.cond(
                        piece.text != "",
                        rich_text(text=piece.text),
                        rx.el.p("Nothing is written yet.", class_name="third"),
                    ),
                ),
                their_draft(draft=piece.id, html=piece.html, title="What " + piece.who + " writes"),
            ),
            rx.el.div(
                _way_in("Write together", _compose.write_with(piece.id)),
                _way_in("Take over", _compose.take_over(piece.id)),
                class_name="bar",
            ),
            class_name="their-draft",
        ),
        class_name="writing",
        custom_attrs={"data-draft": piece.id.to_string(), "aria-label": "Draft of " + piece.who},
    )
