"""Mail of the intake account in the mailboxes that it is for: stored in each, and theirs from then on."""

import pytest

from backend.conversations.contracts import ConversationPage, ConversationRow, MessageAdded
from backend.database.connection import fetch_value
from backend.mail.actions import settle_removed
from backend.mailboxes.contracts import CreateMailbox, Forwarding, MailboxSettings, SetAddresses, Unsorted
from tests.servers.api import Api, Member
from tests.servers.arriving import Arriving
from tests.servers.delivery import write_mail

INTAKE = CreateMailbox(kind="intake", name="Intake", address="intake@northwind.example")
TOM = "tom@northwind.example"


async def make_intake(api: Api) -> Arriving:
    return await Arriving.into((await api.ana.post("/mailboxes", INTAKE, MailboxSettings)).id)


@pytest.fixture
async def intake(api: Api) -> Arriving:
    """The inbox of the intake account, in the application in process."""
    return await make_intake(api)


def forwarded(to: str, raw: bytes | None = None) -> bytes:
    """A mail as it lies in the intake account after it was forwarded for this address."""
    return f"Delivered-To: intake+{to}@northwind.example\r\n".encode() + (raw or write_mail())


async def rows_of(person: Member, mailbox_id: int, view: str = "open") -> list[ConversationRow]:
    page = await person.get(f"/mailboxes/{mailbox_id}/conversations", ConversationPage, view=view)
    return [item.row for item in page.items]


async def test_forwarded_mail_arrives_in_its_mailbox(served: Api) -> None:
    intake = await make_intake(served)
    async with served.live(served.jonas) as live:
        await intake.deliver(forwarded("support", write_mail(subject="Through the intake")))
        assert (await live.event(MessageAdded)).row.subject == "Through the intake"
    [row] = await rows_of(served.jonas, served.support)
    assert row.last_arrival == 1
    assert await served.ana.get("/intake/unsorted", list[Unsorted]) == []


async def test_mail_for_two_mailboxes_is_unread_in_both(api: Api, intake: Arriving) -> None:
    await intake.deliver(write_mail(to="support@northwind.example", cc=TOM))
    unread = {}
    for who in (api.jonas, api.tom):
        counts = await who.get("/counts")
        unread[who.email] = [each["unread"] for each in counts["mailboxes"]]
    assert unread == {"jonas@northwind.example": [1], TOM: [1]}


async def test_reading_in_the_intake_account_reads_for_nobody(api: Api, intake: Arriving) -> None:
    [uid] = await intake.deliver(write_mail(to=TOM), flags=["\\Seen"])
    await intake.flag(uid, "\\Seen", "\\Flagged")
    counts = await api.tom.get("/counts")
    assert [each["unread"] for each in counts["mailboxes"]] == [1]


async def test_what_is_deleted_in_the_intake_account_stays_here(api: Api, intake: Arriving) -> None:
    uids = await intake.deliver(forwarded("support"), write_mail(to="nobody@northwind.example"))
    trash = await Arriving.into(intake.folder.mailbox_id, "trash")
    await trash.deliver(forwarded("support", write_mail(subject="Moved to the bin")), arrived=False)
    await intake.expunge(*uids)
    for mailbox_id in (api.support, intake.folder.mailbox_id):
        await settle_removed(mailbox_id, 0)
    assert len(await rows_of(api.jonas, api.support)) == 1
    assert len(await api.ana.get("/intake/unsorted", list[Unsorted])) == 1
    assert await fetch_value("SELECT count(*) FROM messages WHERE gone_at IS NOT NULL") == 0


async def test_a_move_to_the_trash_of_the_intake_account_moves_nothing_here(api: Api, intake: Arriving) -> None:
    raw = forwarded("support")
    [uid] = await intake.deliver(raw)
    trash = await Arriving.into(intake.folder.mailbox_id, "trash")
    await trash.deliver(raw, arrived=False)
    await intake.expunge(uid)
    assert [row.status for row in await rows_of(api.jonas, api.support)] == ["open"]


async def test_the_same_mail_forwarded_twice_is_one(api: Api, intake: Arriving) -> None:
    raw = write_mail()
    await intake.deliver(forwarded("support", raw), forwarded("support", raw))
    [row] = await rows_of(api.jonas, api.support)
    assert row.message_count == 1
    assert await fetch_value("SELECT count(*) FROM placements") == 2


async def test_a_copy_of_ones_own_mail_is_outgoing_in_one_s_mailbox(api: Api, intake: Arriving) -> None:
    copied = write_mail(sender=f"Tom <{TOM}>", to="carla@customer.example")
    await intake.deliver(b"Delivered-To: intake@northwind.example\r\n" + copied)
    [row] = await rows_of(api.tom, api.toms_mailbox)
    assert (row.last_direction, row.last_arrival) == ("outgoing", 0)


async def test_who_writes_under_the_mailbox_s_own_address_is_a_stranger_if_the_server_says_so(
    api: Api, intake: Arriving
) -> None:
    results = b"Authentication-Results: mx.northwind.example; spf=fail smtp.mailfrom=bad.example; dmarc=fail\r\n"
    await intake.deliver(results + write_mail(sender=f"Tom <{TOM}>", to=f"Tom <{TOM}>", subject="Pay this"))
    [row] = await rows_of(api.tom, api.toms_mailbox)
    assert (row.last_direction, row.last_arrival) == ("incoming", 1)


async def test_mail_from_a_further_address_is_the_mailbox_s_own(api: Api, intake: Arriving) -> None:
    await api.ana.put(f"/mailboxes/{api.support}/addresses", SetAddresses(addresses=["help@northwind.example"]))
    copied = write_mail(sender="help@northwind.example", to="carla@customer.example", cc="intake@northwind.example")
    await intake.deliver(copied)
    [row] = await rows_of(api.jonas, api.support)
    assert row.last_direction == "outgoing"


async def test_a_sent_copy_in_the_intake_account_comes_to_nobody(api: Api, intake: Arriving) -> None:
    sent = await Arriving.into(intake.folder.mailbox_id, "sent")
    await sent.deliver(write_mail(sender="support@northwind.example", to=TOM))
    assert [row.last_direction for row in await rows_of(api.jonas, api.support)] == ["outgoing"]
    assert await rows_of(api.tom, api.toms_mailbox) == []


async def test_the_intake_s_old_mail_is_history_in_its_mailboxes(api: Api, intake: Arriving) -> None:
    await intake.deliver(forwarded("support"), write_mail(to=TOM), arrived=False)
    counts = await api.jonas.get("/counts")
    assert [(each["open"], each["unread"]) for each in counts["mailboxes"]] == [(1, 0)]
    assert len(await rows_of(api.tom, api.toms_mailbox)) == 1


async def test_a_test_mail_that_comes_through_is_told_and_seen_nowhere(api: Api, intake: Arriving) -> None:
    await api.ana.post(f"/mailboxes/{api.support}/forwarding/check")
    message_id = await fetch_value("SELECT message_id FROM forwarding_checks")
    mail = b"Auto-Submitted: auto-generated\r\n" + write_mail(
        sender="intake@northwind.example", message_id=f"<{message_id}>"
    )
    sent = await Arriving.into(intake.folder.mailbox_id, "sent")
    await sent.deliver(mail)
    assert await came_through(api) is False
    await intake.deliver(forwarded("support", mail))
    assert await came_through(api) is True
    assert await rows_of(api.jonas, api.support) == []
    assert await api.ana.get("/intake/unsorted", list[Unsorted]) == []


async def came_through(api: Api) -> bool:
    check = (await api.ana.get(f"/mailboxes/{api.support}/forwarding", Forwarding)).check
    return check is not None and check.came_at is not None
