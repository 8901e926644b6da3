"""Connecting a mailbox to its mail account, over HTTP."""

from litestar import Router, delete, get, post, put

from backend.access.asker import Asker
from backend.access.classes import access
from backend.accounts import actions, queries
from backend.accounts.contracts import AccountSettings, ConnectAccount, Discover, FoundServers, ServerCheck
from backend.accounts.lookup import find_servers


@post("/discover", status_code=200, **access("signed_in"))
async def discover(asker: Asker, data: Discover) -> list[FoundServers]:
    """Servers that the address probably has, best first."""
    return await find_servers(data.address)


@post("/mailboxes/{mailbox_id:int}/account/discover", status_code=200, **access("mailbox_settings"))
async def discover_for_mailbox(asker: Asker, mailbox_id: int, data: Discover) -> list[FoundServers]:
    """The same, from the mailbox's settings."""
    return await find_servers(data.address)


@post("/mailboxes/{mailbox_id:int}/account/check", status_code=200, **access("mailbox_settings"))
async def check_account(asker: Asker, mailbox_id: int, data: ConnectAccount) -> list[ServerCheck]:
    """Try both servers, store nothing. Takes up to half a minute when a server does not answer."""
    return await actions.check_account(asker, mailbox_id, data)


@put("/mailboxes/{mailbox_id:int}/account", **access("mailbox_settings"))
async def connect_account(asker: Asker, mailbox_id: int, data: ConnectAccount) -> AccountSettings:
    """Try both servers, then connect, or connect again. A failure answers 422 with `details.checks`."""
    return await actions.connect_account(asker, mailbox_id, data)


@get("/mailboxes/{mailbox_id:int}/account", **access("mailbox_settings"))
async def read_account(asker: Asker, mailbox_id: int) -> AccountSettings:
    """The account of a mailbox, without its password. 404 when there is none."""
    return await queries.read_account(mailbox_id)


@delete("/mailboxes/{mailbox_id:int}/account", **access("mailbox_settings"))
async def disconnect_account(asker: Asker, mailbox_id: int) -> None:
    """Stop fetching and sending, and forget the password. The mail that has been fetched stays."""
    await actions.disconnect_account(asker, mailbox_id)


router = Router(
    path="/",
    route_handlers=[
        discover,
        discover_for_mailbox,
        check_account,
        connect_account,
        read_account,
        disconnect_account,
    ],
    tags=["accounts"],
)
