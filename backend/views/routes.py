"""Views over HTTP. A view that is not the person's and not shared with them is not there."""

from litestar import Router, delete, get, post, put

from backend.access.asker import Asker
from backend.access.classes import access
from backend.conversations.contracts import ConversationPage
from backend.views import actions, queries
from backend.views.contracts import SavedView, SaveView, ViewCount


@get("/views", **access("signed_in"))
async def list_views(asker: Asker) -> list[SavedView]:
    """The views that the person made or that are shared with them."""
    return await queries.read_views(asker)


@get("/shared-views", **access("admin"))
async def list_shared_views() -> list[SavedView]:
    """Every view that is shared, also with teams that the admin is not in."""
    return await queries.read_shared_views()


@get("/view-counts", **access("signed_in"))
async def view_counts(asker: Asker) -> list[ViewCount]:
    """How much is open in each of the person's views."""
    return await queries.read_view_counts(asker)


@post("/views", **access("signed_in"))
async def create_view(asker: Asker, data: SaveView) -> SavedView:
    """Save a view."""
    return await actions.create_view(asker, data)


@put("/views/{view_id:int}", **access("signed_in"))
async def save_view(asker: Asker, view_id: int, data: SaveView) -> SavedView:
    """Change a view: one's own, or as an admin a shared one."""
    return await actions.save_view(asker, view_id, data)


@delete("/views/{view_id:int}", **access("signed_in"))
async def delete_view(asker: Asker, view_id: int) -> None:
    """Delete a view: one's own, or as an admin a shared one."""
    await actions.delete_view(asker, view_id)


@get("/views/{view_id:int}/conversations", **access("signed_in"))
async def in_view(asker: Asker, view_id: int, cursor: str | None = None) -> ConversationPage:
    """What is in a view for the person who looks."""
    view = await queries.access_view(asker, view_id)
    return await queries.list_filtered(asker, view.filters, cursor=cursor)


@get("/filtered", **access("signed_in"))
async def filtered(asker: Asker, filters: str = "{}", cursor: str | None = None) -> ConversationPage:
    """What fits filters that nobody has saved; they are the `filters` of a view, as JSON."""
    wanted = actions.check_filters(queries.read_filters(filters))
    return await queries.list_filtered(asker, wanted, cursor=cursor)


router = Router(
    path="/",
    route_handlers=[
        list_views,
        list_shared_views,
        view_counts,
        create_view,
        save_view,
        delete_view,
        in_view,
        filtered,
    ],
    tags=["views"],
)
