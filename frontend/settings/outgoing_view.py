"""The page of outgoing mail."""

from __future__ import annotations

from typing import Any

import reflex as rx

from frontend.components.forms import card, problem, settings_page, submit, text_field
from frontend.components.parts import icon
from frontend.settings.domains import domains_card
from frontend.settings.identities_view import addresses, identities
from frontend.settings.outgoing import Outgoing
from frontend.settings.people import for_admins
from frontend.settings.servers_view import mailboxes, servers

_state: Any = Outgoing


def outgoing() -> rx.Component:
    """What mail leaves through, and as whom."""
    return settings_page(
        "Outgoing mail",
        for_admins(
            rx.cond(
                _state.fetched,
                rx.fragment(servers(), mailboxes(), identities(), addresses(), domains_card(), _system()),
            )
        ),
        lead="Every mail account sends by itself. Here you add further servers and addresses, and see what fails.",
    )


def _system() -> rx.Component:
    return card(
        "Tandem’s own mail",
        rx.el.p(
            rx.cond(
                _state.system.address != "",
                "It comes from " + _state.system.address + ".",
                "Tandem cannot send mail of its own yet.",
            ),
            class_name="second lead-line",
        ),
        rx.el.form(
            problem(_state.system_problem),
            _sender("To users", "Invitations, passwords, digests.", "users", "Tandem"),
            _sender("To customers", "Whose an address outside is.", "customers", "The organisation"),
            submit("Save the senders"),
            on_submit=_state.save_system,
            key=_state.changed.to_string(),
            class_name="form",
        ),
        aside=rx.el.button(
            icon("undo-2", 14), "Reset to default", type="button", class_name="btn", on_click=_state.reset_system
        ),
    )


def _sender(legend: str, hint: str, whom: str, default: str) -> rx.Component:
    return rx.el.fieldset(
        rx.el.legend(legend, class_name="label"),
        rx.el.div(
            text_field(
                "Sender name", f"{whom}_name", value=getattr(_state.system, f"{whom}_name"), placeholder=default,
                hint=hint,
            ),
            text_field("Reply-to", f"{whom}_reply_to", kind="email", value=getattr(_state.system, f"{whom}_reply_to")),
            class_name="two-fields",
        ),
    )  # fmt: skip
