"""Outgoing mail in the settings: servers, identities, and as whom Tandem itself writes. For admins."""

from __future__ import annotations

from typing import Any, TypedDict

import reflex as rx
from reflex.event import EventSpec

from backend.mailboxes.contracts import MailboxSettings
from backend.outgoing_servers.contracts import SetSystemMail, SystemMail, SystemSender
from frontend.api import ApiError, SignedOut
from frontend.session import Session
from frontend.settings.identities import Identities
from frontend.settings.servers import NO_TEST, Servers


class SystemView(TypedDict):
    address: str
    users_name: str
    users_reply_to: str
    customers_name: str
    customers_reply_to: str


NO_SYSTEM = SystemView(address="", users_name="", users_reply_to="", customers_name="", customers_reply_to="")


class Outgoing(Servers, Identities, Session):
    """The page, as fetched when it was opened and after each change."""

    system: SystemView = NO_SYSTEM
    system_problem: str = ""

    async def page_loaded(self) -> None:
        """Nothing of an earlier visit is left."""
        self.fetched, self.editing, self.editing_identity, self.test, self.testing = False, -1, 0, NO_TEST, 0
        self.problem = self.identity_problem = self.system_problem = ""

    @rx.event
    async def arrive(self) -> EventSpec | None:
        """On the page's load."""
        if self._view is None or not self.me["admin"]:
            return None
        try:
            await self.fetch()
        except ApiError as refused:
            return self.fault(refused)
        return None

    async def fetch(self) -> None:
        """Read anew what the page shows."""
        mailboxes = [m for m in await self.api().get("/mailbox-settings", list[MailboxSettings]) if m.kind == "group"]
        names = {each.id: each.name for each in mailboxes}
        titles = await self.fetch_servers(names)
        await self.fetch_identities(names, titles)
        self.system = paint_system(await self.api().get("/system-mail", SystemMail))
        self.fetched = True

    @rx.event
    async def save_system(self, form: dict[str, Any]) -> EventSpec | None:
        """As whom Tandem writes."""

        def sender(whom: str) -> SystemSender:
            return SystemSender(
                name=str(form.get(f"{whom}_name") or ""), reply_to=str(form.get(f"{whom}_reply_to") or "")
            )

        return await self._set_system(SetSystemMail(users=sender("users"), customers=sender("customers")), "Saved")

    @rx.event
    async def reset_system(self) -> EventSpec | None:
        """Back to the default."""
        return await self._set_system(SetSystemMail(), "Reset to default")

    async def _set_system(self, wanted: SetSystemMail, said: str) -> EventSpec | None:
        try:
            await self.api().put("/system-mail", wanted)
            await self._changed(said)
        except ApiError as refused:
            self.system_problem = refused.sentence
            return self.fault(refused) if isinstance(refused, SignedOut) else None
        self.system_problem = ""
        return None


def paint_system(mail: SystemMail) -> SystemView:
    return SystemView(
        address=mail.address,
        users_name=mail.users.name,
        users_reply_to=mail.users.reply_to,
        customers_name=mail.customers.name,
        customers_reply_to=mail.customers.reply_to,
    )
