"""What came to a conversation since somebody wrote, or since their mail waits: other people's answers, and new mail.

Unscoped: callers have passed backend/access first.
"""

from collections.abc import Sequence
from datetime import datetime

import msgspec

from backend.compose.contracts import Came
from backend.database.connection import Row, fetch
from backend.mail.contracts import MailAddress

SNIPPET = 300
"""Characters of an answer that is shown as what came."""

_references = msgspec.json.Decoder(list[dict[str, int]])


async def replies_since(
    conversation_id: int, author_id: int, newest_seen: int, at: datetime, states: Sequence[str]
) -> Sequence[Row]:
    """Answers by others: newer mails of the outbox in one of these states, and what another mail program sent."""
    return await fetch(
        "SELECT author_id, NULL AS sender, subject, left(text, $6) AS snippet, coalesce(sent_at, created_at) AS at, "
        "id AS outgoing_id, (SELECT m.id FROM messages m WHERE m.conversation_id = $1 "
        "AND m.message_id = outgoing.message_id AND m.gone_at IS NULL LIMIT 1) AS message_id FROM outgoing "
        "WHERE conversation_id = $1 AND author_id <> $2 AND id > $3 AND state = ANY($5) "
        "UNION ALL SELECT NULL, m.sender, m.subject, m.snippet, m.date, NULL, m.id FROM messages m "
        "WHERE m.conversation_id = $1 "
        "AND m.direction = 'outgoing' AND m.author_id IS NULL AND m.stored_at > $4 "
        "AND m.date > $4::timestamptz - interval '5 minutes' AND m.gone_at IS NULL "
        "AND NOT EXISTS (SELECT 1 FROM outgoing o WHERE o.message_id = m.message_id) ORDER BY at",
        conversation_id,
        author_id,
        newest_seen,
        at,
        list(states),
        SNIPPET,
    )


async def arrived_since(conversation_id: int, newest_seen: int) -> Sequence[Row]:
    """Mail that arrived after that arrival."""
    return await fetch(
        "SELECT NULL::bigint AS author_id, sender, subject, snippet, date AS at, NULL::bigint AS outgoing_id, "
        "id AS message_id FROM messages WHERE conversation_id = $1 AND direction = 'incoming' AND arrival > $2 "
        "AND gone_at IS NULL ORDER BY arrival",
        conversation_id,
        newest_seen,
    )


async def sentence_of(replies: Sequence[Row], arrived: Sequence[Row], when: str) -> str:
    """Who was faster, in one sentence that ends in `when`."""
    if not replies:
        sender = came_of(arrived[-1]).sender
        return f"{(sender.name or sender.address) if sender else 'Somebody'} wrote again {when}."
    author_id = replies[-1]["author_id"]
    names = [row["name"] for row in await fetch("SELECT name FROM users WHERE id = $1", author_id)]
    return f"{names[0] if names else 'Somebody'} answered {when}."


def came_of(record: Row) -> Came:
    """A record of the queries above, as a contract."""
    return Came(
        message_id=record["message_id"],
        author_id=record["author_id"],
        sender=msgspec.json.decode(record["sender"], type=MailAddress) if record["sender"] else None,
        subject=record["subject"],
        snippet=record["snippet"].strip(),
        at=record["at"],
    )


def references_to(records: Sequence[Row]) -> str:
    """What to store of what came: where it is found, not what it says."""
    names = ("message_id", "outgoing_id")
    return msgspec.json.encode(
        [{name: record[name] for name in names if record[name] is not None} for record in records]
    ).decode()


async def came_to(held: Sequence[Row]) -> dict[int, list[Came]]:
    """What came before each of these held mails, as far as it still stands in their conversation."""
    found: dict[int, list[Came]] = {}
    for record in held:
        references = _references.decode(record["came"])
        if not references:
            continue
        records = await fetch(
            "SELECT m.author_id, m.sender, m.subject, m.snippet, m.date AS at, m.id AS message_id FROM messages m "
            "WHERE m.conversation_id = $1 AND m.gone_at IS NULL AND (m.id = ANY($2) OR m.message_id IN "
            "(SELECT message_id FROM outgoing WHERE id = ANY($3))) "
            "UNION ALL SELECT o.author_id, NULL, o.subject, left(o.text, $4), coalesce(o.sent_at, o.created_at), NULL "
            "FROM outgoing o WHERE o.conversation_id = $1 AND o.id = ANY($3) AND o.state <> 'cancelled' "
            "AND NOT EXISTS (SELECT 1 FROM messages m WHERE m.conversation_id = $1 AND m.message_id = o.message_id "
            "AND m.gone_at IS NULL) ORDER BY at",
            record["conversation_id"],
            [each["message_id"] for each in references if "message_id" in each],
            [each["outgoing_id"] for each in references if "outgoing_id" in each],
            SNIPPET,
        )
        found[record["id"]] = [came_of(each) for each in records]
    return found
