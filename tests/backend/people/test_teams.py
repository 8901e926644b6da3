"""Teams decide on mailboxes: who joins gains them, who leaves loses them, and both are told."""

from backend.conversations.contracts import Assign, ConversationAdded, ConversationGone, ConversationItem
from backend.database.connection import fetch_value
from backend.mailboxes.contracts import (
    Mailbox,
    MailboxChanged,
    MailboxGained,
    MailboxGone,
    MailboxSettings,
    SetMailboxMembers,
)
from backend.people.contracts import SaveTeam, Team, TeamChanged, TeamGone
from tests.servers.api import Api, Member
from tests.servers.delivery import deliver


async def make_team(api: Api, *members: Member, name: str = "Service") -> Team:
    return await api.ana.post("/teams", SaveTeam(name=name, member_ids=[m.user_id for m in members]), Team)


async def open_support_to(api: Api, team: Team) -> None:
    members = SetMailboxMembers(member_ids=[api.ana.user_id], team_ids=[team.id])
    await api.ana.put(f"/mailboxes/{api.support}/members", members, MailboxSettings)


async def test_a_team_is_told_to_everybody(served: Api) -> None:
    async with served.live(served.mallory) as live:
        team = await make_team(served, served.jonas)
        assert (await live.event(TeamChanged)).team == team
        assert await served.mallory.get("/teams", list[Team]) == [team]
        await served.ana.delete(f"/teams/{team.id}")
        assert (await live.event(TeamGone)).team_id == team.id


async def test_names_are_taken_once_and_members_must_be_here(api: Api) -> None:
    await make_team(api)
    twice = SaveTeam(name="SERVICE", member_ids=[])
    assert list((await api.ana.refused("POST", "/teams", twice)).details["fields"]) == ["name"]
    unknown = SaveTeam(name="Sales", member_ids=[999])
    assert list((await api.ana.refused("POST", "/teams", unknown)).details["fields"]) == ["member_ids"]
    assert (await api.ana.refused("PUT", "/teams/999", twice)).status == 404


async def test_who_joins_gains_the_teams_mailboxes(served: Api) -> None:
    team = await make_team(served, served.jonas)
    await open_support_to(served, team)
    await deliver(served.support)
    async with served.live(served.tom) as tom, served.live(served.jonas) as jonas:
        await served.ana.put(
            f"/teams/{team.id}", SaveTeam(name="Service", member_ids=[served.jonas.user_id, served.tom.user_id])
        )
        gained = (await tom.event(MailboxGained)).mailbox
        changed = (await jonas.event(MailboxChanged)).mailbox
    assert gained.reader_ids == changed.reader_ids == [m.user_id for m in (served.ana, served.jonas, served.tom)]
    assert gained.read_from == 1  # what came before counts as read
    assert gained in await served.tom.get("/mailboxes", list[Mailbox])


async def test_who_leaves_loses_them(served: Api) -> None:
    team = await make_team(served, served.jonas, served.tom)
    await open_support_to(served, team)
    async with served.live(served.tom) as tom:
        await served.ana.put(f"/teams/{team.id}", SaveTeam(name="Service", member_ids=[served.jonas.user_id]))
        assert (await tom.event(MailboxGone)).mailbox_id == served.support
    assert (await served.tom.refused("GET", f"/mailboxes/{served.support}")).status == 404


async def test_a_dissolved_team_opens_nothing_and_holds_nothing(served: Api) -> None:
    team = await make_team(served, served.jonas)
    await open_support_to(served, team)
    conversation_id = await deliver(served.support)
    await served.ana.put(f"/conversations/{conversation_id}/assignee", Assign(team_id=team.id))
    async with served.live(served.jonas) as jonas, served.live(served.ana) as ana:
        await served.ana.delete(f"/teams/{team.id}")
        assert (await jonas.event(MailboxGone)).mailbox_id == served.support
        assert (await ana.event(MailboxChanged)).mailbox.team_ids == []
    row = (await served.ana.get(f"/mailboxes/{served.support}/conversations"))["items"][0]["row"]
    assert (row["id"], row["assigned_team_id"]) == (conversation_id, None)
    assert await fetch_value("SELECT count(*) FROM team_members") == 0


async def test_a_confidential_conversation_of_the_team_shows_to_who_joins_and_hides_from_who_leaves(
    served: Api,
) -> None:
    team = await make_team(served, served.ana)
    conversation_id = await deliver(served.support)
    path = f"/conversations/{conversation_id}"
    await served.ana.put(f"{path}/assignee", Assign(team_id=team.id), ConversationItem)
    await served.ana.put(f"{path}/visibility", {"visibility": "confidential"})
    assert (await served.jonas.refused("GET", path)).status == 404
    both = SaveTeam(name="Service", member_ids=[served.ana.user_id, served.jonas.user_id])
    async with served.live(served.jonas) as jonas:
        await served.ana.put(f"/teams/{team.id}", both)
        assert (await jonas.event(ConversationAdded)).row.id == conversation_id
        await served.jonas.get(path)
        await served.ana.put(f"/teams/{team.id}", SaveTeam(name="Service", member_ids=[served.ana.user_id]))
        assert (await jonas.event(ConversationGone)).conversation_id == conversation_id
    assert (await served.jonas.refused("GET", path)).status == 404
