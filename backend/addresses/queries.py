"""Reading which addresses are in use, and which are verified."""

import msgspec

from backend.addresses.contracts import AddressBook, AddressUse, UsedAddress
from backend.database.connection import Row, fetch, fetch_row, fetch_value
from backend.outgoing_servers.forcing import is_for_everybody

_OPEN_TO_ADMINS = (
    "SELECT address, use, id FROM address_uses WHERE use <> 'personal' AND (use <> 'account' OR id IN "
    "(SELECT id FROM mailboxes WHERE kind IN ('group', 'intake')))"
)
"""SQL: uses that an admin may know of. The address of somebody's personal mailbox is theirs."""

_uses = msgspec.json.Decoder(list[AddressUse])


async def read_book(*, can_ask: bool) -> AddressBook:
    """For admins: every address in use that is not only somebody's own affair, those not verified first."""
    records = await fetch(
        f"WITH uses AS ({_OPEN_TO_ADMINS}) SELECT a.*, jsonb_agg(jsonb_build_object('use', u.use, 'id', u.id) "
        "ORDER BY u.use, u.id) AS uses FROM used_addresses a JOIN uses u ON u.address = a.address "
        "GROUP BY a.id ORDER BY a.verified_at IS NOT NULL, a.address"
    )
    return AddressBook(can_ask=can_ask, addresses=[address_of(record) for record in records])


def address_of(record: Row) -> UsedAddress:
    return UsedAddress(
        id=record["id"],
        address=record["address"],
        verified_at=record["verified_at"],
        verified_by=record["verified_by"],
        asked_at=record["asked_at"],
        uses=_uses.decode(record["uses"]),
    )


async def is_verified(address: str) -> bool:
    """Whether somebody showed that the address is theirs."""
    return bool(
        await fetch_value(
            "SELECT 1 FROM used_addresses WHERE address = $1 AND verified_at IS NOT NULL", address.lower()
        )
    )


async def may_be_from(address: str) -> bool:
    """Whether mail may be from this address: it is verified, or another one of its domain is, if that is one's own."""
    if await is_verified(address):
        return True
    domain = address.lower().rpartition("@")[2]
    if is_for_everybody(domain):
        return False
    return bool(
        await fetch_value(
            "SELECT 1 FROM used_addresses WHERE split_part(address, '@', 2) = $1 AND verified_at IS NOT NULL LIMIT 1",
            domain,
        )
    )


async def address_to_mail(address_id: int) -> Row | None:
    """For the worker: an address that is to be asked about, and for what it is used; None when it is settled."""
    return await fetch_row(
        "SELECT a.*, (SELECT name FROM organisation) AS organisation, "
        "EXISTS (SELECT 1 FROM address_uses u WHERE u.address = a.address) AS ours, "
        "(SELECT name FROM users u WHERE u.email = a.address) AS person FROM used_addresses a "
        "WHERE a.id = $1 AND a.verified_at IS NULL",
        address_id,
    )
