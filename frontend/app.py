"""The composition root of the interface: one port serves the pages, the REST API and the live socket.

`app` is what uvicorn serves, as a factory. Paths under `/api` go to the Litestar application; everything else is
Reflex's. Reflex gives a transformed application no lifespan, so Litestar's is entered here by hand.
"""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator

import reflex as rx
from starlette.types import ASGIApp, Receive, Scope, Send

from frontend import pages, theme
from frontend.server import server


def mount_api(interface: ASGIApp) -> ASGIApp:
    """Put the REST API and the live socket before the pages."""
    from backend.app import create_app

    api = create_app()
    server.mount(api)

    async def dispatch(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] in ("http", "websocket"):
            server.note_address(scope)
            if scope["path"].startswith("/api/"):
                await api(scope, receive, send)
                return
        await interface(scope, receive, send)

    return dispatch


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
