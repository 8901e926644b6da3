"""The command palette's index over HTTP."""

import asyncio
import gzip
import hashlib
from typing import Annotated

import msgspec
from litestar import MediaType, Response, Router, get
from litestar.openapi.datastructures import ResponseSpec
from litestar.params import HeaderParameter

from backend.access.asker import Asker
from backend.access.classes import access
from backend.palette.contracts import PaletteIndex
from backend.palette.queries import read_index


@get(
    "/palette",
    responses={
        200: ResponseSpec(PaletteIndex, description="What the palette finds.", generate_examples=False),
        304: ResponseSpec(None, description="What the asking program has is still so.", generate_examples=False),
    },
    **access("signed_in"),
)
async def read_palette(
    asker: Asker,
    if_none_match: Annotated[str, HeaderParameter(name="If-None-Match")] = "",
    accept_encoding: Annotated[str, HeaderParameter(name="Accept-Encoding")] = "",
) -> Response[bytes]:
    """What can be jumped to by its name: the newest 5,000 conversations and contacts that the person sees, and all
    colleagues. With the `ETag` of an answer as `If-None-Match` it is sent only where it has changed.
    """
    body = msgspec.json.encode(await read_index(asker))
    tag = f'"{hashlib.blake2b(body, digest_size=12).hexdigest()}"'
    # Not kept on the disk: another person may sit at this browser tomorrow.
    headers = {"etag": tag, "cache-control": "no-store", "vary": "accept-encoding, cookie, authorization"}
    if tag in if_none_match:
        return Response(b"", status_code=304, headers=headers)
    if "gzip" in accept_encoding:
        body = await asyncio.to_thread(gzip.compress, body, 4)
        headers["content-encoding"] = "gzip"
    return Response(body, headers=headers, media_type=MediaType.JSON)


router = Router(path="/", route_handlers=[read_palette], tags=["search"])
