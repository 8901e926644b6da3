"""The search box with what it offers, what is told about what was found, and marked text."""

from __future__ import annotations

from typing import Any

import reflex as rx

from frontend.components.parts import icon, key_hint
from frontend.inbox.filter_view import filter_button, save_as_view
from frontend.inbox.state import Inbox

# Variables of a state are expressions here; their types are Reflex's own affair.
_inbox: Any = Inbox

OFFERS = "search-offers"


def search_box() -> rx.Component:
    """The script (assets/js/search.js) moves through the offers and puts the chosen one into the box."""
    return rx.el.form(
        icon("search", 15),
        rx.el.input(
            name="q",
            type="text",
            placeholder="Search",
            auto_complete="off",
            default_value=rx.cond(_inbox.kind == "search", _inbox.query, ""),
            key=_inbox.kind + _inbox.mailbox_id.to_string() + _inbox.query,
            on_change=_inbox.complete.debounce(60),
            on_focus=_inbox.complete,
            custom_attrs={
                "aria-label": "Search conversations",
                "data-key": "/",
                "data-searching": "yes",
                "enterkeyhint": "search",
                "spellcheck": "false",
                "role": "combobox",
                "aria-autocomplete": "list",
                "aria-controls": OFFERS,
                "aria-expanded": rx.cond(_inbox.offers.length() > 0, "true", "false"),
            },
        ),
        rx.cond(
            _inbox.kind == "search",
            rx.el.a(
                icon("x", 15),
                href=rx.cond(_inbox.mailbox_id > 0, f"/?mailbox={_inbox.mailbox_id}", "/?list=mine"),
                class_name="clear",
                title="End the search",
                custom_attrs={
                    "data-list": rx.cond(_inbox.mailbox_id > 0, "mailbox", "mine"),
                    "data-mailbox": _inbox.mailbox_id.to_string(),
                    "data-view": "open",
                    "aria-label": "End the search",
                },
            ),
            key_hint("/"),
        ),
        filter_button(),
        rx.el.ul(
            rx.foreach(_inbox.offers, _offer),
            id=OFFERS,
            class_name=rx.cond(_inbox.offers.length() > 0, "float offers", "float offers none"),
            role="listbox",
            custom_attrs={"aria-label": "Completions", "data-for": _inbox.offered_for},
        ),
        on_submit=_inbox.search,
        class_name="search",
        role="search",
    )


def _offer(offer: Any) -> rx.Component:
    return rx.el.li(
        rx.el.span(offer.shown, class_name="el"),
        rx.el.small(offer.hint, class_name="el"),
        id="offer-" + offer.key,
        key=offer.key,
        role="option",
        custom_attrs={"data-offer": offer.text, "aria-selected": "false"},
    )


def found_line() -> rx.Component:
    """Above what was found: what could not be read, what was probably meant, and the order."""
    return rx.cond(
        _inbox.kind == "search",
        rx.el.div(
            rx.foreach(_inbox.told, lambda each: rx.el.p(each, key=each)),
            rx.cond(
                _inbox.meant != "",
                rx.cond(
                    _inbox.instead,
                    rx.el.p("Nothing found. This is what “", rx.el.b(_inbox.meant), "” finds."),
                    rx.el.p(
                        "Did you mean ",
                        rx.el.button(_inbox.meant, type="button", class_name="link", on_click=_inbox.search_meant),
                        "?",
                    ),
                ),
            ),
            class_name="found-line",
            role="status",
        ),
    )


def order_chips() -> rx.Component:
    """In which order things found are shown."""
    return rx.el.div(
        _chip("Newest", "newest", ~_inbox.by_relevance),
        _chip("Most relevant", "relevance", _inbox.by_relevance),
        rx.el.span(class_name="grow"),
        save_as_view(),
        class_name="tabs found-order",
        role="group",
        custom_attrs={"aria-label": "Order"},
    )


def _chip(text: str, order: str, chosen: Any) -> rx.Component:
    return rx.el.button(
        text,
        type="button",
        class_name=rx.cond(chosen, "chip on", "chip"),
        on_click=_inbox.sort_found(order),
        custom_attrs={"aria-pressed": rx.cond(chosen, "true", "false")},
    )


def pieces(found: Any, otherwise: Any) -> rx.Component:
    """Text with what was searched for marked; `otherwise` where nothing is."""
    return rx.cond(
        found.length() > 0,
        rx.fragment(rx.foreach(found, lambda piece: rx.cond(piece.hit, rx.el.mark(piece.text), piece.text))),
        otherwise,
    )
