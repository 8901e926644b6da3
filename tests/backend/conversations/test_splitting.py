"""A mail gets a conversation of its own."""

from datetime import UTC, datetime, timedelta

from backend.compose.contracts import CreateDraft, Draft
from backend.conversations.contracts import (
    AddComment,
    Assign,
    ConversationDetail,
    ConversationItem,
    ConversationPage,
    MergeConversations,
    SetRead,
    SetReminder,
    SetVisibility,
    SplitConversation,
)
from backend.tags.contracts import ChangeTags, SaveTag, Tag
from tests.servers.api import Api, Member
from tests.servers.arriving import Arriving, message_id_of
from tests.servers.delivery import deliver, write_mail

TOMORROW = datetime.now(UTC) + timedelta(days=1)
HOUR = timedelta(hours=1)


async def see(person: Member, conversation_id: int) -> ConversationDetail:
    return await person.get(f"/conversations/{conversation_id}", ConversationDetail)


async def thread(api: Api) -> tuple[int, list[bytes], list[int]]:
    """Three mails, an hour apart, each an answer to the one before: the conversation, the mails, their numbers."""
    mails: list[bytes] = []
    number = 0
    for n, subject in enumerate(("Fork", "Re: Fork", "And a wheel")):
        answers = " ".join(message_id_of(each) for each in mails)
        at = datetime.now(UTC) - (3 - n) * HOUR
        mails.append(write_mail(subject=subject, answers=answers, at=at))
        number = await deliver(api.support, mails[-1])
    return number, mails, [each.id for each in (await see(api.ana, number)).messages]


async def split(api: Api, conversation_id: int, given: SplitConversation) -> int:
    return (await api.jonas.post(f"/conversations/{conversation_id}/split", given, ConversationItem)).row.id


async def subjects(api: Api, conversation_id: int) -> list[str]:
    return [each.subject for each in (await see(api.ana, conversation_id)).messages]


async def test_one_mail_goes_or_it_and_all_after_it(api: Api) -> None:
    number, _, ids = await thread(api)
    new = await split(api, number, SplitConversation(message_id=ids[2]))
    assert (await subjects(api, number), await subjects(api, new)) == (["Fork", "Re: Fork"], ["And a wheel"])
    number, _, ids = await thread(api)
    new = await split(api, number, SplitConversation(message_id=ids[1], and_all_after=True))
    assert (await subjects(api, number), await subjects(api, new)) == (["Fork"], ["Re: Fork", "And a wheel"])


async def test_a_later_mail_follows_what_it_answers(api: Api) -> None:
    number, mails, ids = await thread(api)
    new = await split(api, number, SplitConversation(message_id=ids[2]))
    named = " ".join(message_id_of(each) for each in mails)  # as mail programs do: the whole thread, the last one last
    assert await deliver(api.support, write_mail(subject="Re: And a wheel", answers=named)) == new
    named = " ".join(message_id_of(each) for each in mails[:2])
    assert await deliver(api.support, write_mail(subject="Re: Fork", answers=named)) == number


async def test_mail_that_names_both_joins_them_never(api: Api) -> None:
    number, mails, ids = await thread(api)
    new = await split(api, number, SplitConversation(message_id=ids[2]))
    for answered in (mails[2], mails[0], mails[1]):
        others = " ".join(message_id_of(each) for each in mails if each is not answered)
        await deliver(api.support, write_mail(subject="Re: it", answers=f"{others} {message_id_of(answered)}"))
    assert [len((await see(api.ana, each)).messages) for each in (number, new)] == [4, 2]


async def test_the_subject_can_be_given_and_stays(api: Api) -> None:
    number, mails, ids = await thread(api)
    new = await split(api, number, SplitConversation(message_id=ids[2], subject="A  wheel for Carla "))
    assert (await see(api.ana, new)).row.subject == "A wheel for Carla"
    await deliver(api.support, write_mail(subject="Re: And a wheel", answers=message_id_of(mails[2])))
    assert (await see(api.ana, new)).row.subject == "A wheel for Carla"


async def test_it_begins_as_the_other_is_but_for_reminders(api: Api) -> None:
    number, _, ids = await thread(api)
    tag = await api.ana.post("/tags", SaveTag(name="Warranty"), Tag)
    await api.ana.put(f"/conversations/{number}/tags", ChangeTags(add=[tag.id]))
    await api.ana.put(f"/conversations/{number}/assignee", Assign(user_id=api.ana.user_id))
    await api.ana.put(f"/conversations/{number}/visibility", SetVisibility(visibility="private"))
    await api.ana.put(f"/conversations/{number}/read", SetRead(read=True))
    await api.ana.put(f"/conversations/{number}/reminder", SetReminder(at=TOMORROW))
    new = await split(api, number, SplitConversation(message_id=ids[2]))
    row, mark = (await see(api.ana, new)).row, (await see(api.ana, new)).mark
    assert (row.tag_ids, row.assignee_id, row.visibility) == ([tag.id], api.ana.user_id, "private")
    assert row.follower_ids == [api.ana.user_id]
    assert mark.read_up_to >= row.last_arrival and mark.reminder is None
    assert (await see(api.ana, number)).mark.reminder is not None


async def test_the_star_goes_with_the_flagged_mail(api: Api) -> None:
    inbox = await Arriving.into(api.support)
    first = write_mail(subject="Fork", at=datetime.now(UTC) - HOUR)
    _, uid = await inbox.deliver(first, write_mail(subject="Re: Fork", answers=message_id_of(first)))
    await inbox.flag(uid, "\\Flagged")
    [item] = (await api.ana.get(f"/mailboxes/{api.support}/conversations", ConversationPage)).items
    assert item.row.starred
    messages = (await see(api.ana, item.row.id)).messages
    new = await split(api, item.row.id, SplitConversation(message_id=messages[1].id))
    assert [(await see(api.ana, each)).row.starred for each in (item.row.id, new)] == [False, True]


async def test_comments_since_go_along_where_that_is_wished(api: Api) -> None:
    for wished in (False, True):
        number, _, ids = await thread(api)
        await api.ana.post(f"/conversations/{number}/comments", AddComment(text="The wheel is in stock."))
        given = SplitConversation(message_id=ids[1], and_all_after=True, with_comments=wished)
        new = await split(api, number, given)
        holder, other = (new, number) if wished else (number, new)
        assert [each.text for each in (await see(api.ana, holder)).comments] == ["The wheel is in stock."]
        assert [(await see(api.ana, each)).row.comment_count for each in (holder, other)] == [1, 0]


async def test_a_reply_goes_with_the_mail_that_it_answers(api: Api) -> None:
    number, _, ids = await thread(api)
    body = CreateDraft(kind="reply", conversation_id=number, message_id=ids[2])
    draft = await api.ana.post("/drafts", body, Draft)
    new = await split(api, number, SplitConversation(message_id=ids[2]))
    assert [each.id for each in (await see(api.ana, new)).drafts] == [draft.id]
    assert (await see(api.ana, number)).drafts == []


async def test_each_trail_tells_it_once(api: Api) -> None:
    number, _, ids = await thread(api)
    new = await split(api, number, SplitConversation(message_id=ids[2]))
    lines = [[(each.kind, each.value) for each in (await see(api.ana, at)).activities] for at in (number, new)]
    assert lines == [[("split", str(new))], [("split_from", str(number))]]


async def test_merging_them_again_is_taking_it_back(api: Api) -> None:
    number, mails, ids = await thread(api)
    new = await split(api, number, SplitConversation(message_id=ids[2], and_all_after=True))
    await api.jonas.post(f"/conversations/{number}/merge", MergeConversations(other_ids=[new]))
    assert await subjects(api, new) == ["Fork", "Re: Fork", "And a wheel"]
    assert await deliver(api.support, write_mail(subject="Re: it", answers=message_id_of(mails[2]))) == number


async def test_something_has_to_be_left_and_it_has_to_be_in_sight(api: Api) -> None:
    number, _, ids = await thread(api)
    path = f"/conversations/{number}/split"
    everything = SplitConversation(message_id=ids[0], and_all_after=True)
    assert (await api.jonas.refused("POST", path, everything)).status == 422
    other = await deliver(api.support)
    elsewhere = (await see(api.ana, other)).messages[0].id
    assert (await api.jonas.refused("POST", path, SplitConversation(message_id=elsewhere))).status == 404
    assert (await api.mallory.refused("POST", path, SplitConversation(message_id=ids[1]))).status == 404
