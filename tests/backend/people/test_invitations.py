"""Joining by a link that works once."""

import asyncio

from backend.database.connection import execute, fetch, fetch_value
from backend.mailboxes.contracts import CreateMailbox, Mailbox, MailboxChanged, MailboxSettings
from backend.people.contracts import (
    AcceptInvitation,
    CreateInvitation,
    Invitation,
    InvitationCreated,
    InvitationOffer,
    Me,
    PersonChanged,
    ReadOffer,
    SaveTeam,
    Team,
    TeamChanged,
    UpdatePerson,
)
from tests.servers.api import PASSWORD, Api, token_in
from tests.servers.delivery import deliver

EMAIL = "mei@northwind.example"


async def invite(api: Api, **wanted: object) -> str:
    """Ana invites Mei; answers the link's secret."""
    body = {"email": EMAIL} | wanted
    return token_in((await api.ana.post("/invitations", body, InvitationCreated)).link)


def accepting(token: str) -> AcceptInvitation:
    return AcceptInvitation(token=token, name="Mei Tanaka", password=PASSWORD)


async def test_the_link_says_who_invites_to_what(api: Api) -> None:
    offer = await api.stranger().post("/invitations/offer", ReadOffer(token=await invite(api)), InvitationOffer)
    assert offer == InvitationOffer(organisation_name="Northwind Bikes", email=EMAIL, invited_by_name="Ana Ribeiro")


async def test_who_accepts_is_in_and_everybody_hears_of_it(served: Api) -> None:
    team = await served.ana.post("/teams", SaveTeam(name="Service", member_ids=[]), Team)
    await deliver(served.support)
    token = await invite(served, role="admin", team_ids=[team.id], mailbox_ids=[served.support])
    browser = served.stranger()
    async with served.live(served.mallory) as mallory, served.live(served.jonas) as jonas:
        me = await browser.post("/invitations/accept", accepting(token), Me)
        assert (me.person.name, me.person.email, me.person.role) == ("Mei Tanaka", EMAIL, "admin")
        assert (await mallory.event(PersonChanged)).person == me.person
        assert (await mallory.event(TeamChanged)).team.member_ids == [me.person.id]
        assert me.person.id in (await jonas.event(MailboxChanged)).mailbox.reader_ids
    mailbox = (await browser.get("/mailboxes", list[Mailbox]))[0]
    assert (mailbox.id, mailbox.read_from) == (served.support, 1)
    assert (await served.ana.get("/invitations", list[Invitation]))[0].accepted


async def test_a_team_in_the_invitation_opens_its_mailboxes(api: Api) -> None:
    team = await api.ana.post("/teams", SaveTeam(name="Sales", member_ids=[]), Team)
    sales = CreateMailbox(kind="group", name="Sales", address="sales@northwind.example", team_ids=[team.id])
    made = await api.ana.post("/mailboxes", sales, MailboxSettings)
    browser = api.stranger()
    me = await browser.post("/invitations/accept", accepting(await invite(api, team_ids=[team.id])), Me)
    gained = await fetch(
        "SELECT body FROM events WHERE stream = $1 AND body ->> 'type' = 'mailbox_gained'", f"user:{me.person.id}"
    )
    assert len(gained) == 1
    assert [mailbox.id for mailbox in await browser.get("/mailboxes", list[Mailbox])] == [made.id]


async def test_a_link_works_once_also_for_two_at_the_same_time(api: Api) -> None:
    token = await invite(api)
    browsers = [api.stranger(), api.stranger()]
    replies = await asyncio.gather(*(b.request("POST", "/invitations/accept", accepting(token)) for b in browsers))
    assert sorted(reply.status_code for reply in replies) == [201, 404]
    assert (await api.stranger().refused("POST", "/invitations/offer", ReadOffer(token=token))).status == 404


async def test_a_link_ends_by_time_withdrawal_replacement_and_the_inviters_fall(api: Api) -> None:
    async def gone(token: str) -> bool:
        offered = await api.stranger().request("POST", "/invitations/offer", ReadOffer(token=token))
        accepted = await api.stranger().request("POST", "/invitations/accept", accepting(token))
        return (offered.status_code, accepted.status_code) == (404, 404)

    first = await invite(api)
    second = await invite(api)
    assert await gone(first)
    await execute("UPDATE invitations SET expires_at = now() - interval '1 second'")
    assert await gone(second)
    created = await api.ana.post("/invitations", CreateInvitation(email=EMAIL), InvitationCreated)
    await api.ana.delete(f"/invitations/{created.invitation.id}")
    assert await gone(token_in(created.link))
    await api.ana.patch(f"/people/{api.jonas.user_id}", UpdatePerson(role="admin"))
    by_jonas = await api.jonas.post("/invitations", CreateInvitation(email=EMAIL), InvitationCreated)
    await api.ana.patch(f"/people/{api.jonas.user_id}", UpdatePerson(role="member"))
    assert await gone(token_in(by_jonas.link))


async def test_it_lasts_seven_days_and_its_secret_is_stored_nowhere(api: Api) -> None:
    token = await invite(api)
    assert await fetch_value(
        "SELECT expires_at - created_at = interval '7 days' FROM invitations WHERE email = $1", EMAIL
    )
    for table in ("invitations", "audit_entries", "events", "pgqueuer"):
        assert not await fetch_value(f"SELECT count(*) FROM {table} t WHERE t::text LIKE '%' || $1 || '%'", token)


async def test_what_cannot_be_invited(api: Api) -> None:
    assert (await api.ana.refused("POST", "/invitations", {"email": api.tom.email})).status == 409
    for field, wrong in [
        ("email", {"email": "mei"}),
        ("role", {"email": EMAIL, "role": "owner"}),
        ("team_ids", {"email": EMAIL, "team_ids": [999]}),
        ("mailbox_ids", {"email": EMAIL, "mailbox_ids": [api.toms_mailbox]}),
    ]:
        refusal = await api.ana.refused("POST", "/invitations", wrong)
        assert (refusal.status, list(refusal.details["fields"])) == (422, [field])


async def test_places_that_are_gone_meanwhile_are_passed_over(api: Api) -> None:
    team = await api.ana.post("/teams", SaveTeam(name="Service", member_ids=[]), Team)
    token = await invite(api, team_ids=[team.id])
    await api.ana.delete(f"/teams/{team.id}")
    await api.stranger().post("/invitations/accept", accepting(token), Me)


async def test_a_weak_password_leaves_the_link_as_it_is(api: Api) -> None:
    token = await invite(api)
    weak = AcceptInvitation(token=token, name="Mei", password="short")
    assert (await api.stranger().refused("POST", "/invitations/accept", weak)).status == 422
    await api.stranger().post("/invitations/accept", accepting(token), Me)
