"""The steps of transitions.py and results.py that every mail takes, for many mails in one transaction each.

A mail is taken along where nothing about it is out of the ordinary; each function answers with those that it took, and
the others go one by one through the step of the same name. What is said there of the order of things, and of the
fence, holds here for each mail.
"""

from collections.abc import Mapping, Sequence
from datetime import timedelta

from backend.compose.actions.results import file_copies
from backend.compose.actions.transitions import DUE, SIZE, Claim, claim_of
from backend.compose.queries import read_outgoings
from backend.conversations.change_many import ManyChanges, changing_many
from backend.conversations.contracts import MessageAdded, OutgoingChanged
from backend.conversations.wishes import wish_answered
from backend.database.connection import Row, execute, fetch
from backend.mail.queries import message_of
from backend.mail.sent import store_sent_messages

DOUBTLESS = """
    SELECT o.id FROM outgoing o JOIN conversations c ON c.id = o.conversation_id
      JOIN mailbox_readers r ON r.mailbox_id = c.mailbox_id AND r.user_id = o.author_id
     WHERE o.id = ANY($1) AND c.joined_into IS NULL AND c.visibility <> 'confidential'
       AND server_of(o.mailbox_id) IS NOT NULL
       AND (o.kind = 'forward' OR NOT EXISTS (SELECT 1 FROM outgoing other WHERE other.conversation_id = c.id
                    AND other.author_id <> o.author_id AND other.id > o.seen_outgoing))
       AND (o.kind = 'forward' OR NOT EXISTS (SELECT 1 FROM messages m WHERE m.conversation_id = c.id
                    AND (m.arrival > o.seen_arrival OR (m.direction = 'outgoing' AND m.author_id IS NULL))))
"""
"""SQL: of these mails, those about which `reason_to_hold` (outdated.py) surely finds nothing."""


async def claim(outgoing_ids: Sequence[int], lasting: timedelta) -> dict[int, Claim | None]:
    """Take those that are due and free; None for those that are not, or that somebody holds at this moment."""
    records = await fetch(
        "UPDATE outgoing SET state = 'queued', attempts = attempts + 1, fence = fence + 1, "
        "claimed_until = clock_timestamp() + $2 WHERE id IN (SELECT id FROM outgoing "
        f"WHERE id = ANY($1) AND {DUE} ORDER BY id FOR UPDATE SKIP LOCKED) RETURNING *, {SIZE}, "
        "ARRAY(SELECT address FROM outgoing_recipients r WHERE r.outgoing_id = outgoing.id "
        "AND r.state = 'pending' ORDER BY r.id) AS pending",
        list(outgoing_ids),
        lasting,
    )
    taken = {record["id"]: claim_of(record, record["pending"]) for record in records}
    return {number: taken.get(number) for number in outgoing_ids}


async def doubtless(held: Sequence[Claim]) -> dict[Claim, None]:
    """Those that may leave, as far as one look at all of them can tell."""
    records = await fetch(DOUBTLESS, [each.outgoing_id for each in held])
    found = {record["id"] for record in records}
    return {each: None for each in held if each.outgoing_id in found}


async def begin_sending(held: Sequence[Claim]) -> dict[Claim, bool]:
    """The last step before DATA, for those that are still ours to send."""
    wanted = _one_each(held)
    async with changing_many(wanted) as changes:
        ours = {number: each for number, each in wanted.items() if number in changes.before}
        records = await fetch(
            "UPDATE outgoing SET state = 'sending', reason = '', remedy = '', server_words = '' "
            "FROM (SELECT o.id FROM outgoing o JOIN unnest($1::bigint[], $2::bigint[], $3::bigint[]) "
            "AS t(id, fence, place) ON o.id = t.id AND o.fence = t.fence AND o.conversation_id = t.place "
            "WHERE o.state = 'queued' ORDER BY o.id FOR UPDATE OF o) taken "
            "WHERE outgoing.id = taken.id RETURNING outgoing.*",
            [each.outgoing_id for each in ours.values()],
            [each.fence for each in ours.values()],
            list(ours),
        )
        told = {each.id: each for each in await read_outgoings(records)}
        for each in ours.values():
            if (outgoing := told.get(each.outgoing_id)) is not None:
                changes.tell(
                    each.conversation_id,
                    each.author_id,
                    lambda row, outgoing=outgoing: OutgoingChanged(row=row, outgoing=outgoing),
                )
    return {each: True for each in ours.values() if each.outgoing_id in told}


async def record_acceptance(held: Sequence[Claim]) -> dict[Claim, bool]:
    """The server has taken each of these mails, for all to whom it was still to go.

    Those are left out after which something else happens (the conversation is done, somebody is reminded, a follower
    is told), and those that some recipients have already.
    """
    wanted = _one_each(held)
    async with changing_many(wanted, threading=True) as changes:
        records = await fetch(
            "SELECT o.* FROM outgoing o JOIN conversations c ON c.id = o.conversation_id WHERE o.id = ANY($1) "
            "AND o.conversation_id = ANY($2) AND o.mailbox_id = c.mailbox_id AND o.state <> 'sent' "
            "AND o.sent_at IS NULL AND o.sent_copy = 'none' AND NOT o.then_done AND o.then_remind_at IS NULL "
            "AND c.follower_ids <@ ARRAY[o.author_id] ORDER BY o.id FOR UPDATE OF o",
            [each.outgoing_id for each in wanted.values()],
            list(changes.before),
        )
        stored = await store_sent_messages(changes.act, records)
        numbers = [record["id"] for record in records]
        await execute(
            "UPDATE outgoing_recipients SET state = 'accepted', reason = '' WHERE outgoing_id = ANY($1) "
            "AND state = 'pending'",
            numbers,
        )
        sent = await fetch(
            "UPDATE outgoing SET state = 'sent', sent_at = now(), claimed_until = NULL, next_attempt_at = NULL, "
            "reason = '', remedy = '', server_words = '', sent_copy = 'waiting' WHERE id = ANY($1) RETURNING *",
            numbers,
        )
        await file_copies({record["mailbox_id"] for record in records})
        await _tell(changes, sent, stored)
    taken = set(numbers)
    return {each: True for each in wanted.values() if each.outgoing_id in taken}


async def _tell(changes: ManyChanges, sent: Sequence[Row], stored: Mapping[int, Row]) -> None:
    for outgoing in await read_outgoings(sent):
        author_id, place = outgoing.author_id, outgoing.conversation_id
        if (record := stored.get(outgoing.id)) is not None:
            changes.let_follow(place, author_id)
            changes.tell(place, author_id, lambda row, record=record: MessageAdded(row=row, message=message_of(record)))
        changes.tell(place, author_id, lambda row, told=outgoing: OutgoingChanged(row=row, outgoing=told))
    for record in sent:
        if record["answers_id"] and record["kind"] in ("reply", "reply_all"):
            await wish_answered(record["answers_id"])


def _one_each(held: Sequence[Claim]) -> dict[int, Claim]:
    """By conversation: two changes of the same one come one after the other."""
    return {each.conversation_id: each for each in reversed(held)}
