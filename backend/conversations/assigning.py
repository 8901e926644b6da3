"""Two people assign a conversation at the same time: the first one wins, and the second one is told who."""

from backend.access.asker import Asker
from backend.database.connection import fetch_row
from backend.errors import Conflict


class AssignedMeanwhile(Conflict):
    """Somebody else assigned it. `details` say to whom (`user_id`, `team_id`), by whom (`by_id`) and when."""

    code = "assigned_meanwhile"


async def assigned_meanwhile(asker: Asker, conversation_id: int) -> AssignedMeanwhile:
    """Who was faster, as the refusal of whoever comes second."""
    record = await fetch_row(
        "SELECT c.assignee_id, c.assigned_team_id, coalesce(u.name, t.name, '') AS name, a.actor_id, a.at, "
        "coalesce(b.name, '') AS by, coalesce(now() - a.at < interval '1 minute', false) AS just_now "
        "FROM conversations c LEFT JOIN users u ON u.id = c.assignee_id LEFT JOIN teams t ON t.id = c.assigned_team_id "
        "LEFT JOIN LATERAL (SELECT actor_id, at FROM activities WHERE conversation_id = c.id "
        "AND kind IN ('assigned', 'assigned_in_turn', 'assigned_team', 'unassigned') "
        "ORDER BY id DESC LIMIT 1) a ON true "
        "LEFT JOIN users b ON b.id = a.actor_id WHERE c.id = $1",
        conversation_id,
    )
    assert record is not None
    by = "You" if record["actor_id"] == asker.user_id else record["by"] or "Tandem"
    when = "a moment ago" if record["just_now"] else "meanwhile"
    if not record["name"]:
        said = f"{by} gave this back {when}."
    elif record["assignee_id"] is not None and record["assignee_id"] == record["actor_id"]:
        said = f"{by} took this {when}."
    else:
        said = f"{by} assigned {record['name']} {when}."
    return AssignedMeanwhile(
        said,
        "Leave it so, or assign it anyway.",
        user_id=record["assignee_id"],
        team_id=record["assigned_team_id"],
        by_id=record["actor_id"],
        at=record["at"].isoformat() if record["at"] else None,
    )
