"""Contacts over HTTP."""

from litestar import Router, get, post, put

from backend.access.asker import Asker
from backend.access.classes import access
from backend.contacts import actions, clocks, queries
from backend.contacts.contracts import (
    AddressSuggestion,
    Contact,
    ContactPage,
    CreateContact,
    MergeContacts,
    RecipientClock,
    SaveContact,
)
from backend.conversations.contracts import EarlierConversation


@get("/contacts", **access("signed_in"))
async def list_contacts(asker: Asker, q: str = "", cursor: str | None = None) -> ContactPage:
    """The contacts that the person may know of, by name; with `q`, those whose name, company or address fits."""
    return await queries.list_contacts(asker, q=q, cursor=cursor)


@post("/contacts", **access("signed_in"))
async def create_contact(asker: Asker, data: CreateContact) -> Contact:
    """Enter a contact by hand: everybody in the organisation will know it."""
    return await actions.create_contact(asker, data)


@get("/contacts/{contact_id:int}", **access("conversation"))
async def read_contact(asker: Asker, contact_id: int) -> Contact:
    """One contact."""
    return await queries.read_contact(asker, contact_id)


@put("/contacts/{contact_id:int}", **access("conversation"))
async def save_contact(asker: Asker, contact_id: int, data: SaveContact) -> Contact:
    """Change a contact. A stale `version` answers 409 with the contact as it stands in `details.current`."""
    return await actions.save_contact(asker, contact_id, data)


@post("/contacts/{contact_id:int}/merge", status_code=200, **access("conversation"))
async def merge_contacts(asker: Asker, contact_id: int, data: MergeContacts) -> Contact:
    """Merge another contact into this one."""
    return await actions.merge_contacts(asker, contact_id, data.other_id)


@get("/contacts/{contact_id:int}/conversations", **access("conversation"))
async def list_conversations(asker: Asker, contact_id: int) -> list[EarlierConversation]:
    """The newest conversations with the contact that the person sees."""
    return await queries.earlier_conversations(asker, contact_id)


@get("/addresses", **access("signed_in"))
async def suggest_addresses(asker: Asker, q: str = "") -> list[AddressSuggestion]:
    """Completions of a recipient as one types."""
    return await queries.suggest_addresses(asker, q)


@get("/addresses/clock", **access("signed_in"))
async def read_clock(asker: Asker, address: str) -> RecipientClock:
    """What is known of the clock of whoever has the address."""
    return await clocks.clock_of(asker, address)


router = Router(
    path="/",
    route_handlers=[
        list_contacts,
        create_contact,
        read_contact,
        save_contact,
        merge_contacts,
        list_conversations,
        suggest_addresses,
        read_clock,
    ],
    tags=["contacts"],
)
