"""Sending: one attempt at one mail, carried from claim to result.

The states, and why nothing goes out twice, are told at the top of backend/compose/actions/transitions.py. Here is the
order in which one attempt proceeds, and what a crash at each place leaves behind:

    claim          committed            crash: the claim runs out, another attempt is made
    still right?   reason_to_hold
    connect, sign in, MAIL, RCPT        crash: the same, for the server has got no text
    `sending`      committed            crash: `unknown`, until the Sent folder or a person tells
    too late?      asked before DATA and before the text: a process that could not extend its claim for half of the
                   claim's time (it was stopped, the machine was asleep, the database did not answer) gives up here,
                   while it can still say that nothing was sent, and another attempt follows in a moment
    DATA, text     the point of no return
    the result     committed, tried again until the database takes it: it is the only witness

A claim is extended while the attempt lives, so a slow server or a large mail does not lose it, and a server may take
its time at every step. A job only says *when*
to look: `sweep` finds every mail that is due, so no mail depends on a job being delivered.
"""

import asyncio
import itertools
import logging
import time
from collections import defaultdict
from collections.abc import Mapping, Sequence
from contextlib import nullcontext, suppress
from datetime import timedelta
from typing import NamedTuple

import asyncpg

from backend.compose.actions import many, outdated, results, transitions
from backend.compose.actions.results import Words
from backend.compose.actions.transitions import Claim
from backend.database.connection import end_if_cancelled, fetch
from backend.errors import TandemError
from backend.mail.raw import load_raw, load_raws
from backend.outgoing_servers.actions import learn_size_limit, take_turn
from backend.workers.connections import Connections
from backend.workers.grouped import Grouped
from backend.workers.logins import sending_login
from backend.workers.server_health import HealthReports
from sync.errors import ServerProblem
from sync.smtp import GivenUp, Opened, Refused, Retry, SendResult, Sent, SmtpSession, Unknown
from sync.types import Problem, SmtpLogin

log = logging.getLogger(__name__)

CLAIM_SECONDS = 60.0
AT_ONCE = 48
AT_ONCE_PER_MAILBOX = 3
"""Providers count connections."""
BACKLOG = 40
"""Mails of one mailbox that are looked at, at once, of those that wait."""
LARGE = 1024 * 1024
"""Bytes of a mail from which on few are held in memory at once: LARGE_AT_ONCE."""
LARGE_AT_ONCE = 4
LOGIN_SECONDS = 1.0
"""How long a sign-in that was read is used for further mails."""
REPORT_WAITS = (0.2, 0.5, 1, 2, 5, 10, 20, 30)
"""Seconds between attempts at writing a result down; the last goes on for REPORT_SECONDS."""
REPORT_SECONDS = 3600.0


class Grip:
    """How surely a claim is still ours, as far as this process can tell by itself."""

    def __init__(self, claim_seconds: float) -> None:
        """Begin before the claim is asked for: it lasts no shorter than from here."""
        self._enough = claim_seconds / 2
        self._since = seconds_since_boot()
        self._lost = False

    def renewed(self, asked_at: float, *, ours: bool) -> None:
        """The answer to a request for more time that was made at `asked_at`."""
        self._since, self._lost = asked_at, not ours

    def firm(self) -> bool:
        """Whether half of the claim's time is left at least, so that nobody else has given the attempt up."""
        return not self._lost and seconds_since_boot() - self._since < self._enough


class Sender:
    """All the sending that this worker does. `claim_seconds` is how long a mail stays taken after its worker died."""

    def __init__(self, *, claim_seconds: float = CLAIM_SECONDS, at_once: int = AT_ONCE) -> None:
        self._claim = timedelta(seconds=claim_seconds)
        self._slots = asyncio.Semaphore(at_once)
        self._mailbox_slots: defaultdict[int, asyncio.Semaphore] = defaultdict(
            lambda: asyncio.Semaphore(AT_ONCE_PER_MAILBOX)
        )
        self._health = HealthReports()
        self._limits: dict[int, int | None] = {}
        self._stop = asyncio.Event()
        self._large = asyncio.Semaphore(LARGE_AT_ONCE)
        self._connections = Connections()
        self._places = Grouped(_places_of, _place_of)
        self._claims = Grouped(self._claim_many, self._claim_one)
        self._doubts = Grouped(many.doubtless, outdated.reason_to_hold)
        self._raws = Grouped(load_raws, load_raw)
        self._logins: dict[tuple[int, int | None], tuple[float, tuple[int, SmtpLogin]]] = {}
        self._begins = Grouped(many.begin_sending, transitions.begin_sending)
        self._acceptances = Grouped(many.record_acceptance, _record_acceptance)
        self._here: set[int] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self._stopping = False
        self._more = False
        self._looking: asyncio.Task[None] | None = None
        self._later: asyncio.TimerHandle | None = None

    @property
    def under_way(self) -> int:
        """Mails that are being sent here, or wait for their turn."""
        return len(self._here)

    async def sweep(self, within: float = 0) -> list[asyncio.Task[None]]:
        """Call it every few seconds: gives up on attempts whose process died, and begins to send whatever is due.

        What becomes due `within` the seconds until the next call is begun at its time.
        """
        for outgoing_id in await results.expire():
            log.warning("Whether outgoing mail %d was sent is not known: its worker ended.", outgoing_id)
        begun = await self._look()
        ahead = await transitions.next_due(timedelta(seconds=within)) if within else None
        if ahead is not None:
            self._later = asyncio.get_running_loop().call_later(max(ahead, 0), self._look_soon, within)
        return begun

    async def wake(self, outgoing_id: int = 0) -> None:
        """Look at once. The handler of the job `send_outgoing`, which is thereby done: mails are rows. Jobs of the
        release before name a mail."""
        await self._look()

    async def _look(self) -> list[asyncio.Task[None]]:
        if self._stopping:
            return []
        found = await transitions.due(besides=self._here, limit=BACKLOG)
        self._more = len(found) >= BACKLOG
        return [self._begin(outgoing_id) for outgoing_id in found if outgoing_id not in self._here]

    def _look_soon(self, within: float = 0) -> None:
        """Unless a look is under way."""
        if not self._stopping and (self._looking is None or self._looking.done()):
            self._looking = asyncio.create_task(self._look_then(within), name="look through the outbox")

    async def _look_then(self, within: float) -> None:
        try:
            await (self.sweep(within) if within else self._look())
        except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError, TimeoutError) as fault:
            log.warning("The outbox could not be looked through (%s).", type(fault).__name__)

    def _begin(self, outgoing_id: int) -> asyncio.Task[None]:
        task = asyncio.create_task(self.send(outgoing_id), name=f"send {outgoing_id}")
        self._tasks.add(task)
        task.add_done_callback(self._ended)
        return task

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if self._more and len(self._here) < BACKLOG // 2:
            self._look_soon()
        if not task.cancelled() and (fault := task.exception()) is not None:
            log.error("%s failed", task.get_name(), exc_info=fault)

    async def stop(self) -> None:
        """Begin nothing new, and wait for what has begun."""
        self._stopping = True
        self._stop.set()
        if self._later is not None:
            self._later.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._connections.close()

    async def _claim_many(self, outgoing_ids: Sequence[int]) -> Mapping[int, Claim | None]:
        return await many.claim(outgoing_ids, self._claim)

    async def _claim_one(self, outgoing_id: int) -> Claim | None:
        return await transitions.claim(outgoing_id, self._claim)

    async def send(self, outgoing_id: int) -> None:
        """Make one attempt, if the mail is due and nobody else is at it."""
        if outgoing_id in self._here or self._stopping:
            return
        self._here.add(outgoing_id)
        try:
            place = await self._places(outgoing_id)
            if place is None:
                return
            async with self._mailbox_slots[place.mailbox_id]:
                if place.paced:
                    await self._wait_for_turn(place.server_id)
                async with self._slots:
                    await self._claim_and_attempt(outgoing_id)
        finally:
            self._here.discard(outgoing_id)

    async def _claim_and_attempt(self, outgoing_id: int) -> None:
        grip = Grip(self._claim.total_seconds())
        held = None if self._stopping else await self._claims(outgoing_id)
        if held is not None:
            async with self._large if held.size >= LARGE else nullcontext():
                await self._attempt(held, grip)

    async def _wait_for_turn(self, server_id: int) -> None:
        """Where an admin set a pace: until the next moment that is free. Nothing is claimed meanwhile."""
        seconds = await take_turn(server_id)
        if seconds > 0:
            with suppress(TimeoutError):
                await asyncio.wait_for(self._stop.wait(), seconds)

    async def _attempt(self, held: Claim, grip: Grip) -> None:
        renewing = asyncio.create_task(self._renew(held, grip), name=f"renew {held.outgoing_id}")
        try:
            doubt = await self._doubts(held)
            if doubt is not None:
                await results.hold(held, doubt.words, doubt.came)
                return
            try:
                raw, (server_id, login) = await self._raws(held.raw_digest), await self._login(held)
            except TandemError as fault:  # a missing blob, another secret key: a person must mend it
                words = Words(fault.message, fault.remedy)
                await results.try_later(held, words, needs_person=True)
                return
            await self._dialogue(held, grip, raw, server_id, login)
        finally:
            renewing.cancel()

    async def _login(self, held: Claim) -> tuple[int, SmtpLogin]:
        """The outgoing server that the mail leaves through, by its id, and the sign-in there: as they are stored, or
        were a moment ago."""
        key = (held.mailbox_id, held.server_id)
        read_at, found = self._logins.get(key, (0.0, None))
        if found is None or time.monotonic() - read_at > LOGIN_SECONDS:
            found = await sending_login(*key)
            self._logins[key] = time.monotonic(), found
        return found

    async def _dialogue(self, held: Claim, grip: Grip, raw: bytes, server_id: int, login: SmtpLogin) -> None:
        try:
            for fresh in (False, True):
                async with self._connections.lent(login, fresh=fresh) as kept:
                    await self._learn(server_id, kept.session.size_limit)
                    opened = await kept.session.open_transaction(held.sender, held.recipients, raw, held.message_id)
                    if isinstance(opened, Retry) and not kept.fresh and not kept.session.usable:
                        continue  # the server had closed it, as it may between two mails
                    taken = await self._hand_over(held, grip, raw, kept.session, opened)
                if taken:
                    await self._health.success(server_id)
                return
        except ServerProblem as fault:  # raised by connecting and signing in only: nothing was sent
            await self._health.failure(server_id, fault.problem)
            await results.try_later(held, _words(fault.problem), needs_person=fault.permanent)

    async def _learn(self, server_id: int, limit: int | None) -> None:
        """Remember how large a mail the server takes, when that is news."""
        if self._limits.get(server_id, -1) != limit:
            await learn_size_limit(server_id, limit)
            self._limits[server_id] = limit

    async def _hand_over(
        self, held: Claim, grip: Grip, raw: bytes, session: SmtpSession, opened: Opened | Retry | Refused
    ) -> bool:
        """From the server's answer to MAIL and RCPT to the result on record: only then the connection is free.

        Whether the server took it.
        """
        if not isinstance(opened, Opened):
            await self._report(held, opened)
            return False
        if self._stopping:
            await transitions.release(held)
            return False
        if not await self._begins(held):
            log.info("Outgoing mail %d is no longer ours to send.", held.outgoing_id)
            return False
        result = await session.transmit(raw, grip.firm)
        await self._report(held, result)
        return isinstance(result, Sent)

    async def _report(self, held: Claim, result: SendResult) -> None:
        """Write the result down, whatever it takes: a mail that was accepted must not be asked about, or sent again."""
        give_up = time.monotonic() + REPORT_SECONDS
        for tries in itertools.count():
            try:
                if tries == 0 and isinstance(result, Sent) and set(result.accepted) == set(held.recipients):
                    await self._acceptances(held)
                else:
                    await _write(held, result, store_message=tries == 0)
                return
            except Exception:
                # Whatever it is: first without the conversation's part, which a job repeats, then until it works.
                log.exception("The result of outgoing mail %d could not be written down", held.outgoing_id)
                if time.monotonic() > give_up:
                    raise
                await asyncio.sleep(REPORT_WAITS[min(tries, len(REPORT_WAITS) - 1)])

    async def _renew(self, held: Claim, grip: Grip) -> None:
        """Extend the claim for as long as the attempt lives."""
        while True:
            await asyncio.sleep(self._claim.total_seconds() / 4)
            asked_at = seconds_since_boot()
            try:
                ours = await transitions.renew(held, self._claim)
                grip.renewed(asked_at, ours=ours)
                if not ours:
                    return
            except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError, TimeoutError) as fault:
                end_if_cancelled()
                log.warning("The claim on mail %d was not extended: %s", held.outgoing_id, type(fault).__name__)


class Place(NamedTuple):
    """Where a mail is from and what it leaves through, as far as its turn depends on that."""

    mailbox_id: int
    server_id: int
    paced: bool


async def _places_of(outgoing_ids: Sequence[int]) -> Mapping[int, Place | None]:
    records = await fetch(
        "SELECT o.id, o.mailbox_id, coalesce(s.id, 0) AS server_id, coalesce(s.per_minute, 0) > 0 AS paced "
        "FROM outgoing o LEFT JOIN outgoing_servers s ON s.id = coalesce("
        "(SELECT id FROM outgoing_servers WHERE id = o.server_id), server_of(o.mailbox_id)) WHERE o.id = ANY($1)",
        list(outgoing_ids),
    )
    found = {record["id"]: Place(record["mailbox_id"], record["server_id"], record["paced"]) for record in records}
    return {number: found.get(number) for number in outgoing_ids}


async def _place_of(outgoing_id: int) -> Place | None:
    return (await _places_of([outgoing_id]))[outgoing_id]


async def _record_acceptance(held: Claim) -> bool:
    return await results.record_acceptance(held.outgoing_id, held.recipients, {}, {})


async def _write(held: Claim, result: SendResult, *, store_message: bool) -> None:
    """What the server said, as a transition."""
    match result:
        case Sent(accepted, refused, _):
            now, later = _parted(refused)
            await results.record_acceptance(held.outgoing_id, accepted, now, later, store_message=store_message)
        case GivenUp():
            log.warning("Outgoing mail %d was not sent: this process was held up for too long.", held.outgoing_id)
            await results.put_back(held)
        case Retry(problem, recipients):
            now, later = _parted(recipients)
            await results.try_later(held, _words(problem), now, later)
        case Refused(problem, recipients):
            await results.fail(held, _words(problem), _parted(recipients)[0])
        case Unknown(problem):
            words = results.NOT_KNOWN._replace(server_words=problem.server_words)
            await results.lose(held.outgoing_id, held.fence, words)


def _parted(recipients: Mapping[str, Problem]) -> tuple[dict[str, Words], dict[str, Words]]:
    """Those refused for good, and those to be tried later."""
    for_good = {address: _words(problem) for address, problem in recipients.items() if problem.permanent}
    later = {address: _words(problem) for address, problem in recipients.items() if not problem.permanent}
    return for_good, later


def _words(problem: Problem) -> Words:
    return Words(problem.sentence, problem.remedy, problem.server_words)


def seconds_since_boot() -> float:
    """A clock that goes on while the process is stopped, and while the machine sleeps where the system has such one."""
    clock = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)
    return time.clock_gettime(clock)
