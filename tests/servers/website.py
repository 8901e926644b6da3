"""A website that is not ours, on a port of this machine: serves what it is given, and notes who asked for what."""

from __future__ import annotations

import http.server
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from types import TracebackType
from typing import Self


@dataclass(frozen=True)
class Visit:
    """One request: the path with its query, and the headers by their names in small letters."""

    method: str
    path: str
    headers: Mapping[str, str]


class Website:
    """`pages` are content type and body by path; other paths answer 404. Runs from entering to leaving."""

    def __init__(self, pages: Mapping[str, tuple[str, bytes]]) -> None:
        self.pages = pages
        self.visits: list[Visit] = []
        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._thread = threading.Thread(target=self._server.serve_forever, name="website", daemon=True)

    def _handler(self) -> type[http.server.BaseHTTPRequestHandler]:
        website = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                headers = {name.lower(): value for name, value in self.headers.items()}
                website.visits.append(Visit(self.command, self.path, headers))
                kind, body = website.pages.get(self.path.partition("?")[0], ("text/plain", b"no such page"))
                self.send_response(200 if self.path.partition("?")[0] in website.pages else 404)
                self.send_header("content-type", kind)
                self.send_header("content-length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            do_POST = do_GET

            def log_message(self, format: str, *args: object) -> None:
                """Nothing: `visits` tells."""

        return Handler

    def url(self, host: str = "127.0.0.1") -> str:
        """Its origin. Under `localhost` it is another site than one at 127.0.0.1, under its number only another
        origin.
        """
        return f"http://{host}:{self._server.server_address[1]}"

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join(10)
