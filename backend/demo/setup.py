"""Makes Northwind Bikes in Tandem, through the REST API alone, and goes on where an earlier run was stopped.

First organisation, people, teams, mailboxes and accounts; then, when the mail has come in as history, what the
people said about it: comments, assignees, what is done. What has been applied is written down conversation by
conversation, so that nothing is said twice and nothing that a visitor changed is changed back.
"""

import asyncio
import logging
from contextlib import AsyncExitStack
from pathlib import Path

import httpx

from backend.accounts.contracts import AccountSettings, ConnectAccount, ServerAddress
from backend.demo.api import Api, Refused
from backend.demo.documents import file_documents
from backend.demo.memory import Memory
from backend.demo.people import MAILBOXES, ORGANISATION, OWNER, PASSWORD, PEOPLE, TEAMS, DemoMailbox, Person
from backend.demo.ports import HOST
from backend.demo.stationery import lay_out, sign
from backend.demo.teammates import Office
from backend.mailboxes.contracts import CreateMailbox, Mailbox, MailboxSettings
from backend.people.contracts import (
    AcceptInvitation,
    CreateInvitation,
    CreateToken,
    InvitationCreated,
    Me,
    SaveTeam,
    SetUp,
    SetUpState,
    SignIn,
    Team,
    TokenCreated,
)
from backend.people.contracts import Person as TandemPerson

log = logging.getLogger("tandem.demo")


class NotTheDemo(Exception):
    """This Tandem belongs to somebody else; the demo touches nothing in it."""


class Setup:
    """The demo's installation. ``address`` is where Tandem answers; the ports are those of the mail servers."""

    def __init__(self, address: str, data: Path, imap_port: int, smtp_port: int) -> None:
        self._address = address
        self._memory = Memory(data / "setup.json")
        self._imap = ServerAddress(host=HOST, port=imap_port, security="none")
        self._smtp = ServerAddress(host=HOST, port=smtp_port, security="none")

    def token(self, key: str) -> str:
        """The person's API token; KeyError before `people_can_sign_in`."""
        return self._memory.table("tokens")[key]

    async def people_can_sign_in(self) -> None:
        """Waits for Tandem, then makes organisation and people. Raises `NotTheDemo`, `Refused`."""
        nobody = Api(self._address)
        try:
            state = await _set_up_state(nobody)
            if not state.needs_set_up and state.organisation_name != ORGANISATION:
                raise NotTheDemo(f"the organisation here is {state.organisation_name!r}")
            if state.needs_set_up:
                body = SetUp(organisation_name=ORGANISATION, name=OWNER.name, email=OWNER.address, password=PASSWORD)
                await nobody.send("POST", "/set-up", body)
        finally:
            await nobody.close()
        await self._give_token(OWNER)
        for person in PEOPLE.values():
            if person.key not in self._memory.table("tokens"):
                await self._bring_in(person)

    async def run(self) -> Office:
        """Teams, mailboxes and accounts, after `people_can_sign_in`. Raises `Refused`."""
        async with AsyncExitStack() as stack:
            owner = Api(self._address, self.token(OWNER.key))
            stack.push_async_callback(owner.close)
            people = {one.email: one.id for one in await owner.get("/people", list[TandemPerson])}
            ids = {person.key: people[person.address] for person in PEOPLE.values()}
            teams = await self._make_teams(owner, ids)
            mailboxes: dict[str, int] = {}
            existing = {one.address: one.id for one in await owner.get("/mailboxes", list[Mailbox])}
            for mailbox in MAILBOXES.values():
                number = existing.get(mailbox.address)
                if number is None:
                    number = await self._make_mailbox(owner, mailbox, ids, teams)
                mailboxes[mailbox.key] = number
            await asyncio.gather(*(self._connect(owner, MAILBOXES[key], number) for key, number in mailboxes.items()))
            await lay_out(owner, mailboxes, self._memory)
            apis = {key: Api(self._address, self.token(key)) for key in PEOPLE}
            for key, api in apis.items():
                stack.push_async_callback(api.close)
                await sign(api, self._memory, key)
            await file_documents(apis, teams, self._memory)
        return Office(people=ids, mailboxes=mailboxes)

    async def _give_token(self, person: Person) -> None:
        """An API token for somebody who can sign in; once."""
        if person.key in self._memory.table("tokens"):
            return
        api = Api(self._address)
        try:
            await api.post("/sign-in", SignIn(email=person.address, password=PASSWORD), Me)
            made = await api.post("/me/tokens", CreateToken(name="The demo"), TokenCreated)
        except Refused as refusal:
            if refusal.status == 401:
                raise NotTheDemo(f"{person.address} has another password here") from refusal
            raise
        finally:
            await api.close()
        self._memory.table("tokens")[person.key] = made.secret
        self._memory.save()

    async def _bring_in(self, person: Person) -> None:
        """Invites somebody and lets them accept; whoever is there already only gets a token."""
        owner, guest = Api(self._address, self.token(OWNER.key)), Api(self._address)
        try:
            present = {one.email for one in await owner.get("/people", list[TandemPerson])}
            if person.address not in present:
                role = "admin" if person.role == "admin" else "member"
                made = await owner.post(
                    "/invitations", CreateInvitation(email=person.address, role=role), InvitationCreated
                )
                accepted = AcceptInvitation(
                    token=made.link.partition("#token=")[2], name=person.name, password=PASSWORD
                )
                await guest.send("POST", "/invitations/accept", accepted)
        finally:
            await owner.close()
            await guest.close()
        await self._give_token(person)

    async def _make_teams(self, owner: Api, people: dict[str, int]) -> dict[str, int]:
        teams = {team.name: team.id for team in await owner.get("/teams", list[Team])}
        for team in TEAMS:
            if team.name not in teams:
                body = SaveTeam(name=team.name, member_ids=[people[key] for key in team.members])
                teams[team.name] = (await owner.post("/teams", body, Team)).id
        return teams

    async def _make_mailbox(
        self, owner: Api, mailbox: DemoMailbox, people: dict[str, int], teams: dict[str, int]
    ) -> int:
        body = CreateMailbox(
            kind="personal" if mailbox.owner else "group",
            name=mailbox.name,
            address=mailbox.address,
            member_ids=[people[key] for key in mailbox.users],
            team_ids=[teams[name] for name in mailbox.teams],
            default_from_name=mailbox.sender_name,
        )
        return (await owner.post("/mailboxes", body, MailboxSettings)).id

    async def _connect(self, owner: Api, mailbox: DemoMailbox, number: int) -> None:
        """Connects the mailbox to the demo's servers, again when they listen elsewhere than before."""
        path = f"/mailboxes/{number}/account"
        try:
            settings = await owner.get(path, AccountSettings)
        except Refused as refusal:
            if refusal.status != 404:
                raise
        else:
            if (settings.imap, settings.smtp) == (self._imap, self._smtp):
                return
        body = ConnectAccount(
            address=mailbox.address, username=mailbox.address, password=PASSWORD, imap=self._imap, smtp=self._smtp
        )
        await owner.put(path, body, AccountSettings)


async def _set_up_state(api: Api) -> SetUpState:
    """What Tandem says of itself, as soon as it answers."""
    while True:
        try:
            return await api.get("/set-up", SetUpState)
        except (httpx.TransportError, Refused):
            await asyncio.sleep(0.1)
