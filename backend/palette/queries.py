"""Reading what the command palette finds, scoped to who asks."""

import msgspec

from backend.access.asker import Asker
from backend.access.fetch import KNOWS, SEES
from backend.database.connection import fetch, snapshot
from backend.mail.contracts import MailAddress
from backend.palette.contracts import FINDABLE, NAMED, FindableConversation, FindablePerson, PaletteIndex

MOST = 5_000
"""Conversations, and contacts: the newest."""

_addresses = msgspec.json.Decoder(list[MailAddress])


async def read_index(asker: Asker) -> PaletteIndex:
    """Everything that the person can jump to by its name, newest first."""
    async with snapshot():
        return PaletteIndex(
            conversations=await _conversations(asker), people=[*await _colleagues(), *await _contacts(asker)]
        )


async def _conversations(asker: Asker) -> list[FindableConversation]:
    records = await fetch(
        "SELECT c.id, c.mailbox_id, c.subject, c.correspondents, c.last_at, c.status, c.version FROM conversations c "
        f"WHERE {SEES.format(user='$1')} AND NOT c.hidden AND c.status = ANY($2) "
        "ORDER BY c.last_at DESC, c.id DESC LIMIT $3",
        asker.user_id,
        list(FINDABLE),
        MOST,
    )
    return [
        FindableConversation(
            id=record["id"],
            mailbox_id=record["mailbox_id"],
            subject=record["subject"],
            people=", ".join(each.name or each.address for each in _addresses.decode(record["correspondents"])[:NAMED]),
            at=int(record["last_at"].timestamp()),
            status=record["status"],
            version=record["version"],
        )
        for record in records
    ]


async def _colleagues() -> list[FindablePerson]:
    records = await fetch("SELECT id, name, email FROM users WHERE active ORDER BY name, id")
    return [
        FindablePerson(kind="colleague", id=record["id"], name=record["name"], address=record["email"])
        for record in records
    ]


async def _contacts(asker: Asker) -> list[FindablePerson]:
    """Those with whom mail was exchanged last, then those entered by hand."""
    records = await fetch(
        "WITH recent AS MATERIALIZED (SELECT m.contact_id, m.last_at FROM mailbox_readers mine CROSS JOIN LATERAL ("
        "SELECT contact_id, last_at FROM contact_mailboxes WHERE mailbox_id = mine.mailbox_id "
        "ORDER BY last_at DESC LIMIT $2) m WHERE mine.user_id = $1), "
        "known AS (SELECT contact_id, max(last_at) AS last_at FROM ("
        "SELECT contact_id, last_at FROM recent UNION ALL "
        "(SELECT id, NULL FROM contacts WHERE shared ORDER BY id DESC LIMIT $2)) each GROUP BY contact_id) "
        "SELECT k.id, k.name, k.company, (SELECT a.address FROM contact_addresses a WHERE a.contact_id = k.id "
        "ORDER BY a.id LIMIT 1) AS address FROM known JOIN contacts k ON k.id = known.contact_id "
        f"WHERE {KNOWS.format(user='$1')} ORDER BY known.last_at DESC NULLS LAST, k.id DESC LIMIT $2",
        asker.user_id,
        MOST,
    )
    return [
        FindablePerson(
            kind="contact",
            id=record["id"],
            name=record["name"],
            address=record["address"] or "",
            detail=record["company"],
        )
        for record in records
    ]
