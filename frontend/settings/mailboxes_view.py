"""The settings of mailboxes, as seen."""

from __future__ import annotations

from typing import Any

import reflex as rx

from frontend.components.forms import card, check_field, choice_field, problem, settings_page, text_field
from frontend.components.parts import empty, icon, icon_button
from frontend.settings.accounts import Accounts
from frontend.settings.accounts_view import account, status_mark
from frontend.settings.in_turn import in_turn
from frontend.settings.intake_forwarding import forwarding
from frontend.settings.mailboxes import Mailboxes
from frontend.settings.people import People
from frontend.settings.unverified import unverified_mark, unverified_notice

SEND_AS = (
    ("mailbox", "The mailbox: “Northwind Support”"),
    ("person", "The writer and the mailbox: “Jonas Dahl, Northwind Support”"),
    ("on_behalf", "On behalf: “Jonas Dahl on behalf of Northwind Support”"),
)
_state: Any = Mailboxes
_accounts: Any = Accounts
_people: Any = People


def mailboxes() -> rx.Component:
    """The list of mailboxes and what stands open beside it."""
    return settings_page(
        "Mailboxes",
        rx.el.div(
            rx.el.div(
                _group(rx.cond(_state.mine.length() > 1, "My mailboxes", "My mailbox"), _state.mine),
                rx.el.button(
                    icon("plus", 15),
                    rx.cond(_state.mine.length() == 0, "Add my mailbox", "Add another mailbox of mine"),
                    type="button",
                    class_name="add",
                    on_click=_state.add("personal"),
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


def _group(title: Any, lines: Any) -> rx.Component:
    return rx.cond(lines.length() > 0, rx.fragment(rx.el.h2(title), rx.foreach(lines, _line)))


def _line(line: Any) -> rx.Component:
    return rx.el.button(
        rx.el.span(class_name="dot dot" + line.dot.to_string()),
        rx.el.span(
            rx.el.b(line.name, class_name="el"), rx.el.small(line.status, class_name="el"), class_name="line-text"
        ),
        unverified_mark(line.address),
        rx.el.small(line.people, class_name="el"),
        type="button",
        class_name=rx.cond(_state.chosen.id == line.id, "box-line on", "box-line"),
        on_click=_accounts.open(line.id),
        key=line.id,
    )


def _access_fields(chosen: Any | None) -> rx.Component:
    """Users and teams who have access."""
    return rx.el.fieldset(
        rx.el.legend("Who has access", class_name="label"),
        rx.foreach(
            _people.people,
            lambda each: rx.fragment(
                rx.cond(
                    each.active,
                    check_field(
                        each.name,
                        "person-" + each.id.to_string(),
                        checked=chosen.member_ids.contains(each.id) if chosen is not None else each.me,
                    ),
                ),
                key=each.id,
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
            hint=value.seen_as,
        ),
        rx.cond(
            group,
            choice_field(
                "Send as", "send_as", SEND_AS, value=value.send_as,
                hint="The address is always the mailbox’s, so that answers come here. On behalf, the writer’s own "
                "address is told too, and mail programs show both; some mail servers refuse that.",
            ),
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
    send_as = "mailbox"
    seen_as = "What the people you write to see as the sender."
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
                on_submit=_accounts.create,
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
        rx.el.button(text, type="submit", class_name="btn pri"),
        rx.el.button("Cancel", type="button", class_name="btn q", on_click=cancel)
        if cancel is not None
        else rx.fragment(),
        class_name="form-foot",
    )


def _chosen() -> rx.Component:
    chosen = _state.chosen
    return rx.fragment(
        _head(
            chosen.name,
            rx.cond(chosen.connected, status_mark(chosen), rx.el.span("Not connected yet", class_name="chip")),
        ),
        unverified_notice(chosen.address),
        account(chosen),
        rx.cond(~chosen.connected, forwarding(chosen)),
        card(
            "Mailbox",
            rx.el.form(
                problem(_state.problem),
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
        rx.cond(chosen.kind == "group", in_turn(chosen)),
        card(
            "Remove",
            rx.cond(
                _state.removing,
                rx.el.form(
                    rx.el.p(
                        "Its conversations, comments and drafts are removed from Tandem for good. "
                        "The mail on the server stays."
                    ),
                    text_field("Type the mailbox’s name to confirm", "name", required=True, hint=rx.el.b(chosen.name)),
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
