"""The trail of a conversation: one grey line for each thing that was done with it."""

from backend.conversations.change import ConversationChange
from backend.conversations.contracts import Activity
from backend.conversations.rows import activity_of
from backend.database.connection import fetch_row
from backend.events.record import Action


async def add_activity(
    change: ConversationChange, kind: str, *, subject_id: int | None = None, value: str = ""
) -> Activity:
    """Write the grey line that tells of a change."""
    return await add_line(change.act, change.conversation_id, kind, subject_id=subject_id, value=value)


async def add_line(
    act: Action, conversation_id: int, kind: str, *, subject_id: int | None = None, value: str = ""
) -> Activity:
    """The same for what is no change of one conversation alone."""
    record = await fetch_row(
        "INSERT INTO activities (conversation_id, kind, actor_id, subject_id, value, at) "
        "VALUES ($1, $2, $3, $4, $5, now()) RETURNING *",
        conversation_id,
        kind,
        act.actor_id,
        subject_id,
        value,
    )
    assert record is not None
    return activity_of(record)
