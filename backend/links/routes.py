"""Saved links over HTTP: everybody uses them, admins change them."""

from litestar import Router, delete, get, post, put

from backend.access.asker import Asker
from backend.access.classes import access
from backend.links import actions, queries
from backend.links.contracts import SavedLink, SaveLink


@get("/links", **access("signed_in"))
async def list_links(q: str = "") -> list[SavedLink]:
    """The organisation's links, or those of them with these words."""
    return await queries.list_links(q)


@post("/links", **access("admin"))
async def create_link(asker: Asker, data: SaveLink) -> SavedLink:
    """Save a new link."""
    return await actions.create_link(asker, data)


@put("/links/{link_id:int}", **access("admin"))
async def save_link(asker: Asker, link_id: int, data: SaveLink) -> SavedLink:
    """Change a link; 409 when somebody changed it meanwhile."""
    return await actions.save_link(asker, link_id, data)


@delete("/links/{link_id:int}", **access("admin"))
async def delete_link(asker: Asker, link_id: int) -> None:
    """Delete a link. Mails that it went into keep it."""
    await actions.delete_link(asker, link_id)


router = Router(path="/", route_handlers=[list_links, create_link, save_link, delete_link], tags=["links"])
