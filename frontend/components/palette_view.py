"""The command palette, what opens it, and the list of all keys."""

from __future__ import annotations

from typing import Any

import reflex as rx

from frontend.commands import COMMANDS, EVERYWHERE, GO, LIST, ONE
from frontend.components.parts import icon, icon_button, menu_item
from frontend.session import Session

# Variables of a state are expressions here; their types are Reflex's own affair.
_session: Any = Session
_passing: Any = rx.event.passthrough_event_spec

FUZZYSORT = "fuzzysort@4.0.2"
"""Finds things by some of their letters: docs/decisions/0042-one-list-of-commands.md."""


class Palette(rx.Component):
    """Everything by its name (assets/widgets/palette.jsx). `commands`: frontend/commands.py; the keyboard has them from
    here, too."""

    library = "$/public/widgets/palette.jsx"
    lib_dependencies: list[str] = [FUZZYSORT]
    tag = "Palette"

    me: rx.Var[int]
    admin: rx.Var[bool]
    commands: rx.Var[Any]
    keys: rx.Var[Any]
    news: rx.Var[Any]
    mailboxes: rx.Var[Any]
    views: rx.Var[Any]


@rx.memo
def palette() -> rx.Component:
    """On every page."""
    return Palette.create(
        me=_session.me.id,
        admin=_session.me.admin,
        commands=[
            {
                "name": each.name,
                "text": each.text,
                "group": each.group,
                "icon": each.icon,
                "key": each.key,
                "at": each.at,
                "to": each.to,
                "also": each.also,
                "admins": each.admins,
            }
            for each in COMMANDS
        ],
        keys=_session.keys,
        news=_session.palette_news,
        mailboxes=_session.personal + _session.groups,
        views=_session.views,
    )


def palette_link() -> rx.Component:
    """In the rail."""
    return rx.el.button(
        icon("search"),
        rx.el.span("Search or jump to", class_name="el"),
        rx.el.kbd("Ctrl K", custom_attrs={"aria-hidden": "true"}),
        type="button",
        class_name="rail-link palette-link",
        custom_attrs={"data-act": "palette", "aria-haspopup": "dialog"},
    )


def palette_item() -> rx.Component:
    """In the menu that a phone has in the place of the rail."""
    return menu_item(
        icon("search"), "Search or jump to", custom_attrs={"data-act": "palette", "aria-haspopup": "dialog"}
    )


def shortcuts() -> rx.Component:
    """All keys at a glance, as the person has them."""
    return rx.el.dialog(
        rx.el.div(
            rx.el.h2("Keyboard shortcuts"),
            icon_button("x", "Close", custom_attrs={"data-act": "close-dialog"}),
            class_name="dialog-head",
        ),
        rx.el.div(
            *(
                rx.el.section(
                    rx.el.h3(group),
                    rx.el.dl(
                        *(
                            rx.el.div(
                                rx.el.dt(rx.el.kbd(_session.keys[each.name].label)),
                                rx.el.dd(each.text),
                                custom_attrs={"data-command": each.name},
                            )
                            for each in COMMANDS
                            if each.group == group and each.key
                        )
                    ),
                )
                for group in (LIST, GO, EVERYWHERE, ONE)
            ),
            rx.el.p(
                "Other keys: ", rx.el.a("change the shortcuts", href="/settings/shortcuts/", class_name="link"), "."
            ),
            class_name="shortcut-grid",
        ),
        class_name="shortcuts dialog",
        custom_attrs={"aria-label": "Keyboard shortcuts"},
    )
