"""What those who were invited answer: it stands on the meeting from then on, whatever the mail that brought it says.

An answer is believed when it comes to the mailbox of the invitation, names its UID (which is known to those who have
the invitation), is the answer of somebody who was invited, and that very person is its sender, as far as their mail
servers can tell. Everything else stays a mail with a calendar file.
"""

import asyncio

from backend.conversations.change import changing
from backend.database.connection import execute, fetch, fetch_row, fetch_value
from backend.mail.raw import load_raw
from backend.meetings.mails import tell_meeting
from backend.meetings.queries import STANDING, believed
from sync.mime.authentication import disowned
from sync.mime.calendar import CalendarAnswer, read_answer
from sync.mime.parse import parse_message


async def take_meeting_answer(message_id: int) -> None:
    """Take down what a message answers to an invitation of ours. A job; the same again changes nothing."""
    record = await fetch_row("SELECT mailbox_id, raw_digest FROM messages WHERE id = $1", message_id)
    if record is None:
        return
    raw = await load_raw(record["raw_digest"])
    answer, sender = await asyncio.to_thread(_read, raw)
    if answer is None or sender != answer.attendee or disowned(raw, sender):
        return
    if not await believed(record["mailbox_id"], [(answer.uid, sender)]):
        return
    places = await fetch(
        "SELECT DISTINCT o.conversation_id, m.id FROM meetings m JOIN meeting_mails l ON l.meeting_id = m.id "
        f"JOIN outgoing o ON o.id = l.outgoing_id AND {STANDING} WHERE m.uid = $1 ORDER BY 1",
        answer.uid,
    )
    for place in places:
        async with changing(None, place["conversation_id"]) as change:
            if place is places[0] and not await _store(place["id"], answer):
                return
            await tell_meeting(change, place["id"])


def _read(raw: bytes) -> tuple[CalendarAnswer | None, str]:
    parsed = parse_message(raw)
    return read_answer(parsed), parsed.from_.address.lower() if parsed.from_ else ""


async def _store(meeting_id: int, answer: CalendarAnswer) -> bool:
    """Write it down, unless a newer one of the same person is there; whether that says something new."""
    await execute("SELECT 1 FROM meetings WHERE id = $1 FOR UPDATE", meeting_id)
    start, end = answer.proposed or (None, None)
    return bool(
        await fetch_value(
            "INSERT INTO meeting_answers AS a (meeting_id, address, answer, comment, sequence, stamped_at, "
            "proposed_start, proposed_end) VALUES ($1, $2, $3, $4, $5, $6, $7, $8) "
            "ON CONFLICT (meeting_id, address) DO UPDATE SET answer = excluded.answer, comment = excluded.comment, "
            "sequence = excluded.sequence, stamped_at = excluded.stamped_at, "
            "proposed_start = excluded.proposed_start, proposed_end = excluded.proposed_end "
            "WHERE (a.sequence, a.stamped_at) < (excluded.sequence, excluded.stamped_at) RETURNING id",
            meeting_id,
            answer.attendee,
            answer.answer,
            answer.comment,
            answer.sequence,
            answer.stamped_at,
            start,
            end,
        )
    )
