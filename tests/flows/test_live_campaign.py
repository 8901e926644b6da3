"""Everybody's live view while connections are cut, memberships change and conversations turn private.

For each of the cast, whatever happens: what their program was told adds up to what a fresh snapshot shows them.
"""

import asyncio
import random
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import pytest

from backend.conversations.contracts import (
    AddComment,
    AddPerson,
    Assign,
    MergeConversations,
    MoveConversation,
    SetFollowing,
    SetRead,
    SetReminder,
    SetStatus,
    SetVisibility,
    ShareConversation,
    SplitConversation,
    TakeMergeBack,
    Visibility,
)
from backend.database.connection import fetch
from backend.mailboxes.contracts import CreateMailbox, MailboxSettings, SetMailboxMembers
from backend.people.contracts import SaveTeam, Team
from tests.servers.api import Api, Member
from tests.servers.arriving import Arriving, message_id_of
from tests.servers.delivery import write_mail
from tests.servers.live_client import LiveClient
from tests.servers.views import differences

TOMORROW = datetime.now(UTC) + timedelta(days=1)
LEVELS: tuple[Visibility, ...] = ("open", "private", "confidential")


@dataclass
class Office:
    """What happens in an office, at random, from a seed."""

    api: Api
    inbox: Arriving
    sales: int
    team: Team
    chance: random.Random
    mails: list[bytes] = field(default_factory=list)
    happened: dict[str, int] = field(default_factory=dict)
    rearranging: bool = False
    """Conversations are parted and moved, too."""

    async def something_happens(self) -> None:
        """One change, by somebody who may make it (else by nobody: then mail arrives)."""
        rearranging = [self.unmerge, self.split, self.move, self.move] if self.rearranging else []
        deed = self.chance.choice(
            [
                self.mail_arrives,
                self.mail_arrives,
                self.answer_arrives,
                self.answer_arrives,
                self.assign,
                self.comment,
                self.comment,
                self.status,
                self.visibility,
                self.visibility,
                self.read,
                self.read_all,
                self.remind,
                self.follow,
                self.add_person,
                self.share,
                self.share,
                self.unshare,
                self.merge,
                self.members_change,
                self.team_changes,
                self.draft,
                self.notifications_read,
                *rearranging,
            ]
        )
        self.happened[deed.__name__] = self.happened.get(deed.__name__, 0) + 1
        await deed()

    async def somebody_and_a_conversation(self) -> tuple[Member, int] | None:
        """A random person and a conversation that they see."""
        person = self.chance.choice([self.api.ana, self.api.jonas, self.api.tom])
        rows = await fetch(
            "SELECT c.id FROM conversations c WHERE c.joined_into IS NULL AND sees($1, c.id) ORDER BY c.id",
            person.user_id,
        )
        return (person, self.chance.choice(rows)["id"]) if rows else None

    async def mail_arrives(self) -> None:
        cc = self.chance.choice(["", "", "jonas@northwind.example", "tom@northwind.example"])
        raw = write_mail(subject=f"Question {len(self.mails)}", text=f"Number {len(self.mails)}.", cc=cc)
        self.mails.append(raw)
        await self.inbox.deliver(raw)

    async def answer_arrives(self) -> None:
        if not self.mails:
            return await self.mail_arrives()
        asked = self.chance.choice(self.mails)
        also = self.chance.choice(self.mails)
        raw = write_mail(subject=f"Re: {len(self.mails)}", answers=message_id_of(asked))
        if self.chance.random() < 0.1:  # names two mails: their conversations join
            raw = raw.replace(b"References: ", b"References: " + message_id_of(also).encode() + b"\r\n ", 1)
        self.mails.append(raw)
        await self.inbox.deliver(raw)

    async def _try(self, person: Member, method: str, path: str, body: object) -> None:
        """Do it; a refusal is an answer too (somebody else was quicker), a fault of the server is not."""
        reply = await person.request(method, path, body)
        assert reply.status_code < 500, reply.text

    async def assign(self) -> None:
        if found := await self.somebody_and_a_conversation():
            person, number = found
            to = self.chance.choice(
                [Assign(user_id=self.api.ana.user_id), Assign(user_id=self.api.jonas.user_id),
                 Assign(user_id=self.api.tom.user_id), Assign(team_id=self.team.id), Assign()]
            )  # fmt: skip
            await self._try(person, "PUT", f"/conversations/{number}/assignee", to)

    async def comment(self) -> None:
        if found := await self.somebody_and_a_conversation():
            person, number = found
            mentions = self.chance.sample([self.api.ana.user_id, self.api.jonas.user_id, self.api.tom.user_id], 1)
            body = AddComment(
                text="Worth a look.",
                mention_ids=mentions if self.chance.random() < 0.6 else [],
                share=self.chance.random() < 0.5,
            )
            await self._try(person, "POST", f"/conversations/{number}/comments", body)

    async def status(self) -> None:
        if found := await self.somebody_and_a_conversation():
            person, number = found
            to = SetStatus(status=self.chance.choice(["open", "done", "done", "trash"]))
            await self._try(person, "PUT", f"/conversations/{number}/status", to)

    async def visibility(self) -> None:
        if found := await self.somebody_and_a_conversation():
            person, number = found
            to = SetVisibility(visibility=self.chance.choice(LEVELS))
            await self._try(person, "PUT", f"/conversations/{number}/visibility", to)

    async def read(self) -> None:
        if found := await self.somebody_and_a_conversation():
            person, number = found
            await self._try(person, "PUT", f"/conversations/{number}/read", SetRead(read=self.chance.random() < 0.7))

    async def read_all(self) -> None:
        person = self.chance.choice([self.api.ana, self.api.jonas])
        await self._try(person, "POST", f"/mailboxes/{self.api.support}/read-all", None)

    async def remind(self) -> None:
        if found := await self.somebody_and_a_conversation():
            person, number = found
            if self.chance.random() < 0.3:
                return await self._try(person, "DELETE", f"/conversations/{number}/reminder", None)
            kind = self.chance.choice(("reminder", "snooze"))
            to = SetReminder(at=TOMORROW, kind=kind, if_silent=self.chance.random() < 0.5)
            await self._try(person, "PUT", f"/conversations/{number}/reminder", to)

    async def follow(self) -> None:
        if found := await self.somebody_and_a_conversation():
            person, number = found
            to = SetFollowing(following=self.chance.random() < 0.7)
            await self._try(person, "PUT", f"/conversations/{number}/following", to)

    async def add_person(self) -> None:
        if found := await self.somebody_and_a_conversation():
            person, number = found
            to = AddPerson(user_id=self.chance.choice([self.api.ana, self.api.jonas, self.api.tom]).user_id)
            await self._try(person, "POST", f"/conversations/{number}/people", to)

    def somebody_or_the_team(self) -> ShareConversation:
        person = self.chance.choice([self.api.jonas, self.api.tom, None])
        return ShareConversation(user_id=person.user_id) if person else ShareConversation(team_id=self.team.id)

    async def share(self) -> None:
        if found := await self.somebody_and_a_conversation():
            person, number = found
            await self._try(person, "POST", f"/conversations/{number}/shares", self.somebody_or_the_team())

    async def unshare(self) -> None:
        if found := await self.somebody_and_a_conversation():
            person, number = found
            taken = self.somebody_or_the_team()
            query = f"user_id={taken.user_id}" if taken.user_id else f"team_id={taken.team_id}"
            await self._try(person, "DELETE", f"/conversations/{number}/shares?{query}", None)

    async def merge(self) -> None:
        if found := await self.somebody_and_a_conversation():
            person, number = found
            if other := await self.somebody_and_a_conversation():
                body = MergeConversations(other_ids=[other[1]])
                await self._try(person, "POST", f"/conversations/{number}/merge", body)

    async def unmerge(self) -> None:
        person = self.chance.choice([self.api.ana, self.api.jonas, self.api.tom])
        rows = await fetch(
            "SELECT a.id, a.conversation_id FROM conversation_merges m JOIN activities a ON a.id = m.activity_id "
            "WHERE sees($1, a.conversation_id) ORDER BY a.id",
            person.user_id,
        )
        if rows:
            line = self.chance.choice(rows)
            body = TakeMergeBack(activity_id=line["id"])
            await self._try(person, "POST", f"/conversations/{line['conversation_id']}/unmerge", body)

    async def split(self) -> None:
        if found := await self.somebody_and_a_conversation():
            person, number = found
            rows = await fetch("SELECT id FROM messages WHERE conversation_id = $1 ORDER BY id", number)
            if rows:
                body = SplitConversation(
                    message_id=self.chance.choice(rows)["id"],
                    and_all_after=self.chance.random() < 0.5,
                    with_comments=self.chance.random() < 0.5,
                )
                await self._try(person, "POST", f"/conversations/{number}/split", body)

    async def move(self) -> None:
        if found := await self.somebody_and_a_conversation():
            person, number = found
            body = MoveConversation(mailbox_id=self.chance.choice([self.api.support, self.sales]))
            await self._try(person, "PUT", f"/conversations/{number}/mailbox", body)

    async def members_change(self) -> None:
        people = [self.api.jonas.user_id, self.api.tom.user_id]
        members = [self.api.ana.user_id, *self.chance.sample(people, self.chance.randint(0, 2))]
        teams = [self.team.id] if self.chance.random() < 0.5 else []
        body = SetMailboxMembers(member_ids=members, team_ids=teams)
        await self._try(self.api.ana, "PUT", f"/mailboxes/{self.api.support}/members", body)

    async def team_changes(self) -> None:
        people = [self.api.jonas.user_id, self.api.tom.user_id]
        body = SaveTeam(name="Service", member_ids=self.chance.sample(people, self.chance.randint(0, 2)))
        await self._try(self.api.ana, "PUT", f"/teams/{self.team.id}", body)

    async def draft(self) -> None:
        if found := await self.somebody_and_a_conversation():
            person, number = found
            await self._try(person, "POST", "/drafts", {"kind": "reply", "conversation_id": number})

    async def notifications_read(self) -> None:
        person = self.chance.choice([self.api.ana, self.api.jonas, self.api.tom])
        await self._try(person, "POST", "/notifications/read", {})


async def play(api: Api, *, seed: int, changes: int, cuts: int, rearranging: bool = False) -> dict[str, int]:
    """Play an office with that many changes and cuts, then hold every client against a fresh snapshot."""
    chance = random.Random(seed)
    team = await api.ana.post("/teams", SaveTeam(name="Service", member_ids=[]), Team)
    ids = [api.ana.user_id, api.tom.user_id]
    sales = CreateMailbox(kind="group", name="Sales", address="sales@northwind.example", member_ids=ids)
    sales_id = (await api.ana.post("/mailboxes", sales, MailboxSettings)).id
    office = Office(api, await Arriving.into(api.support), sales_id, team, chance, rearranging=rearranging)
    for _ in range(5):
        await office.mail_arrives()
    clients = [LiveClient(f"http://127.0.0.1:{api.port}", {"cookie": person.cookie_header}) for person in api.everybody]
    for client in clients:
        await client.start()
    to_cut = sorted(chance.sample(range(changes), cuts))
    for number in range(changes):
        if number % 5 == 0:  # people act at the same time, too
            await asyncio.gather(office.something_happens(), office.something_happens())
        else:
            await office.something_happens()
        while to_cut and to_cut[0] == number:
            to_cut.pop(0)
            await chance.choice(clients).cut()
    for person, client in zip(api.everybody, clients, strict=True):
        await client.caught_up()
        fresh = await client.fresh()
        assert client.model is not None
        told, shown = client.model.shown(), fresh.shown()
        for each in shown:
            wrong = differences(told[each], shown[each])
            assert not wrong, f"{person.email} was told other {each}: {wrong}"
    mallory = clients[-1]
    assert mallory.model is not None and mallory.model.rows == {} and mallory.model.mailboxes == {}
    assert not [frame for frame in mallory.seen if frame.stream.startswith("mailbox:")]
    for client in clients:
        await client.stop()
    return office.happened


@pytest.mark.timeout(300)
@pytest.mark.parametrize("seed", [1])
async def test_every_client_ends_with_what_a_fresh_snapshot_shows(served: Api, seed: int) -> None:
    happened = await play(served, seed=seed, changes=500, cuts=50)
    assert min(happened.values()) >= 5, f"the seed left something out: {happened}"


@pytest.mark.long
@pytest.mark.timeout(3000)
@pytest.mark.parametrize("seed", range(100, 120))
async def test_every_client_ends_with_what_a_fresh_snapshot_shows_for_many_seeds(served: Api, seed: int) -> None:
    await play(served, seed=seed, changes=500, cuts=50, rearranging=True)
