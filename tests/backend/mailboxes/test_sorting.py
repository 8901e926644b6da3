"""Mail of the intake account that fits nowhere: seen by admins without its words, and sorted by them."""

from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import pytest

from backend.conversations.contracts import ConversationPage, MessageAdded
from backend.database.connection import fetch, fetch_value
from backend.mailboxes.contracts import (
    CreateMailbox,
    Intake,
    Mailbox,
    MailboxSettings,
    SetAddresses,
    SetMailboxMembers,
    Sorted,
    SortUnsorted,
    Unsorted,
)
from tests.servers.api import Api
from tests.servers.arriving import Arriving, message_id_of
from tests.servers.delivery import write_mail

INTAKE = CreateMailbox(kind="intake", name="Intake", address="intake@northwind.example")
LONG_AGO = datetime.now(UTC) - timedelta(days=100)


@pytest.fixture
async def intake(api: Api) -> Arriving:
    """The intake account's inbox, in the application in process."""
    return await Arriving.into((await api.ana.post("/mailboxes", INTAKE, MailboxSettings)).id)


def lost(name: str = "nobody", **fields: Any) -> bytes:
    """A mail to an address that is no mailbox's."""
    return write_mail(to=f"{name}@northwind.example", **fields)


async def unsorted(api: Api) -> list[Unsorted]:
    return await api.ana.get("/intake/unsorted", list[Unsorted])


async def test_only_admins_make_the_one_intake_and_nobody_opens_it(api: Api) -> None:
    assert (await api.jonas.refused("POST", "/mailboxes", INTAKE)).status == 403
    made = await api.ana.post("/mailboxes", INTAKE, MailboxSettings)
    another = msgspec.structs.replace(INTAKE, address="other@northwind.example")
    assert (await api.ana.refused("POST", "/mailboxes", another)).status == 409
    assert made.id not in [mailbox.id for mailbox in await api.ana.get("/mailboxes", list[Mailbox])]
    assert (await api.ana.refused("GET", f"/mailboxes/{made.id}/conversations")).status == 404
    members = SetMailboxMembers(member_ids=[api.ana.user_id], team_ids=[])
    assert (await api.ana.refused("PUT", f"/mailboxes/{made.id}/members", members)).status == 422
    assert (await api.mallory.refused("PATCH", f"/mailboxes/{made.id}", {"name": "Mine"})).status == 404
    assert (await api.ana.get("/intake", Intake)).mailbox == made


async def test_spam_that_fits_nowhere_is_listed_last_and_can_be_sorted(api: Api, intake: Arriving) -> None:
    junk = await Arriving.into(intake.folder.mailbox_id, "junk")
    await intake.deliver(lost())
    await junk.deliver(lost("carla", subject="Mistaken for spam"))
    assert [each.spam for each in await unsorted(api)] == [False, True]
    assert (await api.ana.get("/intake", Intake)).waiting == 1
    [_, spam] = await unsorted(api)
    await api.ana.post(f"/intake/unsorted/{spam.id}/sort", SortUnsorted(mailbox_id=api.support), Sorted)
    page = await api.ana.get(f"/mailboxes/{api.support}/conversations", ConversationPage)
    assert [item.row.subject for item in page.items] == ["Mistaken for spam"]
    assert [each.spam for each in await unsorted(api)] == [False]


async def test_what_waits_shows_people_and_size_but_no_words(api: Api, intake: Arriving) -> None:
    raw = b"Delivered-To: intake@northwind.example\r\nX-Original-To: old@northwind.example\r\n" + lost(
        subject="Zwetschge", text="Quitte"
    )
    await intake.deliver(raw)
    [waiting] = await unsorted(api)
    assert (waiting.sender, waiting.size, waiting.messages) == ("carla@customer.example", len(raw), 1)
    assert waiting.recipients == ["old@northwind.example", "nobody@northwind.example"]
    told = (await api.ana.request("GET", "/intake/unsorted")).text
    assert "Zwetschge" not in told
    assert "Quitte" not in told
    assert (await api.ana.get("/intake", Intake)).waiting == 1


async def test_sorted_mail_arrives_in_its_mailbox(served: Api) -> None:
    intake = await Arriving.into((await served.ana.post("/mailboxes", INTAKE, MailboxSettings)).id)
    await intake.deliver(lost(subject="Lost and found"))
    [waiting] = await unsorted(served)
    path = f"/intake/unsorted/{waiting.id}/sort"
    async with served.live(served.jonas) as live:
        await served.ana.post(path, SortUnsorted(mailbox_id=served.support), Sorted)
        assert (await live.event(MessageAdded)).row.subject == "Lost and found"
    [item] = (await served.jonas.get(f"/mailboxes/{served.support}/conversations", ConversationPage)).items
    assert (item.row.subject, item.row.last_arrival) == ("Lost and found", 1)
    assert await unsorted(served) == []
    assert (await served.ana.refused("POST", path, SortUnsorted(mailbox_id=served.support))).status == 404
    placed = await fetch("SELECT m.mailbox_id FROM placements p JOIN messages m ON m.id = p.message_id")
    assert [row["mailbox_id"] for row in placed] == [served.support]


async def test_old_mail_is_sorted_as_history(api: Api, intake: Arriving) -> None:
    raw = write_mail(to="nobody@northwind.example", at=LONG_AGO)
    await intake.deliver(raw, arrived=False, received_at=LONG_AGO)
    [waiting] = await unsorted(api)
    await api.ana.post(f"/intake/unsorted/{waiting.id}/sort", SortUnsorted(mailbox_id=api.support), Sorted)
    counts = await api.jonas.get("/counts")
    assert [(each["open"], each["unread"]) for each in counts["mailboxes"]] == [(1, 0)]


async def test_an_answer_that_got_lost_finds_its_conversation(api: Api, intake: Arriving) -> None:
    first = write_mail(subject="Brakes")
    await (await Arriving.into(api.support)).deliver(first)
    await intake.deliver(lost(subject="Re: Brakes", answers=message_id_of(first)))
    [waiting] = await unsorted(api)
    await api.ana.post(f"/intake/unsorted/{waiting.id}/sort", SortUnsorted(mailbox_id=api.support), Sorted)
    [item] = (await api.jonas.get(f"/mailboxes/{api.support}/conversations", ConversationPage)).items
    assert item.row.message_count == 2


async def test_an_address_that_is_remembered_takes_along_what_else_it_explains(api: Api, intake: Arriving) -> None:
    await intake.deliver(lost("repairs"), lost("repairs", subject="Another"), lost("nobody", subject="Stays"))
    *_, oldest = [each for each in await unsorted(api) if "repairs@northwind.example" in each.recipients]
    wanted = SortUnsorted(mailbox_id=api.support, remember="Repairs@northwind.example")
    assert await api.ana.post(f"/intake/unsorted/{oldest.id}/sort", wanted, Sorted) == Sorted(moved=2)
    assert [each.recipients for each in await unsorted(api)] == [["nobody@northwind.example"]]
    assert await fetch_value("SELECT address FROM mailbox_addresses WHERE mailbox_id = $1", api.support) == (
        "repairs@northwind.example"
    )


async def test_the_intake_s_own_address_is_nobody_s(api: Api, intake: Arriving) -> None:
    await intake.deliver(lost())
    [waiting] = await unsorted(api)
    for taken in ("intake@northwind.example", "tom@northwind.example"):
        if not await fetch_value("SELECT 1 FROM mailboxes WHERE address = $1", taken):
            continue
        wanted = SortUnsorted(mailbox_id=api.support, remember=taken)
        assert (await api.ana.refused("POST", f"/intake/unsorted/{waiting.id}/sort", wanted)).status == 409
    assert len(await unsorted(api)) == 1


async def test_a_personal_mailbox_with_its_own_account_is_no_target(api: Api, intake: Arriving) -> None:
    targets = (await api.ana.get("/intake", Intake)).targets
    assert [(each.kind, each.name) for each in targets] == [("group", "Support"), ("personal", "Tom")]
    await Arriving.into(api.toms_mailbox)
    await intake.deliver(lost())
    [waiting] = await unsorted(api)
    wanted = SortUnsorted(mailbox_id=api.toms_mailbox)
    assert (await api.ana.refused("POST", f"/intake/unsorted/{waiting.id}/sort", wanted)).status == 404


async def test_our_own_mail_come_round_does_not_wait(api: Api, intake: Arriving) -> None:
    automatic = b"Auto-Submitted: auto-replied\r\n" + lost(sender="support@northwind.example")
    await intake.deliver(automatic, lost(sender="intake@northwind.example", subject="From the intake itself"))
    assert await unsorted(api) == []


async def test_further_addresses_are_set_and_belong_to_one_mailbox(api: Api) -> None:
    path = f"/mailboxes/{api.support}/addresses"
    stored = await api.ana.put(path, SetAddresses(addresses=["Help@northwind.example", "help@northwind.example "]))
    assert stored["addresses"] == ["help@northwind.example"]
    sales = CreateMailbox(kind="group", name="Help", address="help@northwind.example")
    assert (await api.ana.refused("POST", "/mailboxes", sales)).status == 409
    assert (await api.ana.refused("PUT", path, SetAddresses(addresses=["no address"]))).status == 422
    assert (await api.ana.put(path, SetAddresses(addresses=[])))["addresses"] == []
