"""The page of outgoing mail."""

from __future__ import annotations

from typing import Any

import reflex as rx

from frontend.components.forms import (
    card,
    check_field,
    choice_field,
    problem,
    settings_page,
    submit,
    sure,
    text_field,
)
from frontend.components.parts import empty, icon
from frontend.components.widgets import ago
from frontend.settings.domains import domains_card
from frontend.settings.outgoing import IdentityView, Outgoing, SendingView, ServerView
from frontend.settings.people import for_admins

PROTECTION = (("starttls", "STARTTLS"), ("tls", "TLS"), ("none", "None"))
_state: Any = Outgoing


def outgoing() -> rx.Component:
    """What mail leaves through, and as whom."""
    return settings_page(
        "Outgoing mail",
        for_admins(
            rx.cond(
                _state.fetched,
                rx.fragment(_servers(), _mailboxes(), _identities(), _addresses(), domains_card(), _system()),
            )
        ),
        lead="Every mail account sends by itself. Here you add further servers and addresses, and see what fails.",
    )


def _servers() -> rx.Component:
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


def _mailboxes() -> rx.Component:
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


def _identities() -> rx.Component:
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


def _addresses() -> rx.Component:
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
