"""The link that asks whose an address is: signed and running out, nothing of it is stored.

It leads to a page of ours with a button. Programs that follow the links of a mail to look for harm press none.
"""

import hashlib
import hmac
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

from backend.secret_key import secret_key
from backend.settings import Settings

LIFETIME = timedelta(days=7)


class AddressClaim(NamedTuple):
    """What a link says: for this row, until then. Whether that is signed is told only with the row's address."""

    address_id: int
    expires: int
    signature: str

    def holds(self, configured: Settings, address: str, now: datetime) -> bool:
        """Whether it was signed by this installation for this address, and has not run out."""
        right = _signature(configured, self.address_id, address, self.expires)
        return hmac.compare_digest(right, self.signature) and now.timestamp() < self.expires


def address_token(configured: Settings, address_id: int, address: str, now: datetime) -> tuple[str, datetime]:
    """A token for the address, and when it runs out."""
    ends = (now + LIFETIME).astimezone(UTC).replace(microsecond=0)
    expires = int(ends.timestamp())
    return f"{address_id}.{expires}.{_signature(configured, address_id, address, expires)}", ends


def claim_of(token: str) -> AddressClaim | None:
    """What a token says; None for what is none."""
    parts = token.strip().split(".")
    if len(parts) != 3 or not all(part.isascii() and part.isdigit() and len(part) < 16 for part in parts[:2]):
        return None
    return AddressClaim(int(parts[0]), int(parts[1]), parts[2])


def address_link(configured: Settings, token: str) -> str:
    # Behind the #, so that it reaches no server's log and no Referer.
    return f"{configured.public_url}/verify-address/#token={token}"


def _signature(configured: Settings, address_id: int, address: str, expires: int) -> str:
    words = f"address {address_id} {address} {expires}"
    return hmac.new(secret_key(configured), words.encode(), hashlib.sha256).hexdigest()
