"""The pages before signing in: plain forms that assets/js/gate.js posts to the REST API.

They hold no state of the interface: the session cookie is read once, when the page's socket opens, so signing in
is an ordinary request followed by a full page load.
"""

from __future__ import annotations

from typing import Any

import reflex as rx

from frontend.components.widgets import mounted


def sign_in() -> rx.Component:
    """Address and password. Sends a fresh installation on to its set-up."""
    return _page(
        "Sign in",
        _form(
            _field("Email address", "email", kind="email", autocomplete="username", autofocus=True),
            _field("Password", "password", kind="password", autocomplete="current-password"),
            post="/sign-in",
            submit="Sign in",
        ),
        rx.el.a("Forgotten password?", href="/forgotten/", class_name="gate-more"),
        gate="sign-in",
    )


def set_up() -> rx.Component:
    """First run: the organisation and its owner."""
    return _page(
        "Set up Tandem",
        rx.el.p(
            "Name your organisation and make your own account. You can invite the others in a minute.",
            class_name="gate-lead",
        ),
        _form(
            _field("Organisation", "organisation_name", autocomplete="organization", autofocus=True),
            _field("Your name", "name", autocomplete="name"),
            _field("Your email address", "email", kind="email", autocomplete="username"),
            _new_password(),
            post="/set-up",
            submit="Set up",
        ),
        gate="set-up",
    )


def forgotten() -> rx.Component:
    """Asks for a link by mail; without a mail server of its own, Tandem says to ask an admin."""
    return _page(
        "Forgotten password",
        rx.el.div(
            rx.el.p("Type your address. We send you a link to choose a new password.", class_name="gate-lead"),
            _form(
                _field("Email address", "email", kind="email", autocomplete="username", autofocus=True),
                post="/password/forgot",
                submit="Send the link",
                done="If this address belongs to an account, a link is on its way. It works for one hour.",
            ),
            custom_attrs={"data-when": "can-mail"},
        ),
        rx.el.p(
            "Tandem cannot send mail of its own here. Ask an admin of your organisation: "
            "they can give you a new password.",
            class_name="gate-lead",
            custom_attrs={"data-when": "cannot-mail"},
        ),
        rx.el.a("Back to sign in", href="/signin/", class_name="gate-more"),
        gate="forgotten",
    )


def reset() -> rx.Component:
    """Where the link of a forgotten password leads."""
    return _page(
        "Choose a new password",
        _form(
            _new_password(),
            post="/password/reset",
            submit="Save the password",
            done="The new password is saved. You can sign in with it now.",
            token=True,
        ),
        rx.el.a("Sign in", href="/signin/", class_name="gate-more"),
        gate="reset",
    )


def invitation() -> rx.Component:
    """Where an invitation's link leads."""
    return _page(
        "Join your team",
        rx.el.p(class_name="gate-lead", custom_attrs={"data-fill": "offer"}),
        _form(
            _field("Your name", "name", autocomplete="name", autofocus=True),
            _new_password(),
            post="/invitations/accept",
            submit="Join",
            token=True,
        ),
        rx.el.a("I have an account: sign in", href="/signin/", class_name="gate-more"),
        gate="invitation",
    )


def verify_address() -> rx.Component:
    """Where the link leads that asks whose an address is. Only the button says yes: programs follow links."""
    return _page(
        "Is this address yours?",
        rx.el.p(class_name="gate-lead", custom_attrs={"data-fill": "offer"}),
        _form(
            post="/addresses/verify",
            submit="Yes, I own this address",
            done="Thank you. The address is verified.",
            token=True,
        ),
        gate="verify-address",
    )


def _page(title: str, *children: rx.Component, gate: str) -> rx.Component:
    return rx.el.main(
        rx.el.div(
            rx.el.div(
                rx.el.span(class_name="logo"),
                rx.el.span("Tandem", custom_attrs={"data-fill": "organisation"}),
                class_name="gate-org",
            ),
            rx.el.h1(title),
            *children,
            class_name="gate-card",
        ),
        mounted(),
        class_name="gate",
        custom_attrs={"data-gate": gate},
    )


def _form(*fields: rx.Component, post: str, submit: str, done: str = "", token: bool = False) -> rx.Component:
    """A form posted as JSON. Afterwards the inbox opens, or `done` is said in the form's place."""
    attributes = {"data-post": post, "data-done": done}
    if token:
        attributes["data-token"] = "yes"
    return rx.el.form(
        rx.el.div(
            rx.el.div(custom_attrs={"data-fill": "error"}),
            role="alert",
            hidden=True,
            class_name="gate-error",
        ),
        *fields,
        rx.el.button(submit, type="submit", class_name="btn pri wide"),
        custom_attrs=attributes,
        method="post",
    )


def _new_password() -> rx.Component:
    return _field(
        "Password",
        "password",
        kind="password",
        autocomplete="new-password",
        hint="At least 10 characters. A short sentence is easy to remember.",
        least=10,
    )


def _field(
    label: str,
    name: str,
    *,
    kind: Any = "text",
    autocomplete: str,
    autofocus: bool = False,
    hint: str = "",
    least: int = 1,
) -> rx.Component:
    return rx.el.label(
        rx.el.span(label, class_name="label"),
        rx.el.input(
            name=name,
            type=kind,
            auto_complete=autocomplete,
            auto_focus=autofocus,
            required=True,
            min_length=least,
            class_name="input",
        ),
        rx.el.small(hint, class_name="hint") if hint else rx.fragment(),
        class_name="field",
    )
