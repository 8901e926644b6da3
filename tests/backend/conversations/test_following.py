"""Following a conversation: who does, who is told, and what ends it."""

import pytest

from backend.conversations.contracts import (
    AddComment,
    Assign,
    Comment,
    ConversationDetail,
    ConversationItem,
    EditComment,
    SetFollowing,
    SetVisibility,
)
from backend.mailboxes.contracts import SetMailboxMembers
from backend.notifications.contracts import Notification, NotificationPage
from tests.servers.api import Api, Member
from tests.servers.arriving import Arriving, message_id_of
from tests.servers.delivery import deliver, write_mail


async def followers(person: Member, number: int) -> list[int]:
    return (await person.get(f"/conversations/{number}", ConversationDetail)).row.follower_ids


async def follow(person: Member, number: int, following: bool = True) -> ConversationItem:
    return await person.put(f"/conversations/{number}/following", SetFollowing(following=following), ConversationItem)


async def comment(person: Member, number: int, text: str = "Look.", *mentioned: Member) -> Comment:
    said = AddComment(text=text, mention_ids=[each.user_id for each in mentioned])
    return await person.post(f"/conversations/{number}/comments", said, Comment)


async def told(person: Member) -> list[Notification]:
    """What the person was notified of, oldest first."""
    return (await person.get("/notifications", NotificationPage)).items[::-1]


async def test_one_follows_and_leaves_by_hand(api: Api) -> None:
    number = await deliver(api.support)
    assert (await follow(api.ana, number)).row.follower_ids == [api.ana.user_id]
    assert (await follow(api.jonas, number)).row.follower_ids == [api.ana.user_id, api.jonas.user_id]
    assert (await follow(api.ana, number, False)).row.follower_ids == [api.jonas.user_id]


@pytest.mark.parametrize("deed", ["commenting", "mentioned", "assigned", "taking it"])
async def test_who_has_to_do_with_it_follows_it(api: Api, deed: str) -> None:
    number = await deliver(api.support)
    jonas = api.jonas.user_id
    match deed:
        case "commenting":
            await comment(api.jonas, number)
        case "mentioned":
            await comment(api.ana, number, "@Jonas", api.jonas)
        case "assigned":
            await api.ana.put(f"/conversations/{number}/assignee", Assign(user_id=jonas))
        case _:
            await api.jonas.put(f"/conversations/{number}/assignee", Assign(user_id=jonas))
    assert jonas in await followers(api.ana, number)


async def test_who_left_stays_away_until_they_act_again(api: Api) -> None:
    number = await deliver(api.support)
    await comment(api.jonas, number)
    await follow(api.jonas, number, False)
    await comment(api.ana, number, "@Jonas", api.jonas)
    await api.ana.put(f"/conversations/{number}/assignee", Assign(user_id=api.jonas.user_id))
    assert api.jonas.user_id not in await followers(api.ana, number)
    await comment(api.jonas, number, "Here I am.")
    assert api.jonas.user_id in await followers(api.ana, number)


async def test_who_is_mentioned_while_a_comment_is_changed_follows(api: Api) -> None:
    number = await deliver(api.support)
    said = await comment(api.ana, number)
    await api.ana.put(f"/comments/{said.id}", EditComment(text="@Jonas", mention_ids=[api.jonas.user_id]))
    assert await followers(api.ana, number) == [api.ana.user_id, api.jonas.user_id]


async def test_followers_are_told_of_comments_and_their_place(api: Api) -> None:
    number = await deliver(api.support)
    await follow(api.jonas, number)
    said = await comment(api.ana, number, "The wheel is here.")
    [notice] = await told(api.jonas)
    assert (notice.kind, notice.actor_id, notice.text) == ("comment", api.ana.user_id, "The wheel is here.")
    assert (notice.comment_id, notice.spot) == (said.id, f"c{said.id}")
    assert await told(api.ana) == []


async def test_followers_are_told_of_new_mail_and_its_place(api: Api) -> None:
    inbox = await Arriving.into(api.support)
    first = write_mail(subject="Wheel")
    await inbox.deliver(first)
    page = await api.ana.get(f"/mailboxes/{api.support}/conversations")
    number = page["items"][0]["row"]["id"]
    await follow(api.jonas, number)
    sender = "Mateus <m@vento.example>"
    await inbox.deliver(write_mail(subject="Re: Wheel", answers=message_id_of(first), sender=sender))
    [notice] = await told(api.jonas)
    newest = (await api.jonas.get(f"/conversations/{number}", ConversationDetail)).messages[-1]
    assert (notice.kind, notice.sender, notice.message_id) == ("reply", "Mateus", newest.id)
    assert await told(api.ana) == []


async def test_old_mail_tells_nobody(api: Api) -> None:
    inbox = await Arriving.into(api.support)
    first = write_mail(subject="Wheel")
    await inbox.deliver(first)
    page = await api.ana.get(f"/mailboxes/{api.support}/conversations")
    await follow(api.jonas, page["items"][0]["row"]["id"])
    await inbox.deliver(write_mail(subject="Re: Wheel", answers=message_id_of(first)), arrived=False)
    assert await told(api.jonas) == []


async def test_a_follower_who_does_not_see_it_is_told_nothing(api: Api) -> None:
    number = await deliver(api.support)
    await follow(api.jonas, number)
    await api.ana.put(f"/conversations/{number}/visibility", SetVisibility(visibility="confidential"))
    await comment(api.ana, number, "Between us.")
    await api.ana.put(f"/conversations/{number}/visibility", SetVisibility(visibility="open"))
    assert await told(api.jonas) == []
    await comment(api.ana, number, "For all.")
    assert [each.text for each in await told(api.jonas)] == ["For all."]


async def test_a_follower_who_lost_the_mailbox_is_told_nothing(api: Api) -> None:
    number = await deliver(api.support)
    await follow(api.jonas, number)
    members = SetMailboxMembers(member_ids=[api.ana.user_id], team_ids=[])
    await api.ana.put(f"/mailboxes/{api.support}/members", members)
    await comment(api.ana, number)
    await api.ana.put(
        f"/mailboxes/{api.support}/members",
        SetMailboxMembers(member_ids=[api.ana.user_id, api.jonas.user_id], team_ids=[]),
    )
    assert await told(api.jonas) == []


async def test_followers_of_conversations_that_are_joined_follow_what_they_become(api: Api) -> None:
    inbox = await Arriving.into(api.support)
    mails = [write_mail(subject=f"Subject {number}") for number in range(2)]
    await inbox.deliver(*mails)
    page = await api.ana.get(f"/mailboxes/{api.support}/conversations")
    first, second = sorted(item["row"]["id"] for item in page["items"])
    await follow(api.ana, first)
    await follow(api.jonas, second)
    await follow(api.ana, second)
    await follow(api.ana, second, False)
    await inbox.deliver(write_mail(subject="Both", answers=" ".join(message_id_of(raw) for raw in mails)))
    assert sorted(await followers(api.ana, first)) == [api.ana.user_id, api.jonas.user_id]
