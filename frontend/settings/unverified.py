"""Addresses that nobody has said are theirs: the mark beside them in the settings, and the admin's click that asks
again.
"""

from __future__ import annotations

from typing import Any

import reflex as rx
from reflex.event import EventSpec

from backend.addresses.contracts import AddressBook
from frontend.api import ApiError
from frontend.components.parts import icon, icon_button
from frontend.session import Session


class Unverified(Session):
    """What the lists of people and mailboxes mark, as fetched when they were opened and after each question."""

    ids: dict[str, int] = {}
    """By address, the id to ask about. None where Tandem cannot send mail of its own: there nobody could answer."""

    @rx.event
    async def arrive(self) -> EventSpec | None:
        """On the page's load. Only admins may know."""
        if self._view is None or not self.me["admin"]:
            self.ids = {}
            return None
        try:
            book = await self.api().get("/used-addresses", AddressBook)
        except ApiError as refused:
            return self.fault(refused)
        self.ids = {each.address: each.id for each in book.addresses if book.can_ask and each.verified_at is None}
        return None

    @rx.event
    async def ask(self, address_id: int) -> EventSpec | None:
        """Send the link again."""
        try:
            await self.api().post(f"/used-addresses/{address_id}/ask", None)
        except ApiError as refused:
            await self.arrive()  # pyright: ignore[reportCallIssue] # it may have been verified meanwhile
            return self.fault(refused)
        address = next((each for each, id_ in self.ids.items() if id_ == address_id), "the address")
        self.say(f"The link is on its way to {address}")
        return None


_state: Any = Unverified


def unverified_mark(address: Any) -> rx.Component:
    """In a list: an icon where the address is not verified."""
    return rx.cond(
        _state.ids.contains(address),
        rx.el.span(
            icon("triangle-alert", 15),
            class_name="t-amber-ink unverified-mark",
            title="Nobody has said yet that this address is theirs.",
            role="img",
            custom_attrs={"aria-label": "Address not verified"},
        ),
    )


def unverified_button(address: Any) -> rx.Component:
    """In a list: the icon as a button that sends the link again."""
    return rx.cond(
        _state.ids.contains(address),
        icon_button(
            "triangle-alert",
            "Not verified: send the link again to " + address,
            class_name="btn q sq t-amber-ink",
            on_click=_state.ask(_state.ids[address]),
        ),
    )


def unverified_notice(address: Any) -> rx.Component:
    """On a page about one address: the same in words."""
    return rx.cond(
        _state.ids.contains(address),
        rx.el.div(
            icon("triangle-alert", 16),
            rx.el.span("Nobody has said yet that ", rx.el.b(address), " is theirs.", class_name="grow"),
            rx.el.button(
                "Send the link again", type="button", class_name="btn", on_click=_state.ask(_state.ids[address])
            ),
            class_name="notice-line t-amber-ink",
        ),
    )
