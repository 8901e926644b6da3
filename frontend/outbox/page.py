"""The Outbox: what has not left, why, and what a person can do."""

from __future__ import annotations

from typing import Any

import reflex as rx

from frontend.components.forms import settings_bridge
from frontend.components.frame import page
from frontend.components.parts import avatar, empty, icon, link
from frontend.components.widgets import ago
from frontend.compose.window import compose_window
from frontend.inbox.flow_view import came_line, choice_button
from frontend.outbox.state import Outbox

_state: Any = Outbox


def outbox() -> rx.Component:
    """Needs you first, then what is on its way."""
    return page(
        rx.el.main(
            rx.el.header(
                link(
                    icon("chevron-left", 20),
                    to="/",
                    class_name="btn q sq phone-only",
                    custom_attrs={"aria-label": "Back"},
                ),
                rx.el.h1("Outbox"),
                rx.cond(_state.online, rx.el.span("Live", class_name="live")),
                rx.cond(
                    _state.needs_you.length() > 0,
                    rx.el.span(
                        _state.needs_you.length(),
                        rx.cond(_state.needs_you.length() == 1, " needs you", " need you"),
                        class_name="third",
                    ),
                ),
                class_name="head",
            ),
            rx.el.div(
                _group("Needs you", "nothing is sent until you decide", _state.needs_you),
                _group("On its way", "", _state.on_its_way),
                rx.cond(
                    _state.fetched & (_state.needs_you.length() == 0) & (_state.on_its_way.length() == 0),
                    empty("send", "Everything has left", "Mail that could not be sent waits here with its reason."),
                ),
                class_name="page-scroll",
            ),
            class_name="page-main",
        ),
        compose_window(),
        settings_bridge(),
        name="outbox-app",
    )


def _group(title: str, note: str, mails: Any) -> rx.Component:
    return rx.cond(
        mails.length() > 0,
        rx.el.section(
            rx.el.h2(title, rx.el.span(note), class_name="group-head"),
            rx.foreach(mails, _mail),
        ),
    )


def _mail(mail: Any) -> rx.Component:
    return rx.el.article(
        rx.el.div(
            rx.el.span(mail.tag.text, class_name="tag t-" + mail.tag.tone),
            rx.el.div(
                rx.el.span(class_name="dot dot" + mail.dot.to_string()),
                mail.mailbox,
                ", ",
                mail.author,
                class_name="third el from-line",
            ),
        ),
        rx.el.a(
            rx.el.div(avatar(mail.face, small=True), rx.el.b(mail.to_whom, class_name="el"), class_name="from-line"),
            rx.el.div(mail.subject, class_name="el second"),
            href=f"/?mailbox={mail.mailbox_id}&conversation={mail.conversation_id}",
        ),
        rx.el.div(
            rx.el.p(mail.reason),
            rx.el.p(mail.remedy, class_name="second"),
            rx.foreach(mail.refused, lambda line: rx.el.p(line, class_name="third")),
            rx.foreach(mail.came, came_line),
            rx.cond(
                mail.came.length() > 0,
                link(
                    "Look at it",
                    to=f"/?mailbox={mail.mailbox_id}&conversation={mail.conversation_id}",
                    class_name="link",
                ),
            ),
            rx.cond(
                mail.server_words != "",
                rx.el.details(rx.el.summary("The server’s words"), rx.el.pre(mail.server_words)),
            ),
            rx.cond(mail.leaves_at != "", _another_time(mail)),
            class_name="what",
        ),
        rx.el.div(
            rx.cond(
                mail.leaves_at != "",
                rx.fragment("leaves ", ago(at=mail.leaves_at, long=True)),
                ago(at=mail.at, long=True),
            ),
            rx.el.div(mail.attempts, class_name="third"),
            class_name="when-line",
        ),
        rx.el.div(rx.foreach(mail.choices, lambda choice: choice_button(mail.id, choice)), class_name="choices"),
        class_name="mail-line",
        key=mail.id,
        custom_attrs={"data-outgoing": mail.id.to_string()},
    )


def _another_time(mail: Any) -> rx.Component:
    """For what is scheduled."""
    return rx.el.details(
        rx.el.summary("Another time"),
        rx.el.form(
            rx.el.input(type="hidden", name="outgoing_id", default_value=mail.id.to_string()),
            rx.el.input(
                type="datetime-local",
                name="typed",
                required=True,
                class_name="input",
                custom_attrs={"aria-label": "Day and time to send"},
            ),
            rx.el.button("Reschedule", type="submit", class_name="btn"),
            on_submit=_state.choose_moment,
            class_name="another-time",
        ),
    )
