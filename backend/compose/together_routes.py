"""Writing a draft together over HTTP, and over the socket on which it is done."""

from typing import Any

import msgspec
from litestar import Router, WebSocket, post, websocket

from backend.access.asker import Asker
from backend.access.classes import access
from backend.compose.actions import together
from backend.compose.contracts import Draft
from backend.compose.queries import read_draft
from backend.compose.together.contracts import LARGEST_CHANGE, Beat, Welcome, client_frames
from backend.compose.together.rooms import Room, Rooms, Seat
from backend.database.connection import fetch_row
from backend.events.contracts import frame_encoder
from backend.events.hub import Client
from backend.events.sockets import attend

LONGEST_FRAME = LARGEST_CHANGE * 4 // 3 + 4096


@post("/drafts/{draft_id:int}/together", status_code=200, **access("handling"))
async def write_together(asker: Asker, draft_id: int) -> Draft:
    """Join its author: from now on several can write in this draft at once, on its socket."""
    return await together.write_together(asker, draft_id)


@websocket("/drafts/{draft_id:int}/together", **access("handling"))
async def writing(socket: WebSocket[Any, Any, Any], draft_id: int) -> None:
    """The draft's shared document: every change of it, and who writes where."""
    asker = socket.scope["user"]
    assert isinstance(asker, Asker)
    rooms: Rooms = socket.app.state.rooms
    await socket.accept()
    person = await fetch_row("SELECT name, colour FROM users WHERE id = $1", asker.user_id)
    assert person is not None
    seat = Seat(Client(asker.user_id, asker.session_id, asker.token_id), person["name"], person["colour"])
    draft = await read_draft(draft_id)
    if draft.together:
        standing = await together.read_document(draft_id)
        seat.tell(Welcome(draft=draft, begun=standing.begun))
    else:
        seat.show_out("Nobody has said that this draft is written together.", "Say so first.")
    room = rooms.enter(draft_id, seat)
    try:
        await attend(socket, socket.app.state.hub, seat.client, _hear(socket, room, seat), _beat)
    finally:
        room.leave(seat)


async def _hear(socket: WebSocket[Any, Any, Any], room: Room, seat: Seat) -> None:
    while True:
        text = await socket.receive_data(mode="text")
        if len(text) > LONGEST_FRAME:
            seat.show_out("This change is too large.", "Attach it as a file.")
            continue
        try:
            frame = client_frames.decode(text)
        except msgspec.DecodeError:
            seat.show_out("This cannot be understood.", "Send one of the frames that docs/api.md names.")
            continue
        room.hear(seat, frame)


def _beat() -> bytes:
    return frame_encoder.encode(Beat())


router = Router(path="/", route_handlers=[write_together, writing], tags=["Drafts and outbox"])
