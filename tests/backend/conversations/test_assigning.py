"""Two people assign a conversation at the same time: one wins, and both know who."""

import asyncio

from backend.conversations.contracts import Assign, Assignee, ConversationDetail, ConversationItem
from backend.people.contracts import SaveTeam, Team
from tests.servers.api import Api
from tests.servers.delivery import deliver

NOBODY = Assignee()


async def test_of_two_at_once_one_wins_and_the_other_is_told_who(api: Api) -> None:
    number = await deliver(api.support)
    answers = await asyncio.gather(
        *(
            who.request("PUT", f"/conversations/{number}/assignee", Assign(user_id=who.user_id, was=NOBODY))
            for who in (api.ana, api.jonas)
        )
    )
    assert sorted(answer.status_code for answer in answers) == [200, 409]
    lost = next(answer.json() for answer in answers if answer.status_code == 409)
    assert lost["error"] == "assigned_meanwhile"
    detail = await api.ana.get(f"/conversations/{number}", ConversationDetail)
    assert lost["details"]["user_id"] == lost["details"]["by_id"] == detail.row.assignee_id
    assert lost["message"].endswith("took this a moment ago.")
    assert [each.kind for each in detail.activities] == ["assigned"]


async def test_the_refusal_names_who_assigned_whom(api: Api) -> None:
    number = await deliver(api.support)
    path = f"/conversations/{number}/assignee"
    await api.jonas.put(path, Assign(user_id=api.ana.user_id))
    refusal = await api.jonas.refused("PUT", path, Assign(user_id=api.jonas.user_id, was=NOBODY))
    assert refusal.message.startswith("You assigned Ana")
    team = await api.ana.post("/teams", SaveTeam(name="Service", member_ids=[api.ana.user_id]), Team)
    await api.ana.put(path, Assign(team_id=team.id))
    seen = Assignee(user_id=api.ana.user_id)
    refusal = await api.jonas.refused("PUT", path, Assign(user_id=api.jonas.user_id, was=seen))
    assert "assigned Service a moment ago" in refusal.message
    await api.ana.put(path, Assign())
    refusal = await api.jonas.refused("PUT", path, Assign(user_id=api.jonas.user_id, was=seen))
    assert "gave this back a moment ago" in refusal.message


async def test_without_what_one_saw_the_last_one_wins(api: Api) -> None:
    path = f"/conversations/{await deliver(api.support)}/assignee"
    await api.ana.put(path, Assign(user_id=api.ana.user_id))
    assert (await api.jonas.put(path, Assign(user_id=api.jonas.user_id), ConversationItem)).row.assignee_id


async def test_two_who_want_the_same_do_not_collide(api: Api) -> None:
    path = f"/conversations/{await deliver(api.support)}/assignee"
    await api.ana.put(path, Assign(user_id=api.jonas.user_id, was=NOBODY))
    item = await api.jonas.put(path, Assign(user_id=api.jonas.user_id, was=NOBODY), ConversationItem)
    assert item.row.assignee_id == api.jonas.user_id
