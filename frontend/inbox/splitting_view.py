"""Splitting a mail off into a conversation of its own: the button on the mail, and what is asked."""

from __future__ import annotations

from typing import Any

import reflex as rx

from frontend.components.parts import icon, panel


def split_button(piece: Any) -> rx.Component:
    """In the head of a mail that is not alone."""
    return rx.cond(
        piece.choices.contains("split"),
        rx.el.button(
            icon("split", 14),
            type="button",
            class_name="source",
            title="Split off into a conversation of its own",
            custom_attrs={
                "data-menu": "split",
                "data-split": piece.id.to_string(),
                "data-subject": piece.subject,
                "data-last": rx.cond(piece.choices.contains("last"), "yes", ""),
                "data-first": rx.cond(piece.choices.contains("first"), "yes", ""),
                "aria-haspopup": "dialog",
                "aria-expanded": "false",
                "aria-label": "Split this mail off",
            },
        ),
    )


def split_menu() -> rx.Component:
    """One for all mails: which it is, and what was chosen, is the browser's affair (assets/js/splitting.js)."""
    return panel(
        "split",
        "Split off",
        rx.el.div("Split off into a conversation of its own", class_name="panel-title"),
        rx.el.div(
            _which("one", "This mail only"),
            _which("after", "This mail and all after it"),
            role="radiogroup",
            class_name="split-which",
            custom_attrs={"aria-label": "What to split off"},
        ),
        rx.el.label(
            rx.el.input(type="checkbox", custom_attrs={"data-split-comments": "yes"}),
            "Take the comments since then along",
            class_name="check-line",
            custom_attrs={"data-split-comments-line": "yes"},
        ),
        rx.el.div(
            rx.el.input(
                type="text",
                class_name="input",
                max_length=500,
                auto_complete="off",
                custom_attrs={"data-split-subject": "yes", "aria-label": "Subject of the new conversation"},
            ),
            rx.el.button("Split", type="button", class_name="btn", custom_attrs={"data-split-now": "yes"}),
            class_name="pick-line",
        ),
        rx.el.p("Answers to it come there from now on. Merging the two takes it back.", class_name="panel-note"),
        role="dialog",
        class_name="split-panel",
    )


def _which(value: str, text: str) -> rx.Component:
    return rx.el.label(
        rx.el.input(type="radio", name="split-which", value=value, custom_attrs={"data-split-which": value}),
        text,
        class_name="check-line",
    )
