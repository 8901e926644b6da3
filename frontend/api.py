"""The interface's only HTTP client: the REST API of this same process, asked in memory as the signed-in person.

Nothing here decides what somebody may see: each request carries the browser's own cookies, and the API decides.
"""

from __future__ import annotations

import logging
from http.cookiejar import CookieJar, DefaultCookiePolicy
from http.cookies import CookieError, SimpleCookie
from typing import Any, TypeVar, overload

import httpx
import msgspec

from frontend.server import server

Answer = TypeVar("Answer")

logging.getLogger("httpx").setLevel(logging.WARNING)  # it tells of every request of every tab

CSRF_COOKIE = "tandem_csrf"
SESSION_COOKIE = "tandem_session"
PREFIX = "/api/v1"
LIMIT_SECONDS = 30.0


class ApiError(Exception):
    """The API refused. `message` and `remedy` are sentences for the person; `details` belong to the code."""

    def __init__(self, status: int, code: str, message: str, remedy: str, details: dict[str, Any]) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.message = message
        self.remedy = remedy
        self.details = details

    @property
    def sentence(self) -> str:
        """What happened and what to do, in one line."""
        return " ".join(part for part in (self.message, self.remedy) if part)


class SignedOut(ApiError):
    """The session is over: the page has to begin again at the sign-in."""


class Api:
    """The REST API as one person. `cookie` is the whole Cookie header of their browser."""

    def __init__(self, cookie: str) -> None:
        self._cookie = cookie

    @property
    def has_session(self) -> bool:
        return SESSION_COOKIE in _cookies(self._cookie)

    @overload
    async def get(self, path: str, answer: type[Answer], **query: Any) -> Answer: ...
    @overload
    async def get(self, path: str, answer: None = None, **query: Any) -> None: ...
    async def get(self, path: str, answer: type[Any] | None = None, **query: Any) -> Any:
        """GET `path` (below /api/v1) and read its answer. Query values of None are left out."""
        return await self._ask("GET", path, None, answer, query)

    async def post(self, path: str, body: Any = None, answer: type[Any] | None = None) -> Any:
        return await self._ask("POST", path, body, answer)

    async def put(self, path: str, body: Any, answer: type[Any] | None = None) -> Any:
        return await self._ask("PUT", path, body, answer)

    async def patch(self, path: str, body: Any, answer: type[Any] | None = None) -> Any:
        return await self._ask("PATCH", path, body, answer)

    async def delete(self, path: str, answer: type[Any] | None = None, **query: Any) -> Any:
        return await self._ask("DELETE", path, None, answer, query)

    async def _ask(self, method: str, path: str, body: Any, answer: Any, query: dict[str, Any] | None = None) -> Any:
        headers = {"cookie": self._cookie, "accept": "application/json"}
        if method != "GET":
            headers["x-csrf-token"] = await self._csrf()
            headers["cookie"] = self._cookie
        content = None
        if body is not None:
            headers["content-type"] = "application/json"
            content = msgspec.json.encode(body)
        given = {name: value for name, value in (query or {}).items() if value is not None}
        reply = await _client().request(method, PREFIX + path, headers=headers, content=content, params=given)
        if reply.status_code >= 400:
            raise _refusal(reply)
        return None if answer is None else msgspec.json.decode(reply.content, type=answer)

    async def _csrf(self) -> str:
        """The token that a write must repeat; a browser that has none yet is given one for this request."""
        token = _cookies(self._cookie).get(CSRF_COOKIE)
        if token is None:
            reply = await _client().get(PREFIX + "/health", headers={"cookie": self._cookie})
            token = _cookies("; ".join(reply.headers.get_list("set-cookie"))).get(CSRF_COOKIE, "")
            self._cookie = "; ".join(part for part in (self._cookie, f"{CSRF_COOKIE}={token}") if part)
        return token


_shared: httpx.AsyncClient | None = None


def _client() -> httpx.AsyncClient:
    """One client for all people: it keeps no cookies, so nobody's session can pass to another."""
    global _shared
    if _shared is None:
        _shared = httpx.AsyncClient(
            transport=httpx.ASGITransport(app=_mounted, raise_app_exceptions=False),
            base_url="http://localhost",
            cookies=CookieJar(policy=DefaultCookiePolicy(allowed_domains=[])),
            timeout=LIMIT_SECONDS,
            trust_env=False,
        )
    return _shared


async def _mounted(scope: Any, receive: Any, send: Any) -> None:
    await server.api(scope, receive, send)


def session_of(cookie: str) -> str:
    """The session in a Cookie header: what says who somebody is. Other cookies come and go beside it."""
    return _cookies(cookie).get(SESSION_COOKIE, "")


def _cookies(header: str) -> dict[str, str]:
    try:
        return {name: morsel.value for name, morsel in SimpleCookie(header).items()}
    except CookieError:
        pairs = (part.strip().partition("=") for part in header.split(";"))
        return {name: value for name, _, value in pairs if name}


def _refusal(reply: httpx.Response) -> ApiError:
    try:
        told = msgspec.json.decode(reply.content, type=dict[str, Any])
    except msgspec.DecodeError:
        told = {}
    kind = SignedOut if reply.status_code == 401 else ApiError
    return kind(
        reply.status_code,
        str(told.get("error") or reply.status_code),
        str(told.get("message") or "Tandem could not do this."),
        str(told.get("remedy") or ("Try again." if reply.status_code >= 500 else "")),
        told.get("details") or {},
    )
