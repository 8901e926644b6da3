"""A web server of a test, on a port of this machine."""

from __future__ import annotations

import http.server
import threading
from types import TracebackType
from typing import Self


class Handler(http.server.BaseHTTPRequestHandler):
    """Answers with whole bodies, and tells nobody on the terminal."""

    def answer(self, status: int, content_type: str, body: bytes) -> None:
        self.send_response(status)
        self.send_header("content-type", content_type)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        """Nothing: the server itself notes what a test wants to know."""


class HttpServer:
    """Runs from entering to leaving, each request in a thread of its own."""

    def __init__(self, name: str, handler: type[Handler]) -> None:
        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
        self._thread = threading.Thread(target=self._server.serve_forever, name=name, daemon=True)

    @property
    def port(self) -> int:
        return int(self._server.server_address[1])

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join(10)
