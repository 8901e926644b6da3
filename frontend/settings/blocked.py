"""Blocked senders: whose mail goes to spam, in each mailbox that the person reads. Blocking and taking it back."""

from __future__ import annotations

from typing import Any, TypedDict

import reflex as rx
from reflex.event import EventSpec

from backend.conversations.contracts import BlockedSender, BlockSender
from backend.mailboxes.contracts import Mailbox
from frontend.api import ApiError, SignedOut
from frontend.components.forms import card, problem, settings_page, submit, text_field
from frontend.components.parts import empty, icon
from frontend.components.widgets import ago
from frontend.session import Session


class SenderView(TypedDict):
    """A blocked address; `by` is who decided that."""

    mailbox_id: int
    address: str
    by: str
    at: str


class BoxView(TypedDict):
    """A mailbox, and who is blocked in it."""

    id: str
    name: str
    note: str
    senders: list[SenderView]


class BlockedSenders(Session):
    """The lists of all mailboxes that the person reads."""

    boxes: list[BoxView] = []
    any_blocked: bool = False
    fetched: bool = False
    problem: str = ""
    blocked: int = 0
    """So many were blocked here: each leaves an empty form, and a refusal leaves what was typed."""

    @rx.event
    async def arrive(self) -> EventSpec | None:
        """On the page's load."""
        return await self._fetch()

    @rx.event
    async def block(self, form: dict[str, Any]) -> EventSpec | None:
        """Send an address's mail to spam from now on."""
        address = str(form.get("address", "")).strip()
        try:
            path = f"/mailboxes/{int(form.get('mailbox') or 0)}/blocked-senders"
            made = await self.api().post(path, BlockSender(address=address), BlockedSender)
        except ApiError as refused:
            self.problem = refused.sentence
            return self.fault(refused) if isinstance(refused, SignedOut) else None
        self.problem = ""
        self.blocked += 1
        self.say(f"Blocked. New mail of {made.address} goes to spam")
        return await self._fetch()

    @rx.event
    async def unblock(self, mailbox_id: int, address: str) -> EventSpec | None:
        """Let an address's mail come in again."""
        try:
            await self.api().delete(f"/mailboxes/{mailbox_id}/blocked-senders", address=address)
        except ApiError as refused:
            return self.fault(refused)
        self.say(f"Unblocked. New mail of {address} comes in again")
        return await self._fetch()

    async def _fetch(self) -> EventSpec | None:
        view = self._view
        if view is None:
            return None
        boxes: list[BoxView] = []
        try:
            for mailbox in sorted(view.mailboxes.values(), key=_order):
                blocked = await self.api().get(f"/mailboxes/{mailbox.id}/blocked-senders", list[BlockedSender])
                names = {person.id: person.name for person in view.people.values()}
                boxes.append(paint_box(mailbox, blocked, names | {view.me.person.id: "You"}))
        except ApiError as refused:
            return self.fault(refused)
        self.boxes = boxes
        self.any_blocked = any(box["senders"] for box in boxes)
        self.fetched = True
        return None


def _order(mailbox: Mailbox) -> tuple[bool, str]:
    return mailbox.kind != "personal", mailbox.name.casefold()


def paint_box(mailbox: Mailbox, blocked: list[BlockedSender], names: dict[int, str]) -> BoxView:
    """A mailbox in words; `names` are people's, by id."""
    return BoxView(
        id=str(mailbox.id),
        name=mailbox.name,
        note="Only for you." if mailbox.kind == "personal" else "For everybody here.",
        senders=[
            SenderView(
                mailbox_id=mailbox.id,
                address=each.address,
                by=names.get(each.blocked_by, "Somebody who has left"),
                at=each.at.isoformat(),
            )
            for each in blocked
        ],
    )


_state: Any = BlockedSenders


def blocked_senders() -> rx.Component:
    """Block an address, and take it back."""
    return settings_page(
        "Blocked senders",
        rx.cond(_state.boxes.length() > 0, _block()),
        rx.foreach(_state.boxes, _box),
        rx.cond(
            _state.fetched & ~_state.any_blocked,
            empty("ban", "Nobody is blocked", "Block a sender here, or from the menu of a conversation."),
        ),
        lead="New mail of a blocked sender arrives as spam and tells nobody. What is here already stays where it is.",
    )


def _block() -> rx.Component:
    return card(
        "Block a sender",
        rx.el.form(
            problem(_state.problem),
            rx.el.div(
                text_field("Address", "address", kind="email", required=True, placeholder="noreply@shop.example"),
                rx.el.label(
                    rx.el.span("Mailbox", class_name="label"),
                    rx.el.select(
                        rx.foreach(_state.boxes, lambda box: rx.el.option(box.name, value=box.id, key=box.id)),
                        name="mailbox",
                        class_name="select",
                    ),
                    class_name="field",
                ),
                class_name="two-fields",
            ),
            submit("Block"),
            on_submit=_state.block,
            key=_state.blocked.to_string(),
            class_name="form",
        ),
    )


def _box(box: Any) -> rx.Component:
    return rx.cond(
        box.senders.length() > 0,
        card(
            box.name,
            rx.el.ul(rx.foreach(box.senders, _sender), class_name="lines"),
            aside=rx.el.small(box.note, class_name="third"),
            key=box.id,
        ),
    )


def _sender(sender: Any) -> rx.Component:
    return rx.el.li(
        rx.el.span(icon("ban", 16), class_name="notice-icon"),
        rx.el.div(
            rx.el.b(sender.address, class_name="el"),
            rx.el.small("Blocked by ", sender.by, " · ", ago(at=sender.at, long=True)),
            class_name="line-text",
        ),
        rx.el.button(
            "Unblock",
            type="button",
            class_name="btn",
            on_click=_state.unblock(sender.mailbox_id, sender.address),
            custom_attrs={"aria-label": "Unblock " + sender.address},
        ),
        key=sender.address,
    )
