"""Mail that Tandem itself writes: through the server that the environment names, else the outgoing server for all."""

import msgspec

from backend.database.connection import Row, fetch_row, fetch_value
from backend.outgoing_servers.contracts import SetSystemMail, SystemMail
from backend.outgoing_servers.forcing import forced_from
from backend.outgoing_servers.queries import SERVERS
from backend.settings import Settings

_senders = msgspec.json.Decoder(SetSystemMail)


async def system_server() -> Row | None:
    """The record of the outgoing server for all, where its user name is an address that such mail can be from."""
    record = await fetch_row(f"{SERVERS} WHERE s.for_all")
    return record if record is not None and "@" in record["username"] else None


def system_address(record: Row) -> str:
    """The address that system mail through it is from."""
    return forced_from(record["host"], record["username"]) or record["username"].lower()


async def can_mail(configured: Settings) -> bool:
    """Whether Tandem can send mail of its own."""
    return configured.smtp is not None or await system_server() is not None


async def system_senders() -> SetSystemMail:
    """As whom it writes."""
    stored = await fetch_value("SELECT settings ->> 'system_mail' FROM organisation")
    return _senders.decode(stored) if stored else SetSystemMail()


async def read_system_mail(configured: Settings) -> SystemMail:
    """The same as the settings show it, with the address that it is from."""
    senders, record = await system_senders(), await system_server()
    address = configured.smtp.sender if configured.smtp else system_address(record) if record else ""
    return SystemMail(users=senders.users, customers=senders.customers, address=address)
