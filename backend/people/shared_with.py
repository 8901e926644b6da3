"""What one person makes and shares: with nobody, with one team, or with everybody."""

from backend.access.asker import Asker
from backend.database.connection import fetch_value
from backend.people.checks import refuse


def uses(row: str) -> str:
    """SQL: the row of this name is the person's (`$1`) own, or shared with them."""
    return (
        f"({row}.maker_id = $1 OR {row}.shared = 'everybody' OR ({row}.shared = 'team' AND EXISTS "
        f"(SELECT 1 FROM team_members of_team WHERE of_team.team_id = {row}.team_id AND of_team.user_id = $1)))"
    )


async def check_own_team(asker: Asker, shared: str, team_id: int | None) -> None:
    """Raises Unacceptable for sharing with a team that the person is not in."""
    if shared == "team" and not await fetch_value(
        "SELECT 1 FROM team_members WHERE team_id = $1 AND user_id = $2", team_id or 0, asker.user_id
    ):
        raise refuse("team_id", "You are not in this team.", "Choose one of your teams.")
