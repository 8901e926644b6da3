"""What becomes one notification, who wants which, and what reading does."""

from datetime import UTC, datetime

import pytest

from backend.conversations.contracts import (
    AddComment,
    Assign,
    Comment,
    ConversationDetail,
    SetFollowing,
    SetRead,
    SetVisibility,
)
from backend.database.connection import execute
from backend.mailboxes.contracts import WorkCounts
from backend.notifications.contracts import (
    Notification,
    NotificationAdded,
    NotificationPage,
    NotificationSettings,
    NotificationsRead,
    QuietHours,
    Wanted,
)
from backend.people.contracts import Me, MeChanged
from tests.servers.api import Api, Member
from tests.servers.arriving import Arriving, message_id_of
from tests.servers.delivery import deliver, write_mail


async def comment(person: Member, number: int, text: str, *mentioned: Member) -> Comment:
    said = AddComment(text=text, mention_ids=[each.user_id for each in mentioned])
    return await person.post(f"/conversations/{number}/comments", said, Comment)


async def follow(person: Member, number: int) -> None:
    await person.put(f"/conversations/{number}/following", SetFollowing(following=True))


async def told(person: Member) -> list[Notification]:
    """What the person was notified of, oldest first."""
    return (await person.get("/notifications", NotificationPage)).items[::-1]


# -- one for ten changes


async def test_ten_changes_in_a_minute_are_one_notification(api: Api) -> None:
    number = await deliver(api.support)
    await follow(api.jonas, number)
    said = [await comment(api.ana, number, f"Line {line}") for line in range(10)]
    [notice] = await told(api.jonas)
    assert (notice.changes, notice.text, notice.comment_id) == (10, "Line 9", said[-1].id)
    assert notice.words("Ana") == ("Ana", "commented · 10 changes")
    assert (await api.jonas.get("/counts", WorkCounts)).notifications == 1


async def test_the_weightiest_change_keeps_its_words_and_its_place(api: Api) -> None:
    number = await deliver(api.support)
    await follow(api.jonas, number)
    await comment(api.ana, number, "First.")
    mention = await comment(api.ana, number, "@Jonas", api.jonas)
    await comment(api.ana, number, "Last.")
    [notice] = await told(api.jonas)
    assert (notice.kind, notice.text, notice.comment_id, notice.changes) == ("mention", "@Jonas", mention.id, 3)


@pytest.mark.parametrize("between", ["a minute passed", "it was read", "another conversation", "a failed send"])
async def test_what_is_not_told_together(api: Api, between: str) -> None:
    number = await deliver(api.support)
    await follow(api.jonas, number)
    await comment(api.ana, number, "First.")
    match between:
        case "a minute passed":
            await execute("UPDATE notifications SET created_at = now() - interval '61 seconds'")
        case "it was read":
            await api.jonas.post("/notifications/read", {})
        case "another conversation":
            number = await deliver(api.support, write_mail(subject="Other"))
            await follow(api.jonas, number)
        case _:
            await execute("UPDATE notifications SET kind = 'failed_send'")
    await comment(api.ana, number, "Second.")
    assert [(each.text, each.changes) for each in await told(api.jonas)] == [("First.", 1), ("Second.", 1)]


async def test_it_is_told_again_live(served: Api) -> None:
    number = await deliver(served.support)
    await follow(served.jonas, number)
    async with served.live(served.jonas) as live:
        await comment(served.ana, number, "First.")
        first = (await live.event(NotificationAdded)).notification
        await comment(served.ana, number, "Second.")
        second = (await live.event(NotificationAdded)).notification
    assert (second.id, second.text, second.changes) == (first.id, "Second.", 2)


async def test_a_deleted_comment_is_gone_from_what_was_told_and_from_what_is_told_again(served: Api) -> None:
    number = await deliver(served.support)
    await follow(served.jonas, number)
    since = {each["stream"]: each["position"] for each in (await served.jonas.get("/snapshot"))["positions"]}
    await comment(served.ana, number, "Standing.")
    said = await comment(served.ana, number, "Xylophonquark.")
    await served.ana.delete(f"/comments/{said.id}")
    assert [each.text for each in await told(served.jonas)] == [""]
    async with served.live(served.jonas, since=since) as live:
        texts = [(await live.event(NotificationAdded)).notification.text for _ in range(3)]
    assert texts == ["Standing.", "", ""]


# -- what for


async def test_what_is_off_is_not_told(api: Api) -> None:
    number = await deliver(api.support)
    await follow(api.jonas, number)
    wanted = NotificationSettings(comment=Wanted(on=False), assignment=Wanted(desktop=False, push=False))
    me = await api.jonas.put("/me/notifications", wanted, Me)
    assert me.notify == wanted and (await api.jonas.get("/me", Me)).notify == wanted
    await comment(api.ana, number, "Look.")
    await api.ana.put(f"/conversations/{number}/assignee", Assign(user_id=api.jonas.user_id))
    assert [each.kind for each in await told(api.jonas)] == ["assignment"]


async def test_ones_other_programs_hear_of_the_settings(served: Api) -> None:
    async with served.live(served.jonas) as live:
        wanted = NotificationSettings(quiet=QuietHours(on=True, time_zone="Europe/Lisbon"))
        await served.jonas.put("/me/notifications", wanted)
        assert (await live.event(MeChanged)).me.notify == wanted


@pytest.mark.parametrize("wrong", [{"begins": "25:00"}, {"days": [7]}, {"time_zone": "Moon/Crater"}, {"beginz": "1"}])
async def test_settings_that_mean_nothing_are_refused(api: Api, wrong: dict[str, object]) -> None:
    refused = await api.ana.refused("PUT", "/me/notifications", {"quiet": wrong})
    assert refused.status in (400, 422)


@pytest.mark.parametrize(
    ("quiet", "time_zone", "at", "is_quiet"),
    [
        (QuietHours(), "UTC", "2026-03-02T22:00", False),
        (QuietHours(on=True), "UTC", "2026-03-02T22:00", True),
        (QuietHours(on=True), "UTC", "2026-03-03T07:59", True),
        (QuietHours(on=True), "UTC", "2026-03-03T08:00", False),
        (QuietHours(on=True), "Asia/Tokyo", "2026-03-02T11:00", True),
        (QuietHours(on=True, time_zone="Asia/Tokyo"), "UTC", "2026-03-02T11:00", True),
        (QuietHours(on=True, time_zone="Asia/Tokyo"), "Europe/Lisbon", "2026-03-02T11:00", False),
        (QuietHours(on=True, days=(0,)), "UTC", "2026-03-03T01:00", True),  # began on Monday
        (QuietHours(on=True, days=(0,)), "UTC", "2026-03-03T20:00", False),
        (QuietHours(on=True, days=(5, 6), begins="00:00", ends="00:00"), "UTC", "2026-03-01T23:59", True),
        (QuietHours(on=True, days=(5, 6), begins="00:00", ends="00:00"), "UTC", "2026-03-02T00:00", False),
        (QuietHours(on=True, days=(0,), begins="12:00", ends="13:00"), "UTC", "2026-03-02T12:30", True),
    ],
)
def test_quiet_hours_are_on_the_persons_own_clock(quiet: QuietHours, time_zone: str, at: str, is_quiet: bool) -> None:
    assert quiet.cover(datetime.fromisoformat(at).replace(tzinfo=UTC), time_zone) is is_quiet


# -- reading


async def test_reading_the_conversation_reads_its_notifications_everywhere(served: Api) -> None:
    number, other = await deliver(served.support), await deliver(served.support, write_mail(subject="Other"))
    for each in (number, other):
        await comment(served.ana, each, "@Jonas", served.jonas)
    ids = {each.conversation_id: each.id for each in await told(served.jonas)}
    async with served.live(served.jonas) as live:
        await served.jonas.put(f"/conversations/{number}/read", SetRead(read=True))
        assert (await live.event(NotificationsRead)).ids == [ids[number]]
    assert {each.conversation_id: each.read for each in await told(served.jonas)} == {number: True, other: False}


async def test_all_of_one_conversation_can_be_marked_read(api: Api) -> None:
    number, other = await deliver(api.support), await deliver(api.support, write_mail(subject="Other"))
    for each in (number, other):
        await comment(api.ana, each, "@Jonas", api.jonas)
    page = await api.jonas.post("/notifications/read", {"conversation_id": number}, NotificationPage)
    assert (page.unread, [each.conversation_id for each in page.items if not each.read]) == (1, [other])


async def test_reading_a_whole_mailbox_reads_what_tells_of_its_mail(api: Api) -> None:
    inbox = await Arriving.into(api.support)
    first = write_mail(subject="Wheel")
    await inbox.deliver(first)
    number = (await api.ana.get(f"/mailboxes/{api.support}/conversations"))["items"][0]["row"]["id"]
    other = await deliver(api.support, write_mail(subject="Other"))
    await follow(api.jonas, number)
    await inbox.deliver(write_mail(subject="Re: Wheel", answers=message_id_of(first)))
    await comment(api.ana, other, "@Jonas", api.jonas)
    await api.jonas.post(f"/mailboxes/{api.support}/read-all")
    assert [(each.kind, each.read) for each in await told(api.jonas)] == [("reply", True), ("mention", False)]


async def test_mail_read_in_another_program_is_read_here(api: Api) -> None:
    inbox = await Arriving.into(api.toms_mailbox)
    first = write_mail(subject="Wheel", to="tom@northwind.example")
    await inbox.deliver(first)
    number = (await api.tom.get(f"/mailboxes/{api.toms_mailbox}/conversations"))["items"][0]["row"]["id"]
    await follow(api.tom, number)
    answer = write_mail(subject="Re: Wheel", to="tom@northwind.example", answers=message_id_of(first))
    uids = [1, *await inbox.deliver(answer)]
    assert [each.read for each in await told(api.tom)] == [False]
    for uid in uids:
        await inbox.flag(uid, "\\Seen")
    assert [each.read for each in await told(api.tom)] == [True]


async def test_it_names_its_place_and_whether_others_may_know(api: Api) -> None:
    number = await deliver(api.support)
    said = await comment(api.ana, number, "@Jonas", api.jonas)
    [notice] = await told(api.jonas)
    assert notice.path == f"/?mailbox={api.support}&conversation={number}&at=c{said.id}"
    assert not notice.private
    await api.ana.put(f"/conversations/{number}/visibility", SetVisibility(visibility="private"))
    assert (await told(api.jonas))[0].private
    detail = await api.jonas.get(f"/conversations/{number}", ConversationDetail)
    assert detail.row.follower_ids == [api.ana.user_id, api.jonas.user_id]
