"""Contacts as they arise from headers: cheap, once each, also when several watchers meet the same people at once."""

import asyncio
import random
from datetime import UTC, datetime, timedelta

from backend.contacts.correspondents import Correspondent, note_correspondents
from backend.database.connection import engine, fetch, fetch_value
from backend.events.record import action
from backend.mailboxes.contracts import CreateMailbox, MailboxSettings
from tests.servers.api import Api

NOW = datetime.now(UTC)


async def note(mailbox_id: int, *people: Correspondent | tuple[str, str, str | None], at: datetime = NOW) -> None:
    async with action(None) as act:
        await note_correspondents(act, mailbox_id, people, at)


async def contacts() -> dict[str, tuple[str, str]]:
    """Name and phone, by address."""
    rows = await fetch(
        "SELECT a.address, k.name, k.phone FROM contacts k LEFT JOIN contact_addresses a ON a.contact_id = k.id"
    )
    return {row["address"]: (row["name"], row["phone"]) for row in rows}


async def test_an_empty_name_is_filled_and_a_name_stays(api: Api) -> None:
    await note(api.support, ("carla@customer.example", "Carla@Customer.example", None))
    assert await contacts() == {"carla@customer.example": ("", "")}
    await note(api.support, ("Carla  Customer", "carla@customer.example", "+351 21"))
    assert await contacts() == {"carla@customer.example": ("Carla Customer", "+351 21")}
    await note(api.support, ("Somebody Else", "carla@customer.example", "+49 30"))
    assert await contacts() == {"carla@customer.example": ("Carla Customer", "+351 21")}


async def test_our_own_mailboxes_and_what_is_no_address_are_no_contacts(api: Api) -> None:
    await note(api.support, ("Support", "Support@northwind.example", None), ("x", "", None), ("x", "nowhere", None))
    await note(api.support, ("x", f"{'a' * 300}@example.org", None), ("nul\x00\ud800", "nul\x00@example.org", None))
    assert await contacts() == {"nul@example.org": ("nul", "")}


async def test_the_latest_time_stands_whatever_order_mail_comes_in(api: Api) -> None:
    await note(api.support, Correspondent("Carla", "carla@customer.example"), at=NOW)
    older = NOW - timedelta(days=9)
    await note(api.support, Correspondent("Carla", "carla@customer.example"), at=older)
    await note(api.support, Correspondent("Dora", "dora@customer.example", at=older), at=NOW)
    rows = await fetch("SELECT k.name, m.last_at FROM contact_mailboxes m JOIN contacts k ON k.id = m.contact_id")
    assert {row["name"]: row["last_at"] for row in rows} == {"Carla": NOW, "Dora": older}


async def test_a_batch_costs_few_statements(api: Api) -> None:
    people = [Correspondent(f"Person {number}", f"p{number}@customer.example") for number in range(500)]
    await note(api.support, *people)
    assert len(await contacts()) == 500
    async with action(None) as act:
        transaction = engine.current_transaction.get()
        assert transaction is not None
        said: list[str] = []
        transaction.connection.add_query_logger(lambda query: said.append(query.query))
        await note_correspondents(act, api.support, people, NOW)
        await asyncio.sleep(0.05)  # the logger is called a turn of the loop later
        assert len(said) == 2


async def test_watchers_that_meet_the_same_people_make_each_of_them_once(api: Api) -> None:
    seed = random.Random(7)
    everybody = [Correspondent(f"Person {number}", f"p{number}@customer.example") for number in range(40)]

    async def watch(mailbox_id: int) -> None:
        for _ in range(15):
            await note(mailbox_id, *seed.sample(everybody, 12))

    sales = CreateMailbox(kind="group", name="Sales", address="sales@northwind.example")
    group = (await api.ana.post("/mailboxes", sales, MailboxSettings)).id
    await asyncio.gather(*(watch(mailbox_id) for mailbox_id in (api.support, group) * 3))
    found = await contacts()
    assert set(found) == {person.address for person in everybody}
    assert await fetch_value("SELECT count(*) FROM contacts") == 40
    assert await fetch_value("SELECT count(*) FROM contact_mailboxes") == 80


async def test_watchers_of_a_personal_mailbox_make_each_once_too(api: Api) -> None:
    seed = random.Random(8)
    everybody = [Correspondent(f"Person {number}", f"p{number}@customer.example") for number in range(40)]

    async def watch(mailbox_id: int) -> None:
        for _ in range(15):
            await note(mailbox_id, *seed.sample(everybody, 12))

    await asyncio.gather(*(watch(mailbox_id) for mailbox_id in (api.support, api.toms_mailbox) * 3))
    rows = await fetch("SELECT mailbox_id, count(*) AS n FROM contact_mailboxes GROUP BY mailbox_id")
    assert {row["mailbox_id"]: row["n"] for row in rows} == {api.support: 40, api.toms_mailbox: 40}
    assert await fetch_value("SELECT count(*) FROM contacts") == 80
