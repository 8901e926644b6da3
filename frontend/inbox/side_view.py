"""The side of a conversation's pane: who writes, and where else they are met."""

from __future__ import annotations

from typing import Any

import reflex as rx

from frontend.components.parts import avatar, icon, link
from frontend.components.widgets import ago
from frontend.inbox.state import Inbox

# Variables of a state are expressions here; their types are Reflex's own affair.
_inbox: Any = Inbox


def side(shown: Any) -> rx.Component:
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
                    link(
                        "Open contact",
                        icon("arrow-up-right", 13),
                        to=f"/contacts/?contact={shown.contact.id}",
                        class_name="contact-link",
                    ),
                ),
                _contact(shown.contact),
            ),
        ),
        rx.el.h2("Followed by", _follow_button(shown)),
        rx.el.div(
            rx.foreach(
                shown.followers,
                lambda each: rx.el.span(avatar(each, small=True), each.name, class_name="follower el"),
            ),
            rx.cond(shown.followers.length() == 0, rx.el.span("Nobody yet", class_name="third")),
            class_name="followers",
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


def _follow_button(shown: Any) -> rx.Component:
    """Whether I am told of what is new in it. Where the side has no room, the menu presses it."""
    return rx.el.button(
        rx.cond(shown.following, icon("bell-ring", 13), icon("bell-plus", 13)),
        rx.cond(shown.following, "Following", "Follow"),
        type="button",
        class_name=rx.cond(shown.following, "chip follow on", "chip follow"),
        title="Be told of new mail and comments",
        on_click=_inbox.follow_it(shown.id, ~shown.following),
        custom_attrs={
            "data-key": "w",
            "aria-label": "Follow",
            "aria-pressed": rx.cond(shown.following, "true", "false"),
        },
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
