"""A further web process on the database of a running product, whose tasks and sockets can be counted.

    async with WatchedWeb(product) as web:
        await page.goto(web.url)
        web.tasks()      # live asyncio tasks by what they run
        web.sockets()    # of browsers, and of the interface's own live loops

It is `tandem web` as it is shipped (several web processes on one database are the way to grow). Only a thread beside
it answers what tasks there are.
"""

from __future__ import annotations

import asyncio
import gc
import http.server
import subprocess
import sys
import threading
import time
from collections import Counter
from dataclasses import dataclass
from types import TracebackType
from typing import Self

import httpx
import msgspec
import psutil

from tests.servers.ports import free_ports
from tests.servers.product import START_SECONDS, Product
from tests.servers.tandem import PROJECT, environment


@dataclass(frozen=True)
class Sockets:
    """Established TCP connections of the web process."""

    browsers: int
    """From outside: a socket for each open tab, and HTTP connections that are kept for a few seconds."""
    live: int
    """The process' own connections to its live socket: one for each tab that follows."""


class WatchedWeb:
    """One web process, from entering to leaving."""

    def __init__(self, product: Product) -> None:
        self._product = product
        self._port, self._tasks_port = free_ports(2)
        self.url = f"http://127.0.0.1:{self._port}"
        self.log_file = product.data_folder.parent / f"{product.data_folder.name}-watched.log"
        self._process: subprocess.Popen[bytes] | None = None

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def start(self) -> None:
        """At the same address each time."""
        settings = {"TANDEM_PORT": str(self._port), "TANDEM_ALLOW_PRIVATE_SERVERS": "yes"}
        with self.log_file.open("wb") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "tests.servers.watched_web", str(self._tasks_port)],
                env=environment(self._product.data_folder, **settings),
                cwd=PROJECT,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
            )
        deadline = time.monotonic() + START_SECONDS
        async with httpx.AsyncClient(base_url=self.url, timeout=5, trust_env=False) as client:
            while not await _answers(client):
                if self._process.poll() is not None or time.monotonic() > deadline:
                    self._end()
                    raise RuntimeError(f"The web process did not start:\n{self.log}")
                await asyncio.sleep(0.05)

    async def stop(self) -> None:
        await asyncio.to_thread(self._end)

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.stop()
        self.log_file.unlink(missing_ok=True)

    def _end(self) -> None:
        if self._process is not None:
            self._process.terminate()
            self._process.wait(30)

    @property
    def log(self) -> str:
        return self.log_file.read_text(errors="replace")

    def tasks(self) -> Counter[str]:
        """The tasks that have not ended, by the function that they run."""
        answer = httpx.get(f"http://127.0.0.1:{self._tasks_port}/", trust_env=False, timeout=10)
        return Counter(msgspec.json.decode(answer.content, type=list[str]))

    def sockets(self) -> Sockets:
        assert self._process is not None
        connections = psutil.Process(self._process.pid).net_connections("tcp")
        established = [each for each in connections if each.status == psutil.CONN_ESTABLISHED and each.raddr]
        own_ends = {each.laddr.port for each in established if each.raddr.port == self._port}
        arrived = [each for each in established if each.laddr.port == self._port]
        return Sockets(
            browsers=sum(each.raddr.port not in own_ends for each in arrived),
            live=len(own_ends),
        )


async def _answers(client: httpx.AsyncClient) -> bool:
    try:
        return (await client.get("/api/v1/health")).status_code == 200
    except httpx.TransportError:
        return False


class _Tasks(http.server.BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        # By type(): asking a proxy whose object has gone for its class raises ReferenceError.
        found = [each for each in gc.get_objects() if issubclass(type(each), asyncio.Task)]
        living = [each for each in found if not each.done()]
        running = [each.get_coro() for each in living]
        body = msgspec.json.encode([getattr(each, "__qualname__", type(each).__name__) for each in running])
        self.send_response(200)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        """Nothing: what the product prints stands in the log."""


if __name__ == "__main__":
    from backend.cli import main

    counter = http.server.HTTPServer(("127.0.0.1", int(sys.argv[1])), _Tasks)
    threading.Thread(target=counter.serve_forever, daemon=True).start()
    sys.exit(main(["web"]))
