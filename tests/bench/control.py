"""A bare IMAP client that does nothing but IDLE (RFC 2177): the moment from which our own work is counted.

Dovecot holds every push back by about half a second, for all clients alike. The client is a blocking socket in a
thread of its own, so that its clock does not wait for anything else that the benchmark does.
"""

import asyncio
import re
import socket
import threading
import time
from types import TracebackType
from typing import Self

from tests.servers.dovecot import Dovecot

_EXISTS = re.compile(rb"\* (\d+) EXISTS")


class ControlClient:
    """In IDLE on the Inbox of `user` while the `async with` block lasts."""

    def __init__(self, server: Dovecot, user: str) -> None:
        self._server = server
        self._user = user
        self._told: dict[int, asyncio.Future[float]] = {}
        self.messages = 0
        """How many messages the Inbox holds, by the last word of the server."""

    async def __aenter__(self) -> Self:
        self._loop = asyncio.get_running_loop()
        self._socket = await asyncio.to_thread(self._begin)
        self._thread = threading.Thread(target=self._listen, name="control-client", daemon=True)
        self._thread.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._socket.shutdown(socket.SHUT_RDWR)
        await asyncio.to_thread(self._thread.join)
        self._socket.close()

    def next_mail(self) -> asyncio.Future[float]:
        """When the server tells of the next message: seconds since the epoch."""
        return self._told.setdefault(self.messages + 1, self._loop.create_future())

    def _begin(self) -> socket.socket:
        connection = socket.create_connection(("127.0.0.1", self._server.imap_port), timeout=10)
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        lines = connection.makefile("rb")
        lines.readline()
        for number, command in enumerate((f"LOGIN {self._user} {self._server.password}", "SELECT INBOX")):
            connection.sendall(f"c{number} {command}\r\n".encode())
            while not (line := lines.readline()).startswith(b"c"):
                if found := _EXISTS.match(line):
                    self.messages = int(found[1])
            if b" OK " not in line:
                raise RuntimeError(f"the control client's {command.split()[0]} was answered {line!r}")
        connection.sendall(b"c2 IDLE\r\n")
        lines.readline()
        connection.settimeout(None)
        return connection

    def _listen(self) -> None:
        rest = b""
        while received := self._socket.recv(65536):
            at = time.time()
            *lines, rest = (rest + received).split(b"\r\n")
            for line in lines:
                if found := _EXISTS.match(line):
                    self._loop.call_soon_threadsafe(self._tell, int(found[1]), at)

    def _tell(self, messages: int, at: float) -> None:
        for number in range(self.messages + 1, messages + 1):
            if (future := self._told.pop(number, None)) is not None:
                future.set_result(at)
        self.messages = messages
