"""Search over HTTP."""

from litestar import Router, get

from backend.access.asker import Asker
from backend.access.classes import access
from backend.conversations.contracts import ConversationPage
from backend.search import files, queries
from backend.search.contracts import FoundFile


@get("/search", **access("signed_in"))
async def search(
    asker: Asker, q: str = "", mailbox_id: int | None = None, cursor: str | None = None
) -> ConversationPage:
    """Conversations that hold all the words, newest first: in all mailboxes of the person, or in one.

    `"several words"` stand together; `from:`, `to:` and `subject:` look there alone; `is:unread`, `is:open`,
    `is:done`, `is:unassigned`, `is:mine`, `has:attachment` and `assignee:me` narrow the result.
    """
    return await queries.search(asker, q=q, mailbox_id=mailbox_id, cursor=cursor)


@get("/files", **access("signed_in"))
async def find_files(asker: Asker, q: str = "") -> list[FoundFile]:
    """Files of mail whose name holds all the words, those of the newest mail first."""
    return await files.find_files(asker, q=q)


router = Router(path="/", route_handlers=[search, find_files], tags=["search"])
