"""Who is where at this moment, in every web process. Not events: nothing is stored, and a word of it may be lost.

    socket: `looking` --> seat of this client --tick--> NOTIFY "seats that changed" --> every process' table of seats
                                                                                             |
    sockets that `watch` a conversation <-- what changed for each of them <-- who sees it? <-+

A *seat* is one client's place: a conversation, and what its person does there. Each process tells the others of its own
seats by NOTIFY, ids only, and takes its own in by the same way, so that there is one path. What changes within a tick
is told together, and only the last word of each seat: a client that talks too much costs no more than a calm one.

A seat ends when its socket ends, when its client has not said `looking` again for `LASTING` seconds, and, in the other
processes, when its own process is silent for as long. A process that has just come asks the others for theirs.

Whoever is in a conversation hears of it at once. Who only has it on the screen, as a row among others, hears of all its
rows together, every few seconds at most: in a large team somebody always moves, each word one for everybody.

Nobody is told of a person in a conversation that one of the two does not see: that is asked in the database with each
change that somebody watches, and only then. A client hears of others alone, and of a conversation only when what it was
told last is no longer so.
"""

import asyncio
import contextlib
import logging
import secrets
import time
from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import NamedTuple, Protocol, get_args

import asyncpg

from backend.database.connection import end_if_cancelled, fetch
from backend.events.contracts import Doing, Looking, PeopleIn, PresenceFrame, Present, frame_encoder

log = logging.getLogger(__name__)

CHANNEL = "tandem_presence"
TICK = 0.05
"""Seconds in which changes are gathered."""
ROWS = 2.0
"""Seconds at least between two words to a client about conversations that its person is not in."""
LASTING = 45.0
"""Seconds after which a seat of which nobody has said a word is empty."""
AGAIN = 15.0
"""How often a process tells all its seats again."""
MOST_WATCHED = 200
"""Conversations that one client watches at most; those beyond are passed over."""
SEATS_IN_A_PAYLOAD = 150
"""A seat is 50 bytes at most, and a payload ends at 8,000."""
ASK = "?"

DOINGS: tuple[Doing, ...] = get_args(Doing)
"""What somebody does, the least first: of what one person does in two windows, the most is told."""


class Watcher(Protocol):
    """As much of a hub's client as presence needs."""

    user_id: int

    def put(self, frame: bytes) -> None: ...


class Seat(NamedTuple):
    """One client's person in a conversation. `conversation_id` 0: nowhere."""

    user_id: int
    conversation_id: int
    doing: Doing


class _Taken(NamedTuple):
    seat: Seat
    until: float


Others = tuple[Present, ...]


class Presence:
    """One for each web process; the hub gives it what comes over NOTIFY."""

    def __init__(self) -> None:
        self._process = secrets.token_hex(4)
        self._numbers = 0
        self._own: dict[Watcher, tuple[int, _Taken]] = {}
        """The seats of this process' clients, with their numbers."""
        self._untold: dict[int, Seat] = {}
        self._seats: dict[str, _Taken] = {}
        """Everybody's, by process and number."""
        self._in: defaultdict[int, set[str]] = defaultdict(set)
        self._watchers: defaultdict[int, set[Watcher]] = defaultdict(set)
        self._watched: dict[Watcher, frozenset[int]] = {}
        self._told: dict[Watcher, dict[int, Others]] = defaultdict(dict)
        self._dirty: set[int] = set()
        self._dirty_rows: set[int] = set()
        self._wake = asyncio.Event()

    # ---- what this process' clients say

    def look(self, client: Watcher, frame: Looking) -> None:
        """The client's person is there now, and does that."""
        if frame.conversation_id is None:
            return self._stand_up(client)
        number, before = self._own.get(client) or (self._next_number(), None)
        seat = Seat(client.user_id, frame.conversation_id, frame.doing)
        self._own[client] = (number, _Taken(seat, time.monotonic() + LASTING))
        if before is None or before.seat != seat:
            self._tell_of(number, seat)

    def watch(self, client: Watcher, conversation_ids: Iterable[int]) -> None:
        """From now on the client hears of these, and of no others: of those it is told that nobody is there."""
        wanted = frozenset(list(conversation_ids)[:MOST_WATCHED])
        before = self._watched.get(client, frozenset())
        self._watched[client] = wanted
        empty: list[PeopleIn] = []
        for gone in before - wanted:
            self._unwatch(client, gone)
            if self._told[client].pop(gone, ()):
                empty.append(PeopleIn(conversation_id=gone, people=[]))
        if empty:
            client.put(frame_encoder.encode(PresenceFrame(conversations=empty)))
        for fresh in wanted - before:
            self._watchers[fresh].add(client)
            if fresh in self._in:
                self._look_again(fresh)

    def leave(self, client: Watcher) -> None:
        """The client's socket is closed."""
        for conversation_id in self._watched.pop(client, frozenset()):
            self._unwatch(client, conversation_id)
        self._told.pop(client, None)
        self._stand_up(client)

    def _stand_up(self, client: Watcher) -> None:
        number, taken = self._own.pop(client, (0, None))
        if taken is not None:
            self._tell_of(number, Seat(client.user_id, 0, "reading"))

    def _unwatch(self, client: Watcher, conversation_id: int) -> None:
        self._watchers[conversation_id].discard(client)
        if not self._watchers[conversation_id]:
            del self._watchers[conversation_id]

    def _next_number(self) -> int:
        self._numbers += 1
        return self._numbers

    def _tell_of(self, number: int, seat: Seat) -> None:
        self._untold[number] = seat
        self._wake.set()

    def _look_again(self, conversation_id: int) -> None:
        self._dirty.add(conversation_id)
        self._wake.set()

    # ---- between the processes

    async def ask(self) -> None:
        """Have the others tell their seats again: this process has just come, or was deaf for a while."""
        await _notify(ASK)

    async def stop(self) -> None:
        """Tell the others that nobody sits here any more. Without it they would find out after `LASTING` seconds."""
        with contextlib.suppress(OSError, asyncpg.PostgresError, asyncpg.InterfaceError, TimeoutError):
            await _notify(self._process)

    def hear(self, payload: str) -> None:
        """What a process told, this one included: seats that changed, or by its name alone that it has ended."""
        if payload == ASK:
            self._tell_all_again()
            return
        process, *entries = payload.split()
        if not entries:
            for key, taken in [each for each in self._seats.items() if each[0].startswith(f"{process}:")]:
                self._place(key, Seat(taken.seat.user_id, 0, "reading"), 0)
        until = time.monotonic() + LASTING
        for entry in entries:
            number, user_id, conversation_id, doing = entry.split(":")
            self._place(f"{process}:{number}", Seat(int(user_id), int(conversation_id), DOINGS[int(doing)]), until)

    def _place(self, key: str, seat: Seat, until: float) -> None:
        before = self._seats.pop(key, None)
        if seat.conversation_id:
            self._seats[key] = _Taken(seat, until)
            self._in[seat.conversation_id].add(key)
        if before is not None and before.seat == seat:
            return
        if before is not None and before.seat.conversation_id != seat.conversation_id:
            self._in[before.seat.conversation_id].discard(key)
            if not self._in[before.seat.conversation_id]:
                del self._in[before.seat.conversation_id]
            self._look_again(before.seat.conversation_id)
        if seat.conversation_id:
            self._look_again(seat.conversation_id)

    def _tell_all_again(self) -> None:
        for number, taken in self._own.values():
            self._untold.setdefault(number, taken.seat)
        if self._untold:
            self._wake.set()

    def _expire(self) -> None:
        """Seats of which nobody has said a word for too long: this process' own, and those of processes that died."""
        now = time.monotonic()
        for client, (_, taken) in list(self._own.items()):
            if taken.until <= now:
                self._stand_up(client)
        for key, taken in list(self._seats.items()):
            if taken.until <= now:
                self._place(key, Seat(taken.seat.user_id, 0, "reading"), 0)

    # ---- the one task

    async def run(self) -> None:
        """Tell what changed, a tick at a time, until cancelled."""
        again = time.monotonic() + AGAIN
        rows = 0.0
        while True:
            taken = [*(each for _, each in self._own.values()), *self._seats.values()]
            next_look = min((each.until for each in taken), default=again)
            due = min(again, next_look, rows if self._dirty_rows else again)
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(max(0.0, due - time.monotonic())):
                    await self._wake.wait()
            self._expire()
            if time.monotonic() >= again:
                again = time.monotonic() + AGAIN
                self._tell_all_again()
            self._wake.clear()
            untold, self._untold = self._untold, {}
            dirty, self._dirty = self._dirty, set()
            self._dirty_rows |= dirty
            try:
                await self._tell_processes(untold)
                await self._tell_watchers(dirty, those_in_it=True)
                if self._dirty_rows and time.monotonic() >= rows:
                    rows = time.monotonic() + ROWS
                    dirty, self._dirty_rows = self._dirty_rows, set()
                    await self._tell_watchers(dirty, those_in_it=False)
            except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError, TimeoutError) as fault:
                end_if_cancelled()
                log.warning("Who is where could not be told (%s); it is told later.", type(fault).__name__)
                self._untold = untold | self._untold
                self._dirty |= dirty
            await asyncio.sleep(TICK)

    async def _tell_processes(self, untold: Mapping[int, Seat]) -> None:
        entries = [
            f"{number}:{seat.user_id}:{seat.conversation_id}:{DOINGS.index(seat.doing)}"
            for number, seat in untold.items()
        ]
        for at in range(0, len(entries), SEATS_IN_A_PAYLOAD):
            await _notify(" ".join([self._process, *entries[at : at + SEATS_IN_A_PAYLOAD]]))

    async def _tell_watchers(self, dirty: Iterable[int], *, those_in_it: bool) -> None:
        """What changed in the conversations that somebody watches, to those whose picture it changes.

        `those_in_it`: only to clients whose person is in the conversation.
        """
        people = {each: self._people_in(each) for each in dirty if self._has_news(each, those_in_it)}
        if not people:
            return
        viewers: defaultdict[int, set[int]] = defaultdict(set)
        for record in await fetch("SELECT c, v FROM unnest($1::bigint[]) c, viewers(c) v", list(people)):
            viewers[record["c"]].add(record["v"])
        news: defaultdict[Watcher, list[PeopleIn]] = defaultdict(list)
        for conversation_id, present in people.items():
            everybody = tuple(each for each in present if each.user_id in viewers[conversation_id])
            there = {each.user_id for each in everybody}
            for client in self._listeners(conversation_id, those_in_it):
                told = self._told[client]
                if client.user_id not in viewers[conversation_id]:
                    told.pop(conversation_id, None)  # its client has heard that the conversation is gone
                    continue
                others = everybody
                if client.user_id in there:
                    others = tuple(each for each in everybody if each.user_id != client.user_id)
                if others == told.get(conversation_id, ()):
                    continue
                told[conversation_id] = others
                if not others:
                    del told[conversation_id]
                news[client].append(PeopleIn(conversation_id=conversation_id, people=list(others)))
            await asyncio.sleep(0)  # a large team's rows shall hold up no event
        for client, changed in news.items():
            client.put(frame_encoder.encode(PresenceFrame(conversations=changed)))

    def _listeners(self, conversation_id: int, those_in_it: bool) -> list[Watcher]:
        watching = self._watchers.get(conversation_id, set())
        return [each for each in watching if not those_in_it or self._is_in(each, conversation_id)]

    def _is_in(self, client: Watcher, conversation_id: int) -> bool:
        _, taken = self._own.get(client, (0, None))
        return taken is not None and taken.seat.conversation_id == conversation_id

    def _has_news(self, conversation_id: int, those_in_it: bool) -> bool:
        """Whether anybody here could be told something: somebody watches besides the one who is there."""
        listening = self._listeners(conversation_id, those_in_it)
        there = {self._seats[key].seat.user_id for key in self._in.get(conversation_id, ())} if listening else set()
        return any(there - {each.user_id} or conversation_id in self._told.get(each, {}) for each in listening)

    def _people_in(self, conversation_id: int) -> list[Present]:
        """Everybody there, once, with the most that they do."""
        doing: dict[int, Doing] = {}
        for key in self._in.get(conversation_id, ()):
            seat = self._seats[key].seat
            before = doing.get(seat.user_id, "reading")
            doing[seat.user_id] = DOINGS[max(DOINGS.index(before), DOINGS.index(seat.doing))]
        return [Present(user_id=user_id, doing=doing[user_id]) for user_id in sorted(doing)]


async def _notify(payload: str) -> None:
    await fetch("SELECT pg_notify($1, $2)", CHANNEL, payload)
