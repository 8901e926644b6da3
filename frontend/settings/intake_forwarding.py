"""A mailbox without a password: where to forward its mail, whether it comes through, its further addresses."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import reflex as rx
from reflex.event import EventSpec

from backend.mailboxes.contracts import Forwarding, SetAddresses
from frontend.api import ApiError, SignedOut
from frontend.components.forms import card, problem, secret_line, text_field
from frontend.components.parts import icon, link
from frontend.components.widgets import ago
from frontend.session import Session

CHECK_SECONDS = 2.0
CHECK_TIMES = 60
"""How often it is looked whether the test mail has come, before the page is left as it is."""


class ForwardingDesk(Session):
    """Of the mailbox whose settings stand open."""

    mailbox_id: int = 0
    forward_to: str = ""
    copy_to: str = ""
    """Where one's own outgoing mail is copied to: the intake's address."""
    addresses: str = ""
    """One a line."""
    filled: int = 0
    """How often the form of the addresses was filled: when a mailbox is opened, and with what was saved."""
    received_at: str = ""
    checking: str = ""
    """The test mail: "" (none), "asked", "sent", "came" or "failed"."""
    checked_at: str = ""
    problem: str = ""

    @rx.event
    async def look(self, mailbox_id: int) -> EventSpec | None:
        """Fetch what is known of the mailbox."""
        if mailbox_id != self.mailbox_id:
            self.forward_to, self.addresses, self.checking, self.problem, self.received_at = "", "", "", "", ""
            self.filled += 1
        self.mailbox_id = mailbox_id
        try:
            self._paint(await self.api().get(f"/mailboxes/{mailbox_id}/forwarding", Forwarding))
        except ApiError as refused:
            return self._refused(refused)
        return None

    def _paint(self, forwarding: Forwarding) -> None:
        self.forward_to = forwarding.forward_to
        local, _, domain = forwarding.forward_to.rpartition("@")
        self.copy_to = f"{local.rpartition('+')[0]}@{domain}" if domain else ""
        self.addresses = "\n".join(forwarding.addresses)
        self.received_at = forwarding.last_received_at.isoformat() if forwarding.last_received_at else ""
        check = forwarding.check
        if check is None:
            self.checking, self.checked_at = "", ""
            return
        self.checking = "failed" if check.problem else "came" if check.came_at else "sent" if check.sent_at else "asked"
        self.checked_at = (check.came_at or check.sent_at or check.asked_at).isoformat()
        self.problem = check.problem

    @rx.event
    async def check(self) -> Any:
        """Send a test mail to the mailbox's address, and look for it."""
        try:
            self._paint(await self.api().post(f"/mailboxes/{self.mailbox_id}/forwarding/check", None, Forwarding))
        except ApiError as refused:
            return self._refused(refused)
        return ForwardingDesk.wait_for_it

    @rx.event(background=True)
    async def wait_for_it(self) -> AsyncIterator[None]:
        """Look every two seconds, for two minutes."""
        async with self:
            mailbox_id = self.mailbox_id
        for _ in range(CHECK_TIMES):
            await asyncio.sleep(CHECK_SECONDS)
            async with self:
                if self.mailbox_id != mailbox_id or self.checking not in ("asked", "sent"):
                    return
                try:
                    self._paint(await self.api().get(f"/mailboxes/{mailbox_id}/forwarding", Forwarding))
                except ApiError as refused:
                    self.problem = refused.sentence
                    return
            yield

    @rx.event
    async def save_addresses(self, form: dict[str, Any]) -> EventSpec | None:
        """The further addresses, one a line."""
        wanted = SetAddresses(addresses=str(form.get("addresses", "")).replace(",", "\n").split())
        try:
            self._paint(await self.api().put(f"/mailboxes/{self.mailbox_id}/addresses", wanted, Forwarding))
        except ApiError as refused:
            return self._refused(refused)
        self.filled += 1
        self.say("Saved")
        return None

    def _refused(self, refused: ApiError) -> EventSpec | None:
        self.problem = refused.sentence
        return self.fault(refused) if isinstance(refused, SignedOut) else None


_state: Any = ForwardingDesk


def forwarding(chosen: Any) -> rx.Component:
    """The card of a mailbox that is not connected to an account."""
    return rx.el.div(
        card(
            "Or without a password: by forwarding",
            rx.cond(_state.forward_to != "", _how(chosen), _no_intake()),
        ),
        on_mount=_state.look(chosen.id),
        key="forwarding-" + chosen.id.to_string(),
    )


def _no_intake() -> rx.Component:
    session: Any = Session
    return rx.el.p(
        "Its mail server can forward the mail to your organisation’s intake account, which sorts it in here. ",
        rx.cond(
            session.me.admin,
            link("Connect the intake account", to="/settings/intake/"),
            "An admin connects that account first.",
        ),
        class_name="second",
    )


def _how(chosen: Any) -> rx.Component:
    return rx.el.div(
        problem(_state.problem),
        rx.el.p("Let the mail server of ", rx.el.b(chosen.address), " forward its mail to:"),
        secret_line(_state.forward_to),
        rx.cond(
            chosen.kind == "personal",
            rx.el.p(
                "Mail that you send from another program appears here too, if you put ",
                rx.el.b(_state.copy_to),
                " in Bcc.",
                class_name="second",
            ),
        ),
        rx.el.p(
            "What you write here leaves through the intake account, from this mailbox’s address.", class_name="second"
        ),
        rx.el.div(_check_words(), role="status"),
        rx.cond(
            _state.received_at != "",
            rx.el.p("Last mail received ", ago(at=_state.received_at, long=True), ".", class_name="third"),
        ),
        rx.el.div(
            rx.el.button(
                "Send a test mail",
                type="button",
                class_name="btn",
                disabled=_state.checking == "asked",
                on_click=_state.check,
            ),
            class_name="form-foot",
        ),
        rx.cond(chosen.kind == "group", _addresses()),
        class_name="form",
    )


def _check_words() -> Any:
    return rx.match(
        _state.checking,
        ("asked", rx.el.p("The test mail is being sent.", class_name="third")),
        (
            "sent",
            rx.el.p(
                "The test mail was sent ", ago(at=_state.checked_at, long=True), ", and has not come through yet.",
                class_name="third",
            ),
        ),
        (
            "came",
            rx.el.p(
                rx.el.span(icon("circle-check", 16), class_name="good"),
                " Forwarding works: the test mail came through ", ago(at=_state.checked_at, long=True), ".",
            ),
        ),
        rx.fragment(),
    )  # fmt: skip


def _addresses() -> rx.Component:
    return rx.el.form(
        text_field(
            "Further addresses",
            "addresses",
            value=_state.addresses,
            area=True,
            hint="One a line. Mail to them that reaches the intake account is sorted in here too.",
        ),
        rx.el.div(rx.el.button("Save addresses", type="submit", class_name="btn"), class_name="form-foot"),
        on_submit=_state.save_addresses,
        key="addresses-" + _state.filled.to_string(),
        class_name="form",
    )
