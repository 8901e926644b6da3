"""One person's mails have only so many addresses asked whose they are."""

import asyncio

import pytest

from backend.addresses.actions import note_addresses
from backend.compose.contracts import Outgoing
from backend.database.connection import execute, fetch_value
from backend.identities.contracts import DraftSender, SetSender
from backend.outgoing_servers.contracts import SaveOutgoingServer
from tests.servers.api import Member, Refusal
from tests.servers.sending import Desk


@pytest.fixture
async def asking(desk: Desk) -> Desk:
    """Tandem can send mail of its own, and what the cast brought along was asked about."""
    server = SaveOutgoingServer(
        name="Relay", host="relay.northwind.example", port=587, security="starttls",
        username="tandem@northwind.example", password="secret", for_all=True,
    )  # fmt: skip
    await desk.api.ana.post("/outgoing-servers", server)
    await note_addresses()
    return desk


async def written(desk: Desk, reply_to: str, who: Member | None = None) -> tuple[str, dict[str, int]]:
    """The path and body that send a new mail whose answers go there."""
    draft = await desk.new_draft(who)
    sender = DraftSender(reply_to="other", reply_to_address=reply_to)
    await (who or desk.api.ana).put(f"/drafts/{draft.id}/sender", SetSender(sender=sender))
    return f"/drafts/{draft.id}/send", {"version": draft.version, "undo_seconds": 30}


async def send(desk: Desk, reply_to: str, who: Member | None = None) -> None:
    path, body = await written(desk, reply_to, who)
    await (who or desk.api.ana).post(path, body, Outgoing)


async def refused(desk: Desk, reply_to: str) -> Refusal:
    path, body = await written(desk, reply_to)
    return await desk.api.ana.refused("POST", path, body)


async def asked_about() -> int:
    return await fetch_value("SELECT count(*) FROM used_addresses WHERE address LIKE '%@else.example'")


async def test_after_five_in_an_hour_a_new_one_is_refused_and_the_mail_stays_a_draft(asking: Desk) -> None:
    for number in range(5):
        await send(asking, f"{number}@else.example")
    outgoing = await fetch_value("SELECT count(*) FROM outgoing")
    refusal = await refused(asking, "5@else.example")
    assert refusal.status == 429
    assert refusal.message == "You have named 5 new Reply-to addresses within an hour, and each was sent a question."
    assert await asked_about() == 5
    assert await fetch_value("SELECT count(*) FROM outgoing") == outgoing


async def test_an_address_that_was_used_before_is_free(asking: Desk) -> None:
    for number in range(5):
        await send(asking, f"{number}@else.example")
    await send(asking, "0@else.example")


async def test_somebody_elses_questions_do_not_count(asking: Desk) -> None:
    for number in range(5):
        await send(asking, f"{number}@else.example")
    await send(asking, "jonas@else.example", asking.api.jonas)


async def test_the_hour_passes_and_the_day_still_counts(asking: Desk) -> None:
    for round_ in range(4):
        for number in range(5):
            await send(asking, f"{round_}.{number}@else.example")
        await execute("UPDATE used_addresses SET created_at = created_at - interval '61 minutes'")
    assert "within a day" in (await refused(asking, "late@else.example")).message
    await execute("UPDATE used_addresses SET created_at = created_at - interval '24 hours'")
    await send(asking, "tomorrow@else.example")


async def test_many_at_once_get_no_further(asking: Desk) -> None:
    mails = [await written(asking, f"{number}@else.example") for number in range(8)]
    answers = await asyncio.gather(*(asking.api.ana.request("POST", path, json=body) for path, body in mails))
    assert sorted(each.status_code for each in answers) == [201] * 5 + [429] * 3
    assert await asked_about() == 5


async def test_where_nobody_can_be_asked_nothing_is_counted(desk: Desk) -> None:
    for number in range(6):
        await send(desk, f"{number}@else.example")
    assert await asked_about() == 6
