"""Links from comments to other conversations: each reader is told what they lead to as far as they see it."""

from backend.conversations.contracts import (
    AddComment,
    Comment,
    ConversationDetail,
    LinkedConversation,
    SetStatus,
    SetVisibility,
)
from backend.database.connection import fetch
from tests.servers.api import Api, Member
from tests.servers.arriving import Arriving, message_id_of
from tests.servers.delivery import deliver, write_mail


async def links_of(person: Member, conversation_id: int) -> list[LinkedConversation]:
    return (await person.get(f"/conversations/{conversation_id}", ConversationDetail)).links


async def test_a_reader_sees_subject_and_status_of_what_they_may_see(api: Api) -> None:
    number = await deliver(api.support)
    other = await deliver(api.support, write_mail(subject="Zwirbelwind"))
    await api.ana.put(f"/conversations/{other}/status", SetStatus(status="done"))
    body = AddComment(text=f"As in #{other}.", link_ids=[other, 999_999, -1])
    said = await api.ana.post(f"/conversations/{number}/comments", body, Comment)
    assert said.link_ids == [other, 999_999]
    seen = LinkedConversation(
        id=other, conversation_id=other, mailbox_id=api.support, subject="Zwirbelwind", status="done"
    )
    assert await links_of(api.jonas, number) == [seen]
    await api.ana.put(f"/conversations/{other}/visibility", SetVisibility(visibility="confidential"))
    assert await links_of(api.jonas, number) == []
    assert await api.jonas.get("/conversation-links", list[LinkedConversation], ids=[other]) == []
    assert await links_of(api.ana, number) == [seen]
    told = await fetch("SELECT body FROM events WHERE body -> 'comment' ->> 'id' = $1", str(said.id))
    assert told and "Zwirbelwind" not in str([dict(row) for row in told])


async def test_what_was_joined_into_another_is_found_there(api: Api) -> None:
    inbox = await Arriving.into(api.support)
    mails = [write_mail(subject=f"Subject {number}") for number in range(2)]
    await inbox.deliver(*mails)
    rows = (await api.ana.get(f"/mailboxes/{api.support}/conversations"))["items"]
    first, second = sorted(item["row"]["id"] for item in rows)
    both = f"{message_id_of(mails[0])} {message_id_of(mails[1])}"
    await inbox.deliver(write_mail(subject="Re: both", answers=both))
    (found,) = await api.ana.get("/conversation-links", list[LinkedConversation], ids=[second])
    assert (found.id, found.conversation_id, found.subject) == (second, first, "Subject 0")


async def test_a_comment_holds_no_thousand_links(api: Api) -> None:
    number = await deliver(api.support)
    body = AddComment(text="Many", link_ids=list(range(1, 1000)))
    refusal = await api.ana.refused("POST", f"/conversations/{number}/comments", body)
    assert refusal.message == "A comment links to 50 conversations at most."
