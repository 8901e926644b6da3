"""Links from a comment to other conversations: `#123` in its text, and which numbers are meant so.

What a link leads to is told to each reader apart, and only to those who see it: a comment and its events hold the
number alone.
"""

from collections.abc import Collection

from backend.access.asker import Asker
from backend.access.fetch import SEES
from backend.conversations.contracts import LinkedConversation
from backend.database.connection import fetch
from backend.errors import Unacceptable

MOST_LINKS = 50
"""Conversations that one comment links to."""
MOST_ASKED = 500
"""Conversations that are looked up at once."""


def checked_links(link_ids: Collection[int]) -> list[int]:
    """These numbers, each once. Raises Unacceptable for more than a comment holds."""
    if len(link_ids) > MOST_LINKS:
        raise Unacceptable(f"A comment links to {MOST_LINKS} conversations at most.", "Write several comments.")
    return sorted(number for number in set(link_ids) if 0 < number < 2**63)


async def linked_conversations(asker: Asker, ids: Collection[int]) -> list[LinkedConversation]:
    """Those of these conversations that the person sees; one that was joined into another is found there."""
    wanted = checked_lookup(ids)
    if not wanted:
        return []
    records = await fetch(
        "SELECT named.id AS link_id, c.id, c.mailbox_id, c.subject, c.status FROM conversations named "
        "JOIN conversations c ON c.id = coalesce(named.joined_into, named.id) "
        f"WHERE named.id = ANY($2) AND NOT c.hidden AND {SEES.format(user='$1')} ORDER BY named.id",
        asker.user_id,
        wanted,
    )
    return [
        LinkedConversation(
            id=record["link_id"],
            conversation_id=record["id"],
            mailbox_id=record["mailbox_id"],
            subject=record["subject"],
            status=record["status"],
        )
        for record in records
    ]


def checked_lookup(ids: Collection[int]) -> list[int]:
    return sorted(number for number in set(ids) if 0 < number < 2**63)[:MOST_ASKED]
