"""Teams: made, changed, dissolved. A team's members decide on the mailboxes that it opens."""

from collections.abc import Collection

from backend.access.asker import Asker
from backend.conversations.actions import take_from_team
from backend.conversations.sharing import end_team_share
from backend.database.connection import execute, fetch, fetch_value
from backend.errors import NotFound
from backend.events.record import ORGANISATION, action
from backend.mailboxes.membership import (
    lock_every_mailbox,
    lock_memberships,
    mailboxes_of_team,
    readers_changing,
)
from backend.people.audit import audit
from backend.people.checks import check_name, refuse
from backend.people.contracts import SaveTeam, Team, TeamChanged, TeamGone
from backend.people.queries import read_teams
from backend.views.actions import team_changed, team_dissolved


async def create_team(asker: Asker, given: SaveTeam) -> Team:
    """A new team. Raises Unacceptable for a name that is taken or a member who is not here."""
    name = check_name(given.name)
    async with action(asker.user_id) as act:
        await lock_memberships()
        await _check(name, given.member_ids)
        team_id = await fetch_value("INSERT INTO teams (name) VALUES ($1) RETURNING id", name)
        await _put_members(team_id, given.member_ids)
        team = (await read_teams([team_id]))[0]
        act.record(ORGANISATION, TeamChanged(team=team))
        await audit(asker.user_id, "team_created", f"team:{team_id}", name=name, member_ids=team.member_ids)
    return team


async def save_team(asker: Asker, team_id: int, given: SaveTeam) -> Team:
    """Rename the team and replace its members; who gains or loses a mailbox by it is told."""
    name = check_name(given.name)
    async with action(asker.user_id) as act:
        await lock_memberships()
        await lock_every_mailbox()
        before = await _read(team_id)
        await _check(name, set(given.member_ids) - set(before.member_ids), besides=team_id)
        async with readers_changing(act, await mailboxes_of_team(team_id)):
            await execute("UPDATE teams SET name = $2 WHERE id = $1", team_id, name)
            await execute("DELETE FROM team_members WHERE team_id = $1", team_id)
            await _put_members(team_id, given.member_ids)
        team = await _read(team_id)
        await team_changed(act, team_id, before.member_ids, team.member_ids)
        if team != before:
            act.record(ORGANISATION, TeamChanged(team=team))
            await audit(
                asker.user_id,
                "team_changed",
                f"team:{team_id}",
                before={"name": before.name, "member_ids": before.member_ids},
                after={"name": team.name, "member_ids": team.member_ids},
            )
    return team


async def delete_team(asker: Asker, team_id: int) -> None:
    """Dissolve the team. What was assigned to it is assigned to nobody."""
    async with action(asker.user_id) as act:
        await lock_memberships()
        await lock_every_mailbox()
        team = await _read(team_id)
        mailbox_ids = await mailboxes_of_team(team_id)
        assigned = await fetch(
            "SELECT id FROM conversations WHERE assigned_team_id = $1 AND joined_into IS NULL ORDER BY id", team_id
        )
        for conversation in assigned:
            await take_from_team(asker, conversation["id"])
        for conversation in await fetch(
            "SELECT conversation_id AS id FROM conversation_shares WHERE team_id = $1 ORDER BY 1", team_id
        ):
            await end_team_share(asker, conversation["id"], team_id)
        await team_dissolved(act, team_id, team.member_ids)
        async with readers_changing(act, mailbox_ids):
            await execute("DELETE FROM teams WHERE id = $1", team_id)
        act.record(ORGANISATION, TeamGone(team_id=team_id))
        await audit(asker.user_id, "team_deleted", f"team:{team_id}", name=team.name, member_ids=team.member_ids)


async def _read(team_id: int) -> Team:
    found = await read_teams([team_id])
    if not found:
        raise NotFound("There is no such team.", "It may have been dissolved meanwhile.")
    return found[0]


async def _check(name: str, member_ids: Collection[int], besides: int = 0) -> None:
    if await fetch_value("SELECT 1 FROM teams WHERE lower(name) = lower($1) AND id <> $2", name, besides):
        raise refuse("name", "There is a team of this name already.", "Choose another name.")
    here = await fetch_value("SELECT count(*) FROM users WHERE id = ANY($1) AND active", list(member_ids))
    if here != len(set(member_ids)):
        raise refuse("member_ids", "One of these people is not here any more.", "Choose among the people listed.")


async def _put_members(team_id: int, member_ids: Collection[int]) -> None:
    await execute(
        "INSERT INTO team_members (team_id, user_id) SELECT $1, unnest($2::bigint[])", team_id, sorted(set(member_ids))
    )
