"""Tags: the organisation's words, put on conversations by whoever sees them."""

import asyncio

from backend.conversations.contracts import ConversationDetail, ConversationItem, ConversationPage
from backend.tags.contracts import ChangeTags, SaveTag, Tag
from tests.servers.api import Api, Member
from tests.servers.delivery import deliver, write_mail


async def make(person: Member, name: str) -> Tag:
    return await person.post("/tags", SaveTag(name=name), Tag)


async def change(person: Member, conversation_id: int, *, add: object = (), remove: object = ()) -> list[int]:
    body = ChangeTags(add=list(add), remove=list(remove))  # pyright: ignore[reportCallIssue, reportArgumentType]
    return (await person.put(f"/conversations/{conversation_id}/tags", body, ConversationItem)).row.tag_ids


async def told(person: Member, conversation_id: int) -> list[tuple[str, str]]:
    detail = await person.get(f"/conversations/{conversation_id}", ConversationDetail)
    return [(each.kind, each.value) for each in detail.activities]


async def test_anybody_makes_one_and_admins_change_and_delete_it(api: Api) -> None:
    tag = await make(api.jonas, "  Warranty   case ")
    assert tag.name == "Warranty case"
    taken = await api.ana.refused("POST", "/tags", SaveTag(name="WARRANTY CASE"))
    assert taken.message == "There is a tag of this name already."
    assert (await api.jonas.refused("PUT", f"/tags/{tag.id}", SaveTag(name="Other"))).status == 403
    changed = await api.ana.put(f"/tags/{tag.id}", SaveTag(name="Guarantee", colour=7), Tag)
    assert await api.mallory.get("/tags", list[Tag]) == [changed] == [Tag(id=tag.id, name="Guarantee", colour=7)]
    await api.ana.delete(f"/tags/{tag.id}")
    assert await api.ana.get("/tags", list[Tag]) == []
    for name in ("", " ", "x" * 41):
        assert (await api.ana.refused("POST", "/tags", SaveTag(name=name))).status == 422


async def test_two_people_who_tag_at_once_lose_nothing(api: Api) -> None:
    number = await deliver(api.support)
    tags = [(await make(api.ana, f"Tag {n}")).id for n in range(6)]
    people = [api.ana, api.jonas] * 3
    await asyncio.gather(*(change(person, number, add=[tag]) for person, tag in zip(people, tags, strict=True)))
    assert set(await change(api.ana, number, remove=[tags[0]])) == set(tags[1:])
    assert len(await told(api.ana, number)) == 7
    assert await change(api.ana, number, add=[tags[1]], remove=[999]) is not None
    assert len(await told(api.ana, number)) == 7, "nothing changed, nothing is told"


async def test_the_trail_says_it_with_the_name_of_then(api: Api) -> None:
    number = await deliver(api.support)
    tag = await make(api.ana, "Warranty")
    await change(api.jonas, number, add=[tag.id])
    await api.ana.put(f"/tags/{tag.id}", SaveTag(name="Guarantee"))
    await change(api.jonas, number, remove=[tag.id])
    assert await told(api.ana, number) == [("tagged", "Warranty"), ("untagged", "Guarantee")]


async def test_a_deleted_tag_is_put_on_nothing_and_lists_nothing(api: Api) -> None:
    number = await deliver(api.support)
    tag = await make(api.ana, "Warranty")
    await change(api.ana, number, add=[tag.id])
    await api.ana.delete(f"/tags/{tag.id}")
    gone = await api.ana.refused("PUT", f"/conversations/{number}/tags", ChangeTags(add=[tag.id]))
    assert gone.message == "This tag was deleted meanwhile."
    assert (await api.ana.get(f"/tags/{tag.id}/conversations", ConversationPage)).items == []


async def test_a_tag_lists_what_one_sees_of_all_mailboxes(api: Api) -> None:
    tag = await make(api.ana, "Warranty")
    numbers = [await deliver(api.support, write_mail(subject=f"Mail {n}")) for n in range(4)]
    for number in numbers[:3]:
        await change(api.ana, number, add=[tag.id])
    await api.ana.put(f"/conversations/{numbers[1]}/status", {"status": "done"})
    await api.ana.put(f"/conversations/{numbers[2]}/status", {"status": "trash"})
    toms = await deliver(api.toms_mailbox)
    await change(api.tom, toms, add=[tag.id])

    async def listed(person: Member) -> list[int]:
        page = await person.get(f"/tags/{tag.id}/conversations", ConversationPage)
        return [item.row.id for item in page.items]

    assert await listed(api.ana) == [numbers[1], numbers[0]]
    assert await listed(api.tom) == [toms]
    assert await listed(api.mallory) == []


async def test_joined_conversations_have_the_tags_of_both(api: Api) -> None:
    one = await deliver(api.support, write_mail(subject="One", message_id="<one@customer.example>"))
    other = await deliver(api.support, write_mail(subject="Other", message_id="<other@customer.example>"))
    first, second = await make(api.ana, "First"), await make(api.ana, "Second")
    await change(api.ana, one, add=[first.id])
    await change(api.ana, other, add=[second.id, first.id])
    await deliver(api.support, write_mail(subject="Both", answers="<one@customer.example> <other@customer.example>"))
    row = (await api.ana.get(f"/conversations/{one}", ConversationDetail)).row
    assert sorted(row.tag_ids) == [first.id, second.id]
