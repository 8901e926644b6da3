"""The numbers of the rail and the tabs: each counts what its person sees, and no more."""

from backend.conversations.contracts import Assign
from backend.mailboxes.contracts import MailboxCounts, WorkCounts
from tests.servers.api import Api, Member
from tests.servers.delivery import deliver, write_mail


async def of_support(member: Member, api: Api) -> MailboxCounts:
    counts = await member.get("/counts", WorkCounts)
    return next(count for count in counts.mailboxes if count.mailbox_id == api.support)


async def arrive(api: Api, number: int) -> list[int]:
    """Mails of different people about different things: a conversation each."""
    return [
        await deliver(
            api.support,
            write_mail(subject=f"Question number {each}", sender=f"Customer {each} <c{each}@customer.example>"),
        )
        for each in range(number)
    ]


async def test_every_state_is_counted_once(api: Api) -> None:
    first, second, third, _ = await arrive(api, 4)
    await api.ana.put(f"/conversations/{first}/assignee", Assign(user_id=api.jonas.user_id))
    await api.ana.put(f"/conversations/{second}/assignee", Assign(user_id=api.ana.user_id))
    await api.ana.put(f"/conversations/{third}/status", {"status": "done"})
    await api.ana.put(f"/conversations/{first}/read", {"read": True})
    assert await of_support(api.ana, api) == MailboxCounts(
        mailbox_id=api.support, open=3, unassigned=1, mine=1, unread=2
    )
    assert await of_support(api.jonas, api) == MailboxCounts(
        mailbox_id=api.support, open=3, unassigned=1, mine=1, unread=3
    )
    assert (await api.ana.get("/counts", WorkCounts)).mine == 1


async def test_reading_and_unreading(api: Api) -> None:
    (conversation_id, _) = await arrive(api, 2)
    await api.ana.post(f"/mailboxes/{api.support}/read-all")
    assert (await of_support(api.ana, api)).unread == 0
    await api.ana.put(f"/conversations/{conversation_id}/read", {"read": False})
    assert (await of_support(api.ana, api)).unread == 1
    assert (await of_support(api.jonas, api)).unread == 2


async def test_history_starts_read(api: Api) -> None:
    await deliver(api.support, arrived=False)
    assert (await of_support(api.jonas, api)) == MailboxCounts(
        mailbox_id=api.support, open=1, unassigned=1, mine=0, unread=0
    )


async def test_confidential_conversations_count_for_those_concerned(api: Api) -> None:
    (conversation_id,) = await arrive(api, 1)
    await api.ana.put(f"/conversations/{conversation_id}/visibility", {"visibility": "confidential"})
    assert (await of_support(api.ana, api)).open == 1
    assert (await of_support(api.jonas, api)).open == 0


async def test_mentions_and_notifications(api: Api) -> None:
    (conversation_id,) = await arrive(api, 1)
    comment = {"text": "Can you look, Jonas?", "mention_ids": [api.jonas.user_id]}
    await api.ana.post(f"/conversations/{conversation_id}/comments", comment)
    counts = await api.jonas.get("/counts", WorkCounts)
    assert (counts.mentions, counts.notifications) == (1, 1)
    await api.ana.put(f"/mailboxes/{api.support}/members", {"member_ids": [api.ana.user_id], "team_ids": []})
    assert await api.jonas.get("/counts", WorkCounts) == WorkCounts(
        mine=0, mentions=0, reminders=0, drafts=0, outbox=0, notifications=0, mailboxes=[]
    )


async def test_somebody_without_mailboxes_has_nothing_to_count(api: Api) -> None:
    await arrive(api, 2)
    assert (await api.mallory.get("/counts", WorkCounts)).mailboxes == []
