"""The foot of a conversation's pane: reply and comment, or the composer in their place."""

from __future__ import annotations

from typing import Any

import reflex as rx

from frontend.components.parts import avatar, icon, icon_button, key_hint
from frontend.components.widgets import at_it, comment_beside, comment_box, composer
from frontend.compose.state import Compose
from frontend.inbox.state import Inbox

# Variables of a state are expressions here; their types are Reflex's own affair.
_inbox: Any = Inbox
_compose: Any = Compose


def dock(shown: Any) -> rx.Component:
    """Reply and comment; or the composer while it stands open, and the comment beside it where that is asked for."""
    return rx.el.footer(
        rx.cond(
            _compose.docked.contains(shown.id),
            rx.fragment(
                _comment(comment_beside, shown),
                composer(
                    draft=_compose.docked[shown.id],
                    files=_compose.files,
                    meetings=_compose.meetings,
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
                    on_yield=_compose.yield_draft,
                    on_renew=_compose.renew,
                ),
            ),
            rx.fragment(
                rx.cond(_compose.asking.contains(shown.id), _question(shown, _compose.asking[shown.id])),
                _ways(shown),
            ),
        ),
        class_name="dock",
    )


def _question(shown: Any, asked: Any) -> rx.Component:
    """A colleague is at it: read, take over, or write another one knowingly."""
    return rx.el.div(
        avatar(asked.face, small=True),
        rx.el.span(
            rx.el.b(asked.who),
            " ",
            at_it(conversation=shown.id, author=asked.author, now="is replying.", otherwise="has begun a reply."),
            class_name="grow",
        ),
        rx.el.button("Read", type="button", class_name="btn tall", on_click=_compose.read_theirs(shown.id)),
        _way_on("Write together", _compose.write_with(asked.draft_id)),
        _way_on("Take over", _compose.take_over(asked.draft_id)),
        _way_on("Write your own", _compose.write_own(shown.id)),
        icon_button("x", "Cancel", on_click=_compose.stop_asking(shown.id), custom_attrs={"data-escape": "yes"}),
        class_name="dock-line ask",
        role="group",
        custom_attrs={"aria-label": asked.who + " writes a reply here"},
    )


def _way_on(text: str, deed: Any) -> rx.Component:
    """It opens the composer: what is typed until that stands there is text, and no command."""
    return rx.el.button(text, type="button", class_name="btn tall", on_click=deed, custom_attrs={"data-opens": "yes"})


def _ways(shown: Any) -> rx.Component:
    return rx.el.div(
        rx.cond(shown.guest, rx.fragment(), _answers(shown)),
        _comment(comment_box, shown),
        class_name="dock-line",
    )


def _comment(make: Any, shown: Any) -> rx.Component:
    """Where the team is told something, in the one box or the other."""
    return make(
        people=_inbox.mentionable,
        mailbox=shown.mailbox_id,
        seers=shown.seers,
        closed=rx.cond(shown.guest, "guest", shown.visibility),
        conversation=shown.id,
        linkable=_inbox.linkable,
        on_find=_inbox.find_conversations,
        on_send=lambda text, people, teams, links, files: _inbox.comment(shown.id, text, people, teams, links, files),
        on_share=lambda text, people, teams, links, files: _inbox.share_by_comment(
            shown.id, text, people, teams, links, files
        ),
    )


def _answers(shown: Any) -> rx.Component:
    """Reply and reply to all: for those who can open the mailbox."""
    return rx.fragment(
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
    )
