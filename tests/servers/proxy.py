"""A TCP proxy in the test's own loop, to cut, freeze or refuse connections on the way to a real server."""

import asyncio
import time
from types import TracebackType
from typing import Self


class Proxy:
    """Forwards a free loopback port to `target_port`, until told otherwise.

    async with Proxy(server.imap_port) as proxy: connect to proxy.port; proxy.cut()
    """

    def __init__(self, target_port: int) -> None:
        self.target_port = target_port
        self.port = 0
        self.accepted = 0
        self.signing_in = 0
        """How often somebody tried to sign in."""
        self.last_push = 0.0
        """time.perf_counter() when the server last announced a new message, before the client was told."""
        self._server: asyncio.Server | None = None
        self._writers: set[asyncio.StreamWriter] = set()
        self._pumps: set[asyncio.Task[None]] = set()
        self._flowing = asyncio.Event()
        self._flowing.set()
        self._cut_after: int | None = None
        self._refusing = False

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.port = int(self._server.sockets[0].getsockname()[1])
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.cut()
        for pump in list(self._pumps):
            pump.cancel()
        await asyncio.gather(*self._pumps, return_exceptions=True)
        if self._server is not None:
            self._server.close()
            await self._server.wait_closed()

    @property
    def connections(self) -> int:
        """How many connections are open now."""
        return len(self._writers) // 2

    def cut(self) -> None:
        """Reset every open connection, as a router does that lost its memory. New ones are served."""
        for writer in list(self._writers):
            writer.transport.abort()

    def cut_after(self, bytes_to_client: int) -> None:
        """Reset the connection that next brings the total of forwarded bytes above this many, once."""
        self._cut_after = bytes_to_client

    def refuse(self, refusing: bool = True) -> None:
        """Accept and at once reset new connections (True), or serve them again (False)."""
        self._refusing = refusing

    def freeze(self) -> None:
        """Forward nothing more, in silence, while connections stay open: a peer that died without a word."""
        self._flowing.clear()

    def thaw(self) -> None:
        """Forward again."""
        self._flowing.set()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.accepted += 1
        if self._refusing:
            writer.transport.abort()
            return
        try:
            server_reader, server_writer = await asyncio.open_connection("127.0.0.1", self.target_port)
        except OSError:  # the server is down: so is the way to it
            writer.transport.abort()
            return
        self._writers |= {writer, server_writer}
        for source, target, to_client in ((reader, server_writer, False), (server_reader, writer, True)):
            pump = asyncio.create_task(self._pump(source, target, to_client))
            self._pumps.add(pump)
            pump.add_done_callback(self._pumps.discard)

    async def _pump(self, source: asyncio.StreamReader, target: asyncio.StreamWriter, to_client: bool) -> None:
        try:
            while data := await source.read(65536):
                await self._flowing.wait()
                self.signing_in += not to_client and (b" LOGIN " in data or b" AUTHENTICATE " in data)
                if to_client and b" EXISTS\r\n" in data:
                    self.last_push = time.perf_counter()
                if to_client and self._cut_after is not None:
                    if len(data) >= self._cut_after:
                        target.write(data[: self._cut_after])
                        self._cut_after = None
                        self.cut()
                        return
                    self._cut_after -= len(data)
                target.write(data)
                await target.drain()
        except (ConnectionError, OSError):
            return  # the other side is gone: closing below tells this one
        finally:
            self._writers.discard(target)
            target.close()
