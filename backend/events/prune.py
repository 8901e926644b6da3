"""Events are kept for two weeks: long enough for a laptop that was on holiday; whoever was away longer gets `reset`."""

from datetime import timedelta

from backend.database.connection import fetch
from backend.events.record import action

KEPT = timedelta(days=14)


async def prune_events(kept: timedelta = KEPT) -> int:
    """Delete the events of each stream that are older; answers how many. What was deleted stays known by number."""
    async with action(None):
        rows = await fetch(
            "WITH old AS (DELETE FROM events WHERE at < now() - $1::interval RETURNING stream, position), "
            "newest AS (SELECT stream, max(position) AS position, count(*) AS number FROM old GROUP BY stream), "
            "marked AS (UPDATE streams SET pruned_to = greatest(pruned_to, newest.position) FROM newest "
            "WHERE key = newest.stream) SELECT coalesce(sum(number), 0) AS number FROM newest",
            kept,
        )
        return int(rows[0]["number"])
