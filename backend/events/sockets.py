"""A socket of a signed-in person: it lives as long as their session does, and ends with a word why."""

import asyncio
import contextlib
import logging
import math
from collections.abc import Callable, Coroutine
from typing import Any

from litestar import WebSocket
from litestar.exceptions import WebSocketDisconnect

from backend.access.asker import Asker
from backend.events.hub import Client, Hub, drain
from backend.people.sessions import seconds_left

log = logging.getLogger(__name__)

HEARTBEAT_SECONDS = 20.0
"""How often an idle socket says something; a client that hears nothing for a minute may reconnect."""


async def attend(
    socket: WebSocket[Any, Any, Any],
    hub: Hub,
    client: Client,
    hear: Coroutine[Any, Any, None],
    beat: Callable[[], bytes],
) -> None:
    """Send what is queued for the client while `hear` takes what it says, until either ends; `beat` when idle."""
    asker = socket.scope["user"]
    assert isinstance(asker, Asker)
    hub.add(client)
    sending = asyncio.create_task(_send(socket, client, beat), name="live-send")
    hearing = asyncio.create_task(hear, name="live-hear")
    ending: asyncio.TimerHandle | None = None
    try:
        left = await seconds_left(asker)
        if left == 0:  # it ended between the handshake and here
            client.close("signed_out")
        elif left < math.inf:
            ending = asyncio.get_running_loop().call_later(left, client.close, "signed_out")
        await asyncio.wait({sending, hearing}, return_when=asyncio.FIRST_COMPLETED)
    finally:
        if ending is not None:
            ending.cancel()
        hub.remove(client)
        for task in (sending, hearing):
            task.cancel()
        results = await asyncio.gather(sending, hearing, return_exceptions=True)
        for result in results:
            if isinstance(result, Exception) and not isinstance(result, WebSocketDisconnect | RuntimeError):
                log.warning("A live socket ended with %s", type(result).__name__)
        with contextlib.suppress(RuntimeError, WebSocketDisconnect):
            await socket.close(code=4401 if client.closing == "signed_out" else 1000)


async def _send(socket: WebSocket[Any, Any, Any], client: Client, beat: Callable[[], bytes]) -> None:
    """Pass on what was queued; ends after the closing frame."""
    while True:
        try:
            frames = await asyncio.wait_for(drain(client), HEARTBEAT_SECONDS)
        except TimeoutError:
            frames = [beat()]
        for frame in frames:
            await socket.send_data(frame, mode="text")
        if client.closing and not client.queue:
            return
