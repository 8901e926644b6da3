"""How what is told of a meeting goes from a draft to the mails that it becomes, and back.

Each runs inside the action that sends the draft, or takes the mails back.
"""

from collections.abc import Sequence

import msgspec

from backend.conversations.change import ConversationChange
from backend.conversations.contracts import MeetingChanged, MeetingGone
from backend.database.connection import execute, fetch_value
from backend.errors import Conflict
from backend.meetings.queries import Planned, find_meeting, planned_in


async def bind_meeting(
    change: ConversationChange, draft_id: int, plan: Planned | None, uid: str | None, outgoing_ids: Sequence[int]
) -> None:
    """The draft is sent: each of these mails tells of the meeting, as it was `planned_in` it when they were built.

    Raises Conflict when that has changed since.
    """
    if await planned_in(draft_id) != plan:
        raise Conflict("The meeting was changed at this moment.", "Look at it, and send again.")
    if plan is None:
        return
    await execute("UPDATE meetings SET uid = coalesce(uid, $2) WHERE id = $1", plan.meeting_id, uid)
    await execute(
        "INSERT INTO meeting_mails (meeting_id, outgoing_id, method, sequence, details) "
        "SELECT $1, id, $3, $4, $5 FROM unnest($2::bigint[]) AS t(id)",
        plan.meeting_id,
        list(outgoing_ids),
        plan.method,
        plan.sequence,
        msgspec.json.encode(plan.details).decode(),
    )
    await tell_meeting(change, plan.meeting_id)


async def release_meeting(outgoing_id: int, draft_id: int | None, change: ConversationChange | None) -> None:
    """A mail is a draft again, which tells of the same meeting; or it was given up (None). Without `change` its
    conversation is about to be deleted, with all mails that tell of it: nobody was ever told."""
    meeting_id = await fetch_value("SELECT meeting_id FROM meeting_mails WHERE outgoing_id = $1", outgoing_id)
    if meeting_id is None:
        return
    if draft_id is not None:
        await execute(
            "INSERT INTO meeting_mails (meeting_id, draft_id, method, sequence, details) "
            "SELECT meeting_id, $2, method, 0, details FROM meeting_mails WHERE outgoing_id = $1",
            outgoing_id,
            draft_id,
        )
    if change is None:
        await execute("UPDATE meetings SET uid = NULL WHERE id = $1", meeting_id)
    else:
        await tell_meeting(change, meeting_id)


async def tell_meeting(change: ConversationChange, meeting_id: int) -> None:
    """What a meeting now is, or that no mail of the conversation tells of it any more."""
    meeting = await find_meeting(change.conversation_id, meeting_id)
    if meeting is None:
        gone = MeetingGone(conversation_id=change.conversation_id, meeting_id=meeting_id)
        change.tell(lambda row: gone)
    else:
        change.tell(lambda row: MeetingChanged(row=row, meeting=meeting))
