"""Senders whose mail goes to spam in a mailbox, as its people decided."""

from collections.abc import Collection

from backend.database.connection import fetch, fetch_value
from backend.people.audit import audit


async def block(user_id: int, mailbox_id: int, address: str) -> bool:
    """Block an address, inside the caller's action; False if it was blocked before."""
    added = await fetch_value(
        "INSERT INTO blocked_senders (mailbox_id, address, blocked_by, created_at) VALUES ($1, $2, $3, now()) "
        "ON CONFLICT (mailbox_id, address) DO NOTHING RETURNING id",
        mailbox_id,
        address.lower(),
        user_id,
    )
    if added is not None:
        await audit(user_id, "sender_blocked", f"mailbox:{mailbox_id}")
    return added is not None


async def unblock(user_id: int, mailbox_id: int, addresses: Collection[str]) -> list[str]:
    """Take it back, inside the caller's action; answers those that were blocked."""
    records = await fetch(
        "DELETE FROM blocked_senders WHERE mailbox_id = $1 AND address = ANY($2) RETURNING address",
        mailbox_id,
        [address.lower() for address in addresses],
    )
    if records:
        await audit(user_id, "sender_unblocked", f"mailbox:{mailbox_id}", addresses=len(records))
    return sorted(record["address"] for record in records)
