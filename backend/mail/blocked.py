"""Senders whose mail goes to spam in a mailbox, as its people decided."""

from backend.database.connection import fetch_value


async def is_blocked(mailbox_id: int, address: str) -> bool:
    """Whether mail of this address goes to spam in this mailbox. Capitals make no difference."""
    return bool(
        await fetch_value(
            "SELECT 1 FROM blocked_senders WHERE mailbox_id = $1 AND address = $2", mailbox_id, address.lower()
        )
    )
