"""What senders meet at an outgoing server, for its admins: told when it changes, and now and then, not with every
mail."""

import time

from backend.outgoing_servers.actions import failing, report_health, well
from sync.types import Problem

AGAIN_SECONDS = 30.0
"""What is so still is told again after this: another worker may have said something else meanwhile."""


class HealthReports:
    """One process's reports."""

    def __init__(self) -> None:
        self._told: dict[int, tuple[str, float]] = {}

    async def success(self, server_id: int) -> None:
        """A mail was taken."""
        if self._is_news(server_id, "well"):
            await report_health(server_id, well())

    async def failure(self, server_id: int, problem: Problem) -> None:
        """It could not be reached, or does not let us in."""
        if self._is_news(server_id, problem.code):
            await report_health(server_id, failing(problem.sentence, problem.remedy, problem.server_words))

    def _is_news(self, server_id: int, code: str) -> bool:
        before, at = self._told.get(server_id, ("", 0.0))
        now = time.monotonic()
        if before == code and now - at < AGAIN_SECONDS:
            return False
        self._told[server_id] = (code, now)
        return True
