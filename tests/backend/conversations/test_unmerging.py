"""A merge is taken back: everything goes where it came from."""

from datetime import UTC, datetime, timedelta

from backend.compose.contracts import CreateDraft, Draft
from backend.conversations.contracts import (
    AddComment,
    AddPerson,
    Assign,
    Comment,
    ConversationDetail,
    ConversationItem,
    MergeConversations,
    MoveConversation,
    SetFollowing,
    SetRead,
    SetReminder,
    SetStatus,
    SetVisibility,
    ShareConversation,
    TakeMergeBack,
)
from backend.mailboxes.contracts import CreateMailbox, MailboxSettings
from backend.notifications.contracts import NotificationPage
from backend.tags.contracts import ChangeTags, SaveTag, Tag
from tests.servers.api import Api, Member
from tests.servers.arriving import message_id_of
from tests.servers.delivery import deliver, write_mail

TOMORROW = datetime.now(UTC) + timedelta(days=1)


async def see(person: Member, conversation_id: int) -> ConversationDetail:
    return await person.get(f"/conversations/{conversation_id}", ConversationDetail)


async def two(api: Api) -> tuple[int, int]:
    return await deliver(api.support, write_mail(subject="Fork")), await deliver(
        api.support, write_mail(subject="Wheel")
    )


async def merge(api: Api, *ids: int) -> int:
    """Merge them; answers the line of the trail that tells of it."""
    path = f"/conversations/{ids[0]}/merge"
    item = await api.jonas.post(path, MergeConversations(other_ids=list(ids[1:])), ConversationItem)
    lines = (await see(api.jonas, item.row.id)).activities
    return next(line.id for line in reversed(lines) if line.kind == "joined")


async def take_back(api: Api, conversation_id: int, line: int) -> ConversationItem:
    return await api.jonas.post(
        f"/conversations/{conversation_id}/unmerge", TakeMergeBack(activity_id=line), ConversationItem
    )


async def test_mail_comments_and_drafts_go_back_to_the_conversation_that_they_came_from(api: Api) -> None:
    first, second = await two(api)
    for number, text in ((first, "About the fork."), (second, "About the wheel.")):
        await api.ana.post(f"/conversations/{number}/comments", AddComment(text=text))
    draft = await api.ana.post("/drafts", CreateDraft(kind="reply", conversation_id=second), Draft)
    line = await merge(api, first, second)
    await take_back(api, first, line)
    fork, wheel = await see(api.ana, first), await see(api.ana, second)
    assert [each.row.id for each in (fork, wheel)] == [first, second]
    assert [[each.subject for each in detail.messages] for detail in (fork, wheel)] == [["Fork"], ["Wheel"]]
    assert [[each.text for each in detail.comments] for detail in (fork, wheel)] == [
        ["About the fork."],
        ["About the wheel."],
    ]
    assert [each.row.comment_count for each in (fork, wheel)] == [1, 1]
    assert ([each.id for each in fork.drafts], [each.id for each in wheel.drafts]) == ([], [draft.id])


async def test_each_trail_tells_it_once(api: Api) -> None:
    first, second = await two(api)
    await api.ana.put(f"/conversations/{second}/status", SetStatus(status="done"))
    line = await merge(api, first, second)
    await take_back(api, first, line)
    lines = [[each.kind for each in (await see(api.ana, number)).activities] for number in (first, second)]
    assert lines == [["joined", "unjoined"], ["status", "unjoined"]]


async def test_the_teams_state_of_each_is_as_before(api: Api) -> None:
    first, second = await two(api)
    tag = await api.ana.post("/tags", SaveTag(name="Warranty"), Tag)
    await api.ana.put(f"/conversations/{first}/status", SetStatus(status="done"))
    await api.ana.put(f"/conversations/{second}/assignee", Assign(user_id=api.jonas.user_id))
    await api.ana.put(f"/conversations/{second}/tags", ChangeTags(add=[tag.id]))
    await api.ana.put(f"/conversations/{second}/following", SetFollowing(following=True))
    await api.ana.post(f"/conversations/{second}/shares", ShareConversation(user_id=api.tom.user_id))
    before = [(await see(api.ana, number)).row for number in (first, second)]
    line = await merge(api, first, second)
    await take_back(api, first, line)
    after = [(await see(api.ana, number)).row for number in (first, second)]
    for old, new in zip(before, after, strict=True):
        for name in ("status", "assignee_id", "tag_ids", "follower_ids", "shared_user_ids", "visibility", "subject"):
            assert getattr(new, name) == getattr(old, name), name


async def test_what_was_changed_since_stays(api: Api) -> None:
    first, second = await two(api)
    await api.ana.put(f"/conversations/{second}/assignee", Assign(user_id=api.jonas.user_id))
    line = await merge(api, first, second)
    await api.ana.put(f"/conversations/{first}/assignee", Assign(user_id=api.ana.user_id))
    await api.ana.put(f"/conversations/{first}/status", SetStatus(status="done"))
    await take_back(api, first, line)
    fork, wheel = (await see(api.ana, first)).row, (await see(api.ana, second)).row
    assert (fork.assignee_id, fork.status) == (api.ana.user_id, "done")
    assert (wheel.assignee_id, wheel.status) == (api.jonas.user_id, "open")


async def test_a_reply_that_came_since_goes_to_the_mail_that_it_answers(api: Api) -> None:
    mails = [write_mail(subject="Fork"), write_mail(subject="Wheel")]
    first, second = [await deliver(api.support, each) for each in mails]
    line = await merge(api, first, second)
    answer = write_mail(subject="Re: Wheel", answers=message_id_of(mails[1]))
    assert await deliver(api.support, answer) == first
    assert await deliver(api.support, write_mail(subject="Re: Fork", answers=message_id_of(mails[0]))) == first
    await take_back(api, first, line)
    assert [each.subject for each in (await see(api.ana, first)).messages] == ["Fork", "Re: Fork"]
    assert [each.subject for each in (await see(api.ana, second)).messages] == ["Wheel", "Re: Wheel"]
    assert await deliver(api.support, write_mail(subject="Again", answers=message_id_of(answer))) == second


async def test_what_was_parted_is_not_joined_by_mail_again(api: Api) -> None:
    mails = [write_mail(subject="Fork"), write_mail(subject="Wheel")]
    first, second = [await deliver(api.support, each) for each in mails]
    await take_back(api, first, await merge(api, first, second))
    both = f"{message_id_of(mails[0])} {message_id_of(mails[1])}"
    assert await deliver(api.support, write_mail(subject="Both", answers=both)) == second
    assert len((await see(api.ana, first)).messages) == 1


async def test_what_is_written_since_stays_as_private_as_it_was_written(api: Api) -> None:
    first, second = await two(api)
    await api.jonas.put(f"/conversations/{second}/visibility", SetVisibility(visibility="confidential"))
    line = await merge(api, first, second)
    await api.jonas.post(f"/conversations/{first}/comments", AddComment(text="Between us."))
    await take_back(api, first, line)
    assert (await see(api.jonas, first)).row.visibility == "confidential"


async def test_with_nothing_written_since_each_is_as_visible_as_before(api: Api) -> None:
    first, second = await two(api)
    await api.jonas.put(f"/conversations/{second}/visibility", SetVisibility(visibility="confidential"))
    await api.jonas.post(f"/conversations/{second}/people", AddPerson(user_id=api.jonas.user_id))
    line = await merge(api, first, second)
    assert (await api.ana.refused("GET", f"/conversations/{first}")).status == 404
    await take_back(api, first, line)
    assert (await see(api.ana, first)).row.visibility == "open"
    assert (await api.ana.refused("GET", f"/conversations/{second}")).status == 404


async def test_each_persons_marks_and_reminders_are_as_before(api: Api) -> None:
    first, second = await two(api)
    await api.ana.put(f"/conversations/{first}/read", SetRead(read=True))
    await api.ana.put(f"/conversations/{second}/reminder", SetReminder(at=TOMORROW))
    line = await merge(api, first, second)
    await take_back(api, first, line)
    fork, wheel = await see(api.ana, first), await see(api.ana, second)
    assert fork.mark.read_up_to >= fork.row.last_arrival and fork.mark.reminder is None
    assert wheel.mark.read_up_to < wheel.row.last_arrival
    assert wheel.mark.reminder is not None and wheel.mark.reminder.at == TOMORROW


async def test_who_has_read_the_whole_has_read_both(api: Api) -> None:
    first, second = await two(api)
    line = await merge(api, first, second)
    await api.ana.put(f"/conversations/{first}/read", SetRead(read=True))
    await take_back(api, first, line)
    for number in (first, second):
        detail = await see(api.ana, number)
        assert detail.mark.read_up_to >= detail.row.last_arrival


async def test_notifications_lead_to_where_their_comment_is(api: Api) -> None:
    first, second = await two(api)
    body = AddComment(text="@Ana look.", mention_ids=[api.ana.user_id])
    await api.jonas.post(f"/conversations/{second}/comments", body, Comment)
    await take_back(api, first, await merge(api, first, second))
    [told] = (await api.ana.get("/notifications", NotificationPage)).items
    assert told.conversation_id == second


async def test_a_merge_of_merged_ones_is_taken_back_in_any_order(api: Api) -> None:
    first, second = await two(api)
    third = await deliver(api.support, write_mail(subject="Bell"))
    inner = await merge(api, second, third)
    await merge(api, first, second)
    await take_back(api, first, inner)
    assert [each.subject for each in (await see(api.ana, first)).messages] == ["Fork", "Wheel"]
    assert [each.subject for each in (await see(api.ana, third)).messages] == ["Bell"]


async def test_one_that_went_its_own_way_before_does_not_follow_into_what_is_parted_later(api: Api) -> None:
    first, second = await two(api)
    third = await deliver(api.support, write_mail(subject="Bell"))
    inner = await merge(api, second, third)
    outer = await merge(api, first, second)
    await take_back(api, first, inner)
    await merge(api, first, third)
    await take_back(api, first, outer)
    assert (await see(api.ana, third)).row.id == first
    assert [each.subject for each in (await see(api.ana, first)).messages] == ["Fork", "Bell"]


async def test_what_was_parted_already_stays_there_when_the_rest_is_parted(api: Api) -> None:
    first, second = await two(api)
    third = await deliver(api.support, write_mail(subject="Bell"))
    inner = await merge(api, second, third)
    outer = await merge(api, first, second)
    await take_back(api, first, inner)
    await take_back(api, first, outer)
    assert [(await see(api.ana, each)).row.id for each in (first, second, third)] == [first, second, third]


async def test_after_a_move_neither_it_nor_a_merge_within_it_is_taken_back(api: Api) -> None:
    first, second = await two(api)
    third = await deliver(api.support, write_mail(subject="Bell"))
    inner = await merge(api, second, third)
    outer = await merge(api, first, second)
    sales = CreateMailbox(
        kind="group", name="Sales", address="sales@northwind.example", member_ids=[api.ana.user_id, api.jonas.user_id]
    )
    sales_id = (await api.ana.post("/mailboxes", sales, MailboxSettings)).id
    await api.jonas.put(f"/conversations/{first}/mailbox", MoveConversation(mailbox_id=sales_id), ConversationItem)
    for line in (inner, outer):
        refusal = await api.jonas.refused("POST", f"/conversations/{first}/unmerge", TakeMergeBack(activity_id=line))
        assert refusal.status == 409
    assert [each.subject for each in (await see(api.ana, first)).messages] == ["Fork", "Wheel", "Bell"]


async def test_it_is_taken_back_once_and_by_whom_sees_it(api: Api) -> None:
    first, second = await two(api)
    line = await merge(api, first, second)
    path = f"/conversations/{first}/unmerge"
    assert (await api.mallory.refused("POST", path, TakeMergeBack(activity_id=line))).status == 404
    await take_back(api, first, line)
    assert (await api.jonas.refused("POST", path, TakeMergeBack(activity_id=line))).status == 409
