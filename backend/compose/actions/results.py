"""What came of an attempt, written down: accepted, to be tried later, refused, held, or not known.

The states and the reasons are told at the top of transitions.py. Each function answers whether the mail was still in a
state in which this result counts.
"""

from collections.abc import Collection, Mapping, Sequence
from datetime import timedelta
from typing import NamedTuple

from backend.compose.actions.transitions import Claim, lock_outgoing, transition, updated
from backend.compose.meanwhile import references_to
from backend.conversations.actions import close_after_sending
from backend.conversations.change import ConversationChange
from backend.conversations.contracts import SetReminder
from backend.conversations.reminders import remind
from backend.conversations.wishes import wish_answered
from backend.database.connection import Row, execute, fetch, fetch_value
from backend.jobs import enqueue, enqueue_unless_waiting
from backend.mail.actions import store_sent_message
from backend.notifications.actions import notify

WAITS = (
    timedelta(seconds=30),
    timedelta(minutes=2),
    timedelta(minutes=10),
    timedelta(minutes=30),
    timedelta(hours=1),
    timedelta(hours=2),
)
"""After the first, second... failed attempt; then every LAST_WAIT."""
LAST_WAIT = timedelta(hours=4)
MOST_ATTEMPTS = 17
"""About two days. Then the mail has failed, and its author is told."""
LONG_WAIT_FROM = 2
"""What only a person can mend (a wrong password) is tried again from this place in WAITS: servers lock accounts."""
GATHERED = timedelta(seconds=1)
"""How long sent mails are gathered before their copies are stored."""
SOON = timedelta(seconds=5)
"""Before another attempt where the server did not ask for patience."""


class Words(NamedTuple):
    """Why a mail did not leave: a sentence, what to do about it, and the server's own words."""

    reason: str
    remedy: str
    server_words: str = ""


async def record_acceptance(
    outgoing_id: int,
    accepted: Collection[str],
    refused: Mapping[str, Words],
    later: Mapping[str, Words],
    *,
    store_message: bool = True,
) -> bool:
    """The server has taken the mail for `accepted`, refused some, and asked to wait for some (`later`).

    In the same transaction the message takes its place in the conversation (without `store_message`, the job that
    stores the sent copy sees to that). False when it was recorded before.
    """

    async def work(change: ConversationChange) -> bool:
        record = await lock_outgoing(outgoing_id)
        if record is None or record["state"] == "sent":
            return False
        await settle_recipients(outgoing_id, accepted, refused, later)
        again = bool(later) and record["attempts"] < MOST_ATTEMPTS
        said = _summary(refused if again else {**refused, **later}, later if again else {})
        await execute(
            "UPDATE outgoing SET state = $2, sent_at = coalesce(sent_at, now()), claimed_until = NULL, "
            "next_attempt_at = CASE WHEN $2 = 'queued' THEN now() + $3::interval END, reason = $4, remedy = $5, "
            "server_words = $6, sent_copy = CASE sent_copy WHEN 'none' THEN 'waiting' ELSE sent_copy END WHERE id = $1",
            outgoing_id,
            "queued" if again else "sent",
            wait_after(record["attempts"]),
            *said,
        )
        if record["sent_copy"] == "none":
            await file_copies([record["mailbox_id"]])
        if not again and said.reason:
            await tell_author(change, record["author_id"], record["id"], said.reason)
        if store_message:
            await store_sent_message(outgoing_id)
        if record["answers_id"] and record["kind"] in ("reply", "reply_all"):
            await wish_answered(record["answers_id"])
        if record["then_done"] and record["sent_at"] is None:
            await close_after_sending(record["author_id"], change.conversation_id)
        if record["then_remind_at"] is not None and record["sent_at"] is None:
            wanted = SetReminder(at=record["then_remind_at"], if_silent=record["then_remind_if_silent"])
            await remind(change.act, record["author_id"], change.conversation_id, wanted)
        return True

    author_id = await fetch_value("SELECT author_id FROM outgoing WHERE id = $1", outgoing_id)
    return await transition(outgoing_id, author_id, work, threading=True)


async def file_copies(mailbox_ids: Collection[int]) -> None:
    """Let the copies of what these mailboxes have sent be stored in their Sent folders soon, several on one visit."""
    payloads = [{"mailbox_id": number} for number in sorted(mailbox_ids)]
    await enqueue_unless_waiting("store_sent_copies", payloads, after=GATHERED)


def _summary(refused: Mapping[str, Words], later: Mapping[str, Words]) -> Words:
    """One sentence about those who did not get the mail, for the outbox."""
    worst = next(iter(refused.values()), None) or next(iter(later.values()), None)
    if worst is None:
        return Words("", "", "")
    parts = []
    if refused:
        parts.append(f"It was not delivered to {', '.join(refused)}.")
    if later:
        parts.append(f"It is tried again for {', '.join(later)}.")
    return Words(" ".join([*parts, worst.reason]), worst.remedy, worst.server_words)


async def settle_recipients(
    outgoing_id: int, accepted: Collection[str], refused: Mapping[str, Words], later: Mapping[str, Words]
) -> None:
    """Write what the server said about each recipient."""
    await execute(
        "UPDATE outgoing_recipients SET state = 'accepted', reason = '' WHERE outgoing_id = $1 AND address = ANY($2)",
        outgoing_id,
        list(accepted),
    )
    for state, people in (("refused", refused), ("pending", later)):
        for address, said in people.items():
            await execute(
                "UPDATE outgoing_recipients SET state = $3, reason = $4 WHERE outgoing_id = $1 AND address = $2 "
                "AND state <> 'accepted'",
                outgoing_id,
                address,
                state,
                said.reason,
            )


async def try_later(
    held: Claim,
    said: Words,
    refused: Mapping[str, Words] | None = None,
    later: Mapping[str, Words] | None = None,
    *,
    needs_person: bool = False,
) -> bool:
    """Nothing was sent, and trying again may help: back to `queued`, or `failed` after about two days.

    `needs_person` waits longer: what only a person can mend does not pass by itself.
    """
    if held.attempt >= MOST_ATTEMPTS:
        return await fail(held, Words(f"It could not be sent for two days. {said.reason}", *said[1:]), refused or {})
    wait = wait_after(max(held.attempt, LONG_WAIT_FROM + 1) if needs_person else held.attempt)
    return await _queue_again(held, wait, said, refused or {}, later or {})


async def put_back(held: Claim) -> bool:
    """Nothing was sent, because this process was held up: back to `queued`, for another attempt in a moment.

    However many attempts there were: the long waits are for servers, and none of them has refused anything.
    """
    return await _queue_again(held, SOON, Words("", ""), {}, {})


async def _queue_again(
    held: Claim, wait: timedelta, said: Words, refused: Mapping[str, Words], later: Mapping[str, Words]
) -> bool:
    async def work(change: ConversationChange) -> bool:
        done = await updated(
            "UPDATE outgoing SET state = 'queued', claimed_until = NULL, next_attempt_at = now() + $3::interval, "
            "reason = $4, remedy = $5, server_words = $6 "
            "WHERE id = $1 AND fence = $2 AND state IN ('queued', 'sending', 'unknown')",
            held.outgoing_id,
            held.fence,
            wait,
            *said,
        )
        if done:
            await settle_recipients(held.outgoing_id, (), refused, later)
        return done

    return await transition(held.outgoing_id, None, work)


async def fail(held: Claim, said: Words, recipients: Mapping[str, Words]) -> bool:
    """Nothing was sent, and the same again cannot help. The text stays, and the author is told.

    If others have the mail already, it is `sent`, with these recipients refused.
    """

    async def work(change: ConversationChange) -> bool:
        done = await updated(
            "UPDATE outgoing SET state = CASE WHEN sent_at IS NULL THEN 'failed' ELSE 'sent' END, "
            "claimed_until = NULL, next_attempt_at = NULL, reason = $3, remedy = $4, server_words = $5 "
            "WHERE id = $1 AND fence = $2 AND state IN ('queued', 'sending', 'unknown')",
            held.outgoing_id,
            held.fence,
            *said,
        )
        if done:
            people = {**dict.fromkeys(held.recipients, said), **recipients}
            await settle_recipients(held.outgoing_id, (), people, {})
            await tell_author(change, held.author_id, held.outgoing_id, said.reason)
        return done

    return await transition(held.outgoing_id, None, work)


async def hold(held: Claim, said: Words, came: Sequence[Row] = ()) -> bool:
    """Nothing was tried: a person must look first, at what came if anything did."""

    async def work(change: ConversationChange) -> bool:
        done = await updated(
            "UPDATE outgoing SET state = 'held', claimed_until = NULL, next_attempt_at = NULL, reason = $3, "
            "remedy = $4, server_words = $5, came = $6 WHERE id = $1 AND fence = $2 AND state = 'queued'",
            held.outgoing_id,
            held.fence,
            *said,
            references_to(came),
        )
        if done:
            await tell_author(change, held.author_id, held.outgoing_id, said.reason)
        return done

    return await transition(held.outgoing_id, None, work)


NOT_KNOWN = Words(
    "It is not known whether this mail was sent: the connection ended before the server confirmed it.",
    "Ask the recipient or look into the Sent folder, then say here whether it was sent.",
)


async def lose(outgoing_id: int, fence: int, said: Words = NOT_KNOWN) -> bool:
    """`sending` ended without a word from the server: nobody knows. The Sent folder is asked next."""

    async def work(change: ConversationChange) -> bool:
        record = await lock_outgoing(outgoing_id)
        if record is None or record["state"] != "sending" or record["fence"] != fence:
            return False
        await execute(
            "UPDATE outgoing SET state = 'unknown', claimed_until = NULL, next_attempt_at = NULL, reason = $2, "
            "remedy = $3, server_words = $4 WHERE id = $1",
            outgoing_id,
            *said,
        )
        await enqueue("settle_unknown", after=timedelta(seconds=5), outgoing_id=outgoing_id, look=1)
        await tell_author(change, record["author_id"], record["id"], said.reason)
        return True

    return await transition(outgoing_id, None, work)


async def tell_author(change: ConversationChange, author_id: int, outgoing_id: int, reason: str) -> None:
    """Whoever wrote the mail hears that it has not reached everybody; the notification leads to it."""
    await notify(change.act, [author_id], "failed_send", change.conversation_id, None, reason, outgoing_id=outgoing_id)


async def expire() -> list[int]:
    """Every mail in `sending` whose process let its claim run out is `unknown` from now on; answers which."""
    records = await fetch(
        "SELECT id, fence FROM outgoing WHERE state = 'sending' AND claimed_until < clock_timestamp() ORDER BY id"
    )
    return [record["id"] for record in records if await lose(record["id"], record["fence"])]


def wait_after(attempts: int) -> timedelta:
    """How long to wait after so many attempts."""
    return WAITS[attempts - 1] if 0 < attempts <= len(WAITS) else LAST_WAIT
