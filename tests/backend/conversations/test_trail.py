"""The trail of a conversation: one line for each change that concerns the team, none for what is one person's own."""

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta

import pytest

from backend.conversations.contracts import (
    AddComment,
    AddPerson,
    Assign,
    ConversationDetail,
    ConversationPage,
    SetRead,
    SetReminder,
    SetStatus,
    SetVisibility,
)
from backend.people.contracts import SaveTeam, Team
from backend.tags.contracts import ChangeTags, SaveTag, Tag
from tests.servers.api import Api
from tests.servers.arriving import Arriving, message_id_of
from tests.servers.delivery import deliver, write_mail

Deed = Callable[[Api, str], Awaitable[object]]


async def tag_twice(api: Api, path: str) -> None:
    tag = await api.ana.post("/tags", SaveTag(name="Warranty"), Tag)
    for _ in range(2):
        await api.ana.put(f"{path}/tags", ChangeTags(add=[tag.id]))
    await api.ana.put(f"{path}/tags", ChangeTags(remove=[tag.id]))


async def give_to_a_team(api: Api, path: str) -> None:
    team = await api.ana.post("/teams", SaveTeam(name="Service", member_ids=[api.jonas.user_id]), Team)
    await api.ana.put(f"{path}/assignee", Assign(team_id=team.id))
    await api.ana.put(f"{path}/assignee", Assign())


async def twice(api: Api, path: str, what: str, body: object) -> None:
    """Asked for again, it is no change any more."""
    for _ in range(2):
        await api.ana.put(f"{path}/{what}", body)


async def add_twice(api: Api, path: str) -> None:
    for _ in range(2):
        await api.ana.post(f"{path}/people", AddPerson(user_id=api.jonas.user_id))


async def keep_to_oneself(api: Api, path: str) -> None:
    tomorrow = datetime.now(UTC) + timedelta(days=1)
    await api.ana.put(f"{path}/read", SetRead(read=True))
    await api.ana.put(f"{path}/read", SetRead(read=False))
    await api.ana.put(f"{path}/reminder", SetReminder(at=tomorrow, kind="snooze"))
    await api.ana.delete(f"{path}/reminder")
    await api.ana.post(f"{path}/comments", AddComment(text="It stands in the flow itself."))


PRIVATE = SetVisibility(visibility="private")
CHANGES: list[tuple[str, Deed, list[tuple[str, str]]]] = [
    ("assigned", lambda a, p: twice(a, p, "assignee", Assign(user_id=a.jonas.user_id)), [("assigned", "")]),
    ("given to a team and back", give_to_a_team, [("assigned_team", ""), ("unassigned", "")]),
    ("done", lambda a, p: twice(a, p, "status", SetStatus(status="done")), [("status", "done")]),
    (
        "private",
        lambda a, p: twice(a, p, "visibility", SetVisibility(visibility="private")),
        [("visibility", "private")],
    ),
    ("tagged", tag_twice, [("tagged", "Warranty"), ("untagged", "Warranty")]),
    ("a person added", add_twice, [("added", "")]),
    ("what is one's own", keep_to_oneself, []),
]


@pytest.mark.parametrize(("name", "deed", "lines"), CHANGES, ids=[name for name, _, _ in CHANGES])
async def test_each_change_leaves_one_line(api: Api, name: str, deed: Deed, lines: list[tuple[str, str]]) -> None:
    path = f"/conversations/{await deliver(api.support)}"
    await deed(api, path)
    detail = await api.jonas.get(path, ConversationDetail)
    assert [(each.kind, each.value) for each in detail.activities] == lines
    assert {each.actor_id for each in detail.activities} <= {api.ana.user_id}


async def test_what_mail_and_other_programs_do_is_told_as_nobody_s(api: Api) -> None:
    inbox = await Arriving.into(api.support)
    wheel = write_mail(subject="Wheel")
    uids = await inbox.deliver(wheel, write_mail(subject="Bell"))
    page = await api.ana.get(f"/mailboxes/{api.support}/conversations", ConversationPage)
    numbers = {item.row.subject: item.row.id for item in page.items}
    await api.ana.put(f"/conversations/{numbers['Wheel']}/status", SetStatus(status="done"))
    await inbox.deliver(write_mail(subject="Re: Wheel", answers=message_id_of(wheel)))
    await inbox.expunge(uids[1])
    expected = {
        "Wheel": [("status", api.ana.user_id, "done"), ("reopened", None, "")],
        "Bell": [("status", None, "trash")],
    }
    for subject, lines in expected.items():
        detail = await api.ana.get(f"/conversations/{numbers[subject]}", ConversationDetail)
        assert [(each.kind, each.actor_id, each.value) for each in detail.activities] == lines
