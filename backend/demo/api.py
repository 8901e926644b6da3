"""Tandem's REST API, as the demo's people use it: the demo has no other way in."""

from typing import Any, TypeVar

import httpx
import msgspec

PREFIX = "/api/v1"
_CSRF_COOKIE, _CSRF_HEADER = "tandem_csrf", "x-csrf-token"

Answer = TypeVar("Answer")


class Refused(Exception):
    """The API said no. ``status`` is HTTP's; the text is what it said."""

    def __init__(self, status: int, text: str) -> None:
        super().__init__(f"{status}: {text}")
        self.status = status


class Api:
    """One person's requests, or nobody's without a token. Close it at the end.

    httpx's errors are passed on when Tandem does not answer at all.
    """

    def __init__(self, address: str, token: str | None = None) -> None:
        headers = {"authorization": f"Bearer {token}"} if token else {}
        self._client = httpx.AsyncClient(base_url=address + PREFIX, headers=headers, timeout=60.0, trust_env=False)

    async def close(self) -> None:
        await self._client.aclose()

    async def get(self, path: str, answer: type[Answer], **query: Any) -> Answer:
        return msgspec.json.decode(await self._ask("GET", path, None, query), type=answer)

    async def post(self, path: str, body: Any, answer: type[Answer]) -> Answer:
        return msgspec.json.decode(await self._ask("POST", path, body), type=answer)

    async def put(self, path: str, body: Any, answer: type[Answer]) -> Answer:
        return msgspec.json.decode(await self._ask("PUT", path, body), type=answer)

    async def upload(self, path: str, filename: str, content: bytes, content_type: str, answer: type[Answer]) -> Answer:
        """Send a file up, as the multipart field `file`. Raises `Refused`."""
        headers = {} if "authorization" in self._client.headers else {_CSRF_HEADER: await self._csrf()}
        files = {"file": (filename, content, content_type)}
        return msgspec.json.decode(_content(await self._client.post(path, files=files, headers=headers)), type=answer)

    async def send(self, method: str, path: str, body: Any = None) -> None:
        """A request whose answer does not matter. Raises `Refused`."""
        await self._ask(method, path, body)

    async def _ask(self, method: str, path: str, body: Any, query: dict[str, Any] | None = None) -> bytes:
        headers = {"content-type": "application/json"} if body is not None else {}
        if method != "GET" and "authorization" not in self._client.headers:
            headers[_CSRF_HEADER] = await self._csrf()
        content = None if body is None else msgspec.json.encode(body)
        given = {name: value for name, value in (query or {}).items() if value is not None}
        reply = await self._client.request(method, path, content=content, headers=headers, params=given)
        return _content(reply)

    async def _csrf(self) -> str:
        """The token that a request with a cookie repeats; a first GET brings it."""
        if _CSRF_COOKIE not in self._client.cookies:
            await self._client.get("/health")
        return self._client.cookies.get(_CSRF_COOKIE) or ""


def _content(reply: httpx.Response) -> bytes:
    if reply.status_code >= 400:
        raise Refused(reply.status_code, reply.text[:300])
    return reply.content
