"""The star: on rows, in a conversation's head. Whether it is set the page shows at once (assets/js/desk.js)."""

from __future__ import annotations

from typing import Any

import reflex as rx

from frontend.components.parts import icon


def star_button(starred: Any, label: Any, *, key: str = "") -> rx.Component:
    """Sets the star and takes it away."""
    return rx.el.button(
        icon("star", 15),
        type="button",
        title="Star",
        class_name="btn q sq star",
        custom_attrs={"data-act": "star", "aria-label": label, "aria-pressed": rx.cond(starred, "true", "false")}
        | ({"data-key": key} if key else {}),
    )


def star_mark() -> rx.Component:
    """On a row that has one."""
    return rx.el.span(icon("star", 13), class_name="starred", title="Starred", role="img", aria_label="Starred")
