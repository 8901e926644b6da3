"""Files of comments, and what comments link to, over HTTP."""

from typing import Annotated
from urllib.parse import quote

from litestar import Response, Router, delete, get, post
from litestar.datastructures import UploadFile
from litestar.enums import RequestEncodingType
from litestar.params import Body

from backend.access.asker import Asker
from backend.access.classes import access
from backend.conversations import comment_files
from backend.conversations.contracts import CommentFile, LinkedConversation
from backend.conversations.links import linked_conversations
from backend.errors import BadRequest
from backend.mail.pictures import KINDS
from backend.mail.routes import INERT

UploadedFile = Annotated[dict[str, UploadFile], Body(media_type=RequestEncodingType.MULTI_PART)]


@post("/conversations/{conversation_id:int}/comment-files", **access("conversation"))
async def upload_file(asker: Asker, conversation_id: int, data: UploadedFile) -> CommentFile:
    """Upload a file for a comment that one is writing, as the multipart field `file`; `AddComment.file_ids` says it."""
    file = data.get("file")
    if file is None:
        raise BadRequest("There is no file in this request.", "Send it as the multipart field `file`.")
    return await comment_files.upload_file(asker, conversation_id, file.filename, file.content_type, await file.read())


@get("/comment-files/{comment_file_id:int}", **access("conversation"))
async def read_file(asker: Asker, comment_file_id: int) -> Response[bytes]:
    """A file of a comment, to be saved: never shown by the browser itself."""
    file = await comment_files.read_file(asker, comment_file_id)
    headers = {**INERT, "content-disposition": f"attachment; filename*=UTF-8''{quote(file.filename)}"}
    return Response(file.content, media_type="application/octet-stream", headers=headers)


@get("/comment-files/{comment_file_id:int}/picture", **access("conversation"))
async def read_picture(asker: Asker, comment_file_id: int) -> Response[bytes]:
    """A raster picture of a comment, to be shown small; anything else comes as bytes to save."""
    file = await comment_files.read_file(asker, comment_file_id)
    headers = {**INERT, "cache-control": "private, max-age=86400", "vary": "cookie"}
    if file.content_type not in KINDS:
        return Response(
            file.content,
            media_type="application/octet-stream",
            headers={**headers, "content-disposition": "attachment"},
        )
    return Response(file.content, media_type=file.content_type, headers=headers)


@delete("/comment-files/{comment_file_id:int}", **access("conversation"))
async def remove_file(asker: Asker, comment_file_id: int) -> None:
    """Take a file off one's own comment, or off the one that one is writing."""
    await comment_files.remove_file(asker, comment_file_id)


@get("/conversation-links", **access("signed_in"))
async def read_links(asker: Asker, ids: list[int]) -> list[LinkedConversation]:
    """Those of these conversations that the person can see, for `#123` in comments."""
    return await linked_conversations(asker, ids)


router = Router(
    path="/", route_handlers=[upload_file, read_file, read_picture, remove_file, read_links], tags=["conversations"]
)
