"""Spam: what is marked so, who is blocked, and that neither is told to anybody."""

from backend.conversations.contracts import (
    BlockedSender,
    BlockSender,
    ConversationDetail,
    ConversationItem,
    ConversationPage,
    SetStatus,
)
from backend.database.connection import fetch, fetch_value
from tests.servers.api import Api, Member
from tests.servers.delivery import deliver, write_mail

CARLA = "carla@customer.example"


async def subjects(person: Member, mailbox_id: int, view: str) -> list[str]:
    page = await person.get(f"/mailboxes/{mailbox_id}/conversations", ConversationPage, view=view)
    return sorted(item.row.subject for item in page.items)


async def blocked(api: Api) -> list[str]:
    found = await api.ana.get(f"/mailboxes/{api.support}/blocked-senders", list[BlockedSender])
    return [each.address for each in found]


async def test_blocking_makes_the_conversation_spam_and_later_mail_too(api: Api) -> None:
    conversation_id = await deliver(api.support, write_mail(subject="Cheap bikes"))
    item = await api.ana.post(f"/conversations/{conversation_id}/block-sender", None, ConversationItem)
    assert item.row.status == "spam"
    await deliver(api.support, write_mail(subject="More cheap bikes", sender="Carla <Carla@Customer.example>"))
    await deliver(api.support, write_mail(subject="A question", sender="dev@customer.example"))
    assert await subjects(api.jonas, api.support, "spam") == ["Cheap bikes", "More cheap bikes"]
    assert await subjects(api.jonas, api.support, "open") == ["A question"]
    assert await fetch_value("SELECT count(*) FROM notifications") == 0
    detail = await api.jonas.get(f"/conversations/{conversation_id}", ConversationDetail)
    assert [(a.kind, a.value) for a in detail.activities] == [("blocked", CARLA), ("status", "spam")]


async def test_mail_of_a_blocked_sender_is_to_go_to_junk_on_the_server(api: Api) -> None:
    await api.ana.post(f"/mailboxes/{api.support}/blocked-senders", BlockSender(address=CARLA))
    await deliver(api.support)
    assert [dict(row) for row in await fetch("SELECT kind, value FROM server_intents")] == [
        {"kind": "place", "value": "junk"}
    ]


async def test_what_is_no_spam_has_no_blocked_writer(api: Api) -> None:
    conversation_id = await deliver(api.support)
    for _ in range(2):
        await api.ana.post(f"/conversations/{conversation_id}/block-sender")
    assert await blocked(api) == [CARLA]
    await api.jonas.put(f"/conversations/{conversation_id}/status", SetStatus(status="open"))
    assert await blocked(api) == []
    detail = await api.jonas.get(f"/conversations/{conversation_id}", ConversationDetail)
    assert [a.kind for a in detail.activities] == ["blocked", "status", "status", "unblocked"]


async def test_the_list_is_kept_by_the_people_of_the_mailbox(api: Api) -> None:
    path = f"/mailboxes/{api.support}/blocked-senders"
    made = await api.jonas.post(path, BlockSender(address=" Carla@customer.example "), BlockedSender)
    assert (made.address, made.blocked_by) == (CARLA, api.jonas.user_id)
    assert await blocked(api) == [CARLA]
    await api.ana.delete(path, address="CARLA@customer.example")
    await api.ana.delete(path, address=CARLA)
    assert await blocked(api) == []
    assert [row["action"] for row in await fetch("SELECT action FROM audit_entries ORDER BY id DESC LIMIT 2")] == [
        "sender_unblocked",
        "sender_blocked",
    ]


async def test_a_blocked_sender_is_blocked_in_one_mailbox(api: Api) -> None:
    await api.ana.post(f"/mailboxes/{api.support}/blocked-senders", BlockSender(address=CARLA))
    await deliver(api.toms_mailbox, write_mail(subject="To Tom"))
    assert await subjects(api.tom, api.toms_mailbox, "open") == ["To Tom"]


async def test_our_own_addresses_cannot_be_blocked(api: Api) -> None:
    path = f"/mailboxes/{api.support}/blocked-senders"
    for address in ("support@northwind.example", api.jonas.email, "no address"):
        assert (await api.ana.refused("POST", path, BlockSender(address=address))).status == 422


async def test_a_conversation_that_nobody_wrote_has_nobody_to_block(api: Api) -> None:
    mail = write_mail(sender="Support <support@northwind.example>", to="carla@customer.example")
    conversation_id = await deliver(api.support, mail, role="sent")
    assert (await api.ana.refused("POST", f"/conversations/{conversation_id}/block-sender")).status == 422


async def test_mail_that_the_server_took_for_spam_is_spam_here(api: Api) -> None:
    await deliver(api.support, write_mail(subject="Winner"), role="junk")
    assert await subjects(api.ana, api.support, "spam") == ["Winner"]
    counts = await api.ana.get("/counts")
    assert next(each for each in counts["mailboxes"] if each["mailbox_id"] == api.support)["open"] == 0
