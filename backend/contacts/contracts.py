"""Contacts as they cross the wire."""

from backend.contracts import Contract


class Contact(Contract):
    """A person or company that writes. A stale `version` is refused when saving."""

    id: int
    name: str
    company: str
    phone: str
    notes: str
    addresses: list[str]
    version: int


class SaveContact(Contract):
    version: int
    name: str
    company: str
    phone: str
    notes: str
    addresses: list[str]


class CreateContact(Contract):
    name: str
    addresses: list[str]
    company: str = ""
    phone: str = ""
    notes: str = ""


class MergeContacts(Contract):
    """`other_id` is merged into the contact in the path: addresses united, empty fields filled, notes joined."""

    other_id: int


class AddressSuggestion(Contract):
    """Completion of a recipient as one types."""

    name: str
    address: str
    contact_id: int | None


class ContactPage(Contract):
    items: list[Contact]
    next_cursor: str | None


class ContactChanged(Contract, tag="contact_changed"):
    contact: Contact


class ContactGone(Contract, tag="contact_gone"):
    contact_id: int
    merged_into: int | None
