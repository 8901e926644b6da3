"""The composition root of the interface: one port serves the pages, the REST API and the live socket.

`app` is what uvicorn serves, as a factory. Paths under `/api` go to the Litestar application; everything else is
Reflex's. Reflex gives a transformed application no lifespan, so Litestar's is entered here by hand.
"""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator
from typing import Any
from urllib.parse import quote

import reflex as rx
from starlette.responses import RedirectResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from frontend import pages, theme
from frontend.api import SESSION_COOKIE
from frontend.headers import with_headers
from frontend.server import server


def mount_api(interface: ASGIApp) -> ASGIApp:
    """Put the REST API and the live socket before the pages."""
    from backend.app import create_app

    api: Any = create_app()  # Litestar's ASGI types are its own
    server.mount(api)
    own_pages = with_headers(interface)

    async def dispatch(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] in ("http", "websocket"):
            server.note_address(scope)
            if scope["path"].startswith("/api/"):
                await api(scope, receive, send)
                return
            if scope["type"] == "http" and needs_sign_in(scope):
                await RedirectResponse(sign_in_address(scope), 303)(scope, receive, send)
                return
        await own_pages(scope, receive, send)

    return dispatch


def needs_sign_in(scope: Scope) -> bool:
    """Whether a page of signed-in people is asked for by somebody without a session: no need to load it first."""
    path = scope["path"].rstrip("/") or "/"
    if path not in pages.SIGNED_IN:
        return False
    cookies = b"; ".join(value for name, value in scope["headers"] if name == b"cookie")
    return SESSION_COOKIE.encode() + b"=" not in cookies


def sign_in_address(scope: Scope) -> str:
    """The sign-in, and where to go on from there."""
    query = scope["query_string"].decode("latin-1")
    wanted = scope["path"] + (f"?{query}" if query else "")
    return "/signin/" if wanted == "/" else f"/signin/?next={quote(wanted)}"


@contextlib.asynccontextmanager
async def api_lifespan() -> AsyncIterator[None]:
    """Start and stop what the REST API holds open."""
    async with server.api.lifespan():
        yield


app = rx.App(
    head_components=theme.head(),
    stylesheets=theme.STYLESHEETS,
    html_lang="en",
    toaster=None,
    api_transformer=mount_api,
)
app.register_lifespan_task(api_lifespan)
pages.add_all(app)
