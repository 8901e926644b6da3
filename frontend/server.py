"""Where this process answers, as far as the interface needs to know it.

The interface asks its own process for everything: REST in memory, the live socket over loopback. Its address is
read off the connections that arrive, so that no setting is needed and any port works.
"""

from __future__ import annotations

from contextlib import AbstractAsyncContextManager
from typing import Any, Protocol


class Api(Protocol):
    """What the interface needs of the mounted application."""

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None: ...

    def lifespan(self) -> AbstractAsyncContextManager[None]: ...


class Server:
    """The mounted API and the address on which this process was last reached."""

    def __init__(self) -> None:
        self._api: Api | None = None
        self._address: tuple[str, int] | None = None

    def mount(self, api: Api) -> None:
        self._api = api

    def note_address(self, scope: Any) -> None:
        """Remember our end of an arriving connection."""
        host, port = scope.get("server") or (None, None)
        if host and port:
            self._address = (host, port)

    @property
    def api(self) -> Api:
        if self._api is None:
            raise RuntimeError("No API is mounted: the interface was imported without its composition root.")
        return self._api

    @property
    def live_url(self) -> str:
        """The live socket of this process."""
        if self._address is None:
            raise RuntimeError("No connection has arrived yet, so the address of this process is not known.")
        host, port = self._address
        return f"ws://{f'[{host}]' if ':' in host else host}:{port}/api/v1/live"


server = Server()
