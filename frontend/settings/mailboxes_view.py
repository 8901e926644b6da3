"""The settings of mailboxes, as seen."""

from __future__ import annotations

from typing import Any

import reflex as rx

from frontend.components.forms import card, check_field, problem, settings_page, sure, text_field
from frontend.components.parts import empty, icon, icon_button
from frontend.settings.mailboxes import Mailboxes
from frontend.settings.people import People

_state: Any = Mailboxes
_people: Any = People


def mailboxes() -> rx.Component:
    """The list of mailboxes and what stands open beside it."""
    return settings_page(
        "Mailboxes",
        rx.el.div(
            rx.el.div(
                _group("My mailbox", _state.mine),
                rx.cond(
                    _state.mine.length() == 0,
                    rx.el.button(
                        icon("plus", 15),
                        "Add my mailbox",
                        type="button",
                        class_name="add",
                        on_click=_state.add("personal"),
                    ),
                ),
                rx.cond(
                    _state.me.admin,
                    rx.fragment(
                        _group("Group mailboxes", _state.shared),
                        rx.el.button(
                            icon("plus", 15),
                            "Add group mailbox",
                            type="button",
                            class_name="add",
                            on_click=_state.add("group"),
                        ),
                    ),
                ),
                class_name=rx.cond((_state.chosen.id > 0) | (_state.adding != ""), "box-list beside", "box-list"),
            ),
            rx.el.div(
                rx.cond(
                    _state.adding != "",
                    _new(),
                    rx.cond(
                        _state.chosen.id > 0,
                        _chosen(),
                        empty(
                            "inbox", "Choose a mailbox", "Or add one: its mail appears for everybody who has access."
                        ),
                    ),
                ),
                class_name=rx.cond((_state.chosen.id > 0) | (_state.adding != ""), "box-main", "box-main idle"),
            ),
            class_name="boxes",
        ),
    )


def _group(title: str, lines: Any) -> rx.Component:
    return rx.cond(lines.length() > 0, rx.fragment(rx.el.h2(title), rx.foreach(lines, _line)))


def _line(line: Any) -> rx.Component:
    return rx.el.button(
        rx.el.span(class_name="dot dot" + line.dot.to_string()),
        rx.el.span(
            rx.el.b(line.name, class_name="el"), rx.el.small(line.status, class_name="el"), class_name="line-text"
        ),
        rx.el.small(line.people, class_name="el"),
        type="button",
        class_name=rx.cond(_state.chosen.id == line.id, "box-line on", "box-line"),
        on_click=_state.choose(line.id),
        key=line.id,
    )


def _access_fields(chosen: Any | None) -> rx.Component:
    """Users and teams who have access."""
    return rx.el.fieldset(
        rx.el.legend("Who has access", class_name="label"),
        rx.foreach(
            _people.people,
            lambda each: rx.cond(
                each.active,
                check_field(
                    each.name,
                    "person-" + each.id.to_string(),
                    checked=chosen.member_ids.contains(each.id) if chosen is not None else each.me,
                ),
            ),
        ),
        rx.foreach(
            _people.teams,
            lambda each: check_field(
                each.name + " (team)",
                "team-" + each.id.to_string(),
                checked=chosen.team_ids.contains(each.id) if chosen is not None else False,
            ),
        ),
        class_name="checks",
    )


def _own_fields(value: Any, *, group: Any) -> rx.Component:
    return rx.fragment(
        rx.el.div(
            text_field("Address", "address", kind="email", value=value.address, required=True),
            text_field("Mailbox name", "name", value=value.name, placeholder="Support"),
            class_name="two-fields",
        ),
        text_field(
            "Default From name", "default_from_name", value=value.default_from_name,
            hint="What the people you write to see as the sender.",
        ),
        text_field(
            "BCC address for replies", "reply_bcc", kind="email", value=value.reply_bcc,
            hint="Optional. Every reply from this mailbox is also sent here, unseen by the customer.",
        ),
        rx.cond(
            group,
            check_field(
                "Mark incoming mail as private by default", "private", checked=value.private,
                hint="Only people with access see new conversations. "
                "Mail that names one of you is visible to those concerned only.",
            ),
        ),
    )  # fmt: skip


class _Blank:
    """What the form of a new mailbox begins with."""

    address = name = default_from_name = reply_bcc = ""
    private = False


def _new() -> rx.Component:
    group = _state.adding == "group"
    return rx.fragment(
        _head(rx.cond(group, "Add group mailbox", "Add my mailbox"), rx.fragment()),
        card(
            "The mailbox",
            rx.el.form(
                problem(_state.problem),
                _own_fields(_Blank, group=group),
                rx.cond(group, _access_fields(None)),
                _foot("Add mailbox", _state.close),
                on_submit=_state.create,
                key=_state.adding,
                class_name="form",
            ),
        ),
    )


def _head(title: Any, aside: Any) -> rx.Component:
    return rx.el.div(
        icon_button(
            "chevron-left", "Back to the list", icon_size=20, class_name="btn q sq box-back", on_click=_state.close
        ),
        rx.el.h2(title, class_name="el"),
        aside,
        class_name="box-head",
    )


def _foot(text: str, cancel: Any | None = None) -> rx.Component:
    return rx.el.div(
        rx.el.button(text, type="submit", class_name="btn pri", disabled=_state.busy),
        rx.el.button("Cancel", type="button", class_name="btn q", on_click=cancel)
        if cancel is not None
        else rx.fragment(),
        class_name="form-foot",
    )


def _chosen() -> rx.Component:
    chosen = _state.chosen
    return rx.fragment(
        _head(
            chosen.name, rx.cond(chosen.connected, _status(chosen), rx.el.span("Not connected yet", class_name="chip"))
        ),
        rx.cond(_state.step == "servers", _wizard(chosen), _account(chosen)),
        card(
            "Mailbox",
            rx.el.form(
                rx.cond(_state.step == "", problem(_state.problem)),
                _own_fields(chosen, group=chosen.kind == "group"),
                _foot("Save"),
                on_submit=_state.save,
                key=chosen.id.to_string(),
                class_name="form",
            ),
        ),
        rx.cond(
            chosen.kind == "group",
            card(
                "Access",
                rx.el.form(
                    _access_fields(chosen),
                    _foot("Save"),
                    on_submit=_state.save_members,
                    key=chosen.id.to_string(),
                    class_name="form",
                ),
            ),
        ),
        card(
            "Remove",
            rx.cond(
                _state.removing,
                rx.el.form(
                    rx.el.p(
                        "Its conversations, comments and drafts are removed from Tandem for good. "
                        "The mail on the server stays. Type the mailbox’s name to confirm."
                    ),
                    text_field("Mailbox name", "name", required=True),
                    rx.el.div(
                        rx.el.button("Remove for good", type="submit", class_name="btn bad"),
                        rx.el.button("Cancel", type="button", class_name="btn q", on_click=_state.ask_remove),
                        class_name="form-foot",
                    ),
                    on_submit=_state.remove,
                    class_name="form",
                ),
                rx.el.button("Remove this mailbox", type="button", class_name="btn bad", on_click=_state.ask_remove),
            ),
        ),
    )


def _status(chosen: Any) -> Any:
    return rx.match(
        chosen.status,
        ("up_to_date", rx.el.span(chosen.status_words, class_name="live")),
        ("needs_you", rx.el.span(chosen.status_words, class_name="tag t-red")),
        ("retrying", rx.el.span(chosen.status_words, class_name="tag t-amber")),
        rx.el.span(chosen.status_words, class_name="tag t-accent"),
    )


def _account(chosen: Any) -> rx.Component:
    """What the account is doing, or the way to connect one."""
    return card(
        "Mail account",
        rx.cond(
            chosen.connected,
            rx.fragment(
                rx.cond(
                    chosen.reason != "",
                    rx.el.div(
                        rx.el.p(rx.el.b(chosen.reason), " ", chosen.remedy),
                        _server_words(chosen.server_words),
                        class_name="reason",
                    ),
                ),
                rx.cond(
                    (chosen.status == "syncing") | (chosen.status == "connecting"),
                    rx.el.div(
                        rx.el.div(
                            rx.cond(
                                chosen.total > 0,
                                rx.fragment(chosen.done, " of ", chosen.total, " messages"),
                                "Signing in and counting",
                            ),
                            rx.el.span("Newest first: you can work meanwhile.", class_name="third"),
                            class_name="progress-text",
                        ),
                        rx.el.progress(
                            value=chosen.done, max=chosen.total, custom_attrs={"aria-label": "Messages fetched"}
                        ),
                    ),
                    rx.cond(
                        chosen.status == "up_to_date",
                        rx.el.p("Connected. New mail appears as it arrives.", class_name="third"),
                    ),
                ),
                rx.el.div(
                    rx.el.button(
                        "Change the servers or the password",
                        type="button",
                        class_name="btn",
                        on_click=_state.begin_account,
                    ),
                    sure(
                        "Disconnect",
                        "Mail no longer arrives and leaves here. What was fetched stays. "
                        "Connecting again needs the password.",
                        "Disconnect",
                        _state.disconnect,
                    ),
                    class_name="form-foot",
                ),
            ),
            rx.el.div(
                rx.el.p("Connect the account behind this address, and its mail arrives and leaves through it."),
                rx.el.div(
                    rx.el.button(
                        "Connect an account", type="button", class_name="btn pri", on_click=_state.begin_account
                    ),
                    class_name="form-foot",
                ),
                class_name="form",
            ),
        ),
    )


def _server_words(words: Any) -> rx.Component:
    return rx.cond(words != "", rx.el.details(rx.el.summary("The server’s words"), rx.el.pre(words)))


def _wizard(chosen: Any) -> rx.Component:
    found = _state.servers
    return card(
        "Connect the mail account",
        rx.el.form(
            rx.el.p(
                rx.cond(
                    found.source != "", found.source, "The servers were not found. Your provider’s help names them."
                ),
                " ",
                found.hint,
                class_name="third",
            ),
            problem(_state.problem),
            rx.el.div(
                text_field("User name", "username", value=found.username, required=True, autocomplete="off"),
                text_field("Password", "password", kind="password", required=True, autocomplete="new-password"),
                class_name="two-fields",
            ),
            _server_fields("Receiving (IMAP)", "imap", found.imap_host, found.imap_port, found.imap_security),
            _server_fields("Sending (SMTP)", "smtp", found.smtp_host, found.smtp_port, found.smtp_security),
            rx.cond(
                _state.checks.length() > 0, rx.el.ul(rx.foreach(_state.checks, _check), class_name="lines checks-done")
            ),
            rx.el.div(
                rx.el.button(
                    rx.cond(_state.busy, "Trying both servers", "Connect"),
                    type="submit",
                    class_name="btn pri",
                    disabled=_state.busy,
                ),
                rx.el.button("Not now", type="button", class_name="btn q", on_click=_state.leave_wizard),
                class_name="form-foot",
            ),
            on_submit=_state.connect,
            key=chosen.id.to_string() + found.imap_host + found.username,
            class_name="form",
        ),
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
