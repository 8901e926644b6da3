"""Contacts as they cross the wire."""

from datetime import datetime
from typing import Literal

from msgspec import UNSET, UnsetType

from backend.contracts import Contract


class Contact(Contract):
    """A person or company that writes. A stale `version` is refused when saving. `time_zone` is what a person set."""

    id: int
    name: str
    company: str
    phone: str
    notes: str
    addresses: list[str]
    version: int
    time_zone: str = ""


class SaveContact(Contract):
    version: int
    name: str
    company: str
    phone: str
    notes: str
    addresses: list[str]
    time_zone: str | UnsetType = UNSET
    """Empty: it is guessed. Left out: it stays."""


class CreateContact(Contract):
    name: str
    addresses: list[str]
    company: str = ""
    phone: str = ""
    notes: str = ""
    time_zone: str = ""


class MergeContacts(Contract):
    """`other_id` is merged into the contact in the path: addresses united, empty fields filled, notes joined."""

    other_id: int


class AddressSuggestion(Contract):
    """Completion of a recipient as one types."""

    name: str
    address: str
    contact_id: int | None


class RecipientClock(Contract):
    """What is known of somebody's clock. `time_zone` is an IANA name, empty where nothing is known; `source` says how
    it is known: a person set it at the contact; the Date of a `mail`, written at `seen_at` when their clock was
    `offset` minutes before UTC; or, weakly, the country of their `domain`.
    """

    name: str
    contact_id: int | None
    time_zone: str
    source: Literal["contact", "mail", "domain", ""]
    seen_at: datetime | None = None
    offset: int | None = None


class ContactPage(Contract):
    items: list[Contact]
    next_cursor: str | None


class ContactChanged(Contract, tag="contact_changed"):
    contact: Contact


class ContactGone(Contract, tag="contact_gone"):
    contact_id: int
    merged_into: int | None
