"""Reading contacts, scoped to who asks: those of the mailboxes that the person can open, and those entered by hand."""

import base64
from collections.abc import Collection
from typing import Annotated

import msgspec
from msgspec import Meta

from backend.access.asker import Asker
from backend.access.fetch import KNOWS, SEES, access_contact
from backend.contacts.contracts import AddressSuggestion, Contact, ContactPage
from backend.conversations.contracts import EarlierConversation
from backend.database.connection import Row, fetch, fetch_row
from backend.errors import BadRequest, NotFound

CONTACT_COLUMNS = """
    k.id, k.name, k.company, k.phone, k.notes, k.version, k.time_zone,
    (SELECT array_agg(a.address ORDER BY a.id) FROM contact_addresses a WHERE a.contact_id = k.id) AS addresses
"""

NAME_FITS = "fold_accents(lower(k.name || ' ' || k.company)) LIKE fold_accents($2)"
"""SQL: the name or company of the contact `k` fits the pattern `$2`."""

PAGE = 50
RECENT = 500
"""Newest correspondents of each mailbox, and hits of each index, among which completions are chosen."""
MOST_SUGGESTIONS = 10
MOST_EARLIER = 20
LONGEST_QUERY = 200
SHORTEST_SUBSTRING = 3
"""Characters from which on a text is looked for anywhere in a name or address; shorter ones only at the beginning."""


def contact_of(record: Row) -> Contact:
    """A record with CONTACT_COLUMNS."""
    return Contact(
        id=record["id"],
        name=record["name"],
        company=record["company"],
        phone=record["phone"],
        notes=record["notes"],
        addresses=list(record["addresses"] or []),
        version=record["version"],
        time_zone=record["time_zone"],
    )


async def read_contact(asker: Asker, contact_id: int) -> Contact:
    """One contact. Raises NotFound."""
    await access_contact(asker, contact_id)
    return await read_contact_without_asker(contact_id)


async def read_contact_without_asker(contact_id: int) -> Contact:
    """The contact, whoever asks: for callers that have passed backend/access. Raises NotFound."""
    record = await fetch_row(f"SELECT {CONTACT_COLUMNS} FROM contacts k WHERE k.id = $1", contact_id)
    if record is None:
        raise NotFound("There is no such contact.", "It may have been merged into another one.")
    return contact_of(record)


async def contact_of_address(asker: Asker, address: str, mailbox_id: int | None = None) -> Contact | None:
    """The contact with this address, if the person may know of one; where there are several, the one that the mailbox
    knows, then the oldest."""
    if not address:
        return None
    record = await fetch_row(
        f"SELECT {CONTACT_COLUMNS} FROM contacts k WHERE k.id IN "
        f"(SELECT contact_id FROM contact_addresses WHERE address = $2) AND {KNOWS.format(user='$1')} "
        "ORDER BY EXISTS (SELECT 1 FROM contact_mailboxes m WHERE m.contact_id = k.id AND m.mailbox_id = $3) DESC, "
        "k.id LIMIT 1",
        asker.user_id,
        storable(address).lower(),
        mailbox_id,
    )
    return contact_of(record) if record else None


async def known_contact_with(asker: Asker, addresses: Collection[str], besides: int | None) -> Contact | None:
    """A contact other than `besides` that has one of these addresses, if the person may know of it."""
    record = await fetch_row(
        f"SELECT {CONTACT_COLUMNS} FROM contacts k WHERE k.id IS DISTINCT FROM $3 AND k.id IN "
        f"(SELECT contact_id FROM contact_addresses WHERE address = ANY($2)) AND {KNOWS.format(user='$1')} "
        "ORDER BY k.id LIMIT 1",
        asker.user_id,
        list(addresses),
        besides,
    )
    return contact_of(record) if record else None


async def earlier_conversations(asker: Asker, contact_id: int, besides: int = 0) -> list[EarlierConversation]:
    """The newest 20 conversations that the contact wrote in or was written to in, without the one `besides`."""
    records = await fetch(
        "WITH held AS (SELECT address FROM contact_addresses WHERE contact_id = $2), "
        "meant AS (SELECT m.conversation_id AS id FROM held JOIN messages m "
        "ON lower(m.sender ->> 'address') = held.address WHERE m.gone_at IS NULL "
        "UNION SELECT o.id FROM conversations o WHERE o.addressed && (SELECT array_agg(address) FROM held)) "
        "SELECT c.id, c.mailbox_id, c.subject, c.status, c.last_at FROM conversations c JOIN meant ON meant.id = c.id "
        f"WHERE c.id <> $3 AND c.message_count > 0 AND {SEES.format(user='$1')} "
        "ORDER BY c.last_at DESC, c.id DESC LIMIT $4",
        asker.user_id,
        contact_id,
        besides,
        MOST_EARLIER,
    )
    return [
        EarlierConversation(
            id=record["id"],
            mailbox_id=record["mailbox_id"],
            subject=record["subject"],
            status=record["status"],
            last_at=record["last_at"],
        )
        for record in records
    ]


async def list_contacts(asker: Asker, *, q: str, cursor: str | None) -> ContactPage:
    """One page by name (those without one last), of all or of those whose name, company or address holds `q`."""
    after = _read_cursor(cursor)
    wanted = storable(q).strip().lower()[:LONGEST_QUERY]
    records = await fetch(
        f"SELECT {CONTACT_COLUMNS} FROM contacts k WHERE {KNOWS.format(user='$1')} AND ({_matches(wanted)}) "
        "AND ($3::boolean IS NULL OR ((k.name = ''), fold_accents(lower(k.name)), k.id) > "
        "($3, fold_accents(lower($4)), $5)) "
        "ORDER BY (k.name = ''), fold_accents(lower(k.name)), k.id LIMIT $6",
        asker.user_id,
        _like(wanted),
        *after,
        PAGE + 1,
    )
    items = [contact_of(record) for record in records[:PAGE]]
    return ContactPage(items=items, next_cursor=_write_cursor(items[-1]) if len(records) > PAGE else None)


async def suggest_addresses(asker: Asker, q: str) -> list[AddressSuggestion]:
    """Completions of a recipient: contacts and colleagues, those whose name or address begins so first, then by how
    recently mail was exchanged with them."""
    wanted = storable(q).strip().lower()[:LONGEST_QUERY]
    records = await fetch(
        f"""
        WITH recent AS MATERIALIZED (
            SELECT r.contact_id FROM mailbox_readers mine CROSS JOIN LATERAL (
                SELECT contact_id FROM contact_mailboxes m WHERE m.mailbox_id = mine.mailbox_id
                 ORDER BY m.last_at DESC LIMIT {RECENT}) r WHERE mine.user_id = $1),
        candidates AS MATERIALIZED (
            SELECT contact_id FROM recent
            UNION (SELECT k.id FROM contacts k WHERE $2 <> '%' AND {NAME_FITS} LIMIT {RECENT})
            UNION (SELECT contact_id FROM contact_addresses WHERE $2 <> '%' AND address LIKE $2 LIMIT {RECENT})),
        fitting AS (
            SELECT k.name, a.address, k.id AS contact_id, seen.last_at
              FROM candidates JOIN contacts k ON k.id = candidates.contact_id
              JOIN contact_addresses a ON a.contact_id = k.id
              LEFT JOIN LATERAL (SELECT max(m.last_at) AS last_at FROM contact_mailboxes m
                    WHERE m.contact_id = k.id AND m.mailbox_id = ANY (ARRAY(
                        SELECT mailbox_id FROM mailbox_readers WHERE user_id = $1))) seen ON true
             WHERE ({NAME_FITS} OR a.address LIKE $2) AND {KNOWS.format(user="$1")}
            UNION ALL
            SELECT u.name, u.email, NULL, NULL FROM users u WHERE u.active AND u.id <> $1
               AND (fold_accents(lower(u.name)) LIKE fold_accents($2) OR u.email LIKE $2)),
        once AS (SELECT DISTINCT ON (address) * FROM fitting ORDER BY address, last_at DESC NULLS LAST, contact_id)
        SELECT * FROM once
         ORDER BY NOT (fold_accents(lower(name)) LIKE fold_accents($3) OR address LIKE $3), last_at DESC NULLS LAST,
                  name, address LIMIT $4
        """,
        asker.user_id,
        _like(wanted),
        pattern_of(wanted) + "%",
        MOST_SUGGESTIONS,
    )
    return [
        AddressSuggestion(name=record["name"], address=record["address"], contact_id=record["contact_id"])
        for record in records
    ]


def storable(text: str) -> str:
    """The text without what PostgreSQL cannot hold: NUL and lone surrogates."""
    return text.replace("\x00", "").encode("utf-8", "ignore").decode()


def _matches(wanted: str) -> str:
    """SQL: the contact `k` fits the pattern `$2`."""
    if not wanted:
        return "$2::text IS NOT NULL"
    return (
        f"k.id IN (SELECT k.id FROM contacts k WHERE {NAME_FITS} "
        "UNION SELECT contact_id FROM contact_addresses WHERE address LIKE $2)"
    )


def _like(wanted: str) -> str:
    beginning = "%" if len(wanted) >= SHORTEST_SUBSTRING else ""
    return f"{beginning}{pattern_of(wanted)}%"


def pattern_of(text: str) -> str:
    """The text as LIKE takes it literally."""
    return text.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")


def _write_cursor(contact: Contact) -> str:
    place = (contact.name == "", contact.name, contact.id)
    return base64.urlsafe_b64encode(msgspec.json.encode(place)).decode()


def _read_cursor(cursor: str | None) -> tuple[bool | None, str, int]:
    if not cursor:
        return None, "", 0
    try:
        unnamed, name, number = msgspec.json.decode(
            base64.urlsafe_b64decode(cursor.encode()), type=tuple[bool, str, Annotated[int, Meta(ge=0, le=2**63 - 1)]]
        )
    except (ValueError, msgspec.DecodeError) as fault:
        raise BadRequest("This cursor is not one of ours.", "Start from the first page.") from fault
    return unnamed, storable(name), number
