"""Identities, and whose addresses are, on the page of outgoing mail."""

from __future__ import annotations

from typing import Any

import reflex as rx

from frontend.components.forms import card, problem, submit, sure, text_field
from frontend.components.parts import icon
from frontend.components.widgets import ago
from frontend.settings.identities import IdentityView
from frontend.settings.outgoing import Outgoing

_state: Any = Outgoing


def identities() -> rx.Component:
    return card(
        "Identities",
        rx.cond(
            _state.identities.length() > 0,
            rx.el.ul(
                rx.foreach(_state.identities, lambda each: rx.fragment(identity_line(identity=each), key=each.key)),
                class_name="lines",
            ),
        ),
        rx.cond(
            _state.editing_identity == 0,
            rx.el.div(
                _identity_form(None),
                key=_state.changed.to_string(),
                class_name=rx.cond(_state.identities.length() > 0, "below-lines", ""),
            ),
        ),
    )


def _identity_form(identity: Any | None) -> rx.Component:
    def value(name: str, otherwise: str = "") -> Any:
        return otherwise if identity is None else getattr(identity, name)

    return rx.el.form(
        problem(_state.identity_problem),
        rx.el.div(
            text_field("From name", "name", value=value("name"), required=True, placeholder="Northwind Sales"),
            text_field(
                "Address", "address", value=value("address"), kind="email", required=True,
                placeholder="sales@example.org",
            ),
            class_name="two-fields",
        ),
        rx.el.div(
            _choices("For", "mailbox", "All group mailboxes", _state.mailbox_choices, value("mailbox", "0")),
            _choices("Through", "server", "As the mailbox sends", _state.server_choices, value("server", "0")),
            class_name="two-fields",
        ),
        text_field(
            "Reply-to", "reply_to", value=value("reply_to"), kind="email",
            hint="Empty: answers go to the address itself.",
        ),
        submit("Add the identity" if identity is None else "Save the identity"),
        on_submit=_state.save_identity,
        class_name="form",
    )  # fmt: skip


def _choices(label: str, name: str, default: str, choices: Any, value: Any) -> rx.Component:
    return rx.el.label(
        rx.el.span(label, class_name="label"),
        rx.el.select(
            rx.el.option(default, value="0"),
            rx.foreach(choices, lambda each: rx.el.option(each.label, value=each.value, key=each.value)),
            name=name,
            default_value=value,
            class_name="select",
        ),
        class_name="field",
    )


@rx.memo
def identity_line(identity: rx.vars.ObjectVar[IdentityView]) -> rx.Component:
    """One identity."""
    return _identity(identity)


def _identity(identity: Any) -> rx.Component:
    return rx.el.li(
        _mark(identity.verified),
        rx.el.div(
            rx.el.b(identity.name, " <", identity.address, ">", class_name="wrap"),
            rx.el.small(identity.notes),
            rx.cond(_state.editing_identity == identity.id, _identity_form(identity)),
            class_name="line-text",
        ),
        rx.el.div(
            rx.cond(
                (identity.server != "0") | (identity.reply_to != ""),
                rx.el.button(
                    icon("undo-2", 14),
                    "Reset to default",
                    type="button",
                    class_name="btn",
                    on_click=_state.reset_identity(identity.id),
                    title="It leaves as its mailbox does, and answers go to its address",
                    custom_attrs={"aria-label": "Reset " + identity.address + " to default"},
                ),
            ),
            rx.el.button(
                rx.cond(_state.editing_identity == identity.id, "Cancel", "Change"),
                type="button",
                class_name="btn",
                on_click=rx.cond(
                    _state.editing_identity == identity.id, _state.edit_identity(0), _state.edit_identity(identity.id)
                ),
                custom_attrs={"aria-label": "Change " + identity.address},
            ),
            sure(
                "Remove " + identity.address,
                "Nobody can send as it any more. What was sent stays as it is.",
                "Remove the identity",
                _state.remove_identity(identity.id),
                face=icon("trash-2", 15),
            ),
            class_name="line-deeds",
        ),
        class_name="top",
    )


def _mark(verified: Any) -> rx.Component:
    """Whether an address is verified: an icon with its name."""
    return rx.cond(
        verified,
        rx.el.span(icon("shield-check", 16), class_name="notice-icon good", title="Verified",
                   role="img", custom_attrs={"aria-label": "Verified"}),
        rx.el.span(icon("triangle-alert", 16), class_name="notice-icon t-amber-ink", title="Not verified",
                   role="img", custom_attrs={"aria-label": "Not verified"}),
    )  # fmt: skip


def addresses() -> rx.Component:
    return card(
        "Addresses",
        rx.cond(
            ~_state.can_ask,
            rx.el.p(
                "Tandem cannot ask whose an address is before it can send mail of its own: set TANDEM_SMTP_URL, or let "
                "a server above serve for all mailboxes.",
                class_name="second",
            ),
        ),
        rx.el.ul(
            rx.foreach(_state.addresses, _address), class_name=rx.cond(_state.can_ask, "lines", "lines below-text")
        ),
        aside=rx.cond(
            _state.can_ask & (_state.never_asked > 0),
            rx.el.button("Ask all that were never asked", type="button", class_name="btn", on_click=_state.ask_all),
        ),
    )


def _address(address: Any) -> rx.Component:
    return rx.el.li(
        _mark(address.verified),
        rx.el.div(
            rx.el.b(address.address, class_name="wrap"),
            rx.el.small(
                address.uses,
                rx.cond(
                    ~address.verified & (address.asked_at != ""),
                    rx.fragment(" · link sent ", ago(at=address.asked_at, long=True)),
                ),
            ),
            class_name="line-text",
        ),
        rx.cond(
            ~address.verified & _state.can_ask,
            rx.el.button(
                rx.cond(address.asked_at != "", "Send again", "Send the link"),
                type="button",
                class_name="btn",
                on_click=_state.ask(address.id),
                custom_attrs={"aria-label": "Send the link to " + address.address},
            ),
        ),
        key=address.id,
    )
