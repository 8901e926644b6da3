"""What a server takes, and how fast mail may leave through it."""

import asyncio

from backend.compose.contracts import Draft
from backend.database.connection import execute, fetch_value
from backend.outgoing_servers.actions import take_turn
from tests.servers.sending import Desk

SERVER = "SELECT id FROM outgoing_servers"


async def test_a_mail_that_its_server_would_not_take_is_refused_at_send(desk: Desk) -> None:
    outgoing = await desk.send(await desk.new_draft())
    assert await desk.attempt(outgoing) == "sent"
    assert await fetch_value("SELECT size_limit FROM outgoing_servers") == 50_000_000
    await execute("UPDATE outgoing_servers SET size_limit = 2000")
    draft = await desk.new_draft(text="a long story " * 300)
    refusal = await desk.api.ana.refused("POST", f"/drafts/{draft.id}/send", {"version": draft.version})
    assert refusal.status == 422 and "its outgoing server takes" in refusal.message
    assert [each.id for each in await desk.api.ana.get("/drafts", list[Draft])] == [draft.id]


async def test_turns_are_as_far_apart_as_an_admin_wishes(desk: Desk) -> None:
    server_id = await fetch_value(SERVER)
    assert await take_turn(server_id) == 0
    await execute("UPDATE outgoing_servers SET per_minute = 1")
    first, second, third = [await take_turn(server_id) for _ in range(3)]
    assert first <= 0.001 and 30 < second <= 60 and 90 < third <= 120


async def test_a_mail_that_waits_for_its_turn_can_still_be_taken_back(desk: Desk) -> None:
    outgoing = await desk.send(await desk.new_draft())
    await execute("UPDATE outgoing_servers SET per_minute = 1, paced_until = now() + interval '1 hour'")
    tasks = await desk.sender.sweep()
    await asyncio.wait(tasks, timeout=0.3)
    await desk.api.ana.post(f"/outbox/{outgoing.id}/undo", None, Draft)
    await asyncio.wait_for(desk.sender.stop(), 10)
    assert desk.smtp.messages == []
