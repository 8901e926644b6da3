"""Whether a mail is still right: did somebody answer or write again meanwhile, may its writer still send it."""

from collections.abc import Sequence
from typing import NamedTuple

from backend.access.fetch import HANDLES
from backend.compose.actions.results import Words
from backend.compose.actions.transitions import Claim
from backend.compose.meanwhile import arrived_since, replies_since, sentence_of
from backend.database.connection import Row, fetch_row, fetch_value
from backend.outgoing_servers.queries import can_send


class Doubt(NamedTuple):
    """Why a person must look first, and what came meanwhile, if that is why."""

    words: Words
    came: Sequence[Row] = ()


async def reason_to_hold(held: Claim) -> Doubt | None:
    """What speaks against sending now, although it was allowed at Send."""
    record = await fetch_row("SELECT * FROM outgoing WHERE id = $1", held.outgoing_id)
    if record is None:
        return Doubt(Words("The mail is gone.", ""))
    if not await fetch_value(HANDLES, held.author_id, record["conversation_id"]):
        return Doubt(
            Words(
                "Its writer can no longer open this conversation.",
                "Whoever can open it decides: send it again in your own name, or take it back.",
            )
        )
    if not await can_send(held.mailbox_id):
        return Doubt(
            Words(
                "This mailbox is not connected to a mail account any more.",
                "Connect an account in the mailbox's settings, then send it again.",
            )
        )
    return await _overtaken(held, record) if record["sent_at"] is None else None


async def _overtaken(held: Claim, record: Row) -> Doubt | None:
    """Whether somebody was faster than a mail of which nobody has anything yet."""
    if record["kind"] == "forward":  # it answers nobody
        return None
    conversation_id = record["conversation_id"]
    replies = await replies_since(
        conversation_id, held.author_id, record["seen_outgoing"], record["seen_at"], ("sending", "sent", "unknown")
    )
    answers = record["kind"] in ("reply", "reply_all")
    arrived = await arrived_since(conversation_id, record["seen_arrival"]) if answers else []
    if not replies and not arrived:
        return None
    said = await sentence_of(replies, arrived, "while this mail was waiting")
    return Doubt(Words(said, "Read it, then send this one anyway, change it, or take it back."), [*replies, *arrived])
