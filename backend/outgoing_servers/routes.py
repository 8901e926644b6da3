"""Outgoing servers over HTTP, for admins."""

from litestar import Router, delete, get, post, put

from backend.access.asker import Asker
from backend.access.classes import access
from backend.outgoing_servers import actions, queries, system, system_actions, testing
from backend.outgoing_servers.contracts import (
    MailboxSending,
    OutgoingServer,
    SaveOutgoingServer,
    ServerTest,
    SetMailboxSending,
    SetSystemMail,
    SystemMail,
)
from backend.settings import settings


@get("/outgoing-servers", **access("admin"))
async def list_servers() -> list[OutgoingServer]:
    """The organisation's own servers, and the accounts of group mailboxes."""
    return await queries.list_servers()


@post("/outgoing-servers", **access("admin"))
async def add_server(asker: Asker, data: SaveOutgoingServer) -> OutgoingServer:
    """Add a server. Nothing is sent through it before it is chosen for something."""
    return await actions.add_server(asker, data)


@put("/outgoing-servers/{server_id:int}", **access("admin"))
async def change_server(asker: Asker, server_id: int, data: SaveOutgoingServer) -> OutgoingServer:
    """Change a server; 409 for a mailbox's own account."""
    return await actions.change_server(asker, server_id, data)


@delete("/outgoing-servers/{server_id:int}", **access("admin"))
async def remove_server(asker: Asker, server_id: int) -> None:
    """Forget a server and its password; what was sent through it goes out as by default again."""
    await actions.remove_server(asker, server_id)


@post("/outgoing-servers/{server_id:int}/test", status_code=200, **access("admin"))
async def test_server(asker: Asker, server_id: int) -> ServerTest:
    """Send a test mail to the asking person's own address; answers how far it came. Takes up to a minute."""
    return await testing.test_server(asker, server_id)


@get("/mailboxes/{mailbox_id:int}/sending", **access("mailbox_settings"))
async def read_sending(mailbox_id: int) -> MailboxSending:
    """What the mailbox sends through."""
    return await queries.read_sending(mailbox_id)


@put("/mailboxes/{mailbox_id:int}/sending", **access("mailbox_settings"))
async def set_sending(asker: Asker, mailbox_id: int, data: SetMailboxSending) -> MailboxSending:
    """Choose what a group mailbox sends through; null resets that to the default."""
    return await actions.set_sending(asker, mailbox_id, data)


@get("/system-mail", **access("admin"))
async def read_system_mail() -> SystemMail:
    """As whom Tandem itself writes, to users and to customers."""
    return await system.read_system_mail(settings())


@put("/system-mail", **access("admin"))
async def set_system_mail(asker: Asker, data: SetSystemMail) -> SystemMail:
    """Set both, or reset them by leaving them empty."""
    return await system_actions.set_system_mail(asker, settings(), data)


router = Router(
    path="/",
    route_handlers=[
        list_servers,
        add_server,
        change_server,
        remove_server,
        test_server,
        read_sending,
        set_sending,
        read_system_mail,
        set_system_mail,
    ],
    tags=["Outgoing mail"],
)
