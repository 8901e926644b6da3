"""The card of a meeting below the mail that invites to it."""

from __future__ import annotations

from typing import Any

import reflex as rx

from frontend.components.parts import avatar, icon
from frontend.compose.state import Compose

# Variables of a state are expressions here; their types are Reflex's own affair.
_compose: Any = Compose


def meeting_card(piece: Any, conversation: Any) -> rx.Component:
    """Below the newest mail that tells of it."""
    meeting = piece.meeting
    return rx.el.section(
        rx.el.div(
            icon("calendar", 16),
            rx.el.b(meeting.title, class_name="grow"),
            rx.el.span(meeting.state.text, class_name="tag t-" + meeting.state.tone),
            class_name="meeting-head",
        ),
        rx.el.p(meeting.when, rx.cond(meeting.yours != "", rx.el.span(" · ", meeting.yours, class_name="third"))),
        rx.cond(meeting.place != "", rx.el.p(meeting.place)),
        rx.cond(
            meeting.url != "",
            rx.el.p(
                rx.el.a(meeting.url, href=meeting.url, target="_blank", rel="noopener noreferrer", class_name="link")
            ),
        ),
        rx.el.ul(
            rx.foreach(meeting.attendees, lambda each: _line(each, meeting, conversation)), class_name="meeting-people"
        ),
        rx.cond(
            meeting.changeable,
            rx.el.div(
                _begin("Change the meeting", conversation, meeting.id, "request"),
                _begin("Call it off", conversation, meeting.id, "cancel"),
                class_name="bar",
            ),
        ),
        class_name="meeting-card",
        custom_attrs={"data-meeting": meeting.id.to_string(), "aria-label": "Meeting: " + meeting.title},
    )


def _line(attendee: Any, meeting: Any, conversation: Any) -> rx.Component:
    return rx.el.li(
        avatar(attendee.face, small=True),
        rx.el.span(attendee.who, title=attendee.address, class_name="el"),
        rx.el.span(attendee.answer.text, class_name="tag t-" + attendee.answer.tone),
        rx.cond(attendee.comment != "", rx.el.q(attendee.comment)),
        rx.cond(
            attendee.proposed != "",
            rx.el.span(
                "proposes ",
                attendee.proposed,
                rx.cond(
                    meeting.changeable,
                    _begin("Use this time", conversation, meeting.id, "request", attendee.address),
                ),
                class_name="proposal",
            ),
        ),
    )


def _begin(text: str, conversation: Any, meeting: Any, method: str, proposal_of: Any = "") -> rx.Component:
    return rx.el.button(
        text,
        type="button",
        class_name="btn",
        on_click=_compose.begin_meeting_mail(conversation, meeting, method, proposal_of),
        custom_attrs={"data-opens": "yes"},
    )
