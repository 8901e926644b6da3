"""Who may open a group mailbox, changed: both sides are told, and nobody else."""

import asyncio

from websockets.exceptions import ConnectionClosed

from backend.conversations.contracts import ConversationPage
from backend.database.connection import fetch_value
from backend.events.contracts import EventFrame, PositionFrame, RefusedFrame
from backend.mailboxes.contracts import Mailbox, MailboxChanged, MailboxGained, MailboxGone, SetMailboxMembers
from backend.people.contracts import AuditPage
from tests.servers.api import Api, Live, Member
from tests.servers.delivery import deliver


async def let_in(api: Api, *members: Member) -> None:
    wanted = SetMailboxMembers(member_ids=[member.user_id for member in members], team_ids=[])
    await api.ana.put(f"/mailboxes/{api.support}/members", wanted)


async def test_who_gains_the_mailbox_starts_with_everything_read(served: Api) -> None:
    for _ in range(3):
        await deliver(served.support)
    async with served.live(served.tom) as live:
        await let_in(served, served.ana, served.jonas, served.tom)
        gained = (await live.event(MailboxGained)).mailbox
    assert gained.read_from == 3
    assert gained == await served.tom.get(f"/mailboxes/{served.support}", Mailbox)
    await deliver(served.support)
    counts = await served.tom.get("/counts")
    assert next(c for c in counts["mailboxes"] if c["mailbox_id"] == served.support)["unread"] == 1


async def test_who_was_away_starts_with_everything_read_again(api: Api) -> None:
    conversation_id = await deliver(api.support)
    await api.jonas.put(f"/conversations/{conversation_id}/read", {"read": False})
    await let_in(api, api.ana)
    await deliver(api.support)
    await let_in(api, api.ana, api.jonas)
    assert (await api.jonas.get("/counts"))["mailboxes"][0]["unread"] == 0


async def test_who_loses_it_is_told_the_id_alone_and_hears_no_more(served: Api) -> None:
    async with served.live(served.jonas) as live:
        await let_in(served, served.ana)
        assert (await live.event(MailboxGone)).mailbox_id == served.support
        await deliver(served.support)
        await served.jonas.patch("/me", {"theme": "dark"})
        await drain(live)
    streams = [frame.stream for frame in live.frames if isinstance(frame, EventFrame)]
    assert f"mailbox:{served.support}" not in streams
    assert (await served.jonas.refused("GET", f"/mailboxes/{served.support}/conversations")).status == 404


async def test_the_others_get_the_mailbox_as_it_now_is(served: Api) -> None:
    async with served.live(served.jonas) as live:
        await let_in(served, served.ana, served.jonas, served.tom)
        told = (await live.event(MailboxChanged)).mailbox
    assert told.reader_ids == [served.ana.user_id, served.jonas.user_id, served.tom.user_id]


async def test_a_stream_that_is_not_ones_own_is_refused(served: Api) -> None:
    async with served.live(served.mallory, since={f"mailbox:{served.support}": 0, served.ana.stream: 0}) as live:
        await drain(live)
    refused = {frame.stream for frame in live.frames if isinstance(frame, RefusedFrame)}
    assert refused == {f"mailbox:{served.support}", served.ana.stream}
    assert not [frame for frame in live.frames if isinstance(frame, EventFrame) and frame.stream in refused]


async def test_the_same_members_again_tell_nothing(api: Api) -> None:
    before = await fetch_value("SELECT count(*) FROM events")
    await let_in(api, api.ana, api.jonas)
    assert await fetch_value("SELECT count(*) FROM events") == before


async def test_strangers_and_closed_accounts_are_no_members(api: Api) -> None:
    await api.ana.patch(f"/people/{api.tom.user_id}", {"active": False})
    path = f"/mailboxes/{api.support}/members"
    for wrong in ({"member_ids": [api.tom.user_id], "team_ids": []}, {"member_ids": [], "team_ids": [999]}):
        assert (await api.ana.refused("PUT", path, wrong)).status == 422


async def test_adding_oneself_is_on_record(api: Api) -> None:
    await let_in(api, api.jonas)
    await let_in(api, api.jonas, api.ana)
    newest = (await api.ana.get("/audit", AuditPage)).items[0]
    assert (newest.actor_id, newest.action, newest.subject) == (
        api.ana.user_id,
        "mailbox_members_set",
        f"mailbox:{api.support}",
    )
    assert newest.detail["after"] == {"member_ids": [api.ana.user_id, api.jonas.user_id], "team_ids": []}


async def test_members_change_while_mail_arrives_and_both_end_well(api: Api) -> None:
    """Membership holds alone what arriving mail holds in common: they wait for each other, never in a circle."""

    async def arrive() -> None:
        for _ in range(10):
            await deliver(api.support)

    async def change() -> None:
        for _ in range(5):
            await let_in(api, api.ana, api.jonas, api.tom)
            await let_in(api, api.ana, api.jonas)

    await asyncio.gather(arrive(), change(), change())
    page = await api.jonas.get(f"/mailboxes/{api.support}/conversations", ConversationPage)
    assert sum(item.row.message_count for item in page.items) == 10


async def drain(live: Live) -> None:
    """Receive until nothing has come for a moment."""
    try:
        while True:
            frame = await live.next(0.5)
            if isinstance(frame, PositionFrame):
                continue
    except (TimeoutError, ConnectionClosed):
        return
