"""A mailbox's account, as seen in its settings: how it is doing, the wizard, what it fetches."""

from __future__ import annotations

from typing import Any

import reflex as rx

from frontend.components.forms import card, choice_field, problem, text_field
from frontend.components.parts import icon
from frontend.components.widgets import ago
from frontend.settings.account_words import DONE_TO, HISTORY
from frontend.settings.accounts import Accounts

_state: Any = Accounts


def account(chosen: Any) -> rx.Component:
    """The account's cards: connect it, or see how it does."""
    settled = rx.cond(chosen.connected, rx.fragment(_doing(chosen), _folders()), _not_connected())
    return rx.cond(
        _state.step == "servers", _servers(chosen), rx.cond(_state.step == "folders", _plan(chosen), settled)
    )


def status_mark(chosen: Any) -> Any:
    """The state of a connected account, in a word or two."""
    return rx.match(
        chosen.status,
        ("up_to_date", rx.el.span(chosen.status_words, class_name="live")),
        ("needs_you", rx.el.span(chosen.status_words, class_name="tag t-red")),
        ("retrying", rx.el.span(chosen.status_words, class_name="tag t-amber")),
        ("paused", rx.el.span(chosen.status_words, class_name="chip")),
        rx.el.span(chosen.status_words, class_name="tag t-accent"),
    )


def _button(text: Any, on_click: Any, kind: str = "") -> rx.Component:
    return rx.el.button(text, type="button", class_name=f"btn {kind}".strip(), on_click=on_click)


def _not_connected() -> rx.Component:
    return card(
        "Mail account",
        rx.el.div(
            rx.el.p("Connect the account behind this address, and its mail arrives and leaves through it."),
            problem(_state.problem),
            rx.el.div(_button("Connect an account", _state.begin, "pri"), class_name="form-foot"),
            class_name="form",
        ),
    )


# -- how it is doing -----------------------------------------------------------------------------------------------


def _doing(chosen: Any) -> rx.Component:
    return card(
        "Mail account",
        problem(_state.problem),
        rx.cond(
            chosen.reason != "",
            rx.el.div(
                rx.el.p(rx.el.b(chosen.reason), " ", chosen.remedy),
                _server_words(chosen.server_words),
                class_name="reason",
            ),
        ),
        _now(chosen),
        rx.cond(
            _state.provider != "", rx.el.p("Signed in at ", rx.el.b(_state.provider), ".", class_name="third signed")
        ),
        rx.cond(_state.leaving != "", _leaving(chosen), _acts(chosen)),
    )


def _now(chosen: Any) -> rx.Component:
    """What is going on, for states that are no trouble."""
    fetching = (chosen.status == "syncing") | (chosen.status == "connecting")
    up_to_date = rx.el.p(
        "Connected. New mail appears as it arrives. ",
        rx.cond(
            chosen.checked_at != "",
            rx.el.span("Up to date ", ago(at=chosen.checked_at, long=True), class_name="third"),
        ),
    )
    paused = rx.el.p("Nothing is fetched until you resume it. What you write is still sent.", class_name="third")
    return rx.cond(
        fetching,
        _progress(chosen),
        rx.cond(
            chosen.status == "up_to_date",
            up_to_date,
            rx.cond((chosen.status == "paused") & _state.begun, paused),
        ),
    )


def _acts(chosen: Any) -> rx.Component:
    return rx.el.div(
        rx.cond(_state.begun, rx.fragment(), _button("Choose what to fetch", _state.change_plan, "pri")),
        rx.cond(
            _state.provider != "",
            rx.cond(
                chosen.status == "needs_you",
                _button("Sign in again", _state.sign_in_again, "pri"),
                _button("Sign in again", _state.sign_in_again),
            ),
            _button("Change the servers or the password", _state.begin),
        ),
        rx.cond(
            _state.begun,
            rx.cond(
                chosen.status == "paused",
                _button("Resume", _state.resume, "pri"),
                _button("Pause", _state.pause),
            ),
        ),
        _button("Disconnect", _state.ask_disconnect("keep"), "bad"),
        class_name="form-foot",
    )


def _leaving(chosen: Any) -> rx.Component:
    """What happens to the mail that is here."""

    def choice(value: str, title: str, hint: str) -> rx.Component:
        return rx.el.label(
            rx.el.input(
                type="radio",
                name="leaving",
                value=value,
                default_checked=value == "keep",  # the browser's own from then on: it answers at once
                on_change=_state.ask_disconnect(value),
            ),
            rx.el.span(title, rx.el.small(hint)),
            class_name="check",
        )

    return rx.el.form(
        rx.el.p("Mail no longer arrives and leaves here. The mail on the server stays. And what is here?"),
        choice("keep", "Keep it", "Everything that was fetched can still be read and searched."),
        choice("remove", "Remove it from Tandem", "With comments and drafts, for everybody, in the background."),
        rx.cond(
            _state.leaving == "remove",
            text_field(
                "Type the mailbox’s name to confirm",
                "confirmed_name",
                required=True,
                hint=rx.el.b(chosen.name),
            ),
        ),
        rx.el.div(
            rx.el.button(
                rx.cond(_state.leaving == "remove", "Disconnect and remove", "Disconnect"),
                type="submit",
                class_name="btn danger",
            ),
            _button("Stay connected", _state.ask_disconnect(""), "q"),
            class_name="form-foot",
        ),
        on_submit=_state.disconnect,
        class_name="form leaving",
    )


def _progress(chosen: Any) -> rx.Component:
    return rx.el.div(
        rx.el.div(
            rx.cond(
                chosen.total > 0,
                rx.fragment(chosen.done, " of ", chosen.total, " messages"),
                "Signing in and counting",
            ),
            rx.el.span("Newest first: you can work meanwhile.", class_name="third"),
            class_name="progress-text",
        ),
        rx.el.progress(value=chosen.done, max=chosen.total, custom_attrs={"aria-label": "Messages fetched"}),
    )


def _server_words(words: Any) -> rx.Component:
    return rx.cond(words != "", rx.el.details(rx.el.summary("The server’s words"), rx.el.pre(words)))


# -- what it fetches -----------------------------------------------------------------------------------------------


def _since() -> rx.Component:
    return rx.cond(
        _state.history_from != "",
        rx.fragment("Mail since ", _state.history_from, "."),
        "All mail, from the beginning.",
    )


def _folders() -> rx.Component:
    """Every folder, and how complete it is here."""
    return rx.cond(
        _state.folders.length() > 0,
        card(
            "What is fetched",
            rx.el.p(_since(), class_name="third fetched-since"),
            rx.el.ul(
                rx.foreach(_state.folders, _folder),
                class_name="folder-lines",
                tab_index=0,  # many folders scroll, also for those without a mouse
                custom_attrs={"aria-label": "Folders"},
            ),
            rx.cond(
                _state.aside.length() > 0,
                rx.el.ul(
                    rx.foreach(
                        _state.aside,
                        lambda each: rx.el.li(
                            icon("triangle-alert", 15),
                            rx.el.span(each.text, " Next try: ", ago(at=each.at, clock=True)),
                        ),
                    ),
                    class_name="aside-lines",
                ),
            ),
            aside=_button("Change", _state.change_plan),
        ),
    )


def _folder(folder: Any) -> rx.Component:
    return rx.el.li(
        rx.el.span(folder.title, class_name="el folder-title"),
        rx.el.span(
            rx.el.span(
                folder.state,
                rx.cond(folder.at != "", rx.fragment(" ", ago(at=folder.at, clock=True))),
                folder.rest,
                class_name=rx.match(folder.tone, ("green", ""), ("amber", "t-amber-ink"), "third"),
            ),
            rx.cond(
                folder.why != "",
                rx.el.small(
                    folder.why,
                    rx.cond(folder.again_at != "", rx.fragment(" Next try: ", ago(at=folder.again_at, clock=True))),
                    class_name="third",
                ),
            ),
            _server_words(folder.server_words),
            class_name="folder-state",
        ),
        key=folder.field,
    )


def _plan(chosen: Any) -> rx.Component:
    """Which folders, and from when."""
    choices = rx.foreach(
        _state.folders,
        lambda each: rx.el.label(
            rx.el.input(type="checkbox", name=each.field, default_checked=each.chosen, disabled=each.fixed),
            rx.el.span(each.title, class_name="el"),
            rx.el.small(each.holds, class_name="third"),
            class_name="check folder-choice",
        ),
    )
    return card(
        "What is fetched",
        rx.el.form(
            problem(_state.problem),
            rx.cond(
                _state.begun,
                rx.el.p(
                    "Choosing more fetches more. Choosing less hides what is here and deletes nothing.",
                    class_name="third",
                ),
                rx.el.p("Signed in. Choose what to bring over; you can change it later.", class_name="third"),
            ),
            rx.cond(
                _state.begun,
                choice_field("From when", "history", (("", "As it is"), *HISTORY), value=""),
                choice_field("From when", "history", HISTORY, value="everything"),
            ),
            rx.el.fieldset(
                rx.el.legend("Folders", class_name="label"),
                rx.el.div(choices, class_name="folder-choices"),
            ),
            choice_field("When a conversation is done, its mail moves", "done_to", DONE_TO, value=_state.done_to),
            rx.el.div(
                rx.el.button(rx.cond(_state.begun, "Save", "Start fetching"), type="submit", class_name="btn pri"),
                rx.cond(
                    _state.begun,
                    _button("Cancel", _state.leave, "q"),
                    _button("Later", _state.leave, "q"),
                ),
                class_name="form-foot",
            ),
            on_submit=_state.save_plan,
            key=chosen.id.to_string() + "-plan",
            class_name="form",
        ),
        aside=rx.cond(_state.begun, rx.fragment(), rx.el.span("Step 2 of 2", class_name="third")),
    )


# -- the wizard ----------------------------------------------------------------------------------------------------


def _servers(chosen: Any) -> rx.Component:
    found = _state.servers
    elsewhere = _state.by != "password"
    return card(
        "Connect the mail account",
        rx.el.form(
            rx.el.p(
                rx.cond(
                    found.source != "", found.source, "The servers were not found. Your provider’s help names them."
                ),
                " ",
                rx.cond(
                    elsewhere,
                    rx.fragment("You sign in at ", found.provider, "; no password is typed here."),
                    found.hint,
                ),
                class_name="third",
            ),
            problem(_state.problem),
            rx.el.div(
                text_field("User name", "username", value=found.username, required=True, autocomplete="off"),
                rx.cond(
                    elsewhere,
                    rx.fragment(),
                    text_field("Password", "password", kind="password", required=True, autocomplete="new-password"),
                ),
                class_name=rx.cond(elsewhere, "", "two-fields"),
            ),
            rx.cond(
                found.known,
                rx.el.details(
                    rx.el.summary("Servers: ", found.imap_host, " and ", found.smtp_host, class_name="third"),
                    _both_servers(found),
                    class_name="fold",
                ),
                _both_servers(found),
            ),
            rx.cond(
                _state.checks.length() > 0, rx.el.ul(rx.foreach(_state.checks, _check), class_name="lines checks-done")
            ),
            rx.el.div(
                rx.el.button(
                    rx.cond(
                        elsewhere,
                        rx.fragment("Sign in with ", found.provider),
                        rx.cond(_state.busy, "Trying both servers", "Connect"),
                    ),
                    type="submit",
                    class_name="btn pri",
                    disabled=_state.busy,
                ),
                rx.cond(
                    found.oauth != "",
                    rx.cond(
                        elsewhere,
                        _button("Use an app password instead", _state.sign_in_by("password"), "q"),
                        _button("Sign in at the provider instead", _state.sign_in_by(found.oauth), "q"),
                    ),
                ),
                _button("Not now", _state.leave, "q"),
                class_name="form-foot",
            ),
            on_submit=_state.connect,
            key=chosen.id.to_string() + found.imap_host + found.username,
            class_name="form",
        ),
        aside=rx.cond(chosen.connected, rx.fragment(), rx.el.span("Step 1 of 2", class_name="third")),
    )


def _both_servers(found: Any) -> rx.Component:
    return rx.el.div(
        _server_fields("Receiving (IMAP)", "imap", found.imap_host, found.imap_port, found.imap_security),
        _server_fields("Sending (SMTP)", "smtp", found.smtp_host, found.smtp_port, found.smtp_security),
        class_name="form",
    )


def _server_fields(title: str, name: str, host: Any, port: Any, security: Any) -> rx.Component:
    return rx.el.fieldset(
        rx.el.legend(title, class_name="label"),
        rx.el.div(
            rx.el.input(
                name=f"{name}_host", default_value=host, required=True, class_name="input", auto_complete="off",
                custom_attrs={"aria-label": f"{title}: server"},
            ),
            rx.el.input(
                name=f"{name}_port", default_value=port, required=True, class_name="input", input_mode="numeric",
                custom_attrs={"aria-label": f"{title}: port"},
            ),
            rx.el.select(
                rx.el.option("TLS", value="tls"),
                rx.el.option("STARTTLS", value="starttls"),
                rx.el.option("Not encrypted", value="none"),
                name=f"{name}_security",
                default_value=security,
                class_name="select",
                custom_attrs={"aria-label": f"{title}: encryption"},
            ),
            class_name="server-fields",
        ),
    )  # fmt: skip


def _check(check: Any) -> rx.Component:
    return rx.el.li(
        rx.cond(
            check.ok,
            rx.el.span(icon("circle-check", 18), class_name="good"),
            rx.el.span(icon("circle-x", 18), class_name="bad"),
        ),
        rx.el.div(
            rx.el.div(rx.el.b(check.server), " ", rx.el.span(check.where, class_name="third")),
            rx.cond(
                check.ok,
                rx.el.small("Signed in"),
                rx.fragment(rx.el.p(check.reason, " ", check.remedy), _server_words(check.server_words)),
            ),
            class_name="line-text",
        ),
    )
