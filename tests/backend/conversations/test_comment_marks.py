"""Which comments are new to whom."""

from backend.conversations.contracts import AddComment, Comment, ConversationPage, SetRead
from backend.mailboxes.contracts import Mailbox, SetMailboxMembers, WorkCounts
from tests.servers.api import Api, Member
from tests.servers.arriving import Arriving, message_id_of
from tests.servers.delivery import deliver, write_mail


async def say(person: Member, conversation_id: int, text: str = "Hm.") -> Comment:
    return await person.post(f"/conversations/{conversation_id}/comments", AddComment(text=text), Comment)


async def new_to(person: Member, mailbox_id: int) -> set[int]:
    """The conversations with comments that are new to this person, by the numbers of rows and marks."""
    page = await person.get(f"/mailboxes/{mailbox_id}/conversations", ConversationPage)
    mailbox = await person.get(f"/mailboxes/{mailbox_id}", Mailbox)
    found = {
        item.row.id
        for item in page.items
        if item.row.last_comment_id > max(item.mark.comments_read_up_to, mailbox.comments_read_from)
    }
    counts = await person.get("/counts", WorkCounts)
    assert {each.mailbox_id: each.unread_comments for each in counts.mailboxes}[mailbox_id] == len(found)
    return found


async def test_a_comment_is_new_to_everybody_but_who_wrote_it(api: Api) -> None:
    number = await deliver(api.support)
    await say(api.ana, number)
    assert await new_to(api.ana, api.support) == set()
    assert await new_to(api.jonas, api.support) == {number}
    await api.jonas.put(f"/conversations/{number}/read", SetRead(read=True))
    assert await new_to(api.jonas, api.support) == set()
    await say(api.ana, number)
    assert await new_to(api.jonas, api.support) == {number}
    await say(api.jonas, number)  # who answers has read
    assert (await new_to(api.jonas, api.support), await new_to(api.ana, api.support)) == (set(), {number})


async def test_new_comments_and_unread_mail_are_two_things(api: Api) -> None:
    number = await deliver(api.support)
    await api.jonas.put(f"/conversations/{number}/read", SetRead(read=True))
    await say(api.ana, number)
    (of_support,) = (await api.jonas.get("/counts", WorkCounts)).mailboxes
    assert (of_support.unread, of_support.unread_comments) == (0, 1)
    await api.jonas.put(f"/conversations/{number}/read", SetRead(read=True))
    await api.jonas.put(f"/conversations/{number}/read", SetRead(read=False))
    (of_support,) = (await api.jonas.get("/counts", WorkCounts)).mailboxes
    assert (of_support.unread, of_support.unread_comments) == (1, 0)


async def test_what_is_deleted_is_not_new(api: Api) -> None:
    number = await deliver(api.support)
    said = await say(api.ana, number)
    await api.ana.delete(f"/comments/{said.id}")
    assert await new_to(api.jonas, api.support) == set()


async def test_what_was_said_before_one_came_is_read(api: Api) -> None:
    number = await deliver(api.support)
    await say(api.ana, number)
    everybody = [api.ana.user_id, api.jonas.user_id, api.tom.user_id]
    await api.ana.put(f"/mailboxes/{api.support}/members", SetMailboxMembers(member_ids=everybody, team_ids=[]))
    assert await new_to(api.tom, api.support) == set()
    await say(api.ana, number)
    assert await new_to(api.tom, api.support) == {number}
    await api.tom.post(f"/mailboxes/{api.support}/read-all")
    assert await new_to(api.tom, api.support) == set()


async def test_what_is_new_stays_new_where_conversations_join(api: Api) -> None:
    inbox = await Arriving.into(api.support)
    mails = [write_mail(subject=f"Subject {number}") for number in range(2)]
    await inbox.deliver(*mails)
    page = await api.ana.get(f"/mailboxes/{api.support}/conversations", ConversationPage)
    first, second = sorted(item.row.id for item in page.items)
    await say(api.ana, first)
    await say(api.ana, second)
    for read in (first, second):
        await api.jonas.put(f"/conversations/{read}/read", SetRead(read=True))
    await say(api.ana, first)  # newer than all that Jonas read in the second, which survives nobody
    both = f"{message_id_of(mails[0])} {message_id_of(mails[1])}"
    await inbox.deliver(write_mail(subject="Re: both", answers=both))
    assert await new_to(api.jonas, api.support) == {first}
    assert await new_to(api.ana, api.support) == set()
    await api.jonas.put(f"/conversations/{first}/read", SetRead(read=True))
    assert await new_to(api.jonas, api.support) == set()
