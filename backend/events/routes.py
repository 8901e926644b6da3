"""The live socket and the snapshot that a client begins with."""

from typing import Any

import msgspec
from litestar import Router, WebSocket, get, websocket

from backend.access.asker import Asker
from backend.access.classes import access
from backend.contracts import StreamPosition
from backend.events.contracts import (
    Looking,
    PositionFrame,
    Snapshot,
    Subscribe,
    Unsubscribe,
    Watch,
    client_frame_decoder,
    frame_encoder,
)
from backend.events.hub import Client, Hub
from backend.events.snapshot import take_snapshot
from backend.events.sockets import attend

LONGEST_CLIENT_FRAME = 64 * 1024


@websocket("/live", **access("signed_in"))
async def live(socket: WebSocket[Any, Any, Any]) -> None:
    """Follow streams: every event after the positions named in `since`, in order, exactly once."""
    asker = socket.scope["user"]
    assert isinstance(asker, Asker)
    hub: Hub = socket.app.state.hub
    await socket.accept()
    client = Client(asker.user_id, asker.session_id, asker.token_id)

    def beat() -> bytes:
        at = [StreamPosition(stream=s, position=p) for s, p in sorted(client.positions.items())]
        return frame_encoder.encode(PositionFrame(positions=at))

    await attend(socket, hub, client, _hear(socket, hub, client), beat)


def _since(text: str) -> list[tuple[str, int]]:
    pairs = [part.partition("=") for part in text.split(",") if part]
    return [(stream, int(number)) for stream, _, number in pairs if number.isdecimal() and len(number) < 19]


async def _hear(socket: WebSocket[Any, Any, Any], hub: Hub, client: Client) -> None:
    """Follow the streams named in the address, then obey the client's frames; anything else ends the socket."""
    for stream, position in _since(socket.query_params.get("since", "")):
        await hub.subscribe(client, stream, position)
    while True:
        text = await socket.receive_data(mode="text")
        if len(text) > LONGEST_CLIENT_FRAME:
            client.close("not_understood")
            return
        try:
            frame = client_frame_decoder.decode(text)
        except msgspec.DecodeError:
            client.close("not_understood")
            continue
        match frame:
            case Subscribe():
                for wanted in frame.positions:
                    await hub.subscribe(client, wanted.stream, wanted.position)
            case Unsubscribe():
                for stream in frame.streams:
                    hub.unsubscribe(client, stream)
            case Looking():
                hub.presence.look(client, frame)
            case Watch():
                hub.presence.watch(client, frame.conversation_ids)


@get("/snapshot", **access("signed_in"))
async def snapshot(asker: Asker, conversations: bool = False) -> Snapshot:
    """Who one is, what one may open, and the stream positions of that very moment."""
    return await take_snapshot(asker, conversations=conversations)


router = Router(path="/", route_handlers=[live, snapshot], tags=["live"])
