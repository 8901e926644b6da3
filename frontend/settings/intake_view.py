"""The page of the intake account."""

from __future__ import annotations

from typing import Any

import reflex as rx

from frontend.components.forms import card, problem, settings_page, submit, text_field
from frontend.components.parts import empty, icon
from frontend.components.widgets import ago
from frontend.settings.accounts_view import account, status_mark
from frontend.settings.intake import IntakeDesk
from frontend.settings.mailboxes import Mailboxes
from frontend.settings.people import for_admins

_state: Any = IntakeDesk
_boxes: Any = Mailboxes


def intake() -> rx.Component:
    """Make it, connect it, and sort what fits nowhere."""
    return settings_page(
        "Intake",
        for_admins(
            rx.cond(
                _state.fetched,
                rx.cond(
                    _state.made,
                    rx.fragment(
                        rx.cond(_boxes.chosen.kind == "intake", account(_boxes.chosen)),
                        _waiting(),
                    ),
                    _make(),
                ),
            ),
        ),
        lead="One mail account for all mailboxes without a password of their own: their mail is forwarded to it and "
        "sorted by where it was going. Nobody opens it.",
        aside=rx.cond(
            (_boxes.chosen.kind == "intake") & _boxes.chosen.connected, status_mark(_boxes.chosen), rx.fragment()
        ),
    )


def _make() -> rx.Component:
    return card(
        "Set up the intake account",
        rx.el.form(
            problem(_state.problem),
            text_field(
                "Address",
                "address",
                kind="email",
                required=True,
                placeholder="intake@example.org",
                hint="An address of its own, at a server that delivers intake+name@ to it as well.",
            ),
            submit("Go on"),
            on_submit=_state.make,
            class_name="form",
        ),
    )


def _waiting() -> rx.Component:
    return card(
        "Fits nowhere",
        problem(_state.problem),
        rx.cond(
            _state.waiting.length() > 0,
            rx.el.ul(rx.foreach(_state.waiting, _mail), class_name="lines"),
            empty("circle-check", "Nothing waits", "Mail that names no mailbox waits here until you sort it."),
        ),
    )


def _mail(mail: Any) -> rx.Component:
    return rx.el.li(
        rx.el.span(icon("mail", 16), class_name="notice-icon"),
        rx.el.div(
            rx.el.b(mail.sender, class_name="el"),
            rx.el.span("to ", mail.shown, class_name="second el"),
            rx.el.small(ago(at=mail.at, long=True), " · ", mail.size),
            class_name="line-text",
        ),
        rx.el.form(
            rx.el.input(type="hidden", name="id", value=mail.id.to_string()),
            rx.el.select(
                rx.foreach(_state.targets, lambda each: rx.el.option(each.name, value=each.id, key=each.id)),
                name="mailbox",
                class_name="select",
                custom_attrs={"aria-label": "Sort into"},
            ),
            rx.el.select(
                rx.el.option("Only this mail", value=""),
                rx.foreach(mail.recipients, lambda each: rx.el.option("Always, for " + each, value=each, key=each)),
                name="remember",
                class_name="select",
                custom_attrs={"aria-label": "Remember an address"},
            ),
            rx.el.button("Sort", type="submit", class_name="btn pri"),
            on_submit=_state.sort,
            class_name="sort-form",
        ),
        key=mail.id,
    )
