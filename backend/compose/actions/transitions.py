"""The outbox as a state machine: every way in which a frozen mail changes its state, each one transaction.

    Send later
    ----> scheduled   claimed at its moment like one that is queued, from which on it is
             |
    Send     v                  undo, cancel, edit
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
- *After `sending`, nobody knows.* A claim that expires in `sending` becomes `unknown` (`expire` in results.py): the
  mail may have left. It is never sent again by itself.
- *The truth always wins.* A server's acceptance is recorded whatever the state is by then and whoever holds the
  fence: a worker that slept may know something that nobody else does, and recording it stops a second sending.
- *Acceptance first.* It is committed before anything else is tried; the copy in the Sent folder is a job of its own.
- *Recipients one by one.* Some may be accepted now, some refused for good, some asked to wait: the last are `pending`
  and the mail goes back to `queued` for them alone.
"""

from collections.abc import Awaitable, Callable, Collection
from dataclasses import dataclass
from datetime import timedelta

from backend.compose.queries import place_of_outgoing, read_outgoing
from backend.conversations.change import ConversationChange, changing, hold_membership
from backend.conversations.contracts import OutgoingChanged
from backend.database.connection import Row, execute, fetch, fetch_row, fetch_value
from backend.errors import NotFound
from backend.events.record import action
from backend.mail.store import hold_threading


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
    message_id: str
    size: int
    """Of the bytes."""
    server_id: int | None
    """What it leaves through, if that was chosen."""


async def due(besides: Collection[int] = (), limit: int = 100) -> list[int]:
    """Mails whose time has come and that nobody is sending, the longest waiting first; `limit` of each mailbox, so that
    none waits for another's many."""
    records = await fetch(
        f"SELECT id FROM (SELECT id, {WHEN} AS at, row_number() OVER (PARTITION BY mailbox_id ORDER BY {WHEN}, id) "
        f"AS place FROM outgoing WHERE {DUE}) waiting WHERE place <= $2 AND id <> ALL($1) ORDER BY place, at",
        list(besides),
        limit,
    )
    return [record["id"] for record in records]


async def next_due(within: timedelta) -> float | None:
    """Seconds until the next mail's time comes, if that is soon."""
    return await fetch_value(
        f"SELECT extract(epoch FROM min({WHEN}) - clock_timestamp())::float FROM outgoing WHERE state IN "
        f"('queued', 'scheduled') AND claimed_until IS NULL AND {WHEN} > clock_timestamp() "
        f"AND {WHEN} < clock_timestamp() + $1",
        within,
    )


WHEN = "coalesce(next_attempt_at, undo_until, created_at)"
DUE = (
    "state IN ('queued', 'scheduled') AND (claimed_until IS NULL OR claimed_until < clock_timestamp()) "
    f"AND {WHEN} <= clock_timestamp()"
)


SIZE = "(SELECT size FROM raw_messages WHERE digest = raw_digest) AS size"


async def claim(outgoing_id: int, lasting: timedelta) -> Claim | None:
    """Take a mail for one attempt, if it is due and free. The attempt counts from here on, whatever becomes of it."""
    record = await fetch_row(
        "UPDATE outgoing SET state = 'queued', attempts = attempts + 1, fence = fence + 1, "
        f"claimed_until = clock_timestamp() + $2 WHERE id = $1 AND {DUE} RETURNING *, {SIZE}",
        outgoing_id,
        lasting,
    )
    if record is None:
        return None
    pending = await fetch(
        "SELECT address FROM outgoing_recipients WHERE outgoing_id = $1 AND state = 'pending' ORDER BY id", outgoing_id
    )
    return claim_of(record, [each["address"] for each in pending])


def claim_of(record: Row, pending: Collection[str]) -> Claim:
    """A claim on a mail whose row was just taken, for these recipients."""
    return Claim(
        outgoing_id=record["id"],
        conversation_id=record["conversation_id"],
        mailbox_id=record["mailbox_id"],
        author_id=record["author_id"],
        fence=record["fence"],
        attempt=record["attempts"],
        sender=record["envelope_from"],
        recipients=tuple(pending),
        raw_digest=record["raw_digest"],
        message_id=record["message_id"],
        size=record["size"] or 0,
        server_id=record["server_id"],
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
        return await updated(
            "UPDATE outgoing SET state = 'sending', reason = '', remedy = '', server_words = '' "
            "WHERE id = $1 AND fence = $2 AND state = 'queued'",
            held.outgoing_id,
            held.fence,
        )

    return await transition(held.outgoing_id, held.author_id, work)


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
    for last in (False, False, False, True):
        place = await place_of_outgoing(outgoing_id)
        if place is None:
            return False
        conversation_id, mailbox_id = place
        try:
            async with action(actor_id):
                await hold_membership(mailbox_id)
                if threading:
                    await hold_threading(mailbox_id)
                async with changing(actor_id, conversation_id) as change:
                    if not await work(change):
                        raise _NothingToDo
                    outgoing = await read_outgoing(outgoing_id)
                    change.tell(lambda row, told=outgoing: OutgoingChanged(row=row, outgoing=told))
            return True
        except _NothingToDo:
            return False
        except NotFound:
            if last:
                raise
    raise AssertionError("the last round returns or raises")


async def lock_outgoing(outgoing_id: int) -> Row | None:
    """The mail's row, locked; None when it is gone."""
    return await fetch_row("SELECT * FROM outgoing WHERE id = $1 FOR UPDATE", outgoing_id)


async def updated(query: str, *arguments: object) -> bool:
    """Run an UPDATE of one row; whether it found the row in the state that it asked for."""
    return await execute(query, *arguments) == "UPDATE 1"
