"""The page of contacts: the list, and the open one."""

from __future__ import annotations

from typing import Any

import reflex as rx

from frontend.components.forms import card, problem, settings_bridge, text_field
from frontend.components.frame import page
from frontend.components.parts import avatar, empty, icon, icon_button
from frontend.components.widgets import ago
from frontend.contacts.state import Contacts

_state: Any = Contacts


def contacts() -> rx.Component:
    """Everybody who writes."""
    return page(
        rx.el.main(
            rx.el.section(
                rx.el.div(
                    rx.el.h1("Contacts"),
                    rx.el.span(class_name="grow"),
                    rx.el.button(icon("plus", 15), "Add", type="button", class_name="btn", on_click=_state.begin),
                    class_name="head",
                ),
                rx.el.div(
                    icon("search", 15),
                    rx.el.input(
                        type="search",
                        placeholder="Find a name, company or address",
                        default_value=_state.words,
                        on_change=_state.find.debounce(150),
                        custom_attrs={"aria-label": "Find a contact", "data-key": "/"},
                    ),
                    class_name="search",
                ),
                rx.el.div(
                    rx.foreach(_state.lines, _line),
                    rx.cond(
                        _state.more,
                        rx.el.button(
                            "Show more", type="button", class_name="link centred-block", on_click=_state.show_more
                        ),
                    ),
                    rx.cond(
                        _state.fetched & (_state.lines.length() == 0),
                        rx.cond(
                            _state.words != "",
                            empty("search", "Nobody found", "Try another spelling, or a part of the address."),
                            empty("contact", "No contacts yet", "Whoever writes to you appears here by itself."),
                        ),
                    ),
                    class_name="list",
                    role="group",
                    custom_attrs={"aria-label": "Contacts"},
                ),
                class_name="pane-frame list-pane",
            ),
            rx.el.div(
                rx.cond(
                    _state.form.id != 0,
                    _open(),
                    rx.el.div(
                        empty("contact", "No contact is open", "Choose one on the left to see and edit it."),
                        class_name="pane-none",
                    ),
                ),
                class_name="page-main",
            ),
            class_name=rx.cond(_state.form.id != 0, "desk contacts opened", "desk contacts"),
        ),
        settings_bridge(),
        name="contacts-app",
    )


def _line(line: Any) -> rx.Component:
    return rx.el.button(
        avatar(line.face),
        rx.el.span(
            rx.el.b(line.name, class_name="el"), rx.el.small(line.detail, class_name="el"), class_name="line-text"
        ),
        type="button",
        class_name=rx.cond(_state.form.id == line.id, "contact-line on", "contact-line"),
        on_click=_state.show(line.id),
        key=line.id,
        custom_attrs={"data-contact-id": line.id.to_string()},
    )


def _open() -> rx.Component:
    form = _state.form
    return rx.fragment(
        rx.el.header(
            icon_button(
                "chevron-left",
                "Back to the list",
                icon_size=20,
                class_name="btn q sq phone-only",
                on_click=_state.close,
            ),
            rx.el.h1(rx.cond(form.id > 0, form.name, "New contact"), class_name="el"),
            class_name="head",
        ),
        rx.el.div(
            card(
                "Contact",
                rx.el.form(
                    problem(_state.problem),
                    rx.el.div(
                        text_field("Name", "name", value=form.name),
                        text_field("Company", "company", value=form.company),
                        class_name="two-fields",
                    ),
                    rx.el.div(
                        text_field("Phone", "phone", value=form.phone, kind="tel"),
                        text_field(
                            "Time zone",
                            "time_zone",
                            value=form.time_zone,
                            placeholder="Europe/Lisbon",
                            hint="For sending later. Empty: it is guessed.",
                        ),
                        class_name="two-fields",
                    ),
                    text_field(
                        "Addresses",
                        "addresses",
                        value=form.addresses,
                        area=True,
                        hint="One a line. The first one is used to write.",
                    ),
                    text_field("Notes", "notes", value=form.notes, area=True),
                    rx.el.div(
                        rx.el.button("Save", type="submit", class_name="btn pri"),
                        rx.el.span(class_name="grow"),
                        rx.cond(
                            form.id > 0,
                            rx.el.button(
                                icon("merge", 15),
                                "Merge with another",
                                type="button",
                                class_name="btn",
                                on_click=_state.begin_merge,
                            ),
                        ),
                        class_name="form-foot",
                    ),
                    on_submit=_state.save,
                    key=form.key,
                    class_name="form",
                ),
                rx.cond(_state.merging, _merge()),
            ),
            rx.cond(
                _state.earlier.length() > 0,
                card("Conversations", rx.el.ul(rx.foreach(_state.earlier, _conversation), class_name="lines")),
            ),
            class_name="page-body",
        ),
    )


def _merge() -> rx.Component:
    return rx.el.div(
        rx.el.p("The other one becomes part of this contact: addresses united, empty fields filled, notes joined."),
        rx.el.input(
            type="search",
            placeholder="Find the other contact",
            class_name="input",
            on_change=_state.find_other.debounce(150),
            custom_attrs={"aria-label": "Find the other contact"},
        ),
        rx.foreach(
            _state.candidates,
            lambda line: rx.el.div(
                avatar(line.face, small=True),
                rx.el.span(rx.el.b(line.name), " ", rx.el.small(line.detail), class_name="el"),
                rx.el.span(class_name="grow"),
                rx.el.button("Merge", type="button", class_name="btn", on_click=_state.merge(line.id)),
                class_name="merge-line",
                key=line.id,
            ),
        ),
        class_name="once",
    )


def _conversation(each: Any) -> rx.Component:
    return rx.el.li(
        rx.el.a(
            rx.el.b(each.subject, class_name="el"),
            rx.el.small(ago(at=each.at, long=True), " · ", each.status, " · ", each.mailbox),
            href=f"/?mailbox={each.mailbox_id}&conversation={each.id}",
            class_name="line-text",
        ),
        key=each.id,
    )
