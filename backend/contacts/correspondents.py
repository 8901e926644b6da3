"""Contacts as they arise from the headers of mail. Part of the actions: it writes, in the caller's action.

No event tells of it: mail arrives in thousands, and who opens the side panel reads the contact then.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple

from backend.contacts.queries import storable
from backend.database.connection import Row, execute, fetch
from backend.events.record import Action

LONGEST_NAME = 200
LONGEST_PHONE = 100
LONGEST_ADDRESS = 254


class Correspondent(NamedTuple):
    """Who wrote, or was written to, as the header says. `at` is when, if not at the time given for the whole batch."""

    name: str
    address: str
    phone: str | None = None
    at: datetime | None = None


@dataclass(slots=True)
class _Met:
    name: str
    phone: str
    at: datetime


async def note_correspondents(act: Action, mailbox_id: int, people: Sequence[tuple[Any, ...]], at: datetime) -> None:
    """Note whom a mailbox exchanged mail with at `at`: `Correspondent`s, or plain tuples of the same fields.

    New addresses become contacts; an empty name or phone is filled in unless a person edited the contact; our own
    mailboxes are none. Call it inside an action, at best once in each transaction: it takes its locks in the
    order of the addresses, so that watchers of several accounts never wait for each other in a circle.
    """
    met = _gather(people, at)
    if not met:
        return
    found = await _find(mailbox_id, sorted(met))
    own = {record["address"] for record in found if record["own"]}
    contacts = {record["address"]: record for record in found if record["contact_id"] is not None}
    # First in the realm of all; where a contact stands there that this mailbox may not take over, beside it.
    for realm in (0, -mailbox_id):
        if new := sorted(set(met) - own - set(contacts)):
            await _begin(mailbox_id, realm, new, met)
            contacts |= {
                record["address"]: record for record in await _find(mailbox_id, new) if record["contact_id"] is not None
            }
    for address in own:
        contacts.pop(address, None)
    await _fill(
        [(record["contact_id"], met[address]) for address, record in contacts.items() if _lacks(record, met[address])]
    )
    latest: dict[int, datetime] = {}
    for address, record in contacts.items():
        contact_id = record["contact_id"]
        latest[contact_id] = max(met[address].at, latest.get(contact_id, met[address].at))
    order = sorted(latest)
    await execute(
        "INSERT INTO contact_mailboxes (contact_id, mailbox_id, last_at) "
        "SELECT contact_id, $3, at FROM unnest($1::bigint[], $2::timestamptz[]) AS t(contact_id, at) "
        "ORDER BY contact_id ON CONFLICT (contact_id, mailbox_id) DO UPDATE SET last_at = excluded.last_at "
        "WHERE excluded.last_at > contact_mailboxes.last_at",
        order,
        [latest[contact_id] for contact_id in order],
        mailbox_id,
    )


def _gather(people: Sequence[tuple[Any, ...]], at: datetime) -> dict[str, _Met]:
    """One entry an address, with the name and phone that were given last."""
    met: dict[str, _Met] = {}
    for person in (Correspondent(*entry) for entry in people):
        address = storable(person.address).strip().lower()
        if "@" not in address or len(address) > LONGEST_ADDRESS:
            continue
        name = " ".join(storable(person.name).split())[:LONGEST_NAME]
        phone = " ".join(storable(person.phone or "").split())[:LONGEST_PHONE]
        if name.lower().strip("'\"<> ") == address:
            name = ""
        moment = person.at or at
        before = met.setdefault(address, _Met("", "", moment))
        before.name, before.phone, before.at = name or before.name, phone or before.phone, max(before.at, moment)
    return met


async def _find(mailbox_id: int, addresses: list[str]) -> Sequence[Row]:
    """For each address: whether it is one of our mailboxes, and its contact. Where several contacts have it, the one
    that the mailbox knows, then the one that everybody knows. A contact found stays until the transaction ends.

    Group mailboxes share contacts. What is known to somebody's personal mailbox alone is not taken over, nor does a
    personal mailbox take over what its owner may not know yet: else a mail that one puts into one's own mailbox,
    under a foreign sender's name, would show what others have noted about that sender.
    """
    return await fetch(
        """
        WITH near AS MATERIALIZED (
            SELECT m.id FROM mailboxes me JOIN mailboxes m ON m.id = me.id
                OR (me.kind = 'group' AND m.kind = 'group')
                OR (me.kind = 'personal' AND EXISTS (
                    SELECT 1 FROM mailbox_readers r WHERE r.mailbox_id = m.id AND r.user_id = me.owner_id))
             WHERE me.id = $1)
        SELECT w.address, EXISTS (SELECT 1 FROM mailboxes m WHERE m.address = w.address) AS own,
               k.id AS contact_id, k.name, k.phone, k.edited
          FROM unnest($2::text[]) AS w(address)
          LEFT JOIN LATERAL (
                SELECT c.id, c.name, c.phone, c.edited FROM contact_addresses a JOIN contacts c ON c.id = a.contact_id
                 WHERE a.address = w.address AND (c.shared OR EXISTS (
                        SELECT 1 FROM contact_mailboxes k WHERE k.contact_id = c.id
                           AND k.mailbox_id = ANY (ARRAY(SELECT id FROM near))))
                 ORDER BY EXISTS (SELECT 1 FROM contact_mailboxes o
                                   WHERE o.contact_id = c.id AND o.mailbox_id = $1) DESC, c.shared DESC, a.realm, c.id
                 LIMIT 1 FOR KEY SHARE OF c) k ON true
        """,
        mailbox_id,
        addresses,
    )


async def _begin(mailbox_id: int, realm: int, addresses: list[str], met: dict[str, _Met]) -> None:
    """Make contacts that the mailbox knows for new addresses. Where a contact stands in this realm already, maybe of
    another watcher that was faster, it stays and ours is taken back."""
    begun = await fetch(
        """
        WITH wanted AS (
            SELECT nextval(pg_get_serial_sequence('contacts', 'id')) AS id, t.*
              FROM unnest($1::text[], $2::text[], $3::text[], $4::timestamptz[]) AS t(address, name, phone, at)),
        contacts_made AS (
            INSERT INTO contacts (id, name, company, phone, notes, edited, shared, version, created_at)
            SELECT id, name, '', phone, '', false, false, 1, now() FROM wanted),
        held AS (
            INSERT INTO contact_addresses (contact_id, address, realm)
            SELECT id, address, $5 FROM wanted ORDER BY address
            ON CONFLICT (address, realm) DO NOTHING RETURNING contact_id),
        known AS (
            INSERT INTO contact_mailboxes (contact_id, mailbox_id, last_at)
            SELECT w.id, $6, w.at FROM wanted w JOIN held h ON h.contact_id = w.id)
        SELECT w.id, EXISTS (SELECT 1 FROM held WHERE contact_id = w.id) AS held FROM wanted w
        """,
        addresses,
        [met[address].name for address in addresses],
        [met[address].phone for address in addresses],
        [met[address].at for address in addresses],
        realm,
        mailbox_id,
    )
    lost = [record["id"] for record in begun if not record["held"]]
    if lost:
        await execute("DELETE FROM contacts WHERE id = ANY($1)", lost)


async def _fill(contacts: Sequence[tuple[int, _Met]]) -> None:
    """Give a name or a phone number to contacts that have none. Few: most mail comes from those who are known."""
    for contact_id, met in sorted(contacts, key=lambda contact: contact[0]):
        await execute(
            "UPDATE contacts SET name = CASE WHEN name = '' THEN $2 ELSE name END, "
            "phone = CASE WHEN phone = '' THEN $3 ELSE phone END, version = version + 1 WHERE id = $1 AND NOT edited",
            contact_id,
            met.name,
            met.phone,
        )


def _lacks(record: Row, met: _Met) -> bool:
    """Whether the header says something that the contact does not, and may."""
    return not record["edited"] and bool((met.name and not record["name"]) or (met.phone and not record["phone"]))
