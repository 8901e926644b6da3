"""Comments that are changed, deleted and reacted to."""

from backend.conversations.contracts import (
    AddComment,
    Comment,
    CommentChanged,
    CommentRevision,
    ConversationDetail,
    EditComment,
    Reaction,
    SetReaction,
)
from backend.database.connection import fetch
from backend.notifications.contracts import NotificationAdded, NotificationPage
from backend.search.contracts import FoundPage
from tests.servers.api import Api, Member
from tests.servers.delivery import deliver


async def say(person: Member, conversation_id: int, text: str, *mentioned: Member) -> Comment:
    body = AddComment(text=text, mention_ids=[each.user_id for each in mentioned])
    return await person.post(f"/conversations/{conversation_id}/comments", body, Comment)


async def comments_of(person: Member, conversation_id: int) -> list[Comment]:
    return (await person.get(f"/conversations/{conversation_id}", ConversationDetail)).comments


async def found(person: Member, word: str) -> int:
    return len((await person.get("/search", FoundPage, q=word)).items)


async def test_the_author_changes_it_and_what_it_said_is_kept(api: Api) -> None:
    number = await deliver(api.support)
    said = await say(api.ana, number, "The wheel is in stok.")
    edited = await api.ana.put(f"/comments/{said.id}", EditComment(text="The wheel is in stock."), Comment)
    assert (edited.text, edited.edited_at is not None) == ("The wheel is in stock.", True)
    assert await comments_of(api.jonas, number) == [edited]
    before = await api.jonas.get(f"/comments/{said.id}/revisions", list[CommentRevision])
    assert [each.text for each in before] == ["The wheel is in stok."]
    assert (await found(api.jonas, "stock"), await found(api.jonas, '"stok"')) == (1, 0)
    again = await api.ana.put(f"/comments/{said.id}", EditComment(text="The wheel is in stock."), Comment)
    assert again.edited_at == edited.edited_at


async def test_others_change_nothing_and_an_empty_one_is_refused(api: Api) -> None:
    number = await deliver(api.support)
    said = await say(api.ana, number, "Mine.")
    refusal = await api.jonas.refused("PUT", f"/comments/{said.id}", EditComment(text="His."))
    assert (refusal.status, refusal.message) == (403, "Only its author changes a comment.")
    assert (await api.jonas.refused("DELETE", f"/comments/{said.id}")).status == 403
    empty = await api.ana.refused("PUT", f"/comments/{said.id}", EditComment(text="  "))
    assert empty.remedy == "Write something, or delete it."
    assert await comments_of(api.ana, number) == [said]


async def test_who_is_mentioned_only_now_is_notified_and_nobody_twice(api: Api) -> None:
    number = await deliver(api.support)
    said = await say(api.ana, number, "Who knows?")
    for text in ("@Jonas, do you know?", "@Jonas, do you know it?"):
        await api.ana.put(f"/comments/{said.id}", EditComment(text=text, mention_ids=[api.jonas.user_id]))
    notices = (await api.jonas.get("/notifications", NotificationPage)).items
    assert [(each.kind, each.text) for each in notices] == [("mention", "@Jonas, do you know?")]
    stranger = EditComment(text="@Mallory?", mention_ids=[api.mallory.user_id])
    assert (await api.ana.refused("PUT", f"/comments/{said.id}", stranger)).status == 422


async def test_a_deleted_one_leaves_its_place_and_no_word(served: Api) -> None:
    number = await deliver(served.support)
    said = await say(served.ana, number, "Zugzwang, he said.", served.jonas)
    await served.ana.put(f"/comments/{said.id}", EditComment(text="Zugzwang.", mention_ids=[served.jonas.user_id]))
    async with served.live(served.jonas) as live:
        await served.ana.delete(f"/comments/{said.id}")
        told = await live.event(CommentChanged)
    assert (told.comment.deleted, told.comment.text, told.row.comment_count) == (True, "", 0)
    assert [(each.id, each.deleted) for each in await comments_of(served.jonas, number)] == [(said.id, True)]
    assert await found(served.jonas, "zugzwang") == 0
    assert (await served.jonas.get(f"/comments/{said.id}/revisions", list[CommentRevision])) == []
    assert not await fetch("SELECT 1 FROM events WHERE body::text LIKE '%ugzwang%'")
    assert (await served.ana.refused("PUT", f"/comments/{said.id}", EditComment(text="Back."))).status == 422
    assert (await served.jonas.refused("PUT", f"/comments/{said.id}/reactions", SetReaction(emoji="👍"))).status == 422


async def test_what_was_told_of_a_deleted_one_says_it_no_more(served: Api) -> None:
    number = await deliver(served.support)
    said = await say(served.ana, number, "A secret, Jonas.", served.jonas)
    (notice,) = (await served.jonas.get("/notifications", NotificationPage)).items
    async with served.live(served.jonas) as live:
        await served.ana.delete(f"/comments/{said.id}")
        told = await live.event(NotificationAdded)
    (left,) = (await served.jonas.get("/notifications", NotificationPage)).items
    assert (notice.text, left.kind, left.text) == ("A secret, Jonas.", "mention", "")
    assert told.notification == left


async def test_colleagues_react_once_each_and_take_it_back(api: Api) -> None:
    number = await deliver(api.support)
    said = await say(api.ana, number, "Done.")
    path = f"/comments/{said.id}/reactions"
    for person in (api.jonas, api.ana, api.jonas):
        comment = await person.put(path, SetReaction(emoji="👍"), Comment)
    assert comment.reactions == [Reaction(emoji="👍", user_ids=[api.jonas.user_id, api.ana.user_id])]
    await api.ana.put(path, SetReaction(emoji="🎉"))
    await api.jonas.put(path, SetReaction(emoji="👍", on=False))
    await api.jonas.put(path, SetReaction(emoji="👍", on=False))
    shown = (await comments_of(api.jonas, number))[0].reactions
    assert [(each.emoji, each.user_ids) for each in shown] == [("👍", [api.ana.user_id]), ("🎉", [api.ana.user_id])]
    assert (await api.ana.refused("PUT", path, {"emoji": "💣"})).status in (400, 422)
