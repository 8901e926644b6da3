"""Changing contacts: by hand, and what people change is told to everybody who knows the contact."""

import re
from collections.abc import Collection, Sequence
from zoneinfo import available_timezones

from msgspec import UNSET

from backend.access.asker import Asker
from backend.access.fetch import access_contact
from backend.contacts.contracts import (
    Contact,
    ContactChanged,
    ContactGone,
    CreateContact,
    SaveContact,
)
from backend.contacts.queries import known_contact_with, read_contact, read_contact_without_asker, storable
from backend.database.connection import execute, fetch, fetch_row, fetch_value
from backend.errors import Conflict, NotFound, Unacceptable
from backend.events.contracts import Event
from backend.events.record import ORGANISATION, Action, action, mailbox_stream

LONGEST = {"name": 200, "company": 200, "phone": 100, "notes": 20_000}
"""Characters."""
MOST_ADDRESSES = 50
LONGEST_ADDRESS = 254
_ADDRESS = re.compile(r"[^\s@<>(),;:\"\\\x00-\x1f\x7f]+@[^\s@<>(),;:\"\\\x00-\x1f\x7f]+")


async def create_contact(asker: Asker, wanted: CreateContact) -> Contact:
    """Enter a contact by hand. Everybody in the organisation knows it from then on.

    Raises Unacceptable, and Conflict when a contact that the person knows has one of the addresses.
    """
    addresses = check_contact(wanted)
    async with action(asker.user_id) as act:
        await _check_free(asker, addresses, besides=None)
        contact_id = await fetch_value(
            "INSERT INTO contacts (name, company, phone, notes, time_zone, edited, shared, version, created_at) "
            "VALUES ($1, $2, $3, $4, $5, true, true, 1, now()) RETURNING id",
            *_fields(wanted),
            wanted.time_zone,
        )
        await _add_addresses(contact_id, addresses)
        return await _tell_changed(act, contact_id)


async def save_contact(asker: Asker, contact_id: int, wanted: SaveContact) -> Contact:
    """Change a contact. Raises Conflict when `wanted.version` is stale (`details["current"]` is the contact as it
    stands, `details["yours"]` what was sent) or when another contact has one of the addresses."""
    addresses = check_contact(wanted)
    async with action(asker.user_id) as act:
        await access_contact(asker, contact_id)
        version = await fetch_value("SELECT version FROM contacts WHERE id = $1 FOR NO KEY UPDATE", contact_id)
        if version != wanted.version:
            raise Conflict(
                "Somebody changed this contact meanwhile.",
                "Compare both and save again.",
                current=await read_contact(asker, contact_id),
                yours=wanted,
            )
        await _check_free(asker, addresses, besides=contact_id)
        await execute(
            "UPDATE contacts SET name = $2, company = $3, phone = $4, notes = $5, "
            "time_zone = coalesce($6, time_zone), edited = true, version = version + 1 WHERE id = $1",
            contact_id,
            *_fields(wanted),
            None if wanted.time_zone is UNSET else wanted.time_zone,
        )
        await execute(
            "DELETE FROM contact_addresses WHERE contact_id = $1 AND address <> ALL($2)", contact_id, addresses
        )
        await _add_addresses(contact_id, addresses)
        return await _tell_changed(act, contact_id)


async def merge_contacts(asker: Asker, contact_id: int, other_id: int) -> Contact:
    """Merge the contact `other_id` into `contact_id`: addresses united, empty fields filled, notes joined.

    Whoever knew one of them knows the merged one. Raises NotFound unless the person may know of both.
    """
    if contact_id == other_id:
        raise Unacceptable("A contact cannot be merged with itself.", "Choose another contact.")
    async with action(asker.user_id) as act:
        await access_contact(asker, contact_id)
        await access_contact(asker, other_id)
        both = {
            record["id"]: record
            for record in await fetch(
                "SELECT * FROM contacts WHERE id = ANY($1) ORDER BY id FOR UPDATE", [contact_id, other_id]
            )
        }
        if len(both) < 2:
            raise NotFound("There is no such contact.", "It may have been merged into another one.")
        kept, other = both[contact_id], both[other_id]
        knew_other = await _streams(other_id)
        notes = "\n\n".join(note for note in (kept["notes"], other["notes"]) if note)
        await execute(
            "UPDATE contacts SET name = $2, company = $3, phone = $4, time_zone = $5, notes = $6, "
            "edited = edited OR $7, shared = shared OR $8, version = version + 1 WHERE id = $1",
            contact_id,
            *(kept[field] or other[field] for field in ("name", "company", "phone", "time_zone")),
            notes,
            other["edited"],
            other["shared"],
        )
        held = await fetch("DELETE FROM contact_addresses WHERE contact_id = $1 RETURNING address", other_id)
        await _add_addresses(contact_id, [record["address"] for record in held])
        await execute(
            "INSERT INTO contact_mailboxes (contact_id, mailbox_id, last_at) SELECT $1, mailbox_id, last_at "
            "FROM contact_mailboxes WHERE contact_id = $2 ORDER BY mailbox_id ON CONFLICT (contact_id, mailbox_id) "
            "DO UPDATE SET last_at = greatest(contact_mailboxes.last_at, excluded.last_at)",
            contact_id,
            other_id,
        )
        await execute("DELETE FROM contacts WHERE id = $1", other_id)
        _tell(act, knew_other, ContactGone(contact_id=other_id, merged_into=contact_id))
        return await _tell_changed(act, contact_id)


def check_contact(wanted: CreateContact | SaveContact) -> list[str]:
    """The lower-case addresses of a contact that can be stored. Raises Unacceptable."""
    fields: dict[str, str] = {}
    for field, longest in LONGEST.items():
        text = getattr(wanted, field)
        if len(text) > longest:
            fields[field] = f"At most {longest} characters."
        elif storable(text) != text:
            fields[field] = "It holds characters that cannot be stored."
    addresses = list(dict.fromkeys(address.strip().lower() for address in wanted.addresses))
    wrong = [a for a in addresses if not _ADDRESS.fullmatch(a) or len(a) > LONGEST_ADDRESS or storable(a) != a]
    if wrong:
        fields["addresses"] = f"{storable(wrong[0])[:100]} is not an e-mail address."
    elif len(addresses) > MOST_ADDRESSES:
        fields["addresses"] = f"At most {MOST_ADDRESSES} addresses."
    if wanted.time_zone and wanted.time_zone not in available_timezones():
        fields["time_zone"] = "There is no such time zone: choose one such as Europe/Lisbon."
    if not addresses and not wanted.name.strip() and not wanted.company.strip():
        fields["name"] = "Give a name or an address."
    if fields:
        raise Unacceptable("This contact cannot be saved so.", " ".join(fields.values()), fields=fields)
    return addresses


def _fields(wanted: CreateContact | SaveContact) -> Sequence[str]:
    return wanted.name.strip(), wanted.company.strip(), wanted.phone.strip(), wanted.notes


async def _check_free(asker: Asker, addresses: Collection[str], *, besides: int | None) -> None:
    holder = await known_contact_with(asker, addresses, besides)
    if holder is not None:
        raise Conflict(
            f"{holder.name or holder.addresses[0]} has this address already.",
            "Open that contact, or merge the two.",
            contact=holder,
        )


async def _add_addresses(contact_id: int, addresses: Sequence[str]) -> None:
    """Give the contact these addresses. One that a contact holds which the person may not know of, and did not meet
    in `_check_free`, is entered beside it (backend/contacts/tables.py, `realm`)."""
    for address in sorted(set(addresses)):
        if await fetch_value(
            "SELECT 1 FROM contact_addresses WHERE contact_id = $1 AND address = $2", contact_id, address
        ):
            continue
        await execute(
            "WITH held AS (INSERT INTO contact_addresses (contact_id, address, realm) VALUES ($1, $2, 0) "
            "ON CONFLICT (address, realm) DO NOTHING RETURNING id) "
            "INSERT INTO contact_addresses (contact_id, address, realm) SELECT $1, $2, $1 "
            "WHERE NOT EXISTS (SELECT 1 FROM held)",
            contact_id,
            address,
        )


async def _streams(contact_id: int) -> list[str]:
    """The streams of those who know the contact."""
    record = await fetch_row(
        "SELECT k.shared, (SELECT array_agg(mailbox_id) FROM contact_mailboxes WHERE contact_id = k.id) AS mailboxes "
        "FROM contacts k WHERE k.id = $1",
        contact_id,
    )
    if record is None or record["shared"]:
        return [ORGANISATION]
    return [mailbox_stream(mailbox_id) for mailbox_id in record["mailboxes"] or []]


async def _tell_changed(act: Action, contact_id: int) -> Contact:
    contact = await read_contact_without_asker(contact_id)
    _tell(act, await _streams(contact_id), ContactChanged(contact=contact))
    return contact


def _tell(act: Action, streams: Collection[str], event: Event) -> None:
    for stream in streams:
        act.record(stream, event)
