"""What is told of the open mailbox: its address, who opens it, and what was changed of that lately."""

from __future__ import annotations

from typing import Any

import reflex as rx

from frontend.components.parts import avatar, panel
from frontend.components.widgets import ago
from frontend.inbox.state import Inbox

# Variables of a state are expressions here; their types are Reflex's own affair.
_inbox: Any = Inbox


def about_panel() -> rx.Component:
    """Opened by the name of the mailbox over its list."""
    about = _inbox.about
    return panel(
        "about",
        "About this mailbox",
        rx.el.div(rx.el.h2(about.name), rx.el.small(about.address), class_name="panel-head"),
        rx.cond(
            about.copy_to != "",
            rx.el.p("Replies are copied to ", rx.el.b(about.copy_to), ".", class_name="about-line"),
        ),
        rx.el.h3("Who has access"),
        rx.el.div(
            rx.foreach(
                about.readers,
                lambda each: rx.el.span(avatar(each, small=True), each.name, class_name="chip reader-chip"),
            ),
            class_name="about-people",
        ),
        rx.el.h3("Lately"),
        rx.cond(
            about.deeds.length() > 0,
            rx.el.ul(rx.foreach(about.deeds, _deed), class_name="about-deeds"),
            rx.el.p("Nothing was changed.", class_name="about-line"),
        ),
        role="dialog",
        align="start",
        class_name="wide-panel about-panel",
    )


def _deed(deed: Any) -> rx.Component:
    return rx.el.li(avatar(deed.face, small=True), rx.el.span(deed.text), ago(at=deed.at, long=True), key=deed.id)
