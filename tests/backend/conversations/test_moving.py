"""A conversation moves into another mailbox.

Ana opens Support and Sales, Jonas Support alone, Tom Sales alone.
"""

from datetime import UTC, datetime, timedelta
from typing import NamedTuple

from backend.compose.contracts import CreateDraft, Draft, Outgoing, ResolveOutgoing, SaveDraft, SendDraft
from backend.conversations.contracts import (
    AddComment,
    Assign,
    ChangeMany,
    ConversationDetail,
    ConversationItem,
    ConversationPage,
    ManyChanged,
    MoveConversation,
    MoveMany,
    SetFollowing,
    SetRead,
    SetReminder,
    SetStatus,
    SetVisibility,
)
from backend.database.connection import execute, fetch, fetch_value
from backend.events.record import action
from backend.mail.actions import store_sent_message
from backend.mail.contracts import MailAddress
from backend.mailboxes.contracts import CreateMailbox, MailboxSettings
from backend.search.contracts import FoundPage
from tests.servers.api import Api, Member
from tests.servers.arriving import Arriving, message_id_of
from tests.servers.delivery import deliver, write_mail

TOMORROW = datetime.now(UTC) + timedelta(days=1)


class Moved(NamedTuple):
    """A mail that came to Support, and the mailbox that it is moved to."""

    inbox: Arriving
    mail: bytes
    uid: int
    conversation: int
    sales: int


async def sales_of(api: Api) -> int:
    ids = [api.ana.user_id, api.tom.user_id]
    body = CreateMailbox(kind="group", name="Sales", address="sales@northwind.example", member_ids=ids)
    return (await api.ana.post("/mailboxes", body, MailboxSettings)).id


async def move(person: Member, conversation_id: int, mailbox_id: int) -> ConversationItem:
    path = f"/conversations/{conversation_id}/mailbox"
    return await person.put(path, MoveConversation(mailbox_id=mailbox_id), ConversationItem)


async def see(person: Member, conversation_id: int) -> ConversationDetail:
    return await person.get(f"/conversations/{conversation_id}", ConversationDetail)


async def listed(person: Member, mailbox_id: int, view: str = "open") -> list[int]:
    page = await person.get(f"/mailboxes/{mailbox_id}/conversations", ConversationPage, view=view)
    return [item.row.id for item in page.items]


async def arrived(api: Api, text: str = "It began yesterday.") -> Moved:
    inbox, mail = await Arriving.into(api.support), write_mail(text=text)
    [uid] = await inbox.deliver(mail)
    [number] = await listed(api.ana, api.support)
    return Moved(inbox, mail, uid, number, await sales_of(api))


async def test_it_leaves_the_one_mailbox_and_stands_in_the_other(api: Api) -> None:
    moved = await arrived(api)
    await move(api.ana, moved.conversation, moved.sales)
    assert (await listed(api.ana, api.support), await listed(api.ana, moved.sales)) == ([], [moved.conversation])
    assert await listed(api.tom, moved.sales) == [moved.conversation]
    assert (await api.jonas.refused("GET", f"/conversations/{moved.conversation}")).status == 404
    [line] = (await see(api.tom, moved.conversation)).activities
    assert (line.kind, line.actor_id, line.subject_id, line.value) == (
        "moved",
        api.ana.user_id,
        moved.sales,
        str(api.support),
    )


async def test_only_who_opens_both_moves_it(api: Api) -> None:
    moved = await arrived(api)
    path, body = f"/conversations/{moved.conversation}/mailbox", MoveConversation(mailbox_id=moved.sales)
    assert (await api.jonas.refused("PUT", path, body)).status == 404  # cannot open Sales
    assert (await api.tom.refused("PUT", path, body)).status == 404  # cannot open Support
    assert (await api.mallory.refused("PUT", path, body)).status == 404
    assert await listed(api.jonas, api.support) == [moved.conversation]


async def test_who_cannot_see_it_any_longer_has_it_no_more(api: Api) -> None:
    moved = await arrived(api)
    path = f"/conversations/{moved.conversation}"
    await api.jonas.put(f"{path}/following", SetFollowing(following=True))
    await api.jonas.put(f"{path}/reminder", SetReminder(at=TOMORROW))
    await api.ana.put(f"{path}/assignee", Assign(user_id=api.jonas.user_id))
    item = await move(api.ana, moved.conversation, moved.sales)
    assert (item.row.assignee_id, item.row.follower_ids) == (None, [])
    assert await fetch_value("SELECT count(*) FROM read_marks WHERE remind_at IS NOT NULL") == 0


async def test_what_was_read_stays_read_and_is_new_to_the_others(api: Api) -> None:
    moved = await arrived(api)
    for _ in range(3):  # so that the numbers of the two mailboxes differ
        await deliver(moved.sales, write_mail(to="sales@northwind.example"))
    await api.tom.post(f"/mailboxes/{moved.sales}/read-all")
    await api.ana.put(f"/conversations/{moved.conversation}/read", SetRead(read=True))
    await move(api.ana, moved.conversation, moved.sales)
    hers, his = await see(api.ana, moved.conversation), await see(api.tom, moved.conversation)
    assert hers.mark.read_up_to >= hers.row.last_arrival == 4
    assert his.mark.read_up_to < his.row.last_arrival
    await move(api.ana, moved.conversation, api.support)
    hers, his = await see(api.ana, moved.conversation), await see(api.jonas, moved.conversation)
    assert hers.mark.read_up_to >= hers.row.last_arrival and his.mark.read_up_to < his.row.last_arrival


async def test_a_confidential_one_is_not_opened_to_everybody_there(api: Api) -> None:
    moved = await arrived(api)
    path = f"/conversations/{moved.conversation}"
    await api.jonas.put(f"{path}/visibility", SetVisibility(visibility="confidential"))
    await api.jonas.put(f"{path}/assignee", Assign(user_id=api.ana.user_id))
    await move(api.ana, moved.conversation, moved.sales)
    assert (await see(api.ana, moved.conversation)).viewer_ids == [api.ana.user_id]
    assert (await api.tom.refused("GET", path)).status == 404


async def test_an_answer_to_the_old_address_follows_it(api: Api) -> None:
    moved = await arrived(api)
    await move(api.ana, moved.conversation, moved.sales)
    await moved.inbox.deliver(write_mail(subject="Re: it", answers=message_id_of(moved.mail)))
    detail = await see(api.tom, moved.conversation)
    assert [each.subject for each in detail.messages] == ["My bike squeaks", "Re: it"]
    assert await listed(api.ana, api.support) == []
    row = await fetch("SELECT mailbox_id, moved_from FROM messages ORDER BY id")
    assert [(each["mailbox_id"], each["moved_from"]) for each in row] == [(moved.sales, api.support)] * 2


async def test_a_strangers_mail_does_not_get_into_what_is_private_there(api: Api) -> None:
    moved = await arrived(api)
    await api.ana.put(f"/conversations/{moved.conversation}/visibility", SetVisibility(visibility="private"))
    await move(api.ana, moved.conversation, moved.sales)
    forged = write_mail(subject="Re: it", answers=message_id_of(moved.mail), sender="Eve <eve@elsewhere.example>")
    await moved.inbox.deliver(forged)
    assert len((await see(api.tom, moved.conversation)).messages) == 1
    assert len(await listed(api.jonas, api.support)) == 1
    assert await listed(api.tom, moved.sales) == [moved.conversation]


async def test_an_answer_to_the_new_address_comes_into_it_too(api: Api) -> None:
    moved = await arrived(api)
    await move(api.ana, moved.conversation, moved.sales)
    answer = write_mail(subject="Re: it", answers=message_id_of(moved.mail), to="sales@northwind.example")
    assert await deliver(moved.sales, answer) == moved.conversation


async def test_the_old_account_does_not_bring_it_again(api: Api) -> None:
    moved = await arrived(api)
    await move(api.ana, moved.conversation, moved.sales)
    archive = await Arriving.into(api.support, role="archive")
    await archive.deliver(moved.mail)  # a copy in another folder, and the folder numbered anew
    await moved.inbox.deliver(moved.mail)
    assert await fetch_value("SELECT count(*) FROM messages") == 1
    assert await listed(api.jonas, api.support, "all") == []


async def test_what_becomes_of_it_in_the_old_account_is_not_followed(api: Api) -> None:
    moved = await arrived(api)
    await move(api.ana, moved.conversation, moved.sales)
    await moved.inbox.flag(moved.uid, "\\Seen", "\\Flagged")
    await moved.inbox.expunge(moved.uid)
    row = (await see(api.tom, moved.conversation)).row
    assert (row.status, row.message_count, row.starred) == ("open", 1, False)


async def test_what_is_done_here_is_carried_to_where_it_lies(api: Api) -> None:
    moved = await arrived(api)
    await move(api.ana, moved.conversation, moved.sales)
    await api.tom.put(f"/conversations/{moved.conversation}/status", SetStatus(status="done"))
    [wish] = await fetch("SELECT account_id, kind, value FROM server_intents")
    assert (wish["account_id"], wish["kind"], wish["value"]) == (moved.inbox.folder.account_id, "place", "done")


async def test_a_draft_goes_out_as_the_new_mailbox(api: Api) -> None:
    moved = await arrived(api)
    body = CreateDraft(kind="reply", conversation_id=moved.conversation)
    draft = await api.ana.post("/drafts", body, Draft)
    await move(api.ana, moved.conversation, moved.sales)
    [kept] = (await see(api.tom, moved.conversation)).drafts
    assert (kept.id, kept.mailbox_id) == (draft.id, moved.sales)


async def test_it_waits_until_its_mail_has_left(api: Api) -> None:
    moved = await arrived(api)
    draft = await api.ana.post("/drafts", CreateDraft(kind="reply", conversation_id=moved.conversation), Draft)
    to = [MailAddress(name="", address="carla@customer.example")]
    body = SaveDraft(version=draft.version, to=to, cc=[], bcc=[], subject="Re: it", text="Soon.")
    draft = await api.ana.put(f"/drafts/{draft.id}", body, Draft)
    await api.ana.post(f"/drafts/{draft.id}/send", SendDraft(version=draft.version, undo_seconds=30), Outgoing)
    path = f"/conversations/{moved.conversation}/mailbox"
    refusal = await api.ana.refused("PUT", path, MoveConversation(mailbox_id=moved.sales))
    assert (refusal.status, refusal.message) == (422, "A mail of this conversation has not left yet.")


async def test_a_mail_that_came_back_is_written_anew_as_the_new_mailbox(api: Api) -> None:
    moved = await arrived(api)
    draft = await api.ana.post("/drafts", CreateDraft(kind="reply", conversation_id=moved.conversation), Draft)
    to = [MailAddress(name="", address="carla@customer.example")]
    body = SaveDraft(version=draft.version, to=to, cc=[], bcc=[], subject="Re: it", text="Soon.")
    draft = await api.ana.put(f"/drafts/{draft.id}", body, Draft)
    sent = await api.ana.post(f"/drafts/{draft.id}/send", SendDraft(version=draft.version), Outgoing)
    await execute("UPDATE outgoing SET state = 'sent', reason = 'It came back.', sent_at = now()")
    await move(api.ana, moved.conversation, moved.sales)
    async with action(None):  # the account of Support files its copy only now
        await store_sent_message(sent.id)
    ours = await fetch("SELECT mailbox_id, moved_from FROM messages WHERE direction = 'outgoing'")
    assert [tuple(each) for each in ours] == [(moved.sales, api.support)]
    edited = await api.ana.post(f"/outbox/{sent.id}/resolve", ResolveOutgoing(choice="edit"), Draft)
    assert edited.mailbox_id == moved.sales


async def test_moving_back_makes_it_as_it_was(api: Api) -> None:
    moved = await arrived(api)
    await move(api.ana, moved.conversation, moved.sales)
    await move(api.ana, moved.conversation, api.support)
    assert await listed(api.jonas, api.support) == [moved.conversation]
    assert await fetch_value("SELECT moved_from FROM messages") is None
    await moved.inbox.deliver(write_mail(subject="Re: it", answers=message_id_of(moved.mail)))
    assert len((await see(api.jonas, moved.conversation)).messages) == 2
    await moved.inbox.expunge(moved.uid)  # and what happens in the account is followed again
    assert len((await see(api.jonas, moved.conversation)).messages) == 1


async def test_many_move_at_once(api: Api) -> None:
    first, second, sales = await deliver(api.support), await deliver(api.support), await sales_of(api)
    body = ChangeMany(ids=[first, second], change=MoveMany(mailbox_id=sales))
    answer = await api.ana.post("/conversations/many", body, ManyChanged)
    assert [item.row.mailbox_id for item in answer.items] == [sales, sales]
    assert sorted(await listed(api.tom, sales)) == [first, second]


async def test_its_contact_and_its_words_are_found_there(api: Api) -> None:
    moved = await arrived(api, text="The derailleur hanger is bent.")
    await api.jonas.post(f"/conversations/{moved.conversation}/comments", AddComment(text="Hanger in stock."))
    await move(api.ana, moved.conversation, moved.sales)
    for person, count in ((api.tom, 1), (api.jonas, 0)):
        page = await person.get("/search", FoundPage, q="hanger")
        assert len(page.items) == count
    assert (await see(api.tom, moved.conversation)).contact is not None
