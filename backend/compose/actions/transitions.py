"""The outbox as a state machine: every way in which a frozen mail changes its state, each one transaction.

    Send                        undo, cancel, edit
    ----> queued -------------------------------------> cancelled   (the text is a draft again, but for cancel)
           ^ |  \\
           | |   \\ no longer allowed, answered meanwhile
           | |    `----------> held ----person----> queued or cancelled
           | |
           | | claim: attempt counted, fence raised, `claimed_until` set; committed before anything is tried
           | | connect, MAIL, RCPT
     4yz,  | |                          5yz, or two days of 4yz
     no    | |----------------------------------------------> failed ----person----> queued or cancelled
     answer| v                                                  ^
           sending   committed before DATA, under the fence     |
             |  |        5yz                                    |
             |  |-----------------------------------------------'
             |  |  the process died, or the connection was lost after the text
        250  |  `----> unknown ----the Sent folder, a late acceptance, a person----> sent, queued or cancelled
             v
           sent

What keeps a mail from going out twice, and from being lost:

- *One attempt at a time.* A claim is a row update that succeeds for one process, for a limited time that the process
  keeps extending while it lives. It raises `fence`; every later write of the attempt names the fence that it got, so
  that a process which slept through its claim changes nothing when it wakes.
- *Before `sending`, nothing was sent.* A claim that expires in `queued` is simply taken again: no person, and no
  redelivery of a job, is needed for that (`due` finds them).
- *After `sending`, nobody knows.* A claim that expires in `sending` becomes `unknown` (`expire`): the mail may have
  left. It is never sent again by itself.
- *The truth always wins.* A server's acceptance is recorded whatever the state is by then and whoever holds the
  fence: a worker that slept may know something that nobody else does, and recording it stops a second sending.
- *Acceptance first.* It is committed before anything else is tried; the copy in the Sent folder is a job of its own.
- *Recipients one by one.* Some may be accepted now, some refused for good, some asked to wait: the last are `pending`
  and the mail goes back to `queued` for them alone.
"""

import logging
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import NamedTuple

from backend.compose.queries import read_outgoing
from backend.conversations.actions import close_after_sending
from backend.conversations.change import ConversationChange, changing, hold_membership
from backend.conversations.contracts import OutgoingChanged
from backend.database.connection import Row, execute, fetch, fetch_row, fetch_value
from backend.errors import NotFound
from backend.events.record import action
from backend.jobs import enqueue
from backend.mail.actions import store_sent_message
from backend.mail.store import hold_threading
from backend.notifications.actions import notify

log = logging.getLogger(__name__)

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


class Words(NamedTuple):
    """Why a mail did not leave: a sentence, what to do about it, and the server's own words."""

    reason: str
    remedy: str
    server_words: str = ""


@dataclass(frozen=True, slots=True)
class Claim:
    """One attempt at sending one mail. `recipients` are those who do not have it yet."""

    outgoing_id: int
    conversation_id: int
    mailbox_id: int
    author_id: int
    fence: int
    attempt: int
    sender: str
    recipients: tuple[str, ...]
    raw_digest: str


async def due(limit: int = 100) -> list[int]:
    """Mails whose time has come and that nobody is sending, longest waiting first."""
    records = await fetch(
        f"SELECT id FROM outgoing WHERE {_DUE} ORDER BY coalesce(next_attempt_at, undo_until, created_at) LIMIT $1",
        limit,
    )
    return [record["id"] for record in records]


_DUE = (
    "state = 'queued' AND (claimed_until IS NULL OR claimed_until < clock_timestamp()) "
    "AND coalesce(next_attempt_at, undo_until, created_at) <= clock_timestamp()"
)


async def claim(outgoing_id: int, lasting: timedelta) -> Claim | None:
    """Take a mail for one attempt, if it is due and free. The attempt counts from here on, whatever becomes of it."""
    record = await fetch_row(
        "UPDATE outgoing SET attempts = attempts + 1, fence = fence + 1, claimed_until = clock_timestamp() + $2 "
        f"WHERE id = $1 AND {_DUE} RETURNING *",
        outgoing_id,
        lasting,
    )
    if record is None:
        return None
    pending = await fetch(
        "SELECT address FROM outgoing_recipients WHERE outgoing_id = $1 AND state = 'pending' ORDER BY id", outgoing_id
    )
    return Claim(
        outgoing_id=outgoing_id,
        conversation_id=record["conversation_id"],
        mailbox_id=record["mailbox_id"],
        author_id=record["author_id"],
        fence=record["fence"],
        attempt=record["attempts"],
        sender=record["envelope_from"],
        recipients=tuple(each["address"] for each in pending),
        raw_digest=record["raw_digest"],
    )


async def renew(held: Claim, lasting: timedelta) -> bool:
    """Extend a claim that is still ours; False when it is not."""
    tag = await execute(
        "UPDATE outgoing SET claimed_until = clock_timestamp() + $3 "
        "WHERE id = $1 AND fence = $2 AND state IN ('queued', 'sending')",
        held.outgoing_id,
        held.fence,
        lasting,
    )
    return tag == "UPDATE 1"


async def release(held: Claim) -> None:
    """Give a claim back before anything was tried: the attempt does not count."""
    await execute(
        "UPDATE outgoing SET claimed_until = NULL, attempts = attempts - 1 "
        "WHERE id = $1 AND fence = $2 AND state = 'queued'",
        held.outgoing_id,
        held.fence,
    )


async def begin_sending(held: Claim) -> bool:
    """The last step before DATA. False: the claim is no longer ours, and the mail must not be sent."""

    async def work(change: ConversationChange) -> bool:
        return await _updated(
            "UPDATE outgoing SET state = 'sending', reason = '', remedy = '', server_words = '' "
            "WHERE id = $1 AND fence = $2 AND state = 'queued'",
            held.outgoing_id,
            held.fence,
        )

    return await transition(held.outgoing_id, held.author_id, work)


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
        record = await _lock(outgoing_id)
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
            await enqueue("store_sent_copy", outgoing_id=outgoing_id)
        if again:
            await enqueue("send_outgoing", after=wait_after(record["attempts"]), outgoing_id=outgoing_id)
        elif said.reason:
            await notify(change.act, [record["author_id"]], "failed_send", change.conversation_id, None, said.reason)
        if store_message:
            await store_sent_message(outgoing_id)
        if record["then_done"] and record["sent_at"] is None:
            await close_after_sending(record["author_id"], change.conversation_id)
        return True

    author_id = await fetch_value("SELECT author_id FROM outgoing WHERE id = $1", outgoing_id)
    return await transition(outgoing_id, author_id, work, threading=True)


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

    async def work(change: ConversationChange) -> bool:
        done = await _updated(
            "UPDATE outgoing SET state = 'queued', claimed_until = NULL, next_attempt_at = now() + $3::interval, "
            "reason = $4, remedy = $5, server_words = $6 "
            "WHERE id = $1 AND fence = $2 AND state IN ('queued', 'sending', 'unknown')",
            held.outgoing_id,
            held.fence,
            wait,
            *said,
        )
        if done:
            await settle_recipients(held.outgoing_id, (), refused or {}, later or {})
            await enqueue("send_outgoing", after=wait, outgoing_id=held.outgoing_id)
        return done

    return await transition(held.outgoing_id, None, work)


async def fail(held: Claim, said: Words, recipients: Mapping[str, Words]) -> bool:
    """Nothing was sent, and the same again cannot help. The text stays, and the author is told.

    If others have the mail already, it is `sent`, with these recipients refused.
    """

    async def work(change: ConversationChange) -> bool:
        done = await _updated(
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
            await notify(change.act, [held.author_id], "failed_send", change.conversation_id, None, said.reason)
        return done

    return await transition(held.outgoing_id, None, work)


async def hold(held: Claim, said: Words) -> bool:
    """Nothing was tried: a person must look first."""

    async def work(change: ConversationChange) -> bool:
        done = await _updated(
            "UPDATE outgoing SET state = 'held', claimed_until = NULL, next_attempt_at = NULL, reason = $3, "
            "remedy = $4, server_words = $5 WHERE id = $1 AND fence = $2 AND state = 'queued'",
            held.outgoing_id,
            held.fence,
            *said,
        )
        if done:
            await notify(change.act, [held.author_id], "failed_send", change.conversation_id, None, said.reason)
        return done

    return await transition(held.outgoing_id, None, work)


NOT_KNOWN = Words(
    "It is not known whether this mail was sent: the connection ended before the server confirmed it.",
    "Ask the recipient or look into the Sent folder, then say here whether it was sent.",
)


async def lose(outgoing_id: int, fence: int, said: Words = NOT_KNOWN) -> bool:
    """`sending` ended without a word from the server: nobody knows. The Sent folder is asked next."""

    async def work(change: ConversationChange) -> bool:
        record = await _lock(outgoing_id)
        if record is None or record["state"] != "sending" or record["fence"] != fence:
            return False
        await execute(
            "UPDATE outgoing SET state = 'unknown', claimed_until = NULL, next_attempt_at = NULL, reason = $2, "
            "remedy = $3, server_words = $4 WHERE id = $1",
            outgoing_id,
            *said,
        )
        await enqueue("settle_unknown", after=timedelta(seconds=5), outgoing_id=outgoing_id, look=1)
        await notify(change.act, [record["author_id"]], "failed_send", change.conversation_id, None, said.reason)
        return True

    return await transition(outgoing_id, None, work)


async def expire() -> list[int]:
    """Every mail in `sending` whose process let its claim run out is `unknown` from now on; answers which."""
    records = await fetch(
        "SELECT id, fence FROM outgoing WHERE state = 'sending' AND claimed_until < clock_timestamp() ORDER BY id"
    )
    return [record["id"] for record in records if await lose(record["id"], record["fence"])]


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
    if await fetch_value("SELECT 1 FROM mail_accounts WHERE mailbox_id = $1", held.mailbox_id) is None:
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
    conversation_id: int, author_id: int, newest_seen: int, at: object, states: Sequence[str]
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


class _NothingToDo(Exception):
    """Roll back: the mail is no longer in the state that the change is from."""


async def transition(
    outgoing_id: int,
    actor_id: int | None,
    work: Callable[[ConversationChange], Awaitable[bool]],
    *,
    threading: bool = False,
) -> bool:
    """Run `work` with the mail's conversation locked, and tell what became of the mail; False when `work` says so.

    Not inside another action. A conversation that is joined into another at this moment is followed there.
    """
    for attempt in range(5):
        place = await fetch_row("SELECT conversation_id, mailbox_id FROM outgoing WHERE id = $1", outgoing_id)
        if place is None:
            return False
        try:
            async with action(actor_id):
                await hold_membership(place["mailbox_id"])
                if threading:
                    await hold_threading(place["mailbox_id"])
                async with changing(actor_id, place["conversation_id"]) as change:
                    if not await work(change):
                        raise _NothingToDo
                    outgoing = await read_outgoing(outgoing_id)
                    change.tell(lambda row, told=outgoing: OutgoingChanged(row=row, outgoing=told))
            return True
        except _NothingToDo:
            return False
        except NotFound:
            log.info("The conversation of outgoing mail %d moved (try %d)", outgoing_id, attempt + 1)
    return False


def wait_after(attempts: int) -> timedelta:
    """How long to wait after so many attempts."""
    return WAITS[attempts - 1] if 0 < attempts <= len(WAITS) else LAST_WAIT


async def _lock(outgoing_id: int) -> Row | None:
    return await fetch_row("SELECT * FROM outgoing WHERE id = $1 FOR UPDATE", outgoing_id)


async def _updated(query: str, *arguments: object) -> bool:
    return await execute(query, *arguments) == "UPDATE 1"
