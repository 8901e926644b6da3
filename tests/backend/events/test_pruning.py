"""Old events are cleared away; who comes back from before them is told to begin anew."""

from datetime import timedelta

import websockets

from backend.conversations.contracts import MessageAdded
from backend.database.connection import execute, fetch_value
from backend.events.contracts import EventFrame, ResetFrame, frame_decoder
from backend.events.prune import prune_events
from backend.workers.tidy import tidy
from tests.servers.api import Api
from tests.servers.arriving import Arriving
from tests.servers.delivery import write_mail


async def first_frame(api: Api, since: int) -> object:
    address = f"ws://127.0.0.1:{api.port}/api/v1/live?since=mailbox:{api.support}={since}"
    async with websockets.connect(address, additional_headers={"cookie": api.ana.cookie_header}) as socket:
        return frame_decoder.decode(await socket.recv())


async def test_a_client_from_before_the_kept_events_is_reset_and_a_later_one_is_not(served: Api) -> None:
    inbox = await Arriving.into(served.support)
    await inbox.deliver(write_mail(subject="Old"))
    await execute("UPDATE events SET at = now() - interval '20 days'")
    pruned_to = await fetch_value("SELECT position FROM streams WHERE key = $1", f"mailbox:{served.support}")
    await inbox.deliver(write_mail(subject="New"))
    assert await prune_events(timedelta(days=14)) > 0
    assert await first_frame(served, 0) == ResetFrame(stream=f"mailbox:{served.support}")
    later = await first_frame(served, pruned_to)
    assert isinstance(later, EventFrame)
    assert isinstance(later.event, MessageAdded)


async def test_numbers_go_on_after_pruning(served: Api) -> None:
    inbox = await Arriving.into(served.support)
    await inbox.deliver(write_mail())
    before = await fetch_value("SELECT position FROM streams WHERE key = $1", f"mailbox:{served.support}")
    await prune_events(timedelta(0))
    await inbox.deliver(write_mail(subject="Next"))
    assert await fetch_value("SELECT min(position) FROM events WHERE stream = $1", f"mailbox:{served.support}") > before


async def test_tidying_ends_sessions_that_ran_out_and_no_other(served: Api) -> None:
    await execute("UPDATE sessions SET expires_at = now() - interval '1 minute' WHERE user_id = $1", served.tom.user_id)
    await tidy()
    assert (await served.tom.refused("GET", "/me")).status == 401
    assert (await served.ana.get("/me"))["person"]["email"] == "ana@northwind.example"
