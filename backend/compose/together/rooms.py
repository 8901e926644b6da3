"""Rooms: one for each draft that somebody has open to write in it together, in this web process.

    socket: `change` --> heard --tick--> one transaction: may they still write? apply, store, NOTIFY
                                                 |                              |
              `stored` to whoever sent it <------+----> `changed` to the others |
                                                 |                              v
                         within a second: the draft row follows        rooms of other processes read on

The document lives in PostgreSQL; what a room holds is a copy, which it reads again whenever in doubt. A change is
answered only once it is stored, so a client that was told nothing sends it again after a cut, and a restart loses
nothing. What is stored twice does no harm: that is the nature of these documents.

Nothing is taken or given without looking, in the same transaction, who may write in the draft at this moment. A client
that sends what does not belong here is told so and shown out; the copy is then read again from what is stored.

Several processes may have a room of the same draft: each stores at the next position under the document's lock, and
reads what the others stored. Only whose cursor stands where is known in one process alone.
"""

import asyncio
import contextlib
import logging
import time
from collections.abc import Sequence
from dataclasses import dataclass

import asyncpg
import pycrdt

from backend.compose.actions.together import (
    behind,
    follow_document,
    hold_document,
    read_document,
    size_of,
    store_change,
    writers_among,
)
from backend.compose.together.contracts import (
    LARGEST_DOCUMENT,
    Begin,
    Begun,
    Changed,
    ClientFrame,
    Has,
    MakeChange,
    Missing,
    MoveCursor,
    Refused,
    ServerFrame,
    Stored,
    Writer,
    Writers,
)
from backend.compose.together.document import Document, NotOfThisDocument
from backend.database.connection import end_if_cancelled
from backend.errors import NotFound, TandemError
from backend.events.contracts import frame_encoder
from backend.events.hub import Client
from backend.events.record import action

log = logging.getLogger(__name__)

TICK = 0.03
"""Seconds in which changes are gathered into one transaction."""
FOLLOW = 0.6
"""Seconds after which the draft says what its document says."""
LOOK = 2.0
"""How often a quiet room looks who may be in it, and what others stored."""
DATABASE_FAULTS = (OSError, asyncpg.PostgresError, asyncpg.InterfaceError, TimeoutError)


@dataclass(eq=False, slots=True)
class Seat:
    """One open editor. `follows`: it has said what it has, and hears every change from there on."""

    client: Client
    name: str
    colour: int
    number: int = 0
    cursor: str | None = None
    follows: bool = False

    def tell(self, frame: ServerFrame) -> None:
        self.client.put(frame_encoder.encode(frame))

    def show_out(self, message: str, remedy: str) -> None:
        """Say why, and end the socket."""
        self.client.close("refused")
        self.client.queue.appendleft(frame_encoder.encode(Refused(message=message, remedy=remedy)))


class Room:
    """The people at one draft, and a copy of its document."""

    def __init__(self, draft_id: int) -> None:
        self.draft_id = draft_id
        self.seats: set[Seat] = set()
        self._heard: list[tuple[Seat, ClientFrame]] = []
        self._wake = asyncio.Event()
        self._document: Document | None = None  # None: to be read
        self._position = -1
        self._moved = False
        self._due: float | None = None
        self._last_writer: int | None = None

    def enter(self, seat: Seat) -> None:
        self.seats.add(seat)
        self._moved = True
        self.wake()

    def leave(self, seat: Seat) -> None:
        self.seats.discard(seat)
        self._moved = True
        self.wake()

    def hear(self, seat: Seat, frame: ClientFrame) -> None:
        self._heard.append((seat, frame))
        self.wake()

    def wake(self) -> None:
        self._wake.set()

    async def run(self) -> None:
        """Until nobody is there, and the draft says what was written."""
        while True:
            due = time.monotonic() + LOOK if self._due is None else min(self._due, time.monotonic() + LOOK)
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(max(0.0, due - time.monotonic())):
                    await self._wake.wait()
                    await asyncio.sleep(TICK)
            self._wake.clear()
            heard, self._heard = self._heard, []
            try:
                await self._round(heard)
                if self._due is not None and time.monotonic() >= self._due:
                    await self._follow()
                if not self.seats and not self._heard:
                    await self._follow()
                    if not self.seats and not self._heard:
                        return
            except NotFound:
                self.close("gone")
                return
            except DATABASE_FAULTS as fault:
                end_if_cancelled()
                log.warning("A draft's document could not be stored (%s); trying again.", type(fault).__name__)
                self._document = None
                self._heard = heard + self._heard
                await asyncio.sleep(0.5)
                self.wake()

    def close(self, reason: str) -> None:
        """Everybody has to leave."""
        for seat in self.seats:
            seat.client.close(reason)

    async def _round(self, heard: list[tuple[Seat, ClientFrame]]) -> None:
        """Take in, in one transaction, what was heard here and stored elsewhere; then tell it."""
        taken: list[tuple[Seat, MakeChange]] = []
        begun: bytes | None = None
        async with action(None):
            if self._document is None:
                standing = await read_document(self.draft_id)
                self._document, self._position = Document(self.draft_id, standing.changes), standing.position
            held = await hold_document(self.draft_id, self._position)
            await self._show_out_who_may_not()
            for change in held.changes:
                self._document.apply(change)
            for seat, frame in heard:
                if seat.client.closing:
                    continue
                if isinstance(frame, Begin) and held.begun is None and begun is None:
                    if await self._apply(seat, frame.change, []):
                        begun = frame.change
                elif isinstance(frame, MakeChange):
                    if held.begun is None:
                        seat.show_out("Nothing is written here yet.", "Begin with the draft itself.")
                    elif await self._apply(seat, frame.change, [change.change for _, change in taken]):
                        taken.append((seat, frame))
            change = begun or (pycrdt.merge_updates(*(frame.change for _, frame in taken)) if taken else None)
            position = held.position
            if change is not None:
                position = await store_change(held, self.draft_id, change, self._document)
        self._position = position
        if taken:
            self._last_writer = taken[-1][0].client.user_id
        if change is not None or held.changes:
            self._due = self._due or time.monotonic() + FOLLOW
        if begun is not None:
            for seat in self.seats:
                seat.tell(Begun(change=begun))
        self._tell(held.changes, taken)
        self._answer(heard, begun or held.begun)
        self._tell_writers()

    async def _apply(self, seat: Seat, change: bytes, before: list[bytes]) -> bool:
        """Take a change into the copy. What cannot be is told to its sender, and the copy is read again."""
        assert self._document is not None
        if await size_of(self.draft_id) + sum(map(len, before)) + len(change) > LARGEST_DOCUMENT:
            seat.show_out("This draft has become too long to be written together.", "Put part of it into a file.")
            return False
        try:
            self._document.apply(change)
        except NotOfThisDocument as fault:
            seat.show_out(str(fault), "Open the draft again: what is stored is kept.")
            standing = await read_document(self.draft_id)
            self._document = Document(self.draft_id, [*standing.changes, *before])
            return False
        return True

    async def _show_out_who_may_not(self) -> None:
        asked = list(self.seats)  # who comes in meanwhile was not asked about
        may = await writers_among(self.draft_id, {seat.client.user_id for seat in asked})
        for seat in asked:
            if seat.client.user_id not in may:
                seat.client.close("no_access")
                self.leave(seat)

    def _tell(self, elsewhere: Sequence[bytes], taken: list[tuple[Seat, MakeChange]]) -> None:
        """What was stored, to those who follow; and to whoever sent it, that it was."""
        for seat in self.seats:
            others = [*elsewhere, *(frame.change for sender, frame in taken if sender is not seat)]
            if seat.follows and others:
                seat.tell(Changed(change=pycrdt.merge_updates(*others)))
        for seat, number in {seat: frame.number for seat, frame in taken}.items():
            seat.tell(Stored(number=number))

    def _answer(self, heard: list[tuple[Seat, ClientFrame]], begun: bytes | None) -> None:
        assert self._document is not None
        for seat, frame in heard:
            if seat.client.closing:
                continue
            if isinstance(frame, Has):
                try:
                    missing = self._document.since(frame.state)
                except NotOfThisDocument as fault:
                    seat.show_out(str(fault), "Open the draft again: what is stored is kept.")
                    continue
                seat.tell(Missing(change=missing, state=self._document.state))
                seat.follows = True
            elif isinstance(frame, MoveCursor):
                seat.number, seat.cursor = frame.client, frame.cursor
                self._moved = True
            elif isinstance(frame, Begin) and begun is not None and frame.change != begun:
                seat.tell(Begun(change=begun))

    def _tell_writers(self) -> None:
        if not self._moved:
            return
        self._moved = False
        for seat in self.seats:
            others = [
                Writer(
                    user_id=other.client.user_id,
                    name=other.name,
                    colour=other.colour,
                    client=other.number,
                    cursor=other.cursor,
                )
                for other in self.seats
                if other is not seat
            ]
            seat.tell(Writers(writers=others))

    async def _follow(self) -> None:
        """Let the draft say what is written. What cannot become a mail stays in the document, and they are told."""
        self._due = None
        try:
            await follow_document(self.draft_id, self._last_writer)
        except NotFound:
            raise
        except TandemError as fault:
            for seat in self.seats:
                seat.tell(Refused(message=fault.message, remedy=fault.remedy))


class Rooms:
    """Of one web process. Start it with the process, stop it with the process."""

    def __init__(self) -> None:
        self._rooms: dict[int, Room] = {}
        self._tasks: dict[int, asyncio.Task[None]] = {}
        self._catching_up: asyncio.Task[None] | None = None

    def start(self) -> None:
        self._catching_up = asyncio.create_task(self._catch_up(), name="together-catch-up")

    async def stop(self) -> None:
        for room in self._rooms.values():
            room.close("shutting_down")
            room.seats.clear()
            room.wake()
        tasks = [*self._tasks.values(), *([self._catching_up] if self._catching_up else [])]
        if tasks:
            _, late = await asyncio.wait(tasks, timeout=5)
            for task in late:
                task.cancel()

    def enter(self, draft_id: int, seat: Seat) -> Room:
        """Sit down in the draft's room; the one who comes first opens it."""
        room = self._rooms.get(draft_id)
        if room is None or self._tasks[draft_id].done():
            room = self._rooms[draft_id] = Room(draft_id)
            room.enter(seat)
            task = self._tasks[draft_id] = asyncio.create_task(room.run(), name=f"together-{draft_id}")
            task.add_done_callback(lambda done: self._ended(draft_id, room, done))
        else:
            room.enter(seat)
        return room

    def _ended(self, draft_id: int, room: Room, task: asyncio.Task[None]) -> None:
        if self._rooms.get(draft_id) is room:
            del self._rooms[draft_id], self._tasks[draft_id]
        if not task.cancelled() and (fault := task.exception()) is not None:
            log.error("The room of a draft ended with %s", type(fault).__name__, exc_info=fault)
            room.close("failed")
        elif room.seats:
            room.close("gone")

    def hear(self, payload: str) -> None:
        """Another process stored something, or this one did: whoever is behind reads on."""
        if payload.isdecimal() and (room := self._rooms.get(int(payload))) is not None:
            room.wake()

    async def _catch_up(self) -> None:
        """What a process stored before it ended, and did not write into the draft any more."""
        try:
            for draft_id in await behind():
                with contextlib.suppress(TandemError):  # it is gone by now, or cannot become a mail
                    await follow_document(draft_id, None)
        except DATABASE_FAULTS as fault:
            end_if_cancelled()
            log.warning("Drafts written together could not be caught up with (%s).", type(fault).__name__)
