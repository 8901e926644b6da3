"""Fields and pages of forms: settings, contacts."""

from __future__ import annotations

from typing import Any

import reflex as rx

from frontend.components.frame import page
from frontend.components.parts import icon, link
from frontend.components.sections import SECTIONS
from frontend.components.widgets import bridge
from frontend.session import Session


def settings_bridge() -> rx.Component:
    """The person's theme, language and time zone, on pages without a list."""
    session: Any = Session
    return bridge(
        theme=session.me.theme, locale=session.me.locale, time_zone=session.me.time_zone, on_away=session.set_away
    )


def settings_page(
    title: str, *children: rx.Component, lead: str = "", aside: rx.Component | None = None
) -> rx.Component:
    """Rail, the settings' own column, and one page of them."""
    session: Any = Session
    return page(
        rx.el.div(
            rx.el.nav(
                rx.el.h1("Settings"),
                *(
                    rx.cond(session.me.admin, _section(name, entries, title))
                    if admins
                    else _section(name, entries, title)
                    for name, admins, entries in SECTIONS
                ),
                class_name="settings-nav",
                custom_attrs={"aria-label": "Settings"},
            ),
            rx.el.main(
                rx.el.header(
                    link(
                        icon("chevron-left", 20),
                        to="/",
                        class_name="btn q sq phone-only",
                        custom_attrs={"aria-label": "Back"},
                    ),
                    rx.el.h1(title, class_name="el"),
                    rx.el.span(class_name="grow"),
                    aside or rx.fragment(),
                    class_name="head",
                ),
                rx.el.div(
                    rx.el.p(lead, class_name="page-lead") if lead else rx.fragment(),
                    *children,
                    class_name="page-body",
                ),
                class_name="page-main",
            ),
            class_name="settings",
        ),
        settings_bridge(),
        name="settings-app",
    )


def _section(name: str, entries: tuple[tuple[str, str, str], ...], title: str) -> rx.Component:
    """The links of a section; the page named `title` is the one shown."""
    return rx.fragment(
        rx.el.h2(name),
        *(
            link(
                icon(icon_name),
                text,
                to=path,
                class_name="rail-link on" if text == title else "rail-link",
                custom_attrs={"aria-current": "page"} if text == title else {},
            )
            for icon_name, text, path in entries
        ),
    )


def card(title: Any, *children: rx.Component, aside: rx.Component | None = None, **properties: Any) -> rx.Component:
    """A boxed group with its title."""
    return rx.el.section(
        rx.el.div(rx.el.h2(title), rx.el.span(class_name="grow"), aside or rx.fragment(), class_name="card-head"),
        rx.el.div(*children, class_name="card-body"),
        class_name="card",
        **properties,
    )


def text_field(
    label: str,
    name: str,
    *,
    value: Any = "",
    kind: Any = "text",
    hint: Any = "",
    placeholder: str = "",
    required: bool = False,
    autocomplete: str = "off",
    area: bool = False,
) -> rx.Component:
    """A labelled field. What stands in it belongs to the browser: give the form a `key` to fill it anew."""
    given: dict[str, Any] = {
        "name": name,
        "default_value": value,
        "placeholder": placeholder,
        "required": required,
        "class_name": "input",
    }
    control = rx.el.textarea(rows="3", **given) if area else rx.el.input(type=kind, auto_complete=autocomplete, **given)
    return rx.el.label(
        rx.el.span(label, class_name="label"),
        control,
        rx.el.small(hint, class_name="hint") if not isinstance(hint, str) or hint else rx.fragment(),
        class_name="field",
    )


def choice_field(
    label: str, name: str, options: tuple[tuple[str, str], ...], *, value: Any, hint: str = ""
) -> rx.Component:
    return rx.el.label(
        rx.el.span(label, class_name="label"),
        rx.el.select(
            *(rx.el.option(text, value=key) for key, text in options),
            name=name,
            default_value=value,
            class_name="select",
        ),
        rx.el.small(hint, class_name="hint") if hint else rx.fragment(),
        class_name="field",
    )


def check_field(label: Any, name: Any, *, checked: Any = False, hint: str = "") -> rx.Component:
    """A box to tick. What is ticked stays with its name, also where a list of boxes grows in the middle."""
    return rx.el.label(
        rx.el.input(type="checkbox", name=name, default_checked=checked),
        rx.el.span(label, rx.el.small(hint) if hint else rx.fragment()),
        class_name="check",
        key=name,
    )


def problem(text: Any) -> rx.Component:
    """Why a form was not taken."""
    return rx.cond(text != "", rx.el.div(text, class_name="form-problem", role="alert"))


def submit(text: Any) -> rx.Component:
    return rx.el.div(rx.el.button(text, type="submit", class_name="btn pri"), class_name="form-foot")


def sure(label: Any, loss: str, yes: str, on_click: Any, *, face: Any = None) -> rx.Component:
    """A button for what cannot be undone: it unfolds into what would be lost, and the button that does it."""
    return rx.el.details(
        rx.el.summary(label if face is None else face, class_name="btn bad" if face is None else "btn q sq",
                      title=label, custom_attrs={"aria-label": label}),
        rx.el.div(
            rx.el.p(loss),
            rx.el.button(yes, type="button", class_name="btn danger", on_click=on_click),
            class_name="float sure-box",
        ),
        class_name="sure",
    )  # fmt: skip


def secret_line(value: Any) -> rx.Component:
    """Something that is shown once, with a button to copy it."""
    return rx.el.div(
        rx.el.code(value, class_name="el"),
        rx.el.button(
            icon("copy", 14),
            "Copy",
            type="button",
            class_name="btn",
            custom_attrs={"data-act": "copy", "data-copy": value},
        ),
        class_name="secret",
    )
