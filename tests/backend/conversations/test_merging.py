"""Conversations that a person unites."""

from backend.conversations.contracts import (
    AddComment,
    ConversationDetail,
    ConversationItem,
    MergeConversations,
    SetVisibility,
)
from tests.servers.api import Api
from tests.servers.arriving import message_id_of
from tests.servers.delivery import deliver, write_mail


async def merge(api: Api, conversation_id: int, *others: int) -> ConversationItem:
    path = f"/conversations/{conversation_id}/merge"
    return await api.jonas.post(path, MergeConversations(other_ids=list(others)), ConversationItem)


async def test_the_oldest_holds_everything_and_the_others_lead_to_it(api: Api) -> None:
    mails = [write_mail(subject=f"About it {number}") for number in range(3)]
    first, second, third = [await deliver(api.support, each) for each in mails]
    await api.ana.post(f"/conversations/{third}/comments", AddComment(text="The same bike."))
    assert (await merge(api, third, second, first)).row.id == first
    for each in (first, second, third):
        detail = await api.ana.get(f"/conversations/{each}", ConversationDetail)
        assert detail.row.id == first
        assert len(detail.messages) == 3 and [said.text for said in detail.comments] == ["The same bike."]
        assert (detail.activities[-1].kind, detail.activities[-1].actor_id) == ("joined", api.jonas.user_id)


async def test_later_mail_of_either_comes_into_the_one(api: Api) -> None:
    mails = [write_mail(subject="Fork"), write_mail(subject="Wheel")]
    first, second = [await deliver(api.support, each) for each in mails]
    await merge(api, first, second)
    for each in mails:
        assert await deliver(api.support, write_mail(subject="Re: it", answers=message_id_of(each))) == first


async def test_it_is_as_private_as_the_most_private(api: Api) -> None:
    first, second = await deliver(api.support), await deliver(api.support)
    await api.jonas.put(f"/conversations/{second}/visibility", SetVisibility(visibility="private"))
    assert (await merge(api, first, second)).row.visibility == "private"


async def test_what_is_elsewhere_or_out_of_sight_is_not_merged(api: Api) -> None:
    first, second = await deliver(api.support), await deliver(api.support)
    toms = await deliver(api.toms_mailbox, write_mail(to="tom@northwind.example"))
    path = f"/conversations/{first}/merge"
    assert (await api.jonas.refused("POST", path, MergeConversations(other_ids=[toms]))).status == 404
    assert (await api.jonas.refused("POST", path, MergeConversations(other_ids=[first]))).status == 422
    await api.jonas.put(f"/conversations/{second}/visibility", SetVisibility(visibility="confidential"))
    assert (await api.ana.refused("POST", path, MergeConversations(other_ids=[second]))).status == 404
