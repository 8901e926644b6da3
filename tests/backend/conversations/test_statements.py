"""What people wait for asks the database little: the statements of an action are counted."""

import asyncpg
import msgspec
import pytest

from backend.conversations.contracts import Assign, ConversationItem, SetStatus
from backend.database.connection import connection
from tests.servers.api import Api
from tests.servers.delivery import deliver


@pytest.mark.parametrize(
    ("what", "most"), [("status", 14), ("assignee", 12)], ids=["done, with a wish and its job", "assigned"]
)
async def test_an_action_takes_few_statements(api: Api, what: str, most: int) -> None:
    people = await api.ana.get("/me")
    body: msgspec.Struct = SetStatus(status="done") if what == "status" else Assign(user_id=people["person"]["id"])
    first, second = [await deliver(api.support) for _ in range(2)]
    await api.ana.put(f"/conversations/{first}/{what}", body, ConversationItem)  # asks for the plans
    asked: list[str] = []

    def note(record: asyncpg.connection.LoggedQuery) -> None:
        asked.append(" ".join(record.query.split())[:60])

    async with connection() as current:
        current.add_query_logger(note)
    try:
        await api.ana.put(f"/conversations/{second}/{what}", body, ConversationItem)
    finally:
        async with connection() as current:
            current.remove_query_logger(note)
    begun = asked.index("BEGIN;")
    own = asked[begun : asked.index("COMMIT;") + 1]
    assert len(own) <= most, own
    assert not [each for each in asked if each.startswith("WITH RECURSIVE typeinfo")]
