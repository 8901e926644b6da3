"""A comment in the flow: what it says, who reacted, and what can be done with it."""

from __future__ import annotations

from typing import Any, get_args

import reflex as rx

from backend.conversations.contracts import Emoji
from frontend.components.forms import sure
from frontend.components.parts import avatar, download_link, icon, icon_button
from frontend.components.widgets import ago, comment_editor, formatted
from frontend.inbox.state import Inbox

# Variables of a state are expressions here; their types are Reflex's own affair.
_inbox: Any = Inbox


def comment(piece: Any, conversation: Any) -> rx.Component:
    """One comment, or the line that there was one."""
    return rx.cond(
        piece.deleted,
        rx.el.div(piece.who, " deleted a comment · ", ago(at=piece.at, long=True), class_name="act"),
        rx.el.section(
            rx.el.div(
                avatar(piece.face, small=True),
                rx.el.b(piece.who),
                ago(at=piece.at, long=True),
                rx.cond(piece.edited_at != "", rx.el.span("edited ", ago(at=piece.edited_at, long=True))),
                rx.el.span(class_name="grow"),
                _deeds(piece, conversation),
                class_name="cmt-head",
            ),
            formatted(html=piece.html),
            rx.cond(
                piece.files.length() > 0,
                rx.el.div(rx.foreach(piece.files, lambda each: _file(each, piece.mine)), class_name="files"),
            ),
            rx.cond(
                piece.reactions.length() > 0,
                rx.el.div(rx.foreach(piece.reactions, lambda each: _reaction(each, piece.id)), class_name="reactions"),
            ),
            class_name="cmt",
            custom_attrs={
                "aria-label": "Comment of " + piece.who + ", seen by your team only",
                "data-comment": piece.id.to_string(),
            },
        ),
    )


def _deeds(piece: Any, conversation: Any) -> rx.Component:
    """React; and to one's own, change and delete. They unfold, so that all of it works without a script of ours."""
    return rx.el.span(
        rx.el.details(
            rx.el.summary(icon("smile-plus", 14), title="React", custom_attrs={"aria-label": "React"}),
            rx.el.div(
                *(
                    rx.el.button(
                        emoji,
                        type="button",
                        class_name="emoji",
                        on_click=_inbox.react(piece.id, emoji, True),
                        custom_attrs={"aria-label": f"React with {emoji}"},
                    )
                    for emoji in get_args(Emoji)
                ),
                class_name="float emoji-box",
            ),
            class_name="sure",
        ),
        rx.cond(
            piece.mine,
            rx.fragment(
                rx.el.details(
                    rx.el.summary(icon("pencil", 14), title="Edit", custom_attrs={"aria-label": "Edit the comment"}),
                    rx.el.div(
                        comment_editor(
                            initial=piece.text,
                            people=_inbox.mentionable,
                            conversation=conversation,
                            linkable=_inbox.linkable,
                            on_find=_inbox.find_conversations,
                            on_send=lambda text, people, teams, links, files: _inbox.edit_comment(
                                conversation, piece.id, text, people, teams, links, files
                            ),
                        ),
                        class_name="float edit-box",
                    ),
                    key="edit" + piece.edited_at,  # closed again once it is saved
                    class_name="sure",
                ),
                sure(
                    "Delete the comment",
                    "Its text is gone for everybody. That there was a comment stays to be seen.",
                    "Delete it",
                    _inbox.delete_comment(piece.id),
                    face=icon("trash-2", 14),
                ),
            ),
        ),
        class_name="cmt-deeds",
    )


def _file(file: Any, mine: Any) -> rx.Component:
    """A chip to save it by; a picture shows itself."""
    return rx.el.span(
        download_link(
            rx.cond(
                file.picture != "",
                rx.el.img(src=file.picture, alt="", title=file.name, loading="lazy", class_name="thumb"),
                icon("paperclip", 13),
            ),
            rx.el.span(file.name, class_name="el"),
            rx.el.small(file.size),
            href=file.url,
            name=file.name,
            class_name=rx.cond(file.picture != "", "file pictured", "chip file"),
        ),
        rx.cond(
            mine,
            icon_button(
                "x",
                "Take " + file.name + " off",
                icon_size=12,
                class_name="btn q sq file-off",
                on_click=_inbox.remove_comment_file(file.id),
            ),
        ),
        class_name="cmt-file",
        key=file.id,
    )


def _reaction(reaction: Any, comment_id: Any) -> rx.Component:
    return rx.el.button(
        reaction.emoji,
        rx.el.span(reaction.count),
        type="button",
        class_name=rx.cond(reaction.mine, "chip reaction on", "chip reaction"),
        title=reaction.names,
        on_click=_inbox.react(comment_id, reaction.emoji, ~reaction.mine),
        custom_attrs={
            "aria-label": reaction.emoji + " " + reaction.names,
            "aria-pressed": rx.cond(reaction.mine, "true", "false"),
        },
    )
