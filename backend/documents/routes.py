"""Documents over HTTP, what mails link to, and the one route that serves a file without a sign-in."""

import re
from collections.abc import AsyncIterator
from html import escape
from typing import Annotated, Any
from urllib.parse import quote

from litestar import MediaType, Request, Response, Router, delete, get, head, post, put
from litestar.datastructures import Headers, UploadFile
from litestar.enums import RequestEncodingType
from litestar.params import Body
from litestar.response import Stream

from backend.access.asker import Asker
from backend.access.classes import access
from backend.database.connection import Row
from backend.documents import actions, queries, sharing
from backend.documents.contracts import Document, LinkDocument, MadeLink, SaveDocument, SharedFile, SharedFileViews
from backend.errors import BadRequest, NotFound
from backend.mail import blobs
from backend.mail.routes import INERT
from backend.uploads.queries import parts_of

UploadedFile = Annotated[dict[str, UploadFile], Body(media_type=RequestEncodingType.MULTI_PART)]
PUBLIC = {**INERT, "cache-control": "no-store", "x-robots-tag": "noindex, nofollow", "x-frame-options": "DENY"}
"""Headers of what whoever has a link gets."""
_GONE = """<!doctype html><html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>{message}</title><h1>{message}</h1><p>{remedy}</p></html>"""


@get("/documents", **access("signed_in"))
async def list_documents(asker: Asker, q: str = "") -> list[Document]:
    """The documents that the person may use, or those of them with these words."""
    return await queries.list_documents(asker, q=q)


@post("/documents", **access("signed_in"))
async def add_document(asker: Asker, data: UploadedFile, folder: str = "") -> Document:
    """A new document for everybody, given as the multipart field `file`."""
    file = _file(data)
    return await actions.add_document(asker, file.filename, file.content_type, await file.read(), folder=folder)


@post("/documents/{document_id:int}/versions", **access("signed_in"))
async def add_version(asker: Asker, document_id: int, data: UploadedFile) -> Document:
    """A newer version of one's own document, or as an admin of one that one may use; the older ones stay."""
    file = _file(data)
    return await actions.add_version(asker, document_id, file.filename, file.content_type, await file.read())


@put("/documents/{document_id:int}", **access("signed_in"))
async def save_document(asker: Asker, document_id: int, data: SaveDocument) -> Document:
    """Another name or place, or other people who can use it."""
    return await actions.save_document(asker, document_id, data)


@delete("/documents/{document_id:int}", **access("signed_in"))
async def delete_document(asker: Asker, document_id: int) -> None:
    """Delete a document with its versions. What mails carry or link to stays theirs."""
    await actions.delete_document(asker, document_id)


@get("/documents/{document_id:int}/versions/{number:int}", **access("signed_in"))
async def read_version(asker: Asker, document_id: int, number: int) -> Response[bytes]:
    """A version, to be saved."""
    return await _to_save(await queries.access_version(asker, document_id, number), INERT)


@post("/drafts/{draft_id:int}/documents/{document_id:int}/link", **access("handling"))
async def link_document(asker: Asker, draft_id: int, document_id: int, data: LinkDocument) -> MadeLink:
    """A link to the newest version, for the text of this draft. Who has it can fetch the file, and that is counted."""
    return await sharing.link_document(asker, draft_id, document_id, data.days)


@get("/conversations/{conversation_id:int}/shared-files/{file_id:int}/views", **access("conversation"))
async def list_views(conversation_id: int, file_id: int) -> SharedFileViews:
    """When a file that a mail links to was fetched, the last time first."""
    return SharedFileViews(at=await queries.views_of(conversation_id, file_id))


@delete("/conversations/{conversation_id:int}/shared-files/{file_id:int}", status_code=200, **access("handling"))
async def close_link(asker: Asker, conversation_id: int, file_id: int) -> SharedFile:
    """The link leads nowhere any more."""
    return await sharing.close_link(asker, conversation_id, file_id)


@get("/shared/{key:str}", opt={**access("public")["opt"], "exclude_from_csrf": True})
async def fetch_shared(request: Request[Any, Any, Any], key: str) -> Response[bytes] | Response[str] | Stream:
    """The file behind the link of a mail, to be saved; for whoever has that, until it ends. Of a large one the rest can
    be asked for (`Range: bytes=N-`) after a line broke."""
    headers = request.headers
    purpose = headers.get("sec-purpose", "") + headers.get("purpose", "") + headers.get("x-moz", "")
    try:
        record = await sharing.fetch_shared(
            key,
            agent=headers.get("user-agent", ""),
            in_advance="prefetch" in purpose or "preview" in purpose or bool(_rest_wanted(headers)),
            ours=isinstance(request.scope.get("user"), Asker),
        )
    except NotFound as gone:
        page = _GONE.format(message=escape(gone.message), remedy=escape(gone.remedy))
        return Response(page, status_code=404, media_type=MediaType.HTML, headers=PUBLIC)
    if record["upload_id"] is None:
        return await _to_save(record, PUBLIC)
    return _streamed(record, _rest_wanted(headers))


@head("/shared/{key:str}", opt={**access("public")["opt"], "exclude_from_csrf": True})
async def look_at_shared(key: str) -> None:
    """Whether a link leads somewhere. It is not counted."""
    if await queries.file_behind(key) is None:
        raise NotFound("This file is not here any more.", "Ask who sent you the link for a new one.")


async def _to_save(record: Row, headers: dict[str, str]) -> Response[bytes]:
    """Never shown by the browser itself."""
    return Response(
        await blobs.get(record["digest"]),
        media_type="application/octet-stream",
        headers={**headers, "content-disposition": _disposition(record)},
    )


def _streamed(record: Row, begins: int) -> Stream:
    """A file that came up in parts, one after the other: never whole in memory."""
    size: int = record["size"]
    begins = begins if begins < size else 0
    headers = {
        **PUBLIC,
        "content-disposition": _disposition(record),
        "content-length": str(size - begins),
        "accept-ranges": "bytes",
    }
    if begins:
        headers["content-range"] = f"bytes {begins}-{size - 1}/{size}"
    parts: AsyncIterator[bytes] = parts_of(record["upload_id"], begins)
    return Stream(parts, status_code=206 if begins else 200, media_type="application/octet-stream", headers=headers)


def _rest_wanted(headers: Headers) -> int:
    """From which byte on a file is asked for. Other ranges are passed over, and what changed cannot be: a link leads to
    one file for ever."""
    found = re.fullmatch(r"bytes=(\d{1,15})-", headers.get("range", ""))
    return int(found[1]) if found else 0


def _disposition(record: Row) -> str:
    return f"attachment; filename*=UTF-8''{quote(record['filename'], safe='')}"


def _file(data: dict[str, UploadFile]) -> UploadFile:
    file = data.get("file")
    if file is None:
        raise BadRequest("There is no file in this request.", "Send it as the multipart field `file`.")
    return file


router = Router(
    path="/",
    route_handlers=[
        list_documents,
        add_document,
        add_version,
        save_document,
        delete_document,
        read_version,
        link_document,
        list_views,
        close_link,
        fetch_shared,
        look_at_shared,
    ],
    tags=["documents"],
)
