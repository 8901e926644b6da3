"""The organisation's intake account: making it, and the mail in it that fits nowhere. For admins."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any, TypedDict

import reflex as rx
from reflex.event import EventSpec

from backend.mailboxes.contracts import (
    CreateMailbox,
    Intake,
    MailboxSettings,
    Sorted,
    SortTarget,
    SortUnsorted,
    Unsorted,
)
from frontend.api import ApiError, SignedOut
from frontend.session import Session
from frontend.settings.accounts import Accounts
from frontend.settings.mailboxes import Mailboxes
from frontend.sizes import size_words

LOOK_SECONDS = 4.0
"""Between two looks at the intake account while its page is open: nobody can open it, so no event tells of it."""


class WaitingView(TypedDict):
    """Mail that fits nowhere: who, to whom, when, how much."""

    id: int
    sender: str
    recipients: list[str]
    shown: str
    """The recipients in one line."""
    at: str
    size: str


class TargetView(TypedDict):
    id: str
    name: str


class IntakeDesk(Session):
    """What an admin sees of the intake account."""

    fetched: bool = False
    made: bool = False
    waiting: list[WaitingView] = []
    targets: list[TargetView] = []
    problem: str = ""

    @rx.event
    async def arrive(self) -> list[Any] | EventSpec | None:
        """On the page's load: the intake, its account, and what waits."""
        if self._anew:
            self.fetched, self.problem = False, ""
        if self._view is None or not self.me["admin"]:
            return None
        try:
            intake = await self._fetch()
        except ApiError as refused:
            return self.fault(refused)
        steps: list[Any] = [IntakeDesk.watch]
        return [Accounts.open(intake.mailbox.id), *steps] if intake.mailbox and self._anew else steps

    async def _fetch(self) -> Intake:
        intake = await self.api().get("/intake", Intake)
        unsorted = await self.api().get("/intake/unsorted", list[Unsorted]) if intake.mailbox else []
        self.waiting = [paint_waiting(each) for each in unsorted]
        self.targets = [paint_target(each) for each in intake.targets]
        self.made, self.fetched = intake.mailbox is not None, True
        if intake.mailbox is not None:
            (await self.get_state(Mailboxes)).know(intake.mailbox)
        return intake

    @rx.event(background=True)
    async def watch(self) -> AsyncIterator[None]:
        """Look again every few seconds, for as long as the page is open."""
        while True:
            await asyncio.sleep(LOOK_SECONDS)
            async with self:
                if self.router.url.path.rstrip("/") != "/settings/intake":
                    return
                try:
                    await self._fetch()
                except SignedOut:
                    return
                except ApiError as refused:
                    self.problem = refused.sentence
            yield

    @rx.event
    async def make(self, form: dict[str, Any]) -> Any:
        """Make the intake mailbox; next comes its account."""
        address = str(form.get("address", "")).strip()
        try:
            made = await self.api().post(
                "/mailboxes", CreateMailbox(kind="intake", name="Intake", address=address), MailboxSettings
            )
            await self._fetch()
        except ApiError as refused:
            return self._refused(refused)
        self.problem = ""
        return Accounts.open(made.id)

    @rx.event
    async def sort(self, form: dict[str, Any]) -> EventSpec | None:
        """Move waiting mail into the mailbox that was chosen."""
        wanted = SortUnsorted(mailbox_id=int(form.get("mailbox") or 0), remember=str(form.get("remember", "")))
        try:
            moved = await self.api().post(f"/intake/unsorted/{int(form['id'])}/sort", wanted, Sorted)
            await self._fetch()
        except ApiError as refused:
            return self._refused(refused)
        self.problem = ""
        self.say("Sorted" if moved.moved == 1 else f"{moved.moved} conversations sorted")
        return None

    def _refused(self, refused: ApiError) -> EventSpec | None:
        self.problem = refused.sentence
        return self.fault(refused) if isinstance(refused, SignedOut) else None


def paint_waiting(mail: Unsorted) -> WaitingView:
    """Waiting mail in words."""
    shown = ", ".join(mail.recipients[:3]) or "no address that Tandem knows"
    if len(mail.recipients) > 3:
        shown += f" and {len(mail.recipients) - 3} more"
    count = ("Spam, " if mail.spam else "") + ("" if mail.messages == 1 else f"{mail.messages} messages, ")
    return WaitingView(
        id=mail.id,
        sender=mail.sender or "Unknown sender",
        recipients=mail.recipients[:10],
        shown=shown,
        at=mail.date.isoformat(),
        size=count + size_words(mail.size),
    )


def paint_target(target: SortTarget) -> TargetView:
    name = f"{target.name} (personal)" if target.kind == "personal" else target.name
    return TargetView(id=str(target.mailbox_id), name=name)
