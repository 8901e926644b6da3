"""For every action on people, teams and mailboxes, and each of the cast: snapshot before + events = snapshot after."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack

import pytest

from backend.conversations.contracts import Assign
from backend.mailboxes.contracts import CreateMailbox, SetMailboxMembers, UpdateMailbox
from backend.people.contracts import (
    AcceptInvitation,
    CreateInvitation,
    InvitationCreated,
    SaveTeam,
    Team,
    UpdateOrganisation,
    UpdatePerson,
    UpdateProfile,
)
from tests.servers.api import PASSWORD, Api, Member, token_in
from tests.servers.delivery import deliver, write_mail
from tests.servers.live_client import LiveClient

Deed = Callable[["Office"], Awaitable[object]]


class Office:
    """Support has two conversations: one open, one confidential and assigned to Ana's team."""

    def __init__(self, api: Api, team: Team) -> None:
        self.api = api
        self.team = team

    @classmethod
    async def of(cls, api: Api) -> "Office":
        ana = api.ana
        team = await ana.post("/teams", SaveTeam(name="Service", member_ids=[ana.user_id]), Team)
        await deliver(api.support)
        confidential = await deliver(api.support, write_mail(subject="Salaries", sender="Bo <bo@bank.example>"))
        await ana.put(f"/conversations/{confidential}/assignee", Assign(team_id=team.id))
        await ana.put(f"/conversations/{confidential}/visibility", {"visibility": "confidential"})
        return cls(api, team)

    async def members(self, *members: Member, teams: tuple[int, ...] = ()) -> None:
        wanted = SetMailboxMembers(member_ids=[member.user_id for member in members], team_ids=list(teams))
        await self.api.ana.put(f"/mailboxes/{self.api.support}/members", wanted)

    async def team_of(self, *members: Member, name: str = "Service") -> None:
        wanted = SaveTeam(name=name, member_ids=[member.user_id for member in members])
        await self.api.ana.put(f"/teams/{self.team.id}", wanted)

    async def person(self, member: Member, change: UpdatePerson) -> None:
        await self.api.ana.patch(f"/people/{member.user_id}", change)

    async def somebody_joins(self) -> None:
        wanted = CreateInvitation(
            email="mei@northwind.example", team_ids=[self.team.id], mailbox_ids=[self.api.support]
        )
        invited = await self.api.ana.post("/invitations", wanted, InvitationCreated)
        accept = AcceptInvitation(token=token_in(invited.link), name="Mei", password=PASSWORD)
        await self.api.stranger().post("/invitations/accept", accept)


async def opened_by_the_team(office: Office) -> None:
    await office.members(office.api.jonas, teams=(office.team.id,))
    await office.team_of(office.api.ana, office.api.tom)
    await office.team_of(office.api.tom)


async def dissolved_after_opening(office: Office) -> None:
    await office.members(office.api.jonas, teams=(office.team.id,))
    await office.api.ana.delete(f"/teams/{office.team.id}")


async def away_and_back(office: Office) -> None:
    await office.members(office.api.ana)
    await deliver(office.api.support, write_mail(subject="Meanwhile", sender="Cy <cy@customer.example>"))
    await office.members(office.api.ana, office.api.jonas)


async def closed_and_opened(office: Office) -> None:
    await office.person(office.api.mallory, UpdatePerson(active=False))
    await office.person(office.api.mallory, UpdatePerson(active=True, role="admin"))


DEEDS: dict[str, Deed] = {
    "the profile": lambda o: o.api.jonas.patch("/me", UpdateProfile(name="Jonas Dahl", theme="dark")),
    "the organisation": lambda o: o.api.ana.patch("/organisation", UpdateOrganisation(name="Southwind")),
    "a role": lambda o: o.person(o.api.tom, UpdatePerson(role="admin")),
    "the last owner but one": lambda o: o.person(o.api.jonas, UpdatePerson(role="owner")),
    "somebody joins": lambda o: o.somebody_joins(),
    "a team's name": lambda o: o.team_of(o.api.ana, name="Repairs"),
    "the team sees confidential": lambda o: o.team_of(o.api.ana, o.api.jonas),
    "nobody is left in the team": lambda o: o.team_of(),
    "the team opens the mailbox": opened_by_the_team,
    "the team is dissolved": lambda o: o.api.ana.delete(f"/teams/{o.team.id}"),
    "the team is dissolved and closes the mailbox": dissolved_after_opening,
    "a mailbox's settings": lambda o: o.api.ana.patch(f"/mailboxes/{o.api.support}", UpdateMailbox(name="Help")),
    "members come": lambda o: o.members(o.api.ana, o.api.jonas, o.api.tom),
    "members go": lambda o: o.members(o.api.tom),
    "away and back": away_and_back,
    "a new group mailbox": lambda o: o.api.ana.post(
        "/mailboxes",
        CreateMailbox(
            kind="group",
            name="Sales",
            address="sales@northwind.example",
            member_ids=[o.api.mallory.user_id],
            team_ids=[o.team.id],
        ),
    ),
    "a personal mailbox": lambda o: o.api.mallory.post(
        "/mailboxes", CreateMailbox(kind="personal", name="Mine", address="mallory@northwind.example")
    ),
    "a mailbox is removed": lambda o: o.api.ana.delete(f"/mailboxes/{o.api.support}", name="Support"),
}


@pytest.mark.parametrize("deed", DEEDS.values(), ids=DEEDS.keys())
async def test_what_each_is_told_adds_up(served: Api, deed: Deed) -> None:
    office = await Office.of(served)
    async with AsyncExitStack() as stack:
        clients = [
            LiveClient(f"http://127.0.0.1:{served.port}", {"cookie": member.cookie_header})
            for member in served.everybody
        ]
        for client in clients:
            await client.start()
            stack.push_async_callback(client.stop)
        await deed(office)
        for client in clients:
            await client.caught_up()
            fresh = await client.fresh()
            assert client.model is not None
            assert client.model.shown() == fresh.shown()


async def test_whose_account_is_closed_is_told_that_it_is_over(served: Api) -> None:
    office = await Office.of(served)
    client = LiveClient(f"http://127.0.0.1:{served.port}", {"cookie": served.mallory.cookie_header})
    other = LiveClient(f"http://127.0.0.1:{served.port}", {"cookie": served.tom.cookie_header})
    for each in (client, other):
        await each.start()
    await closed_and_opened(office)
    await other.caught_up()
    assert other.model is not None
    assert other.model.shown() == (await other.fresh()).shown()
    async with asyncio.timeout(5):
        while not client.closed_with:  # noqa: ASYNC110 - it has no event for that
            await asyncio.sleep(0.01)
    assert client.closed_with in ("signed_out", "status 401", "status 403")
    for each in (client, other):
        await each.stop()
