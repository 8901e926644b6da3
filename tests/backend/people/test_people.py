"""Roles, closed accounts, and an organisation that is never without an owner."""

import asyncio
from datetime import UTC, datetime, timedelta

import pytest

from backend.database.connection import fetch_value
from backend.events.contracts import ClosingFrame
from backend.mailboxes.contracts import Mailbox, MailboxChanged, MailboxGained, MailboxGone
from backend.people.contracts import (
    AuditPage,
    CreateToken,
    MeChanged,
    Organisation,
    OrganisationChanged,
    Person,
    PersonChanged,
    TokenCreated,
    UpdateOrganisation,
    UpdatePerson,
)
from tests.servers.api import Api


async def test_everybody_knows_everybody(api: Api) -> None:
    people = await api.mallory.get("/people", list[Person])
    assert [(person.name, person.role) for person in people] == [
        ("Ana Ribeiro", "owner"),
        ("Jonas", "member"),
        ("Tom", "member"),
        ("Mallory", "member"),
    ]


async def test_a_role_counts_from_the_next_request(served: Api) -> None:
    async with served.live(served.jonas) as live:
        await served.ana.patch(f"/people/{served.jonas.user_id}", UpdatePerson(role="admin"))
        assert (await live.event(PersonChanged)).person.role == "admin"
        await served.jonas.get("/mailbox-settings")
        await served.ana.patch(f"/people/{served.jonas.user_id}", UpdatePerson(role="member"))
        assert (await served.jonas.refused("GET", "/mailbox-settings")).status == 403
        assert (await live.event(MeChanged)).me.person.role == "admin"


async def test_only_owners_touch_owners(api: Api) -> None:
    await api.ana.patch(f"/people/{api.jonas.user_id}", UpdatePerson(role="admin"))
    for user_id, change in [
        (api.ana.user_id, UpdatePerson(role="member")),
        (api.ana.user_id, UpdatePerson(active=False)),
        (api.tom.user_id, UpdatePerson(role="owner")),
        (api.jonas.user_id, UpdatePerson(role="owner")),
    ]:
        assert (await api.jonas.refused("PATCH", f"/people/{user_id}", change)).status == 403
    await api.jonas.patch(f"/people/{api.tom.user_id}", UpdatePerson(role="admin"))


@pytest.mark.parametrize("change", [UpdatePerson(role="admin"), UpdatePerson(active=False)])
async def test_the_last_owner_stays(api: Api, change: UpdatePerson) -> None:
    assert (await api.ana.refused("PATCH", f"/people/{api.ana.user_id}", change)).status == 409


async def test_two_owners_cannot_remove_each_other_at_once(api: Api) -> None:
    await api.ana.patch(f"/people/{api.jonas.user_id}", UpdatePerson(role="owner"))
    down = UpdatePerson(role="member")
    await asyncio.gather(
        api.ana.request("PATCH", f"/people/{api.jonas.user_id}", down),
        api.jonas.request("PATCH", f"/people/{api.ana.user_id}", down),
    )
    assert await fetch_value("SELECT count(*) FROM users WHERE role = 'owner' AND active") == 1


async def test_closing_an_account_ends_everything_it_opened(served: Api) -> None:
    secret = (await served.jonas.post("/me/tokens", CreateToken(name="Reports"), TokenCreated)).secret
    async with served.live(served.jonas) as live, served.live(served.ana) as ana:
        await served.ana.patch(f"/people/{served.jonas.user_id}", UpdatePerson(active=False))
        while not isinstance(await live.next(), ClosingFrame):
            continue
        assert (await ana.event(MailboxChanged)).mailbox.reader_ids == [served.ana.user_id]
    program = served.stranger()
    program.client.headers["authorization"] = f"Bearer {secret}"
    for caller in (served.jonas, program):
        assert (await caller.refused("GET", "/me")).status == 401
    assert await fetch_value("SELECT count(*) FROM sessions WHERE user_id = $1", served.jonas.user_id) == 0


async def test_an_account_that_is_opened_again_has_its_mailboxes_and_nothing_unread(served: Api) -> None:
    person = f"/people/{served.jonas.user_id}"
    await served.ana.patch(person, UpdatePerson(active=False))
    position = await fetch_value("SELECT position FROM streams WHERE key = $1", served.jonas.stream)
    await served.ana.patch(person, UpdatePerson(active=True))
    back = served.stranger()
    await back.sign_in(served.jonas.email)
    served.jonas.client.cookies = back.client.cookies
    async with served.live(served.jonas, since={served.jonas.stream: position}) as live:
        gained = await live.event(MailboxGained)
    assert gained.mailbox == (await back.get(f"/mailboxes/{served.support}", Mailbox))
    events = await fetch_value(
        "SELECT string_agg(body ->> 'type', ' ' ORDER BY position) FROM events WHERE stream = $1", served.jonas.stream
    )
    assert events.endswith("mailbox_gone me_changed mailbox_gained me_changed")
    assert MailboxGone.__struct_config__.tag == "mailbox_gone"


async def test_the_organisation_is_renamed_for_everybody(served: Api) -> None:
    async with served.live(served.mallory) as live:
        await served.ana.patch("/organisation", UpdateOrganisation(name="Southwind"))
        assert (await live.event(OrganisationChanged)).organisation == Organisation(name="Southwind")


async def test_the_audit_log_says_who_did_what(api: Api) -> None:
    await api.ana.patch(f"/people/{api.jonas.user_id}", UpdatePerson(role="admin"))
    page = await api.ana.get("/audit", AuditPage)
    newest = page.items[0]
    assert (newest.actor_id, newest.action, newest.subject) == (
        api.ana.user_id,
        "person_changed",
        f"user:{api.jonas.user_id}",
    )
    assert newest.detail == {
        "before": {"role": "member", "active": True},
        "after": {"role": "admin", "active": True},
    }


async def test_the_audit_log_comes_in_pages(api: Api) -> None:
    for number in range(60):
        await api.ana.patch("/organisation", UpdateOrganisation(name=f"Name {number}"))
        await api.ana.patch("/organisation", UpdateOrganisation(name=f"Other name {number}"))
    first = await api.ana.get("/audit", AuditPage)
    second = await api.ana.get("/audit", AuditPage, cursor=first.next_cursor)
    ids = [entry.id for page in (first, second) for entry in page.items]
    assert len(first.items) == 100 and ids == sorted(set(ids), reverse=True)
    assert second.next_cursor is None


async def test_the_audit_log_is_filtered_by_person_kind_and_day(api: Api) -> None:
    await api.ana.patch(f"/people/{api.jonas.user_id}", UpdatePerson(role="admin"))
    await api.jonas.patch("/organisation", UpdateOrganisation(name="Southwind"))
    await api.stranger().refused("POST", "/sign-in", {"email": api.tom.email, "password": "not this one at all"})
    await api.stranger().refused("POST", "/sign-in", {"email": "nobody@else.example", "password": "not this one"})

    async def told(**query: object) -> list[str]:
        return [each.action for each in (await api.ana.get("/audit", AuditPage, **query)).items]

    assert (await told(person_id=api.jonas.user_id))[:2] == ["organisation_renamed", "person_changed"]
    assert await told(person_id=api.tom.user_id, kind="entering") == ["sign_in_refused", "joined"]
    assert (await told(kind="entering"))[:2] == ["sign_in_refused", "sign_in_refused"]
    assert await told(kind="access") == []
    today = datetime.now(UTC).date()
    assert len(await told(since=today, until=today)) == len(await told())
    assert await told(until=today - timedelta(days=2)) == [] == await told(since=today + timedelta(days=2))
