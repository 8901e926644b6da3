"""A whole team works on the same conversations at the same time, as fast as each of them can.

Whatever the order in which their changes came through: everybody's program ends with what the database holds, the
trail of each conversation tells every change once and in an order in which it can have happened, and no event's number
is missing or repeated.
"""

import asyncio
import random
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

import pytest

from backend.conversations.contracts import Activity, AddComment, Assign, ConversationChanged, SetStatus
from backend.database.connection import fetch
from backend.mailboxes.contracts import SetMailboxMembers
from backend.people.sessions import COOKIE, start_session
from tests.servers.api import Api, Member
from tests.servers.live_client import LiveClient
from tests.servers.views import differences

MOST_FAULTS_SHOWN = 3


@dataclass(frozen=True)
class Team:
    """The mailbox Support with its people and their programs; `conversations` are open at first, nobody's."""

    people: list[Member]
    clients: list[LiveClient]
    conversations: list[int]


async def gather_team(api: Api, people: int, conversations: int) -> Team:
    ids = [
        row["id"]
        for row in await fetch(
            "INSERT INTO users (name, email, password_hash, role) SELECT 'Colleague ' || n, "
            "'colleague' || n || '@northwind.example', '', 'member' FROM generate_series(1, $1) n RETURNING id",
            people - 2,
        )
    ]
    others: list[Member] = []
    for number, user_id in enumerate(ids, 1):
        cookie = {COOKIE: await start_session(user_id, "")}
        others.append(Member(api.application, user_id, f"colleague{number}@northwind.example", cookie))
    team = [api.ana, api.jonas, *others]
    members = SetMailboxMembers(member_ids=[each.user_id for each in team], team_ids=[])
    await api.ana.put(f"/mailboxes/{api.support}/members", members)
    rows = await fetch(
        "INSERT INTO conversations (mailbox_id, subject) SELECT $1, 'Question ' || n FROM generate_series(1, $2) n "
        "RETURNING id",
        api.support,
        conversations,
    )
    clients = [LiveClient(f"http://127.0.0.1:{api.port}", {"cookie": each.cookie_header}) for each in team]
    await asyncio.gather(*(client.start() for client in clients))
    return Team(team, clients, [row["id"] for row in rows])


async def work(person: Member, team: Team, changes: int, chance: random.Random) -> list[str]:
    """One person's changes, one after the other; answers the texts of the comments."""
    said: list[str] = []
    for number in range(changes):
        path = f"/conversations/{chance.choice(team.conversations)}"
        match chance.randrange(4):
            case 0:
                said.append(f"Remark {number} of {person.user_id}")
                await person.post(f"{path}/comments", AddComment(text=said[-1]))
            case 1:
                await person.put(f"{path}/status", SetStatus(status=chance.choice(["open", "done", "trash"])))
            case _:
                to = chance.choice([None, *(each.user_id for each in team.people)])
                await person.put(f"{path}/assignee", Assign(user_id=to))
    return said


async def play(api: Api, *, people: int, conversations: int, changes: int, seed: int) -> None:
    team = await gather_team(api, people, conversations)
    each_does = changes // people
    said = await asyncio.gather(
        *(work(each, team, each_does, random.Random(f"{seed} {number}")) for number, each in enumerate(team.people))
    )
    for client in team.clients:
        await client.caught_up()
    await check_programs(team)
    check_trails(await trails(team), await states(team), team)
    comments = [row["text"] for row in await fetch("SELECT text FROM comments")]
    assert sorted(comments) == sorted(text for texts in said for text in texts)
    await check_numbers(api, team)
    for client in team.clients:
        await client.stop()


async def check_programs(team: Team) -> None:
    """What each program was told adds up to what the database holds."""
    for client in team.clients:
        assert client.model is not None
        told, shown = client.model.shown(), (await client.fresh()).shown()
        wrong = differences(told["rows"], shown["rows"])
        assert not wrong, dict(list(wrong.items())[:MOST_FAULTS_SHOWN])
        assert set(team.conversations) <= told["rows"].keys()


async def trails(team: Team) -> dict[int, list[Activity]]:
    """The activities of each conversation as the API tells them, in their order."""
    found = await asyncio.gather(*(team.people[0].get(f"/conversations/{each}") for each in team.conversations))
    return {
        detail["row"]["id"]: [Activity(**(each | {"at": None})) for each in detail["activities"]] for detail in found
    }


async def states(team: Team) -> dict[int, tuple[int | None, str]]:
    rows = await fetch("SELECT id, assignee_id, status FROM conversations WHERE id = ANY($1)", team.conversations)
    return {row["id"]: (row["assignee_id"], row["status"]) for row in rows}


def check_trails(told: dict[int, list[Activity]], ends: dict[int, tuple[int | None, str]], team: Team) -> None:
    """Each trail, played from an open conversation that is nobody's, changes something at every step and ends with
    what is there; and every program was told each of its lines once."""
    for conversation_id, activities in told.items():
        assignee, status = None, "open"
        for each in activities:
            before = (assignee, status)
            if each.kind == "status":
                status = each.value
            elif each.kind in ("assigned", "unassigned"):
                assignee = each.subject_id
            assert (assignee, status) != before, f"{each} changes nothing"
        assert (assignee, status) == ends[conversation_id]
    lines = sorted(each.id for activities in told.values() for each in activities)
    assert len(lines) > len(told), "too little happened"
    for client in team.clients:
        heard = [
            frame.event.activity.id
            for frame in client.seen
            if isinstance(frame.event, ConversationChanged) and frame.event.activity is not None
        ]
        assert sorted(heard) == lines


async def check_numbers(api: Api, team: Team) -> None:
    """In the table, and in what every member of the mailbox was told: one number after the other."""
    numbers: dict[str, list[int]] = defaultdict(list)
    for row in await fetch("SELECT stream, position FROM events ORDER BY stream, position"):
        numbers[row["stream"]].append(row["position"])
    for stream, found in numbers.items():
        assert _unbroken(found), stream
    support = f"mailbox:{api.support}"
    for client in team.clients:
        heard = [frame.position for frame in client.seen if frame.stream == support]
        assert _unbroken(heard) and heard[-1] == numbers[support][-1]


def _unbroken(numbers: Sequence[int]) -> bool:
    return list(numbers) == list(range(numbers[0], numbers[0] + len(numbers)))


async def test_a_team_that_acts_at_the_same_time_ends_in_one_state(served: Api) -> None:
    await play(served, people=8, conversations=10, changes=240, seed=1)


@pytest.mark.long
@pytest.mark.timeout(1800)
@pytest.mark.parametrize("seed", range(3))
async def test_twenty_people_make_two_thousand_changes_to_fifty_conversations(served: Api, seed: int) -> None:
    await play(served, people=20, conversations=50, changes=2000, seed=seed)
