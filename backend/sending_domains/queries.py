"""Reading the domains that mail is from."""

from collections.abc import Sequence

import msgspec

from backend.database.connection import Row, fetch, fetch_value
from backend.outgoing_servers.forcing import is_for_everybody
from backend.sending_domains.contracts import DomainRecord, SendingDomain

_IN_USE = (
    "SELECT split_part(address, '@', 2) AS name, array_agg(DISTINCT address ORDER BY address) AS addresses "
    "FROM address_uses WHERE use IN ('group', 'identity', 'server') GROUP BY 1"
)
"""SQL: domains that mail is from. That of somebody's personal mailbox is theirs, unless others write from it too."""

DUE = "(d.looked_at IS NULL OR d.asked_at > d.looked_at OR d.looked_at < now() - interval '1 day')"
"""SQL: the domain `d` is to be looked up."""

_records = msgspec.json.Decoder(list[DomainRecord])


async def list_domains() -> list[SendingDomain]:
    """Those in use, by name."""
    records = await fetch(
        f"WITH used AS ({_IN_USE}) SELECT d.*, used.addresses FROM sending_domains d JOIN used ON used.name = d.name "
        "ORDER BY d.name"
    )
    return [
        SendingDomain(
            id=record["id"],
            name=record["name"],
            addresses=list(record["addresses"]),
            looked_at=record["looked_at"],
            records=_records.decode(record["found"]),
        )
        for record in records
    ]


async def domains_to_note() -> list[str]:
    """Those in use that are not known yet. A provider's for everybody has records of the provider's."""
    records = await fetch(
        f"WITH used AS ({_IN_USE}) SELECT name FROM used WHERE name NOT IN (SELECT name FROM sending_domains) "
        "ORDER BY name"
    )
    return [record["name"] for record in records if not is_for_everybody(record["name"])]


async def domains_to_look_up() -> Sequence[Row]:
    """For the worker: those in use that are due."""
    return await fetch(
        f"WITH used AS ({_IN_USE}) SELECT d.id, d.name FROM sending_domains d JOIN used ON used.name = d.name "
        f"WHERE {DUE} ORDER BY d.id"
    )


async def still_waited_for() -> bool:
    """Whether a domain is in use that somebody wants to know about and that was not looked up since."""
    return await fetch_value(
        f"WITH used AS ({_IN_USE}) SELECT EXISTS (SELECT 1 FROM sending_domains d JOIN used ON used.name = d.name "
        "WHERE d.looked_at IS NULL OR d.asked_at > d.looked_at)"
    )


async def servers_of(domain: str) -> list[str]:
    """Through which servers mail from the domain leaves, as their names stand in the settings."""
    records = await fetch(
        "WITH ways AS ("
        "SELECT server_of(m.id) AS id FROM mailboxes m WHERE split_part(lower(m.address), '@', 2) = $1 "
        "UNION SELECT coalesce(i.server_id, server_of(i.mailbox_id)) FROM identities i "
        "WHERE split_part(lower(i.address), '@', 2) = $1 "
        "UNION SELECT s.id FROM outgoing_servers s WHERE s.for_all "
        "AND split_part(lower(s.username), '@', 2) = $1) "
        "SELECT DISTINCT lower(coalesce(a.smtp_host, s.host)) AS host "
        "FROM outgoing_servers s JOIN ways ON ways.id = s.id LEFT JOIN mail_accounts a ON a.id = s.account_id",
        domain,
    )
    return sorted(record["host"] for record in records)
