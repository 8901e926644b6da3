"""What every page of the interface tells the browser about itself."""

from __future__ import annotations

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

HEADERS = {
    # Only our own pages may frame us: framed by a stranger's, a person could be made to click where they do not see.
    "content-security-policy": "frame-ancestors 'self'",
    "x-frame-options": "SAMEORIGIN",
    "x-content-type-options": "nosniff",
    # What a person follows out of a mail does not learn which conversation it came from.
    "referrer-policy": "same-origin",
}


def with_headers(interface: ASGIApp) -> ASGIApp:
    """`interface`, with `HEADERS` on every HTTP answer."""

    async def answer(scope: Scope, receive: Receive, send: Send) -> None:
        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message).update(HEADERS)
            await send(message)

        await interface(scope, receive, send_with_headers if scope["type"] == "http" else send)

    return answer
