"""Search over HTTP."""

from litestar import Router, get

from backend.access.asker import Asker
from backend.access.classes import access
from backend.search import files, queries
from backend.search.contracts import FoundFile, FoundPage


@get("/search", **access("signed_in"))
async def search(asker: Asker, q: str = "", mailbox_id: int | None = None, cursor: str | None = None) -> FoundPage:
    """Conversations in which everything stands that is said, newest first: in all mailboxes of the person, or in one.

    Words, `"phrases"`, `-not`, `OR`; `from:`, `to:`, `cc:`, `subject:`, `filename:`, `has:`, `in:`, `is:`,
    `assignee:`, `mentions:`, `tag:`, `before:`, `after:`, `on:`, `larger:`, `smaller:`, `sort:relevance`. Spam and
    trash are left out unless they are asked for.
    """
    return await queries.search(asker, q=q, mailbox_id=mailbox_id, cursor=cursor)


@get("/files", **access("signed_in"))
async def find_files(asker: Asker, q: str = "") -> list[FoundFile]:
    """Files of mail whose name holds all the words, those of the newest mail first."""
    return await files.find_files(asker, q=q)


router = Router(path="/", route_handlers=[search, find_files], tags=["search"])
