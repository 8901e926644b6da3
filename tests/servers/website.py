"""A website that is not ours, on a port of this machine: serves what it is given, and notes who asked for what."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from tests.servers.http_server import Handler, HttpServer


@dataclass(frozen=True)
class Visit:
    """One request: the path with its query, and the headers by their names in small letters."""

    method: str
    path: str
    headers: Mapping[str, str]


class Website(HttpServer):
    """`pages` are content type and body by path; other paths answer 404. Runs from entering to leaving."""

    def __init__(self, pages: Mapping[str, tuple[str, bytes]]) -> None:
        self.pages = pages
        self.visits: list[Visit] = []
        super().__init__("website", self._handler())

    def _handler(self) -> type[Handler]:
        website = self

        class Visited(Handler):
            def do_GET(self) -> None:
                headers = {name.lower(): value for name, value in self.headers.items()}
                website.visits.append(Visit(self.command, self.path, headers))
                kind, body = website.pages.get(self.path.partition("?")[0], ("text/plain", b"no such page"))
                self.answer(200 if self.path.partition("?")[0] in website.pages else 404, kind, body)

            do_POST = do_GET

        return Visited

    def url(self, host: str = "127.0.0.1") -> str:
        """Its origin. Under `localhost` it is another site than one at 127.0.0.1, under its number only another
        origin.
        """
        return f"http://{host}:{self.port}"
