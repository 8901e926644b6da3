"""Tags on rows and conversations, and the menu that puts them there."""

from __future__ import annotations

from typing import Any

import reflex as rx

from frontend.components.parts import icon, icon_button, menu_item, panel
from frontend.inbox.state import Inbox

# Variables of a state are expressions here; their types are Reflex's own affair.
_inbox: Any = Inbox


def _dot(tag: Any) -> rx.Component:
    return rx.el.span(class_name="dot dot" + tag.colour.to_string())


def row_labels(row: Any) -> rx.Component:
    """On a row: the first tags."""
    return rx.fragment(
        rx.foreach(
            row.labels,
            lambda tag: rx.el.span(
                _dot(tag), rx.el.span(tag.name, class_name="el"), class_name="tag label", key=tag.id
            ),
        ),
        rx.cond(row.more_labels != "", rx.el.span(row.more_labels, class_name="tag")),
    )


def pane_labels(shown: Any) -> rx.Component:
    """Above a conversation's mails: its tags, each leading to what has it too."""
    return rx.cond(
        shown.labels.length() > 0,
        rx.el.div(
            rx.foreach(
                shown.labels,
                lambda tag: rx.el.a(
                    _dot(tag),
                    tag.name,
                    href="/?list=tag&q=" + tag.id.to_string(),
                    class_name="chip label",
                    title="Everything with this tag",
                    key=tag.id,
                    custom_attrs={"data-list": "tag", "data-view": tag.id.to_string()},
                ),
            ),
            class_name="labels",
        ),
    )


def tag_button() -> rx.Component:
    return icon_button(
        "tag",
        "Tags",
        class_name="btn q sq tag-button",
        custom_attrs={"data-menu": "tags", "data-key": "l", "aria-haspopup": "dialog", "aria-expanded": "false"},
    )


def tag_menu() -> rx.Component:
    """One menu for all conversations: the script ticks those of the selected one."""
    return panel(
        "tags",
        "Tags",
        rx.el.input(
            type="text",
            placeholder="Tag",
            auto_complete="off",
            max_length=40,
            class_name="filter",
            custom_attrs={"data-filter": "yes", "aria-label": "Find or make a tag"},
        ),
        rx.el.div(
            rx.foreach(_inbox.tags, _choice),
            menu_item(
                icon("plus", 16),
                rx.el.span("Create ", rx.el.b(custom_attrs={"data-typed": "yes"})),
                custom_attrs={"data-act": "tag-new"},
            ),
            class_name="panel-list",
            role="menu",
            custom_attrs={"aria-label": "Tags"},
        ),
        role="dialog",
    )


def _choice(tag: Any) -> rx.Component:
    return rx.el.button(
        _dot(tag),
        rx.el.span(tag.name, class_name="el"),
        rx.el.span(class_name="grow"),
        icon("check", 15),
        type="button",
        role="menuitemcheckbox",
        class_name="menu-item",
        key=tag.id,
        custom_attrs={
            "data-act": "tag",
            "data-tag": tag.id.to_string(),
            "data-words": tag.name,
            "aria-checked": "false",
        },
    )
