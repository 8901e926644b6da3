"""The live socket of one tab: frames as they come, batched, through cuts and restarts.

The tab's loop asks for `since` at each connection, so that whatever happened while the line was down arrives first.
"""

from __future__ import annotations

import asyncio
import contextlib
import random
from collections.abc import AsyncIterator, Iterable, Mapping
from urllib.parse import quote

import msgspec
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidHandshake, InvalidStatus

from backend.contracts import StreamPosition
from backend.events.contracts import ClientFrame, ClosingFrame, Doing, Frame, Looking, Subscribe, Watch, frame_decoder
from frontend.server import server

FIRST_PAUSE = 0.25
LONGEST_PAUSE = 15.0
BATCH = 200
SILENCE_SECONDS = 75.0
"""The server beats its heart far more often: after this long without a word the line counts as dead."""


class LiveRefused(Exception):
    """The server does not take this session on the live socket any more."""


class LiveLost(Exception):
    """The line is down; coming back is of use."""


def pause_before(attempt: int) -> float:
    """Seconds to wait before connection `attempt` (0 is the first again), growing, with some jitter."""
    return min(LONGEST_PAUSE, FIRST_PAUSE * 2 ** min(attempt, 10)) * random.uniform(0.7, 1.3)


class Live:
    """An open live socket."""

    def __init__(self, socket: ClientConnection) -> None:
        self._socket = socket

    async def batches(self) -> AsyncIterator[list[Frame]]:
        """Frames in order, as many at once as have arrived. Ends with `LiveLost` or `LiveRefused`."""
        while True:
            try:
                async with asyncio.timeout(SILENCE_SECONDS):
                    batch = [await self._next()]
            except TimeoutError as silent:
                raise LiveLost("The live socket has gone silent.") from silent
            while len(batch) < BATCH and not isinstance(batch[-1], ClosingFrame):
                try:
                    async with asyncio.timeout(0):
                        batch.append(await self._next())
                except (TimeoutError, LiveLost):
                    break
            closing = batch.pop() if isinstance(batch[-1], ClosingFrame) else None
            if batch:
                yield batch
            if isinstance(closing, ClosingFrame):
                raise LiveRefused() if closing.reason == "signed_out" else LiveLost(closing.reason)

    async def subscribe(self, positions: Mapping[str, int]) -> None:
        """Follow further streams from these positions on."""
        each = [StreamPosition(stream=stream, position=at) for stream, at in positions.items()]
        await self._say(Subscribe(positions=each))

    async def look(self, conversation_id: int, doing: Doing) -> None:
        """The person is there now, and does that; 0 is nowhere."""
        await self._say(Looking(conversation_id=conversation_id or None, doing=doing))

    async def watch(self, conversation_ids: Iterable[int]) -> None:
        """Hear from now on who is in these conversations, and in no others."""
        await self._say(Watch(conversation_ids=sorted(conversation_ids)))

    async def _say(self, frame: ClientFrame) -> None:
        with contextlib.suppress(ConnectionClosed):  # the reader hears of it
            await self._socket.send(msgspec.json.encode(frame).decode())

    async def _next(self) -> Frame:
        try:
            return frame_decoder.decode(await self._socket.recv())
        except ConnectionClosed as closed:
            raise LiveLost(str(closed)) from closed


@contextlib.asynccontextmanager
async def open_live(cookie: str, origin: str, since: Mapping[str, int]) -> AsyncIterator[Live]:
    """Connect as the person with this cookie. Raises `LiveRefused` when the session is over, else `LiveLost`."""
    streams = ",".join(f"{stream}={at}" for stream, at in since.items())
    headers = {"Cookie": cookie} | ({"Origin": origin} if origin else {})
    try:
        socket = await connect(
            f"{server.live_url}?since={quote(streams, safe='=,:')}",
            additional_headers=headers,
            open_timeout=10,
            ping_interval=None,
            compression=None,
            max_size=None,
            proxy=None,
        )
    except InvalidStatus as refused:
        if refused.response.status_code in (401, 403):
            raise LiveRefused() from refused
        raise LiveLost(str(refused)) from refused
    except (OSError, InvalidHandshake, TimeoutError) as down:
        raise LiveLost(str(down)) from down
    try:
        yield Live(socket)
    finally:
        await socket.close()
