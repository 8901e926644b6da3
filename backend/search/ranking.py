"""The newest of what was found, in the order of how well it fits."""

import base64
from collections.abc import Awaitable, Callable, Sequence
from datetime import UTC, datetime

from backend.contracts import StreamPosition
from backend.conversations.contracts import ConversationItem, ConversationPage
from backend.conversations.queries import item_of
from backend.database.connection import Row, fetch
from backend.errors import BadRequest
from backend.search.compile import Plan
from backend.search.words import SHOWN, WORDS

RANKED = 200
"""Conversations, the newest, that are put into order: to rank all hits of a word takes as long as to read them all."""
HALF_AS_MUCH = 180.0
"""Days after which a hit counts half."""

_SCORES = f"""
    SELECT m.conversation_id,
           max(ts_rank('{{0.2, 0.3, 0.6, 1.0}}', coalesce(d.search, {WORDS}), $2::text::tsquery)) AS score
      FROM messages m LEFT JOIN message_words d ON d.message_id = m.id
     WHERE m.conversation_id = ANY($1) AND {SHOWN} GROUP BY 1
"""


async def rank(
    plan: Plan,
    cursor: str | None,
    page: int,
    at: list[StreamPosition],
    newest: Callable[[int], Awaitable[Sequence[Row]]],
) -> ConversationPage:
    """One page in that order. Raises BadRequest for a text that is no cursor of it."""
    first = _place(cursor)
    items = [item_of(record) for record in await newest(RANKED)]
    query = " | ".join(f"({words.query})" for words in plan.words)
    scores = {
        record["conversation_id"]: record["score"]
        for record in await fetch(_SCORES, [item.row.id for item in items], query)
    }
    now = datetime.now(UTC)

    def fits(item: ConversationItem) -> float:
        days = max(0.0, (now - item.row.last_at).total_seconds() / 86_400)
        return scores.get(item.row.id, 0.0) / (1 + days / HALF_AS_MUCH)

    ordered = sorted(items, key=fits, reverse=True)
    beyond = first + page
    more = base64.urlsafe_b64encode(f"ranked|{beyond}".encode()).decode() if len(ordered) > beyond else None
    return ConversationPage(items=ordered[first:beyond], next_cursor=more, positions=at)


def _place(cursor: str | None) -> int:
    if not cursor:
        return 0
    try:
        kind, _, number = base64.urlsafe_b64decode(cursor.encode()).decode().partition("|")
        if kind != "ranked" or not number.isdecimal() or int(number) > RANKED:
            raise ValueError("another cursor")
        return int(number)
    except ValueError as fault:
        raise BadRequest("This cursor is not one of ours.", "Start from the first page.") from fault
