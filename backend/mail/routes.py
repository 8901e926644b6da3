"""Messages over HTTP: bodies, the framed HTML, attachments, the raw source."""

from typing import Annotated
from urllib.parse import quote

from litestar import MediaType, Response, Router, get
from litestar.params import QueryParameter

from backend.access.asker import Asker
from backend.access.classes import access
from backend.access.fetch import access_message
from backend.mail import queries
from backend.mail.contracts import MessageBody
from backend.mail.html import html_document
from backend.mail.pictures import KINDS, fetch_picture
from sync.mime.sanitise import content_security_policy

INERT = {
    "content-security-policy": "default-src 'none'; sandbox",
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
}
"""Headers of whatever a stranger made: nothing in it runs, and its type is not guessed."""


def _kept(seconds: int) -> dict[str, str]:
    """Headers of what this person's browser may keep for a while, and show to no other person who signs in there."""
    return {"cache-control": f"private, max-age={seconds}", "vary": "cookie"}


@get("/messages/{message_id:int}", **access("conversation"))
async def read_body(asker: Asker, message_id: int) -> MessageBody:
    """What a person reads of a message."""
    return await queries.read_body(asker, message_id)


@get("/messages/{message_id:int}/html", media_type=MediaType.HTML, **access("conversation"))
async def read_html(
    asker: Asker, message_id: int, remote: bool = False, quoted: bool = False, dark: bool = False
) -> Response[str]:
    """The sanitised document for a frame with the sandbox that sync/mime/page.py names."""
    record = await access_message(asker, message_id)
    page = await html_document(record["raw_digest"], message_id, show_remote=remote, quoted=quoted, dark=dark)
    headers = {**INERT, **_kept(300), "content-security-policy": content_security_policy()}
    return Response(page, media_type=MediaType.HTML, headers=headers)


@get("/messages/{message_id:int}/raw", **access("conversation"))
async def read_raw(asker: Asker, message_id: int) -> Response[bytes]:
    """The message's bytes as they came."""
    raw = await queries.read_raw(asker, message_id)
    return Response(raw, media_type="text/plain; charset=utf-8", headers=INERT)


@get("/messages/{message_id:int}/attachments/{position:int}", **access("conversation"))
async def read_attachment(asker: Asker, message_id: int, position: int) -> Response[bytes]:
    """An attachment, to be saved: never shown by the browser itself."""
    attachment = await queries.read_attachment(asker, message_id, position)
    name = quote(attachment.filename or "attachment")
    headers = {**INERT, "content-disposition": f"attachment; filename*=UTF-8''{name}"}
    return Response(attachment.content, media_type="application/octet-stream", headers=headers)


@get("/messages/{message_id:int}/inline/{position:int}", **access("conversation"))
async def read_inline(asker: Asker, message_id: int, position: int) -> Response[bytes]:
    """A raster picture inside a message, for its frame; anything else comes as bytes to save."""
    attachment = await queries.read_attachment(asker, message_id, position)
    picture = attachment.content_type in KINDS
    headers = {**INERT, **_kept(86_400)}
    if not picture:
        headers["content-disposition"] = "attachment"
    kind = attachment.content_type if picture else "application/octet-stream"
    return Response(attachment.content, media_type=kind, headers=headers)


@get("/messages/{message_id:int}/remote", **access("conversation"))
async def read_remote(
    asker: Asker, message_id: int, url: str, signature: Annotated[str, QueryParameter(name="sig")]
) -> Response[bytes]:
    """A remote picture of a message, fetched by us for a person who asked to see it."""
    picture = await fetch_picture(message_id, url, signature)
    return Response(picture.content, media_type=picture.content_type, headers={**INERT, **_kept(3_600)})


router = Router(
    path="/",
    route_handlers=[read_body, read_html, read_raw, read_attachment, read_inline, read_remote],
    tags=["mail"],
)
