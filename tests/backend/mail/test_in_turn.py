"""New mail of a group mailbox is given out in turn, past those who are away; nothing else is."""

import asyncio
from datetime import UTC, datetime, timedelta

import pytest

from backend.conversations.contracts import ConversationChanged, ConversationDetail, SetStatus
from backend.conversations.in_turn import choose
from backend.database.connection import execute
from backend.mailboxes.contracts import InTurn, MailboxSettings, SetMailboxMembers, UpdateMailbox
from backend.notifications.contracts import NotificationPage
from backend.people.contracts import Me, UpdateProfile
from tests.servers.api import Api, Member
from tests.servers.arriving import Arriving, message_id_of
from tests.servers.delivery import deliver, write_mail

HOUR = timedelta(hours=1)


async def give_out(api: Api, how: str, *people: Member) -> None:
    turn = InTurn(how=how, user_ids=[each.user_id for each in people])  # pyright: ignore[reportArgumentType]
    await api.ana.patch(f"/mailboxes/{api.support}", UpdateMailbox(in_turn=turn))


async def go_away(person: Member) -> None:
    me = await person.patch("/me", UpdateProfile(away_until=datetime.now(UTC) + HOUR), Me)
    assert me.person.away_until is not None


async def whose(api: Api, conversation_id: int) -> int | None:
    return (await api.ana.get(f"/conversations/{conversation_id}", ConversationDetail)).row.assignee_id


async def arrive(api: Api, count: int) -> list[int | None]:
    """So many mails come one after the other; answers who got each."""
    numbers = [await deliver(api.support, write_mail(subject=f"Mail {number}")) for number in range(count)]
    return [await whose(api, number) for number in numbers]


async def test_off_gives_nobody_anything(api: Api) -> None:
    assert await arrive(api, 2) == [None, None]


async def test_one_after_the_other(api: Api) -> None:
    await give_out(api, "round_robin")
    ana, jonas = api.ana.user_id, api.jonas.user_id
    assert await arrive(api, 3) == [ana, jonas, ana]


async def test_a_batch_goes_round_in_the_order_of_arrival(api: Api) -> None:
    await give_out(api, "round_robin")
    inbox = await Arriving.into(api.support)
    await inbox.deliver(*(write_mail(subject=f"Mail {number}") for number in range(3)))
    page = await api.ana.get(f"/mailboxes/{api.support}/conversations")
    found = {item["row"]["subject"]: item["row"]["assignee_id"] for item in page["items"]}
    assert found == {"Mail 0": api.ana.user_id, "Mail 1": api.jonas.user_id, "Mail 2": api.ana.user_id}


async def test_whoever_has_the_fewest_open_ones_is_next(api: Api) -> None:
    await give_out(api, "least_busy")
    ana, jonas = api.ana.user_id, api.jonas.user_id
    numbers = [await deliver(api.support, write_mail(subject=f"Mail {number}")) for number in range(4)]
    assert [await whose(api, number) for number in numbers] == [ana, jonas, ana, jonas]
    for number in (numbers[1], numbers[3]):
        await api.jonas.put(f"/conversations/{number}/status", SetStatus(status="done"))
    assert await arrive(api, 3) == [jonas, jonas, ana]


async def test_who_is_away_is_passed_over_until_they_are_back(api: Api) -> None:
    await give_out(api, "round_robin")
    ana, jonas = api.ana.user_id, api.jonas.user_id
    await go_away(api.jonas)
    assert await arrive(api, 2) == [ana, ana]
    await execute("UPDATE users SET away_until = now() - interval '1 second' WHERE away_until IS NOT NULL")
    assert await arrive(api, 2) == [jonas, ana]
    await go_away(api.ana)
    await go_away(api.jonas)
    assert await arrive(api, 1) == [None]
    await api.jonas.patch("/me", UpdateProfile(away_until=None))
    assert await arrive(api, 1) == [jonas]


async def test_only_the_chosen_ones_who_still_have_access_take_part(api: Api) -> None:
    await give_out(api, "round_robin", api.jonas)
    assert await arrive(api, 2) == [api.jonas.user_id, api.jonas.user_id]
    members = SetMailboxMembers(member_ids=[api.ana.user_id], team_ids=[])
    await api.ana.put(f"/mailboxes/{api.support}/members", members)
    assert await arrive(api, 1) == [None]


async def test_history_spam_and_answers_are_given_to_nobody(api: Api) -> None:
    inbox = await Arriving.into(api.support)
    first = write_mail(subject="First")
    await inbox.deliver(first)
    await give_out(api, "round_robin")
    await inbox.deliver(write_mail(subject="Old"), arrived=False)
    await inbox.deliver(write_mail(subject="Re: First", answers=message_id_of(first)))
    junk = await Arriving.into(api.support, "junk")
    await junk.deliver(write_mail(subject="Buy now"))
    page = await api.ana.get(f"/mailboxes/{api.support}/conversations", view="all")
    assert {item["row"]["subject"]: item["row"]["assignee_id"] for item in page["items"]} == {
        "First": None,
        "Old": None,
        "Buy now": None,
    }


async def test_a_confidential_one_goes_to_somebody_who_sees_it(api: Api) -> None:
    await give_out(api, "round_robin")
    await api.ana.patch(f"/mailboxes/{api.support}", UpdateMailbox(private_by_default=True))
    await deliver(api.support, write_mail(subject="For Jonas", cc="jonas@northwind.example"))
    number = await deliver(api.support, write_mail(subject="For Jonas again", cc="jonas@northwind.example"))
    detail = await api.jonas.get(f"/conversations/{number}", ConversationDetail)
    assert (detail.row.visibility, detail.row.assignee_id) == ("confidential", api.jonas.user_id)
    assert (await api.ana.refused("GET", f"/conversations/{number}")).status == 404


async def test_it_stands_in_the_trail_and_is_told_to_whom_it_was_given(served: Api) -> None:
    await give_out(served, "round_robin", served.jonas)
    async with served.live(served.ana) as live:
        number = await deliver(served.support)
        changed = await live.event(ConversationChanged)
    assert changed.activity is not None and changed.activity.kind == "assigned_in_turn"
    detail = await served.ana.get(f"/conversations/{number}", ConversationDetail)
    [line] = detail.activities
    assert (line.kind, line.actor_id, line.subject_id) == ("assigned_in_turn", None, served.jonas.user_id)
    [notice] = (await served.jonas.get("/notifications", NotificationPage)).items
    assert (notice.kind, notice.actor_id, notice.conversation_id) == ("assignment", None, number)


async def test_mail_that_comes_at_the_same_time_goes_round_as_if_it_came_one_by_one(api: Api) -> None:
    await give_out(api, "round_robin")
    inboxes = [await Arriving.into(api.support, role) for role in ("inbox", "")]
    inboxes[1]._next_uid = 100
    batches = [[write_mail(subject=f"Batch {batch}, {number}") for number in range(6)] for batch in range(2)]
    await asyncio.gather(*(inbox.deliver(*batch) for inbox, batch in zip(inboxes, batches, strict=True)))
    page = await api.ana.get(f"/mailboxes/{api.support}/conversations")
    given = [item["row"]["assignee_id"] for item in page["items"]]
    assert given.count(api.ana.user_id) == given.count(api.jonas.user_id) == 6


async def test_it_is_for_group_mailboxes_and_people_who_can_open_them(api: Api) -> None:
    wanted = InTurn(how="round_robin", user_ids=[api.mallory.user_id])
    refusal = await api.ana.refused("PATCH", f"/mailboxes/{api.support}", UpdateMailbox(in_turn=wanted))
    assert "in_turn" in refusal.details["fields"]
    own = UpdateMailbox(in_turn=InTurn(how="least_busy"))
    assert (await api.tom.refused("PATCH", f"/mailboxes/{api.toms_mailbox}", own)).status == 422
    stored = await api.ana.patch(
        f"/mailboxes/{api.support}",
        UpdateMailbox(in_turn=InTurn(how="least_busy", user_ids=[api.jonas.user_id])),
        MailboxSettings,
    )
    assert stored.in_turn == InTurn(how="least_busy", user_ids=[api.jonas.user_id])


@pytest.mark.parametrize(
    ("loads", "last", "next_one"),
    [
        ({1: 0, 2: 0, 3: 0}, None, 1),
        ({1: 0, 2: 0, 3: 0}, 2, 3),
        ({1: 0, 2: 0, 3: 0}, 3, 1),
        ({1: 2, 2: 1, 3: 1}, 3, 2),
        ({1: 0, 3: 0}, 2, 3),
    ],
)
def test_who_is_next(loads: dict[int, int], last: int | None, next_one: int) -> None:
    assert choose(sorted(loads), loads, last) == next_one
