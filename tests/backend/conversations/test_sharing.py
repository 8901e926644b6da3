"""One conversation shown to somebody who cannot open its mailbox."""

from backend.conversations.contracts import (
    AddComment,
    Comment,
    ConversationDetail,
    ConversationPage,
    SetRead,
    SetVisibility,
    ShareConversation,
    Visibility,
)
from backend.database.connection import fetch_value
from backend.mailboxes.contracts import SetMailboxMembers, WorkCounts
from backend.notifications.contracts import NotificationPage
from backend.search.contracts import FoundPage
from tests.servers.api import Api, Member
from tests.servers.delivery import deliver, write_mail

HIDDEN: tuple[Visibility, ...] = ("private", "confidential")


async def share(api: Api, conversation_id: int, person: Member) -> None:
    await api.jonas.post(f"/conversations/{conversation_id}/shares", ShareConversation(user_id=person.user_id))


async def shared_with(person: Member) -> list[int]:
    page = await person.get("/my-work", ConversationPage, view="shared")
    return [item.row.id for item in page.items]


async def test_it_is_read_found_counted_and_told(api: Api) -> None:
    number = await deliver(api.support, write_mail(subject="Cracked fork", text="It cracked."))
    await deliver(api.support, write_mail(subject="Another matter", text="It cracked, too."))
    await share(api, number, api.tom)
    assert await shared_with(api.tom) == [number]
    detail = await api.tom.get(f"/conversations/{number}", ConversationDetail)
    assert detail.row.shared_user_ids == [api.tom.user_id] and api.tom.user_id in detail.viewer_ids
    found = await api.tom.get("/search", FoundPage, q="cracked")
    assert [item.row.id for item in found.items] == [number]
    counts = await api.tom.get("/counts", WorkCounts)
    assert (counts.shared, counts.shared_unread, counts.notifications) == (1, 1, 1)
    told = (await api.tom.get("/notifications", NotificationPage)).items[0]
    assert (told.kind, told.conversation_id, told.actor_id) == ("share", number, api.jonas.user_id)
    await api.tom.put(f"/conversations/{number}/read", SetRead(read=True))
    assert (await api.tom.get("/counts", WorkCounts)).shared_unread == 0


async def test_whom_it_is_shared_with_comments_and_changes_nothing_else(api: Api) -> None:
    number = await deliver(api.support)
    await share(api, number, api.tom)
    said = AddComment(text="@Ana, I know them.", mention_ids=[api.ana.user_id])
    await api.tom.post(f"/conversations/{number}/comments", said, Comment)
    assert (await api.ana.get("/notifications", NotificationPage)).items[0].kind == "mention"
    refusal = await api.tom.refused("PUT", f"/conversations/{number}/status", {"status": "done"})
    assert refusal.status == 403 and "read and to comment" in refusal.message
    refusal = await api.tom.refused("POST", "/drafts", {"kind": "reply", "conversation_id": number})
    assert refusal.status == 403
    to_mallory = AddComment(text="@Mallory", mention_ids=[api.mallory.user_id], share=True)
    refusal = await api.tom.refused("POST", f"/conversations/{number}/comments", to_mallory)
    assert refusal.status == 403, "a guest shows it to nobody else"


async def test_reading_it_sets_nothing_on_the_mail_server(api: Api) -> None:
    number = await deliver(api.support)
    await share(api, number, api.tom)
    await api.tom.put(f"/conversations/{number}/read", SetRead(read=True))
    assert await fetch_value("SELECT count(*) FROM server_intents") == 0
    await api.jonas.put(f"/conversations/{number}/read", SetRead(read=True))
    assert await fetch_value("SELECT count(*) FROM server_intents") == 1


async def test_private_hides_it_and_open_shows_it_again(api: Api) -> None:
    number = await deliver(api.support)
    await share(api, number, api.tom)
    for visibility in HIDDEN:
        await api.jonas.put(f"/conversations/{number}/visibility", SetVisibility(visibility=visibility))
        assert (await api.tom.refused("GET", f"/conversations/{number}")).status == 404
        assert await shared_with(api.tom) == []
        assert (await api.tom.get("/notifications", NotificationPage)).items == []
    await api.jonas.put(f"/conversations/{number}/visibility", SetVisibility(visibility="open"))
    assert await shared_with(api.tom) == [number]


async def test_a_private_conversation_is_not_shared(api: Api) -> None:
    number = await deliver(api.support)
    await api.jonas.put(f"/conversations/{number}/visibility", SetVisibility(visibility="private"))
    wanted = ShareConversation(user_id=api.tom.user_id)
    refusal = await api.jonas.refused("POST", f"/conversations/{number}/shares", wanted)
    assert refusal.status == 422 and "only people of its mailbox" in refusal.message
    said = AddComment(text="@Tom?", mention_ids=[api.tom.user_id], share=True)
    assert (await api.jonas.refused("POST", f"/conversations/{number}/comments", said)).status == 422


async def test_mentioning_a_stranger_offers_to_share_and_does_both_in_one_go(api: Api) -> None:
    number = await deliver(api.support)
    said = AddComment(text="@Tom, look.", mention_ids=[api.tom.user_id])
    refusal = await api.jonas.refused("POST", f"/conversations/{number}/comments", said)
    assert refusal.message == "Tom cannot see this conversation."
    assert refusal.details == {"user_ids": [api.tom.user_id], "team_ids": [], "can_share": True}
    both = AddComment(text=said.text, mention_ids=said.mention_ids, share=True)
    await api.jonas.post(f"/conversations/{number}/comments", both)
    notices = (await api.tom.get("/notifications", NotificationPage)).items
    assert [(each.kind, each.text) for each in notices] == [("mention", "@Tom, look.")]
    assert await shared_with(api.tom) == [number]
    mentions = await api.tom.get("/my-work", ConversationPage, view="mentions")
    assert [item.row.id for item in mentions.items] == [number]


async def test_taken_back_it_is_gone(api: Api) -> None:
    number = await deliver(api.support)
    await share(api, number, api.tom)
    await api.ana.delete(f"/conversations/{number}/shares", user_id=api.tom.user_id)
    assert (await api.tom.refused("GET", f"/conversations/{number}")).status == 404
    trail = (await api.ana.get(f"/conversations/{number}", ConversationDetail)).activities
    assert [(each.kind, each.subject_id) for each in trail[-2:]] == [
        ("shared", api.tom.user_id),
        ("unshared", api.tom.user_id),
    ]


async def test_what_was_read_in_the_mailbox_is_read_for_who_keeps_one_of_it(api: Api) -> None:
    number = await deliver(api.support)
    await share(api, number, api.tom)
    members = [api.ana.user_id, api.jonas.user_id]
    path = f"/mailboxes/{api.support}/members"
    await api.ana.put(path, SetMailboxMembers(member_ids=[*members, api.tom.user_id], team_ids=[]))
    assert await shared_with(api.tom) == [], "it is one of the mailbox now"
    await api.ana.put(path, SetMailboxMembers(member_ids=members, team_ids=[]))
    assert await shared_with(api.tom) == [number]
    assert (await api.tom.get("/counts", WorkCounts)).shared_unread == 0
