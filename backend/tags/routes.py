"""Tags over HTTP."""

from litestar import Router, delete, get, post, put

from backend.access.asker import Asker
from backend.access.classes import access
from backend.conversations.contracts import ConversationItem, ConversationPage
from backend.conversations.queries import list_tagged
from backend.tags import actions, queries
from backend.tags.contracts import ChangeTags, SaveTag, Tag


@get("/tags", **access("signed_in"))
async def list_tags() -> list[Tag]:
    """All tags of the organisation, by name."""
    return await queries.read_tags()


@post("/tags", **access("signed_in"))
async def create_tag(asker: Asker, data: SaveTag) -> Tag:
    """A new tag."""
    return await actions.create_tag(asker, data)


@put("/tags/{tag_id:int}", **access("admin"))
async def save_tag(asker: Asker, tag_id: int, data: SaveTag) -> Tag:
    """Another name or colour."""
    return await actions.save_tag(asker, tag_id, data)


@delete("/tags/{tag_id:int}", **access("admin"))
async def delete_tag(asker: Asker, tag_id: int) -> None:
    """Away with it, from all conversations."""
    await actions.delete_tag(asker, tag_id)


@get("/tags/{tag_id:int}/conversations", **access("signed_in"))
async def tagged(asker: Asker, tag_id: int, cursor: str | None = None) -> ConversationPage:
    """The conversations with a tag that the person sees, of all mailboxes, newest first; not spam or trash."""
    return await list_tagged(asker, tag_id, cursor=cursor)


@put("/conversations/{conversation_id:int}/tags", **access("handling"))
async def change_tags(asker: Asker, conversation_id: int, data: ChangeTags) -> ConversationItem:
    """Put tags on a conversation, and take others from it."""
    return await actions.change_tags(asker, conversation_id, data)


router = Router(
    path="/",
    route_handlers=[list_tags, create_tag, save_tag, delete_tag, tagged, change_tags],
    tags=["tags"],
)
