"""Who may keep a live socket, and for how long."""

import pytest

from backend.database.connection import execute
from backend.events.contracts import ClosingFrame, RefusedFrame, ResetFrame
from tests.servers.api import Api


async def test_a_socket_ends_with_the_time_of_its_session(served: Api) -> None:
    await execute(
        "UPDATE sessions SET expires_at = now() + interval '1.5 seconds' WHERE user_id = $1", served.ana.user_id
    )
    async with served.live(served.ana) as live:
        while not isinstance(frame := await live.next(), ClosingFrame):
            continue
    assert frame.reason == "signed_out"


@pytest.mark.parametrize("spelt", ["0{}", "00{}", "٠{}"])
async def test_a_stream_has_one_name(served: Api, spelt: str) -> None:
    """Else one reader could be thousands, each looked after by the hub."""
    stream = f"mailbox:{spelt.format(served.support)}"
    async with served.live(served.ana, since={stream: 0}) as live:
        while not isinstance(frame := await live.next(), RefusedFrame):
            continue
    assert frame.stream == stream


async def test_a_position_that_was_never_reached_tells_nothing_of_a_foreign_stream(served: Api) -> None:
    """Refused whatever is asked, as a stream that is not there: not even how much happens can be found out."""
    streams = [f"mailbox:{served.support}", f"user:{served.ana.user_id}", "mailbox:999999", "user:999999"]
    for position in (0, 1, 10**9):
        async with served.live(served.mallory, since=dict.fromkeys(streams, position)) as live:
            refused: set[str] = set()
            while len(refused) < len(streams):
                frame = await live.next()
                assert not isinstance(frame, ResetFrame)
                if isinstance(frame, RefusedFrame):
                    refused.add(frame.stream)
            assert refused == set(streams)
