"""Contacts: finding, editing, merging."""

from __future__ import annotations

from typing import Any, TypedDict

import reflex as rx
from msgspec.structs import replace
from reflex.event import EventSpec

from backend.contacts.contracts import Contact, ContactPage, CreateContact, MergeContacts, SaveContact
from backend.conversations.contracts import EarlierConversation
from backend.mail.contracts import MailAddress
from frontend.api import ApiError, SignedOut
from frontend.faces import NOBODY, Face, address_face
from frontend.inbox.panes import EarlierView
from frontend.session import Session

KEPT = 300


class ContactLine(TypedDict):
    id: int
    name: str
    detail: str
    face: Face


class ContactForm(TypedDict):
    """The open contact; `id` 0: none, -1: a new one. A changed `key` fills the form anew."""

    id: int
    key: str
    name: str
    company: str
    phone: str
    notes: str
    time_zone: str
    addresses: str
    face: Face


CLOSED = ContactForm(id=0, key="", name="", company="", phone="", notes="", time_zone="", addresses="", face=NOBODY)


class Contacts(Session):
    """The page of contacts."""

    lines: list[ContactLine] = []
    more: bool = False
    fetched: bool = False
    words: str = ""
    form: ContactForm = CLOSED
    earlier: list[EarlierView] = []
    problem: str = ""
    merging: bool = False
    candidates: list[ContactLine] = []

    _contacts: list[Contact] = []
    _cursor: str | None = None
    _open: Contact | None = None

    @rx.event
    async def arrive(self) -> EventSpec | None:
        """On the page's load: the list, and the contact that the address names."""
        if self._view is None:
            return None
        try:
            await self._find(self.words)
            asked = self.router.url.query_parameters.get("contact") or ""
            if asked.isdigit():
                await self._show(await self.api().get(f"/contacts/{asked}", Contact))
        except ApiError as refused:
            return self.fault(refused)
        return None

    @rx.event
    async def find(self, words: str) -> EventSpec | None:
        """Search as one types."""
        self.words = words
        try:
            await self._find(words)
        except ApiError as refused:
            return self.fault(refused)
        return None

    @rx.event
    async def show_more(self) -> EventSpec | None:
        """The next page."""
        try:
            page = await self.api().get("/contacts", ContactPage, q=self.words, cursor=self._cursor)
        except ApiError as refused:
            return self.fault(refused)
        self._take([*self._contacts, *page.items][:KEPT], page.next_cursor)
        return None

    async def _find(self, words: str) -> None:
        page = await self.api().get("/contacts", ContactPage, q=words.strip())
        self._take(page.items, page.next_cursor)

    def _take(self, contacts: list[Contact], cursor: str | None) -> None:
        self._contacts, self._cursor = contacts, cursor
        self.lines = [_line(each) for each in contacts]
        self.more = cursor is not None and len(contacts) < KEPT
        self.fetched = True

    @rx.event
    async def show(self, contact_id: int) -> EventSpec | None:
        """Open a contact."""
        try:
            await self._show(await self.api().get(f"/contacts/{contact_id}", Contact))
        except ApiError as refused:
            return self.fault(refused)
        return None

    async def _show(self, contact: Contact) -> None:
        view = self.seen()
        self._open, self.problem, self.merging, self.candidates = contact, "", False, []
        self.form = _form(contact)
        earlier = await self.api().get(f"/contacts/{contact.id}/conversations", list[EarlierConversation])
        self.earlier = [
            EarlierView(
                id=each.id,
                subject=each.subject or "(no subject)",
                status=each.status.capitalize(),
                at=each.last_at.isoformat(),
                mailbox_id=each.mailbox_id,
                mailbox=view.mailboxes[each.mailbox_id].name if each.mailbox_id in view.mailboxes else "",
            )
            for each in earlier
        ]

    @rx.event
    def begin(self) -> None:
        """The form of a new contact."""
        self._open, self.problem, self.merging, self.earlier = None, "", False, []
        self.form = ContactForm(**{**CLOSED, "id": -1, "key": "new"})

    @rx.event
    def close(self) -> None:
        """Back to the list."""
        self._open, self.form, self.merging = None, CLOSED, False

    @rx.event
    async def save(self, given: dict[str, Any]) -> EventSpec | None:
        """Store the form; a stale one says so and keeps what was typed."""
        addresses = [part for part in str(given.get("addresses", "")).replace(",", " ").split() if part]
        fields = {name: str(given.get(name, "")).strip() for name in ("name", "company", "phone", "notes", "time_zone")}
        try:
            if self._open is None:
                stored = await self.api().post("/contacts", CreateContact(addresses=addresses, **fields), Contact)
            else:
                wanted = SaveContact(version=self._open.version, addresses=addresses, **fields)
                stored = await self.api().put(f"/contacts/{self._open.id}", wanted, Contact)
        except ApiError as refused:
            return await self._refused(refused)
        await self._show(stored)
        await self._find(self.words)
        self.say("Contact saved")
        return None

    async def _refused(self, refused: ApiError) -> EventSpec | None:
        self.problem = refused.sentence
        if refused.status == 409 and self._open is not None:
            # The next save is on top of what stands there now; what was typed stays in the form.
            stored = await self.api().get(f"/contacts/{self._open.id}", Contact)
            self._open = replace(self._open, version=stored.version)
        return self.fault(refused) if isinstance(refused, SignedOut) else None

    @rx.event
    def begin_merge(self) -> None:
        """Choose the other contact."""
        self.merging, self.candidates = not self.merging, []

    @rx.event
    async def find_other(self, words: str) -> EventSpec | None:
        """Contacts that could be the same person."""
        try:
            page = await self.api().get("/contacts", ContactPage, q=words.strip())
        except ApiError as refused:
            return self.fault(refused)
        mine = self.form["id"]
        self.candidates = [_line(each) for each in page.items if each.id != mine][:6]
        return None

    @rx.event
    async def merge(self, other_id: int) -> EventSpec | None:
        """The other contact becomes part of this one."""
        try:
            merged = await self.api().post(
                f"/contacts/{self.form['id']}/merge", MergeContacts(other_id=other_id), Contact
            )
            await self._show(merged)
            await self._find(self.words)
        except ApiError as refused:
            return self.fault(refused)
        self.say("The two contacts are one now")
        return None


def _line(contact: Contact) -> ContactLine:
    address = contact.addresses[0] if contact.addresses else ""
    return ContactLine(
        id=contact.id,
        name=contact.name or address or "(no name)",
        detail=" · ".join(part for part in (contact.company, address if contact.name else "") if part),
        face=address_face(MailAddress(name=contact.name, address=address)),
    )


def _form(contact: Contact) -> ContactForm:
    return ContactForm(
        id=contact.id,
        key=f"{contact.id}.{contact.version}",
        name=contact.name,
        company=contact.company,
        phone=contact.phone,
        notes=contact.notes,
        time_zone=contact.time_zone,
        addresses="\n".join(contact.addresses),
        face=address_face(MailAddress(name=contact.name, address=contact.addresses[0] if contact.addresses else "")),
    )
