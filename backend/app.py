"""The composition root of the web process: every route, the session, the errors, the hub.

`create_app()` builds the Litestar application that frontend/app.py mounts below the interface; a test or another
program can serve it alone.
"""

import logging
import traceback
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any
from urllib.parse import urlsplit

import asyncpg
import msgspec
from litestar import Litestar, MediaType, Request, Response, Router, get
from litestar.config.csrf import CSRFConfig
from litestar.connection import ASGIConnection
from litestar.di import Provide
from litestar.exceptions import HTTPException, PermissionDeniedException, ValidationException
from litestar.middleware import AbstractAuthenticationMiddleware, AuthenticationResult, DefineMiddleware
from litestar.middleware.csrf import CSRFMiddleware
from litestar.openapi import OpenAPIConfig
from litestar.openapi.plugins import JsonRenderPlugin
from litestar.types import Receive, Scope, Send

from backend.access.asker import Asker
from backend.access.classes import access, check_every_route_declares, guard
from backend.accounts.routes import router as accounts_router
from backend.addresses.routes import router as used_addresses_router
from backend.compose.actions.drafts import TOGETHER_CHANNEL
from backend.compose.routes import router as compose_router
from backend.compose.together.rooms import Rooms
from backend.compose.together_routes import router as together_router
from backend.contacts.routes import router as contacts_router
from backend.conversations.comment_routes import router as comments_router
from backend.conversations.routes import router as conversations_router
from backend.database.connection import connect, disconnect, engine, fetch_value
from backend.documents.routes import router as documents_router
from backend.errors import NotSignedIn, TandemError
from backend.events.hub import Hub
from backend.events.routes import router as events_router
from backend.identities.routes import router as identities_router
from backend.links.routes import router as links_router
from backend.mail.routes import router as mail_router
from backend.mailboxes.intake_routes import router as intake_router
from backend.mailboxes.routes import router as mailboxes_router
from backend.meetings.routes import router as meetings_router
from backend.notifications.routes import router as notifications_router
from backend.operations.routes import router as operations_router
from backend.outgoing_servers.routes import router as outgoing_servers_router
from backend.palette.routes import router as palette_router
from backend.people.routes import router as people_router
from backend.people.sessions import COOKIE, asker_of_cookie, asker_of_token
from backend.search.routes import router as search_router
from backend.secret_key import secret_key
from backend.sending_domains.routes import router as sending_domains_router
from backend.settings import Settings, settings
from backend.tags.routes import router as tags_router
from backend.templates.routes import router as templates_router
from backend.uploads.routes import router as uploads_router
from backend.views.routes import router as views_router

log = logging.getLogger(__name__)

CSRF_COOKIE = "tandem_csrf"
CSRF_HEADER = "x-csrf-token"
LARGEST_BODY = 30 * 1024 * 1024
"""Bytes of one request: an attachment of 25 MB and its envelope."""


class Authentication(AbstractAuthenticationMiddleware):
    """Finds out who asks: by bearer token, else by session cookie. Nobody is an answer too.

    The cookie is believed on a socket only when the page that opened it is one of ours.
    """

    async def authenticate_request(self, connection: ASGIConnection[Any, Any, Any, Any]) -> AuthenticationResult:
        scheme, _, token = connection.headers.get("authorization", "").partition(" ")
        if scheme.lower() == "bearer" and token:
            return AuthenticationResult(user=await asker_of_token(token.strip()), auth="token")
        cookie = connection.cookies.get(COOKIE)
        if not cookie or not origin_is_ours(connection):
            return AuthenticationResult(user=None, auth=None)
        return AuthenticationResult(user=await asker_of_cookie(cookie), auth="cookie")


def origin_is_ours(connection: ASGIConnection[Any, Any, Any, Any]) -> bool:
    """Whether the request's Origin (browsers send it with every socket and every write) is allowed, or absent."""
    origin = connection.headers.get("origin")
    if origin is None:
        return True
    allowed: tuple[str, ...] = connection.app.state.allowed_origins
    own_host = connection.headers.get("host", "")
    return origin in allowed or urlsplit(origin).netloc == own_host


async def provide_asker(request: Request[Any, Any, Any]) -> Asker:
    """The signed-in person, for routes that name a parameter `asker`."""
    asker = request.scope.get("user")
    if not isinstance(asker, Asker):
        raise NotSignedIn("You are not signed in.", "Sign in and try again.")
    return asker


@get("/health", **access("public"))
async def health() -> dict[str, str]:
    """Answers when the process serves and its database does."""
    await fetch_value("SELECT 1")
    return {"status": "ok"}


def _error(status: int, code: str, message: str, remedy: str, details: dict[str, Any]) -> Response[bytes]:
    body = {"error": code, "message": message, "remedy": remedy, "details": details}
    return Response(msgspec.json.encode(body, enc_hook=str), status_code=status, media_type=MediaType.JSON)


def tandem_error(_: Request[Any, Any, Any], fault: TandemError) -> Response[bytes]:
    return _error(fault.status, fault.code, fault.message, fault.remedy, fault.details)


def litestar_error(_: Request[Any, Any, Any], fault: HTTPException) -> Response[bytes]:
    """Litestar's own refusals, in our form."""
    if isinstance(fault, ValidationException):
        return _error(422, "unacceptable", "The request does not fit.", fault.detail, {"fields": fault.extra})
    if isinstance(fault, PermissionDeniedException):
        return _error(403, "forbidden", "This request could not be trusted.", "Reload the page.", {})
    return _error(fault.status_code, "http", fault.detail, "", {})


def unstorable(request: Request[Any, Any, Any], fault: asyncpg.DataError) -> Response[bytes]:
    """A number or text that PostgreSQL cannot hold: an id beyond 64 bits, a NUL. No row can be meant by it."""
    log.info("%s %s held a value that cannot be stored", request.method, request.url.path)
    return _error(422, "unacceptable", "The request holds a value that cannot be stored.", "Correct it.", {})


def unexpected_error(request: Request[Any, Any, Any], fault: Exception) -> Response[bytes]:
    """A fault of ours: its kind and place go to the log, without its text, which may quote what the request or the
    mail held."""
    place = "".join(traceback.format_tb(fault.__traceback__))
    log.error("%s %s failed: %s at\n%s", request.method, request.url.path, type(fault).__name__, place)
    return _error(500, "error", "Something failed on the server.", "Try again; tell your admin if it stays.", {})


class CrossSiteGuard(CSRFMiddleware):
    """Litestar's CSRF check, for requests that carry a cookie's authority: one with a bearer token needs none."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        authorization = dict(scope["headers"]).get(b"authorization", b"")
        if scope["type"] == "http" and authorization.lower().startswith(b"bearer "):
            await self.app(scope, receive, send)
        else:
            await super().__call__(scope, receive, send)


def create_app(given: Settings | None = None, *, dsn: str | None = None) -> Litestar:
    """The application. `dsn` defaults to the settings' database; the pool opens with the application's lifespan."""
    configured = given or settings()
    database = dsn or configured.database_url
    secure = configured.public_url.startswith("https://")

    @asynccontextmanager
    async def serve(application: Litestar) -> AsyncIterator[None]:
        opened_here = engine.pool is None
        if opened_here:
            if database is None:
                raise RuntimeError("No database: give TANDEM_DATABASE_URL, or start with `tandem up`.")
            await connect(database)
        hub, rooms = Hub(), Rooms()
        application.state.hub = hub
        application.state.rooms = rooms
        hub.listen(TOGETHER_CHANNEL, rooms.hear)
        await hub.start()
        rooms.start()
        try:
            yield
        finally:
            await rooms.stop()
            await hub.stop()
            if opened_here:
                await disconnect()

    api = Router(
        path="/api/v1",
        route_handlers=[
            health,
            people_router,
            mailboxes_router,
            intake_router,
            accounts_router,
            conversations_router,
            comments_router,
            mail_router,
            compose_router,
            together_router,
            contacts_router,
            outgoing_servers_router,
            identities_router,
            sending_domains_router,
            used_addresses_router,
            notifications_router,
            search_router,
            palette_router,
            tags_router,
            templates_router,
            links_router,
            documents_router,
            uploads_router,
            meetings_router,
            views_router,
            operations_router,
            events_router,
        ],
        dependencies={"asker": Provide(provide_asker)},
    )
    application = Litestar(
        route_handlers=[api],
        guards=[guard],
        lifespan=[serve],
        middleware=[
            DefineMiddleware(
                CrossSiteGuard,
                config=CSRFConfig(
                    secret=secret_key(configured).hex(),
                    cookie_name=CSRF_COOKIE,
                    header_name=CSRF_HEADER,
                    cookie_secure=secure,
                    cookie_samesite="lax",
                ),
            ),
            DefineMiddleware(Authentication),
        ],
        exception_handlers={
            TandemError: tandem_error,
            HTTPException: litestar_error,
            asyncpg.DataError: unstorable,
            Exception: unexpected_error,
        },
        openapi_config=OpenAPIConfig(
            title="Tandem",
            version="1",
            path="/api/v1/schema",
            render_plugins=[JsonRenderPlugin()],
            openapi_router=Router(path="/api/v1/schema", route_handlers=[], opt={"access": "public"}),
        ),
        request_max_body_size=LARGEST_BODY,
        debug=False,
    )
    application.state.allowed_origins = configured.allowed_origins
    application.state.settings = configured
    check_every_route_declares(application)
    return application
