"""The filter form above the list, and the line that says what is filtered by and saves it as a view."""

from __future__ import annotations

from typing import Any

import reflex as rx

from frontend.components.forms import problem, sure
from frontend.components.parts import icon, icon_button
from frontend.inbox.filter_form import ASSIGNED, MATCHES, ORDERS, SHARED, STATUSES, VISIBILITIES
from frontend.inbox.state import Inbox
from frontend.session import Session

# Variables of a state are expressions here; their types are Reflex's own affair.
_inbox: Any = Inbox
_session: Any = Session


def filter_button() -> rx.Component:
    """In the search box: opens the form."""
    return icon_button(
        "sliders-horizontal",
        "Filter",
        icon_size=15,
        class_name="filter-button",
        on_click=_inbox.toggle_filtering,
        custom_attrs={"aria-expanded": rx.cond(_inbox.filtering, "true", "false")},
    )


def filter_bar() -> rx.Component:
    """The form while it is open, and what is filtered by."""
    return rx.fragment(
        rx.cond(_inbox.filtering, _form()),
        rx.cond(
            _inbox.filtered_by != "",
            rx.el.div(
                icon("sliders-horizontal", 14),
                rx.el.span(_inbox.filtered_by, class_name="el", title=_inbox.filtered_by),
                rx.el.span(class_name="grow"),
                save_as_view(),
                rx.cond(
                    (_inbox.own_view.id > 0) & _inbox.own_view.changeable & ~_inbox.own_view.changed,
                    sure(
                        "Delete the view",
                        "It is gone for everybody it is shared with. Its conversations stay where they are.",
                        "Delete it",
                        _inbox.delete_view(_inbox.own_view.id),
                        face=icon("trash-2", 14),
                    ),
                ),
                class_name="filtered-line",
            ),
        ),
    )


def save_as_view() -> rx.Component:
    """A small form: what is listed becomes a view, or changes the one that it began with."""
    own = _inbox.own_view
    mends = (own.id > 0) & own.changeable
    label = rx.cond(mends, rx.cond(own.changed, "Save changes", "Edit view"), "Save as view")
    return rx.el.details(
        rx.el.summary(label, class_name="btn"),
        rx.el.form(
            problem(_inbox.view_problem),
            rx.cond(own.about != "", rx.el.p(own.about, class_name="hint")),
            rx.el.input(
                name="name",
                default_value=rx.cond(mends, own.name, ""),
                placeholder="Name of the view",
                max_length=100,
                required=True,
                class_name="input",
                custom_attrs={"aria-label": "Name of the view"},
            ),
            _select(
                "Who can use it",
                "shared",
                [*(rx.el.option(text, value=key) for key, text in SHARED.items()),
                 rx.foreach(_inbox.sharing, lambda each: rx.el.option(each.text, value=each.value))],
                rx.cond(mends, own.shared, "nobody"),
            ),
            rx.el.button(rx.cond(mends, "Save", "Save as view"), type="submit", class_name="btn pri"),
            on_submit=_inbox.save_view,
            class_name="float sure-box view-box",
        ),
        # Another one, which is closed, once it is saved.
        key="save" + _inbox.kind + _inbox.query + own.id.to_string() + own.name + _inbox.filter_mark,
        class_name="sure",
    )  # fmt: skip


def _select(label: str, name: str, options: list[Any], value: Any) -> rx.Component:
    return rx.el.label(
        rx.el.span(label, class_name="label"),
        rx.el.select(*options, name=name, default_value=value, class_name="select"),
        class_name="field",
    )


def _text(label: str, name: str, value: Any, placeholder: str = "", **properties: Any) -> rx.Component:
    return rx.el.label(
        rx.el.span(label, class_name="label"),
        rx.el.input(name=name, default_value=value, placeholder=placeholder, auto_complete="off", class_name="input",
                    **properties),
        class_name="field",
    )  # fmt: skip


def _tick(label: Any, name: Any, checked: Any) -> rx.Component:
    return rx.el.label(
        rx.el.input(type="checkbox", name=name, default_checked=checked),
        rx.el.span(label),
        class_name="check",
        key=name,
    )


def _days(label: str, name: str, value: Any) -> rx.Component:
    return _text(label, name, value, type="number", min=1, max=3660)


def _form() -> rx.Component:
    form = _inbox.filter_form
    return rx.el.form(
        _text("Words", "words", form.words, "In a mail or a comment"),
        _text("From or to", "correspondent", form.correspondent, "Address or domain"),
        rx.el.div(
            _select(
                "Status",
                "status",
                [rx.el.option(text, value=key) for key, (text, _) in STATUSES.items()],
                form.status,
            ),
            _select(
                "Assigned to",
                "assigned",
                [rx.el.option(text, value=key) for key, text in ASSIGNED.items()],
                form.assigned,
            ),
            _select(
                "Visibility",
                "visibility",
                [rx.el.option(text, value=key) for key, (text, _) in VISIBILITIES.items()],
                form.visibility,
            ),
            _select("Fits", "match", [rx.el.option(text, value=key) for key, text in MATCHES.items()], form.match),
            _select("Order", "order", [rx.el.option(text, value=key) for key, text in ORDERS.items()], form.order),
            _days("Newer than days", "newer", form.newer),
            _days("Older than days", "older", form.older),
            class_name="two-fields",
        ),
        rx.el.fieldset(
            rx.el.legend("Or assigned to any of these", class_name="label"),
            rx.foreach(
                _inbox.assignable,
                lambda each: rx.cond(
                    each.team > 0,
                    _tick(each.name, "team-" + each.team.to_string(), form.team_ids.contains(each.team)),
                    _tick(each.name, "person-" + each.user.to_string(), form.person_ids.contains(each.user)),
                ),
            ),
            class_name="ticks people",
        ),
        rx.el.div(
            _tick("Unread", "unread", form.unread),
            _tick("Starred", "starred", form.starred),
            _tick("With my reminder", "reminded", form.reminded),
            _tick("Followed by me", "followed", form.followed),
            class_name="ticks",
        ),
        rx.cond(
            _inbox.tags.length() > 0,
            rx.el.fieldset(
                rx.el.legend("Tags", class_name="label"),
                rx.foreach(
                    _inbox.tags,
                    lambda tag: _tick(tag.name, "tag-" + tag.id.to_string(), form.tag_ids.contains(tag.id)),
                ),
                _tick("All of them, not just one", "every_tag", form.every_tag),
                class_name="ticks",
            ),
        ),
        rx.el.fieldset(
            rx.el.legend("Mailboxes", class_name="label"),
            rx.foreach(_session.personal, lambda each: _mailbox(each, form)),
            rx.foreach(_session.groups, lambda each: _mailbox(each, form)),
            class_name="ticks",
        ),
        rx.el.div(
            rx.el.button("Show", type="submit", class_name="btn pri"),
            rx.el.button("Cancel", type="button", class_name="btn q", on_click=_inbox.toggle_filtering),
            class_name="form-foot",
        ),
        on_submit=_inbox.show_filtered,
        key="filter" + _inbox.filter_mark,
        class_name="filter-form",
        custom_attrs={"aria-label": "Filter"},
    )


def _mailbox(mailbox: Any, form: Any) -> rx.Component:
    return _tick(mailbox.name, "mailbox-" + mailbox.id.to_string(), form.mailbox_ids.contains(mailbox.id))
