"""Whether a mail is still right: did somebody answer meanwhile, may its writer still send it."""

from collections.abc import Sequence
from datetime import datetime

from backend.compose.actions.results import Words
from backend.compose.actions.transitions import Claim
from backend.database.connection import Row, fetch, fetch_row, fetch_value
from backend.mail.intake import can_send


async def reason_to_hold(held: Claim) -> Words | None:
    """What speaks against sending now, although it was allowed at Send."""
    record = await fetch_row("SELECT * FROM outgoing WHERE id = $1", held.outgoing_id)
    if record is None:
        return Words("The mail is gone.", "")
    sees = await fetch_value("SELECT sees($1, $2)", held.author_id, record["conversation_id"])
    if not sees:
        return Words(
            "Its writer can no longer open this conversation.",
            "Whoever can open it decides: send it again in your own name, or take it back.",
        )
    if not await can_send(held.mailbox_id):
        return Words(
            "This mailbox is not connected to a mail account any more.",
            "Connect an account in the mailbox's settings, then send it again.",
        )
    if record["sent_at"] is None and await replies_since(
        record["conversation_id"],
        held.author_id,
        record["seen_outgoing"],
        record["seen_at"],
        ("sending", "sent", "unknown"),
    ):
        return Words(
            "Somebody else answered while this mail was waiting.",
            "Read their answer, then send this one too, or take it back.",
        )
    return None


async def replies_since(
    conversation_id: int, author_id: int, newest_seen: int, at: datetime, states: Sequence[str]
) -> Sequence[Row]:
    """Answers by others: newer mails of the outbox in one of these states, and what another mail program sent."""
    return await fetch(
        "SELECT author_id, subject, coalesce(sent_at, created_at) AS at FROM outgoing "
        "WHERE conversation_id = $1 AND author_id <> $2 AND id > $3 AND state = ANY($5) "
        "UNION ALL SELECT NULL, m.subject, m.date FROM messages m WHERE m.conversation_id = $1 "
        "AND m.direction = 'outgoing' AND m.author_id IS NULL AND m.stored_at > $4 "
        "AND m.date > $4::timestamptz - interval '5 minutes' AND m.gone_at IS NULL "
        "AND NOT EXISTS (SELECT 1 FROM outgoing o WHERE o.message_id = m.message_id) ORDER BY at",
        conversation_id,
        author_id,
        newest_seen,
        at,
        list(states),
    )
