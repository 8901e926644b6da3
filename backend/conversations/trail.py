"""The trail of a conversation: one grey line for each thing that was done with it."""

from backend.conversations.change import ConversationChange
from backend.conversations.contracts import Activity
from backend.conversations.rows import activity_of
from backend.database.connection import fetch_row


async def add_activity(
    change: ConversationChange, kind: str, *, subject_id: int | None = None, value: str = ""
) -> Activity:
    """Write the grey line that tells of a change."""
    record = await fetch_row(
        "INSERT INTO activities (conversation_id, kind, actor_id, subject_id, value, at) "
        "VALUES ($1, $2, $3, $4, $5, now()) RETURNING *",
        change.conversation_id,
        kind,
        change.act.actor_id,
        subject_id,
        value,
    )
    assert record is not None
    return activity_of(record)
