"""Uploads over HTTP: begun, sent up in parts, attached or linked to."""

from typing import Annotated, Any

from litestar import Request, Router, delete, get, patch, post
from litestar.params import HeaderParameter

from backend.access.asker import Asker
from backend.access.classes import access
from backend.compose.actions import attaching
from backend.compose.contracts import Draft
from backend.documents import sharing
from backend.documents.contracts import MadeLink
from backend.uploads import actions, queries
from backend.uploads.contracts import BeginUpload, Upload, Uploads

Offset = Annotated[int, HeaderParameter(name="upload-offset", ge=0)]


@get("/drafts/{draft_id:int}/uploads", **access("handling"))
async def list_uploads(asker: Asker, draft_id: int) -> Uploads:
    """What the person has half up for this draft, and how large a file it still takes."""
    return await attaching.read_uploads(asker, draft_id)


@post("/drafts/{draft_id:int}/uploads", **access("handling"))
async def begin_upload(asker: Asker, draft_id: int, data: BeginUpload) -> Upload:
    """Begin to send a file up; its bytes follow in parts."""
    return await attaching.begin_upload(asker, draft_id, data)


@get("/drafts/{draft_id:int}/uploads/{upload_id:int}", **access("handling"))
async def read_upload(asker: Asker, draft_id: int, upload_id: int) -> Upload:
    """How far it came: the next part begins at `offset`."""
    return queries.upload_of(await queries.access_upload(asker, draft_id, upload_id))


@patch(
    "/drafts/{draft_id:int}/uploads/{upload_id:int}",
    request_max_body_size=actions.LARGEST_PART,
    **access("handling"),
)
async def add_part(
    request: Request[Any, Any, Any], asker: Asker, draft_id: int, upload_id: int, offset: Offset
) -> Upload:
    """The next bytes, as the body of the request; 409 with the right `offset` for others. What is answered for is there
    for good."""
    return await actions.add_part(asker, draft_id, upload_id, offset, await request.body())


@delete("/drafts/{draft_id:int}/uploads/{upload_id:int}", **access("handling"))
async def give_up(asker: Asker, draft_id: int, upload_id: int) -> None:
    """It is not wanted any more."""
    await actions.give_up(asker, draft_id, upload_id)


@post("/drafts/{draft_id:int}/uploads/{upload_id:int}/attach", **access("handling"))
async def attach_upload(asker: Asker, draft_id: int, upload_id: int, in_text: bool = False) -> Draft:
    """Attach a file that is all there; asking again does it no second time."""
    return await attaching.attach_upload(asker, draft_id, upload_id, in_text=in_text)


@post("/drafts/{draft_id:int}/uploads/{upload_id:int}/link", **access("handling"))
async def link_upload(asker: Asker, draft_id: int, upload_id: int) -> MadeLink:
    """A link to a file that is all there, for the text of this draft."""
    return await sharing.link_upload(asker, draft_id, upload_id)


router = Router(
    path="/",
    route_handlers=[list_uploads, begin_upload, read_upload, add_part, give_up, attach_upload, link_upload],
    tags=["uploads"],
)
