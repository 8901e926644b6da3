"""Outgoing servers, and what mailboxes send through, on the page of outgoing mail."""

from __future__ import annotations

from typing import Any

import reflex as rx

from frontend.components.forms import card, check_field, choice_field, problem, submit, sure, text_field
from frontend.components.parts import empty, icon
from frontend.components.widgets import ago
from frontend.settings.outgoing import Outgoing
from frontend.settings.servers import SendingView, ServerView

PROTECTION = (("starttls", "STARTTLS"), ("tls", "TLS"), ("none", "None"))
_state: Any = Outgoing


def servers() -> rx.Component:
    return card(
        "Servers",
        rx.cond(
            _state.servers.length() > 0,
            rx.el.ul(
                rx.foreach(_state.servers, lambda each: rx.fragment(server_line(server=each), key=each.key)),
                class_name="lines",
            ),
            empty("send", "No server yet", "Connect a mailbox to its account, or add a server of its own."),
        ),
        rx.cond(_state.editing == 0, rx.el.div(_server_form(None), class_name="below-lines")),
        aside=rx.cond(
            _state.editing == 0,
            rx.el.button("Cancel", type="button", class_name="btn", on_click=_state.edit(-1)),
            rx.el.button(icon("plus", 15), "Add server", type="button", class_name="btn", on_click=_state.edit(0)),
        ),
    )


@rx.memo
def server_line(server: rx.vars.ObjectVar[ServerView]) -> rx.Component:
    """One server: a component of its own, for a form's answer is made where its values are in reach."""
    return _server(server)


def _server(server: Any) -> rx.Component:
    return rx.el.li(
        rx.el.span(
            rx.match(
                server.status,
                ("failing", icon("circle-alert", 16)),
                ("well", icon("circle-check", 16)),
                icon("send", 16),
            ),
            class_name=rx.match(
                server.status,
                ("failing", "notice-icon t-red"),
                ("well", "notice-icon good"),
                "notice-icon",
            ),
        ),
        rx.el.div(
            rx.el.b(server.name, rx.cond(server.for_all, rx.el.span(" · for all mailboxes", class_name="third"))),
            rx.el.span(server.place, class_name="second wrap"),
            rx.el.small(server.used),
            rx.cond(server.note != "", rx.el.small(server.note, class_name="t-amber-ink")),
            rx.cond(
                server.status == "failing",
                rx.el.div(
                    rx.el.span(server.reason, class_name="bad"),
                    rx.el.small(" ", ago(at=server.at, long=True)),
                    _words(server.words),
                    role="status",
                ),
            ),
            rx.cond(_state.test.server == server.id, _test()),
            rx.cond((_state.editing == server.id) & server.own, _server_form(server)),
            class_name="line-text",
        ),
        rx.el.div(
            rx.el.button(
                rx.cond(_state.testing == server.id, "Testing", "Send a test mail"),
                type="button",
                class_name="btn",
                disabled=_state.testing > 0,
                on_click=_state.try_server(server.id),
                custom_attrs={"aria-label": "Send a test mail through " + server.name},
            ),
            rx.cond(
                server.own,
                rx.fragment(
                    rx.el.button(
                        rx.cond(_state.editing == server.id, "Cancel", "Change"),
                        type="button",
                        class_name="btn",
                        on_click=rx.cond(_state.editing == server.id, _state.edit(-1), _state.edit(server.id)),
                        custom_attrs={"aria-label": "Change " + server.name},
                    ),
                    sure(
                        "Remove " + server.name,
                        "Its password is forgotten. Mailboxes that send through it send as by default again.",
                        "Remove the server",
                        _state.remove_server(server.id),
                        face=icon("trash-2", 15),
                    ),
                ),
            ),
            class_name="line-deeds",
        ),
        class_name="top",
    )


def _words(text: Any) -> rx.Component:
    """What a server said itself, folded."""
    return rx.cond(
        text != "",
        rx.el.details(rx.el.summary("The server’s own words"), rx.el.pre(text), class_name="entry-details"),
    )


def _test() -> rx.Component:
    return rx.el.div(
        rx.el.span(_state.test.sentence, class_name=rx.cond(_state.test.ok, "good", "bad")),
        rx.cond(_state.test.steps != "", rx.el.small(_state.test.steps)),
        _words(_state.test.words),
        role="status",
        class_name="test-outcome",
    )


def _server_form(server: Any | None) -> rx.Component:
    def value(name: str, otherwise: str = "") -> Any:
        return otherwise if server is None else getattr(server, name)

    return rx.el.form(
        problem(_state.problem),
        text_field("Name", "name", value=value("name"), required=True, placeholder="Relay of the office"),
        rx.el.div(
            text_field("Server", "host", value=value("host"), required=True, placeholder="smtp.example.org"),
            text_field("Port", "port", value=value("port", "587"), required=True),
            choice_field("Protection", "security", PROTECTION, value=value("security", "starttls")),
            class_name="server-fields",
        ),
        rx.el.div(
            text_field("User name", "username", value=value("username"), hint="Gmail and Microsoft send as it."),
            text_field(
                "Password", "password", kind="password", autocomplete="new-password",
                hint="" if server is None else "Leave it empty to keep the stored one.",
            ),
            class_name="two-fields",
        ),
        text_field(
            "Mails a minute, at most", "per_minute", value=value("per_minute"), placeholder="No limit",
            hint="The rest waits in the outbox.",
        ),
        check_field(
            "For all mailboxes without an account of their own", "for_all",
            checked=False if server is None else server.for_all, hint="Tandem’s own mail leaves through it too.",
        ),
        submit("Save the server"),
        on_submit=_state.save_server,
        class_name="form",
    )  # fmt: skip


def mailboxes() -> rx.Component:
    return rx.cond(
        _state.sendings.length() > 0,
        card(
            "What mailboxes send through",
            rx.el.ul(
                rx.foreach(_state.sendings, lambda each: rx.fragment(sending_line(sending=each), key=each.key)),
                class_name="lines",
            ),
        ),
    )


@rx.memo
def sending_line(sending: rx.vars.ObjectVar[SendingView]) -> rx.Component:
    """What one mailbox sends through."""
    return _sending(sending)


def _sending(sending: Any) -> rx.Component:
    return rx.el.li(
        rx.el.div(rx.el.b(sending.name), rx.el.small(sending.way), class_name="line-text"),
        rx.el.select(
            rx.el.option("Default", value="0"),
            rx.foreach(_state.server_choices, lambda each: rx.el.option(each.label, value=each.value, key=each.value)),
            value=sending.server,
            on_change=lambda chosen: _state.choose_server(sending.id, chosen),
            class_name="select small",
            custom_attrs={"aria-label": "What " + sending.name + " sends through"},
        ),
        rx.cond(
            sending.server != "0",
            rx.el.button(
                icon("undo-2", 14),
                "Reset to default",
                type="button",
                class_name="btn",
                on_click=_state.choose_server(sending.id, "0"),
                custom_attrs={"aria-label": "Reset " + sending.name + " to default"},
            ),
        ),
    )
