"""How often something may be tried: by account and by network address, counted in the database for all processes.

An attempt is counted before it is made, so that many at once get no further than many in a row. What was refused
here is not counted, so that nobody can keep somebody else out for longer than the window.
"""

import ipaddress
from datetime import timedelta

from backend.database.connection import execute, fetch_row, fetch_value
from backend.errors import TooManyAttempts

WINDOW = timedelta(minutes=15)
PER_ACCOUNT = 10
PER_ADDRESS = 50
"""Offices share an address; a flood from one is still stopped."""


def network_of(host: str) -> str:
    """What is counted of a client's address: of IPv6 the /64 that one customer has."""
    try:
        address = ipaddress.ip_address(host.partition("%")[0])
    except ValueError:
        return "address unknown"
    if address.version == 6:
        return f"address {ipaddress.ip_network((address, 64), strict=False)}"
    return f"address {address}"


async def count_attempt(subject: str, most: int) -> int:
    """Count one attempt; answers its id. Raises TooManyAttempts after `most` within 15 minutes.

    Commits at once: not for use inside an action.
    """
    await execute("DELETE FROM sign_in_failures WHERE at < now() - $1::interval", WINDOW * 4)
    row = await fetch_row("INSERT INTO sign_in_failures (subject, at) VALUES ($1, now()) RETURNING id", subject)
    assert row is not None
    number = await fetch_value(
        "SELECT count(*) FROM sign_in_failures WHERE subject = $1 AND at > now() - $2::interval", subject, WINDOW
    )
    if number > most:
        await forget_attempt(row["id"])
        raise TooManyAttempts("There were too many attempts.", "Wait a quarter of an hour, then try again.")
    return row["id"]


async def forget_attempt(attempt_id: int) -> None:
    """The attempt was a good one."""
    await execute("DELETE FROM sign_in_failures WHERE id = $1", attempt_id)


async def forget_attempts(subject: str) -> None:
    """The account's owner has shown who they are."""
    await execute("DELETE FROM sign_in_failures WHERE subject = $1", subject)
