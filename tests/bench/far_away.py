"""A line to a server that is far away: every byte comes so many seconds later, in both directions."""

import asyncio
from types import TracebackType
from typing import Self


class FarAway:
    """Forwards a free loopback port to `target_port`, each piece `delay` seconds later, in order."""

    def __init__(self, delay: float) -> None:
        self._delay = delay
        self._tasks: set[asyncio.Task[None]] = set()
        self.port = 0
        self.target_port = 0

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.port = int(self._server.sockets[0].getsockname()[1])
        return self

    @property
    def origin(self) -> str:
        """Where a browser finds the server behind it."""
        return f"http://127.0.0.1:{self.port}"

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.close()
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        there_reader, there_writer = await asyncio.open_connection("127.0.0.1", self.target_port)
        for source, target in ((reader, there_writer), (there_reader, writer)):
            on_the_way: asyncio.Queue[tuple[float, bytes]] = asyncio.Queue()
            for work in (self._take(source, on_the_way), self._bring(on_the_way, target)):
                task = asyncio.create_task(work)
                self._tasks.add(task)
                task.add_done_callback(self._tasks.discard)

    async def _take(self, source: asyncio.StreamReader, on_the_way: "asyncio.Queue[tuple[float, bytes]]") -> None:
        now = asyncio.get_running_loop().time
        try:
            while data := await source.read(65536):
                on_the_way.put_nowait((now() + self._delay, data))
        except ConnectionError:
            pass  # that side is gone: what follows says so to the other
        on_the_way.put_nowait((now() + self._delay, b""))

    async def _bring(self, on_the_way: "asyncio.Queue[tuple[float, bytes]]", target: asyncio.StreamWriter) -> None:
        now = asyncio.get_running_loop().time
        try:
            while True:
                due, data = await on_the_way.get()
                await asyncio.sleep(due - now())
                if not data:
                    return
                target.write(data)
                await target.drain()
        except ConnectionError:
            return
        finally:
            target.close()
