"""Reminders and snoozing: one person's, told once, at their moment, by whichever worker is first."""

import asyncio
from datetime import UTC, datetime, timedelta

from backend.conversations.contracts import (
    AddComment,
    ConversationDetail,
    ConversationItem,
    ConversationPage,
    MarkChanged,
    Reminder,
    SetReminder,
    SetStatus,
)
from backend.conversations.reminders import tell_due
from backend.database.connection import execute
from backend.mailboxes.contracts import SetMailboxMembers, WorkCounts
from backend.notifications.contracts import NotificationAdded, NotificationPage
from tests.servers.api import Api, Member
from tests.servers.delivery import deliver, write_mail

TOMORROW = (datetime.now(UTC) + timedelta(days=1)).replace(microsecond=0)


async def remind(person: Member, conversation_id: int, **wanted: object) -> ConversationItem:
    body = SetReminder(**({"at": TOMORROW} | wanted))  # pyright: ignore[reportArgumentType] # by keyword
    return await person.put(f"/conversations/{conversation_id}/reminder", body, ConversationItem)


async def make_due(conversation_id: int) -> None:
    """Its moment has come."""
    past = "UPDATE read_marks SET remind_at = now() - interval '1 second' WHERE conversation_id = $1"
    await execute(past, conversation_id)


async def reminder_of(person: Member, conversation_id: int) -> Reminder | None:
    return (await person.get(f"/conversations/{conversation_id}", ConversationDetail)).mark.reminder


async def open_list(person: Member, api: Api, **query: object) -> list[int]:
    page = await person.get(f"/mailboxes/{api.support}/conversations", ConversationPage, **query)
    return [item.row.id for item in page.items]


async def notices(person: Member) -> list[str]:
    return [each.kind for each in (await person.get("/notifications", NotificationPage)).items]


async def test_it_is_mine_alone(api: Api) -> None:
    number = await deliver(api.support)
    item = await remind(api.ana, number, if_silent=True)
    assert item.mark.reminder == Reminder(at=TOMORROW, kind="reminder", if_silent=True, due=False)
    assert await reminder_of(api.ana, number) == item.mark.reminder
    assert await reminder_of(api.jonas, number) is None
    page = await api.ana.get(f"/mailboxes/{api.support}/conversations", ConversationPage)
    assert [each.mark.reminder for each in page.items] == [item.mark.reminder]


async def test_the_next_one_takes_the_place_of_the_last_and_it_can_be_cleared(api: Api) -> None:
    number = await deliver(api.support)
    first = await remind(api.ana, number, if_silent=True)
    second = await remind(api.ana, number, at=TOMORROW + timedelta(hours=1), kind="snooze")
    assert second.mark.reminder == Reminder(at=TOMORROW + timedelta(hours=1), kind="snooze", if_silent=False, due=False)
    assert second.mark.revision > first.mark.revision
    reply = await api.ana.delete(f"/conversations/{number}/reminder")
    assert reply["mark"]["reminder"] is None and reply["mark"]["revision"] > second.mark.revision
    assert await reminder_of(api.ana, number) is None


async def test_a_moment_that_is_past_or_too_far_is_refused(api: Api) -> None:
    number = await deliver(api.support)
    path = f"/conversations/{number}/reminder"
    past = await api.ana.refused("PUT", path, SetReminder(at=datetime.now(UTC) - timedelta(minutes=1)))
    assert past.message == "That moment is past."
    far = await api.ana.refused("PUT", path, SetReminder(at=datetime.now(UTC) + timedelta(days=4000)))
    assert "five years" in far.message
    naive = await api.ana.refused("PUT", path, {"at": "2030-01-01T09:00:00"})
    assert naive.status in (400, 422)


async def test_what_has_a_reminder_stands_on_top_the_due_ones_first(api: Api) -> None:
    first, second, third, fourth = [await deliver(api.support, write_mail(subject=f"Mail {n}")) for n in range(4)]
    await remind(api.ana, second, at=TOMORROW + timedelta(days=1))
    await remind(api.ana, first)
    await remind(api.ana, third, at=TOMORROW + timedelta(days=2))
    await make_due(third)
    await tell_due()
    assert await open_list(api.ana, api) == [third, first, second, fourth]
    assert await open_list(api.jonas, api) == [fourth, third, second, first]


async def test_every_row_is_on_one_page(api: Api) -> None:
    numbers = [await deliver(api.support, write_mail(subject=f"Mail {n}")) for n in range(7)]
    await remind(api.ana, numbers[0])
    await remind(api.ana, numbers[5])
    found: list[int] = []
    cursor = None
    for _ in range(5):
        query = {"limit": 2} | ({"cursor": cursor} if cursor else {})
        page = await api.ana.get(f"/mailboxes/{api.support}/conversations", ConversationPage, **query)
        found += [item.row.id for item in page.items]
        cursor = page.next_cursor
        if cursor is None:
            break
    assert found == [numbers[0], numbers[5], *(numbers[n] for n in (6, 4, 3, 2, 1))]


async def test_what_is_snoozed_is_hidden_until_then_and_counts_nowhere(api: Api) -> None:
    stays, hidden = await deliver(api.support), await deliver(api.support, write_mail(subject="Later"))
    await api.ana.put(f"/conversations/{hidden}/assignee", {"user_id": api.ana.user_id})
    await remind(api.ana, hidden, kind="snooze")
    assert await open_list(api.ana, api) == [stays]
    assert await open_list(api.ana, api, view="all") == [hidden, stays]
    assert await open_list(api.jonas, api) == [hidden, stays]
    counts = await api.ana.get("/counts", WorkCounts)
    assert (counts.mailboxes[0].open, counts.mailboxes[0].unread, counts.mine, counts.reminders) == (1, 1, 0, 0)
    waiting = await api.ana.get("/my-work", ConversationPage, view="reminders")
    assert [item.row.id for item in waiting.items] == [hidden]
    await make_due(hidden)
    assert await tell_due() == 1
    assert await open_list(api.ana, api) == [hidden, stays]
    counts = await api.ana.get("/counts", WorkCounts)
    assert (counts.mailboxes[0].open, counts.mine, counts.reminders) == (2, 1, 1)


async def test_it_is_told_once_whoever_looks(served: Api) -> None:
    number = await deliver(served.support)
    await remind(served.ana, number)
    async with served.live(served.ana) as live:
        await make_due(number)
        assert sum(await asyncio.gather(*(tell_due() for _ in range(4)))) == 1
        mark = (await live.event(MarkChanged)).mark
        assert mark.reminder is not None and mark.reminder.due
        assert (await live.event(NotificationAdded)).notification.kind == "reminder"
    assert await tell_due() == 0
    assert await notices(served.ana) == ["reminder"]


async def test_an_answer_ends_waiting_for_silence_and_a_snooze(api: Api) -> None:
    mail = write_mail(subject="Any news?", message_id="<news@customer.example>")
    number = await deliver(api.support, mail)
    await remind(api.ana, number, if_silent=True)
    await remind(api.jonas, number, kind="snooze")
    await deliver(api.support, write_mail(subject="Re: Any news?", answers="<news@customer.example>"))
    assert await reminder_of(api.ana, number) is None
    assert await reminder_of(api.jonas, number) is None


async def test_an_answer_leaves_other_reminders_and_comments_leave_all(api: Api) -> None:
    mail = write_mail(subject="Any news?", message_id="<news@customer.example>")
    number = await deliver(api.support, mail)
    await remind(api.ana, number)
    await remind(api.jonas, number, if_silent=True)
    await api.ana.post(f"/conversations/{number}/comments", AddComment(text="Not yet."))
    assert await reminder_of(api.jonas, number) is not None
    await deliver(api.support, write_mail(subject="Re: Any news?", answers="<news@customer.example>"))
    assert await reminder_of(api.ana, number) is not None
    assert await reminder_of(api.jonas, number) is None


async def test_who_lost_the_conversation_is_told_nothing_of_it(api: Api) -> None:
    number = await deliver(api.support)
    await remind(api.jonas, number)
    members = SetMailboxMembers(member_ids=[api.ana.user_id], team_ids=[])
    await api.ana.put(f"/mailboxes/{api.support}/members", members)
    await make_due(number)
    assert await tell_due() == 1
    assert await notices(api.jonas) == []
    assert (await api.jonas.get("/counts", WorkCounts)).reminders == 0
    assert (await api.jonas.get("/my-work", ConversationPage, view="reminders")).items == []


async def test_what_is_done_keeps_its_reminder(api: Api) -> None:
    number = await deliver(api.support)
    await remind(api.ana, number)
    await api.ana.put(f"/conversations/{number}/status", SetStatus(status="done"))
    assert await open_list(api.ana, api) == []
    waiting = await api.ana.get("/my-work", ConversationPage, view="reminders")
    assert [item.row.id for item in waiting.items] == [number]


async def test_joined_conversations_keep_a_reminder_of_either(api: Api) -> None:
    one = await deliver(api.support, write_mail(subject="One", message_id="<one@customer.example>"))
    other = await deliver(api.support, write_mail(subject="Other", message_id="<other@customer.example>"))
    await remind(api.ana, other)
    await deliver(api.support, write_mail(subject="Both", answers="<one@customer.example> <other@customer.example>"))
    survivor = (await api.ana.get(f"/conversations/{one}", ConversationDetail)).row.id
    kept = await reminder_of(api.ana, survivor)
    assert kept is not None and kept.at == TOMORROW
