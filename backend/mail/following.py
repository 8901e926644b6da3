"""The status of conversations follows where their mail stands on the server.

The rule itself is pure (backend/mail/standing.py); this is what it is told, and what becomes of its answer. Everything
runs inside the caller's action, which holds the mailbox's threads.
"""

from collections import defaultdict
from collections.abc import AsyncIterator, Collection
from contextlib import asynccontextmanager

from backend.conversations.actions import add_activity
from backend.conversations.change import changing
from backend.conversations.contracts import ConversationChanged, Status
from backend.database.connection import execute, fetch
from backend.mail.intents import open_kinds
from backend.mail.moved import OWN_FOLDER
from backend.mail.places import Where, where
from backend.mail.standing import Standing, follows, standing

STANDS = (
    "(NOT p.flags ? '\\Deleted' OR NOT EXISTS (SELECT 1 FROM placements other "
    "WHERE other.message_id = p.message_id AND NOT other.flags ? '\\Deleted'))"
)
"""SQL: the placement `p` counts. Programs without MOVE copy a message and mark the one left behind as deleted."""


@asynccontextmanager
async def status_follows(conversation_ids: Collection[int], *, moved: bool) -> AsyncIterator[None]:
    """What is placed or removed in this block may change the status of these conversations (`standing.follows`).

    `moved`: known messages are placed or removed; else new ones join.
    """
    before = await _standings(conversation_ids)
    yield
    after = await _standings(conversation_ids)
    changed = [each for each in sorted(set(before) | set(after)) if before.get(each) != after.get(each)]
    if not changed:
        return
    # Held before it is asked what people wish: one who acts in this moment is either seen, or comes after.
    held = await fetch(
        "SELECT id, status FROM conversations WHERE id = ANY($1) AND joined_into IS NULL ORDER BY id FOR UPDATE",
        changed,
    )
    by_person, wished = await _given_here(changed), await wished_kinds(changed)
    for record in held:
        conversation_id, status = record["id"], record["status"]
        follow = follows(
            before.get(conversation_id),
            after.get(conversation_id),
            status,
            by_person=conversation_id in by_person,
            moved=moved,
            wished=wished[conversation_id],
        )
        if follow != status:
            await _set_status(conversation_id, follow)


async def _set_status(conversation_id: int, status: Status) -> None:
    async with changing(None, conversation_id) as change:
        await execute("UPDATE conversations SET status = $2 WHERE id = $1", conversation_id, status)
        activity = await add_activity(change, "status", value=status)
        change.tell(lambda row: ConversationChanged(row=row, activity=activity))


async def _standings(conversation_ids: Collection[int]) -> dict[int, Standing]:
    places: dict[int, set[Where]] = defaultdict(set)
    if conversation_ids:
        for record in await fetch(
            "SELECT DISTINCT m.conversation_id, f.id, f.role, f.name, "
            "CASE WHEN m.moved_from IS NULL THEN m.stood_in ELSE '' END AS stood_in FROM messages m "
            f"LEFT JOIN placements p ON p.message_id = m.id AND {STANDS} LEFT JOIN folders f ON f.id = p.folder_id "
            f"AND {OWN_FOLDER} "
            "WHERE m.conversation_id = ANY($1) AND m.direction = 'incoming' AND m.gone_at IS NULL",
            list(conversation_ids),
        ):
            if record["id"] is not None:
                places[record["conversation_id"]].add(where(record["role"], record["name"]))
            if record["stood_in"]:
                places[record["conversation_id"]].add(record["stood_in"])
    return {conversation_id: standing(found) for conversation_id, found in places.items()}


async def _given_here(conversation_ids: Collection[int]) -> set[int]:
    records = await fetch(
        "SELECT DISTINCT conversation_id FROM activities WHERE conversation_id = ANY($1) AND kind = 'status' "
        "AND actor_id IS NOT NULL",
        list(conversation_ids),
    )
    return {record["conversation_id"] for record in records}


async def wished_kinds(conversation_ids: Collection[int]) -> dict[int, set[str]]:
    """The kinds of open wishes about the messages of each conversation."""
    records = await fetch(
        "SELECT id, conversation_id FROM messages WHERE conversation_id = ANY($1) AND gone_at IS NULL",
        list(conversation_ids),
    )
    kinds = await open_kinds([record["id"] for record in records])
    found: dict[int, set[str]] = defaultdict(set)
    for record in records:
        found[record["conversation_id"]] |= kinds.get(record["id"], set())
    return found
