"""Identities over HTTP, for admins; what one can choose from stands with the draft."""

from litestar import Router, delete, get, post, put

from backend.access.asker import Asker
from backend.access.classes import access
from backend.identities import actions, queries
from backend.identities.contracts import Identity, SaveIdentity, Senders


@get("/identities", **access("admin"))
async def list_identities() -> list[Identity]:
    """As whom group mailboxes can send, beside their own addresses."""
    return await queries.list_identities()


@post("/identities", **access("admin"))
async def add_identity(asker: Asker, data: SaveIdentity) -> Identity:
    """Add one, for a group mailbox or for all of them."""
    return await actions.add_identity(asker, data)


@put("/identities/{identity_id:int}", **access("admin"))
async def change_identity(asker: Asker, identity_id: int, data: SaveIdentity) -> Identity:
    """Change one."""
    return await actions.change_identity(asker, identity_id, data)


@delete("/identities/{identity_id:int}", **access("admin"))
async def remove_identity(asker: Asker, identity_id: int) -> None:
    """Remove one."""
    await actions.remove_identity(asker, identity_id)


@get("/drafts/{draft_id:int}/senders", **access("handling"))
async def read_senders(asker: Asker, draft_id: int) -> Senders:
    """As whom the person may send this draft, and where answers to it can go."""
    return await queries.read_senders(asker, draft_id)


router = Router(
    path="/",
    route_handlers=[list_identities, add_identity, change_identity, remove_identity, read_senders],
    tags=["Outgoing mail"],
)
