"""Identities in the settings, and whose the addresses are that Tandem writes or answers with."""

from __future__ import annotations

from typing import Any, TypedDict

import reflex as rx
from reflex.event import EventSpec

from backend.addresses.contracts import AddressBook, UsedAddress
from backend.identities.contracts import Identity, SaveIdentity
from frontend.api import ApiError, SignedOut
from frontend.settings.outgoing_page import Choice, OutgoingPage

USES = {
    "group": "a mailbox",
    "intake": "the intake",
    "identity": "an identity",
    "reply_to": "Reply-to of an identity",
    "server": "a server’s user name",
    "account": "an account’s user name",
    "person": "a person’s own",
    "system": "Reply-to of Tandem’s own mail",
}


class IdentityView(TypedDict):
    """An identity. `mailbox` and `server` are what its form chooses, 0 the default."""

    id: int
    key: str
    name: str
    address: str
    mailbox: str
    server: str
    reply_to: str
    notes: str
    offered: bool
    verified: bool


class AddressView(TypedDict):
    id: int
    address: str
    uses: str
    verified: bool
    asked_at: str


class Identities(OutgoingPage, mixin=True):
    """As whom one sends, and which addresses are verified."""

    identities: list[IdentityView] = []
    mailbox_choices: list[Choice] = []
    addresses: list[AddressView] = []
    never_asked: int = 0
    can_ask: bool = False
    editing_identity: int = 0
    """The identity whose form stands open; 0: none, and the form is that of a new one."""
    identity_problem: str = ""

    async def fetch_identities(self, names: dict[int, str], titles: dict[int, str]) -> None:
        """Read them. `names` are those of the group mailboxes, `titles` those of the servers."""
        self.mailbox_choices = [Choice(value=str(key), label=name) for key, name in names.items()]
        identities = await self.api().get("/identities", list[Identity])
        self.identities = [paint_identity(each, names, titles, self.changed) for each in identities]
        book = await self.api().get("/used-addresses", AddressBook)
        self.addresses = [paint_address(each) for each in book.addresses]
        self.never_asked = sum(not each["verified"] and not each["asked_at"] for each in self.addresses)
        self.can_ask = book.can_ask

    @rx.event
    def edit_identity(self, identity_id: int) -> None:
        """Open the form of an identity, or close it (0)."""
        self.editing_identity, self.identity_problem = identity_id, ""

    @rx.event
    async def save_identity(self, form: dict[str, Any]) -> EventSpec | None:
        """A further From, or the one whose form stands open."""
        return await self._save_identity(
            SaveIdentity(
                name=str(form.get("name") or ""),
                address=str(form.get("address") or ""),
                mailbox_id=int(form.get("mailbox") or 0) or None,
                server_id=int(form.get("server") or 0) or None,
                reply_to=str(form.get("reply_to") or ""),
            )
        )

    @rx.event
    async def reset_identity(self, identity_id: int) -> EventSpec | None:
        """It leaves as its mailbox does, and answers go to its own address; name and address stay."""
        known = next((each for each in self.identities if each["id"] == identity_id), None)
        if known is None:
            return None
        self.editing_identity = identity_id
        mailbox_id = int(known["mailbox"]) or None
        return await self._save_identity(
            SaveIdentity(name=known["name"], address=known["address"], mailbox_id=mailbox_id), "Reset to default"
        )

    async def _save_identity(self, wanted: SaveIdentity, said: str = "") -> EventSpec | None:
        changes = self.editing_identity
        try:
            if changes:
                stored = await self.api().put(f"/identities/{changes}", wanted, Identity)
            else:
                stored = await self.api().post("/identities", wanted, Identity)
            done = said or ("Identity saved" if changes else "Identity added")
            await self._changed(done if stored.offered else "Saved. It can be used once its address is verified")
        except ApiError as refused:
            self.identity_problem = refused.sentence
            return self.fault(refused) if isinstance(refused, SignedOut) else None
        self.editing_identity, self.identity_problem = 0, ""
        return None

    @rx.event
    async def remove_identity(self, identity_id: int) -> EventSpec | None:
        """Nobody sends as it any more."""
        return await self._do("DELETE", f"/identities/{identity_id}", None, "Identity removed")

    @rx.event
    async def ask(self, address_id: int) -> EventSpec | None:
        """Send the link again."""
        return await self._do("POST", f"/used-addresses/{address_id}/ask", None, "The link is on its way")

    @rx.event
    async def ask_all(self) -> EventSpec | None:
        """Send the link to all that were never asked."""
        return await self._do("POST", "/used-addresses/ask", None, "The links are on their way")


def paint_identity(identity: Identity, names: dict[int, str], titles: dict[int, str], changed: int) -> IdentityView:
    notes = [names.get(identity.mailbox_id, "A mailbox") if identity.mailbox_id else "All group mailboxes"]
    if identity.server_id:
        notes.append(f"through {titles.get(identity.server_id, 'a server')}")
    if identity.reply_to:
        notes.append(f"answers to {identity.reply_to}")
    if identity.forced_from:
        notes.append(f"leaves as {identity.forced_from}")
    if not identity.offered:
        notes.append("not offered before its address is verified")
    return IdentityView(
        id=identity.id,
        key=f"{identity.id}.{changed}",
        name=identity.name,
        address=identity.address,
        mailbox=str(identity.mailbox_id or 0),
        server=str(identity.server_id or 0),
        reply_to=identity.reply_to,
        notes=" · ".join(notes),
        offered=identity.offered,
        verified=identity.verified,
    )


def paint_address(address: UsedAddress) -> AddressView:
    uses = list(dict.fromkeys(USES.get(each.use, each.use) for each in address.uses))
    return AddressView(
        id=address.id,
        address=address.address,
        uses=", ".join(uses).capitalize(),
        verified=address.verified_at is not None,
        asked_at=address.asked_at.isoformat() if address.asked_at else "",
    )
