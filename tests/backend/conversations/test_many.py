"""One change to many conversations: each as if it had been asked for alone, and each answered for."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from backend.conversations.contracts import (
    ConversationDetail,
    ConversationPage,
    ManyChanged,
    SetStatus,
    SetVisibility,
)
from backend.database.connection import fetch, fetch_value
from backend.tags.contracts import SaveTag, Tag
from tests.servers.api import Api, Member
from tests.servers.delivery import deliver, write_mail

TOMORROW = (datetime.now(UTC) + timedelta(days=1)).replace(microsecond=0)


async def change(person: Member, ids: list[int], what: str, **fields: Any) -> ManyChanged:
    body = {"ids": ids, "change": {"type": what} | fields}
    return await person.post("/conversations/many", body, ManyChanged)


async def detail(person: Member, conversation_id: int) -> ConversationDetail:
    return await person.get(f"/conversations/{conversation_id}", ConversationDetail)


async def three(api: Api) -> list[int]:
    return [await deliver(api.support, write_mail(subject=f"Mail {number}")) for number in range(3)]


async def test_each_is_changed_as_if_alone(api: Api) -> None:
    ids = await three(api)
    tag = await api.ana.post("/tags", SaveTag(name="Warranty"), Tag)
    await change(api.ana, ids, "assignee", user_id=api.jonas.user_id)
    await change(api.ana, ids, "tags", add=[tag.id])
    await change(api.ana, ids, "visibility", visibility="private")
    await change(api.ana, ids, "reminder", at=TOMORROW, kind="snooze")
    answer = await change(api.ana, ids, "status", status="done")
    assert [item.row.id for item in answer.items] == ids and answer.refused == []
    for item in answer.items:
        row = item.row
        assert (row.status, row.visibility, row.assignee_id) == ("done", "private", api.jonas.user_id)
        assert row.tag_ids == [tag.id] and item.mark.reminder is not None
        told = [activity.kind for activity in (await detail(api.ana, row.id)).activities]
        assert told == ["assigned", "tagged", "visibility", "status"]
    notices = await fetch("SELECT kind FROM notifications WHERE user_id = $1", api.jonas.user_id)
    assert [record["kind"] for record in notices] == ["assignment"] * 3
    cleared = await change(api.ana, ids, "clear_reminder")
    assert [item.mark.reminder for item in cleared.items] == [None] * 3


async def test_read_and_unread_are_mine_alone(api: Api) -> None:
    ids = await three(api)
    await change(api.ana, ids, "read", read=True)
    assert [await fetch_value("SELECT count(*) FROM read_marks WHERE user_id = $1", each.user_id) for each in
            (api.ana, api.jonas)] == [3, 0]  # fmt: skip
    unread = await change(api.ana, ids[:2], "read", read=False)
    assert [item.mark.forced_unread for item in unread.items] == [True, True]


async def test_what_one_may_not_change_is_told_and_the_others_are_changed(api: Api) -> None:
    ids = await three(api)
    await api.ana.put(f"/conversations/{ids[1]}/visibility", SetVisibility(visibility="confidential"))
    hers = await deliver(api.toms_mailbox)
    answer = await change(api.jonas, [*ids, hers, 999_999], "status", status="trash")
    assert [item.row.id for item in answer.items] == [ids[0], ids[2]]
    assert [each.conversation_id for each in answer.refused] == [ids[1], hers, 999_999]
    # What is out of sight and what does not exist look the same.
    assert {(each.error, each.message) for each in answer.refused} == {("not_found", "There is no such conversation.")}
    assert (await detail(api.ana, ids[1])).row.status == "open"
    assert await fetch_value("SELECT status FROM conversations WHERE id = $1", hers) == "open"


async def test_a_refusal_says_why_and_undoes_nothing_else(api: Api) -> None:
    ids = await three(api)
    answer = await change(api.ana, ids, "assignee", user_id=api.mallory.user_id)
    assert answer.items == []
    assert {each.message for each in answer.refused} == {"That person cannot open this mailbox."}
    personal = await deliver(api.toms_mailbox)
    mixed = await change(api.tom, [*ids, personal], "assignee", user_id=api.tom.user_id)
    assert [item.row.id for item in mixed.items] == [personal] and len(mixed.refused) == 3


async def test_who_sees_none_of_them_changes_nothing(api: Api) -> None:
    ids = await three(api)
    for what, fields in (
        ("status", {"status": "trash"}),
        ("read", {"read": True}),
        ("visibility", {"visibility": "confidential"}),
        ("reminder", {"at": TOMORROW}),
        ("clear_reminder", {}),
        ("tags", {"remove": [1]}),
        ("assignee", {"user_id": api.mallory.user_id}),
    ):
        answer = await change(api.mallory, ids, what, **fields)
        assert answer.items == [] and [each.error for each in answer.refused] == ["not_found"] * 3
    assert await fetch_value("SELECT count(*) FROM activities") == 0
    assert await fetch_value("SELECT count(*) FROM read_marks WHERE user_id = $1", api.mallory.user_id) == 0


async def test_the_same_one_twice_is_changed_once(api: Api) -> None:
    number = await deliver(api.support)
    answer = await change(api.ana, [number, number], "status", status="done")
    assert len(answer.items) == 1
    assert await fetch_value("SELECT count(*) FROM activities WHERE kind = 'status'") == 1


async def test_they_can_be_restored_together(api: Api) -> None:
    ids = await three(api)
    for status in ("trash", "done"):
        await change(api.ana, ids, "status", status=status)
        page = await api.jonas.get(f"/mailboxes/{api.support}/conversations", ConversationPage, view=status)
        assert sorted(item.row.id for item in page.items) == ids
        await change(api.jonas, ids, "status", status="open")
        page = await api.ana.get(f"/mailboxes/{api.support}/conversations", ConversationPage)
        assert sorted(item.row.id for item in page.items) == ids


@pytest.mark.parametrize(
    "body",
    [
        {"ids": [], "change": {"type": "status", "status": "done"}},
        {"ids": list(range(1, 202)), "change": {"type": "status", "status": "done"}},
        {"ids": [1], "change": {"type": "status", "status": "done", "read": True}},
        {"ids": [1], "change": {"type": "blown_away"}},
        {"ids": [1], "change": SetStatus(status="done")},
    ],
    ids=["none", "too many", "two changes", "no such change", "unnamed"],
)
async def test_a_request_that_says_something_else_is_refused(api: Api, body: dict[str, Any]) -> None:
    assert (await api.ana.refused("POST", "/conversations/many", body)).status in (400, 422)
