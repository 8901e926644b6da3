"""The hub: one for each web process, between the events table and the process' open sockets.

    commit --NOTIFY--> listen --> pending streams --> dispatch: read the new events of each stream once
                                                        |
                            client.queue (bounded) <----+--> client.queue ...

A client's stream is either *catching up* or *following*:

    subscribe(since) --> catching up: the client's own task reads pages from the table, scoped to the person
                              |
                              | position reached == the feed's position, looked at without an await between
                              v
                         following: dispatch puts every further event into the queue

The switch happens on the one event loop without giving way, so no event falls between the two and none is given
twice. NOTIFY only wakes: were one lost, the poll every few seconds would find the same rows. Access to a mailbox is
looked at with every page that is dispatched, in the database, so that a person who lost it a moment ago gets nothing
committed after that. A client that reads too slowly is closed; it comes back with its positions and misses nothing.
"""

import asyncio
import logging
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import asyncpg

from backend.contracts import StreamPosition
from backend.database.connection import Row, end_if_cancelled, engine, fetch
from backend.events.contracts import (
    ClosingFrame,
    PositionFrame,
    RefusedFrame,
    ResetFrame,
    frame_encoder,
)
from backend.events.feed import frame_for, live_page, replay_page, stream_head, stream_is_for
from backend.events.presence import CHANNEL as PRESENCE_CHANNEL
from backend.events.presence import Presence
from backend.events.record import CHANNEL

log = logging.getLogger(__name__)

SESSIONS_CHANNEL = "tandem_sessions"
"""NOTIFY here with `session 7`, `token 3` or `user 5` closes those sockets at once, in every process."""

LONGEST_QUEUE = 2_000
"""Frames that may wait for a slow reader."""
POLL_SECONDS = 5.0
"""How long a lost NOTIFY can go unnoticed."""


@dataclass(eq=False, slots=True)
class Client:
    """One open socket."""

    user_id: int
    session_id: int | None
    token_id: int | None
    queue: deque[bytes] = field(default_factory=deque)
    waiting: asyncio.Event = field(default_factory=asyncio.Event)
    drained: asyncio.Event = field(default_factory=asyncio.Event)
    following: set[str] = field(default_factory=set)
    positions: dict[str, int] = field(default_factory=dict)
    closing: str = ""
    """Why the socket is to be closed, once it is."""

    def put(self, frame: bytes) -> None:
        """Queue a frame; too many make the client `too_slow`."""
        if self.closing:
            return
        if len(self.queue) >= LONGEST_QUEUE:
            self.close("too_slow")
            return
        self.queue.append(frame)
        self.waiting.set()

    async def until_drained(self, fewer_than: int) -> None:
        """Wait for the socket's sender while so many frames wait; a long replay is not a slow reader."""
        if len(self.queue) >= fewer_than and not self.closing:
            self.drained.clear()
            await self.drained.wait()

    def put_position(self, stream: str, position: int) -> None:
        self.put(frame_encoder.encode(PositionFrame(positions=[StreamPosition(stream=stream, position=position)])))

    def close(self, reason: str) -> None:
        """Drop what waits and let the socket's task end, telling the reason."""
        if self.closing:
            return
        self.closing = reason
        self.drained.set()
        self.queue.clear()
        self.queue.append(frame_encoder.encode(ClosingFrame(reason=reason)))
        self.waiting.set()


@dataclass(slots=True)
class Feed:
    """A stream with at least one following client: dispatched up to `position`."""

    position: int
    clients: set[Client] = field(default_factory=set)


class Hub:
    """Start it with the process, stop it with the process; `subscribe` is called by each socket's own task."""

    def __init__(self) -> None:
        self.clients: set[Client] = set()
        self.presence = Presence()
        self._others: dict[str, Callable[[str], None]] = {}
        self._feeds: dict[str, Feed] = {}
        self._pending: dict[str, None] = {}
        self._wake = asyncio.Event()
        self._tasks: list[asyncio.Task[None]] = []

    def listen(self, channel: str, hear: Callable[[str], None]) -> None:
        """Hear a further NOTIFY channel on the same connection; before the start. A word of it may be lost."""
        self._others[channel] = hear

    async def start(self) -> None:
        listening = asyncio.Event()
        self._tasks = [
            asyncio.create_task(self._listen(listening), name="hub-listen"),
            asyncio.create_task(self._dispatch_loop(), name="hub-dispatch"),
            asyncio.create_task(self.presence.run(), name="hub-presence"),
        ]
        await listening.wait()

    async def stop(self) -> None:
        for client in list(self.clients):
            client.close("shutting_down")
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self.presence.stop()

    def add(self, client: Client) -> None:
        self.clients.add(client)

    def remove(self, client: Client) -> None:
        self.clients.discard(client)
        self.presence.leave(client)
        for stream in list(client.following):
            self._unfollow(client, stream)

    def unsubscribe(self, client: Client, stream: str) -> None:
        self._unfollow(client, stream)
        client.positions.pop(stream, None)

    def _unfollow(self, client: Client, stream: str) -> None:
        client.following.discard(stream)
        feed = self._feeds.get(stream)
        if feed is not None:
            feed.clients.discard(client)
            if not feed.clients:
                del self._feeds[stream]

    async def subscribe(self, client: Client, stream: str, since: int) -> None:
        """Give the client everything of the stream after `since`, then let it follow."""
        self._unfollow(client, stream)
        if not await stream_is_for(client.user_id, stream):
            client.put(frame_encoder.encode(RefusedFrame(stream=stream)))
            return
        head, pruned_to = await stream_head(stream)
        if since < pruned_to or since > head:
            client.put(frame_encoder.encode(ResetFrame(stream=stream)))
            return
        position = since
        while not client.closing:
            records, reached = await replay_page(client.user_id, stream, position)
            for record in records:
                client.put(frame_for(record, client.user_id))
            if reached > position and (not records or records[-1]["position"] < reached):
                client.put_position(stream, reached)
            advanced, position = reached > position, reached
            await client.until_drained(LONGEST_QUEUE // 2)
            if advanced:
                continue
            feed = self._feeds.get(stream)
            if feed is None or feed.position == position:
                # No await between this look and the registration: see the essay above.
                self._feeds.setdefault(stream, Feed(position)).clients.add(client)
                client.following.add(stream)
                client.positions[stream] = position
                self._wake_for(stream)
                return
            if feed.position < position:
                # The table is ahead of what was dispatched: let the hub catch up first.
                self._wake_for(stream)
                await asyncio.sleep(0.005)

    def _wake_for(self, stream: str) -> None:
        self._pending[stream] = None
        self._wake.set()

    async def _listen(self, listening: asyncio.Event) -> None:
        """Hold one LISTEN connection; make a new one when it breaks, and look at every stream then."""
        while True:
            try:
                connection = await engine.get_new_connection()
                try:
                    await connection.add_listener(CHANNEL, self._on_events)
                    await connection.add_listener(SESSIONS_CHANNEL, self._on_sessions)
                    await connection.add_listener(PRESENCE_CHANNEL, self._on_presence)
                    for channel in self._others:
                        await connection.add_listener(channel, self._on_other)
                    await self.presence.ask()
                    listening.set()
                    while not connection.is_closed():
                        for stream in list(self._feeds):
                            self._wake_for(stream)
                        await asyncio.sleep(POLL_SECONDS)
                finally:
                    await connection.close(timeout=2)
            except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError, TimeoutError) as fault:
                end_if_cancelled()
                log.warning("The live connection to the database broke (%s); trying again.", type(fault).__name__)
                await asyncio.sleep(0.5)

    def _on_events(self, _connection: object, _pid: int, _channel: str, payload: str) -> None:
        for moved in payload.split():
            stream = moved.partition("=")[0]
            if stream in self._feeds:
                self._wake_for(stream)

    def _on_sessions(self, _connection: object, _pid: int, _channel: str, payload: str) -> None:
        kind, _, number = payload.partition(" ")
        for client in list(self.clients):
            own = {"session": client.session_id, "token": client.token_id, "user": client.user_id}.get(kind)
            if own is not None and str(own) == number:
                client.close("signed_out")

    def _on_presence(self, _connection: object, _pid: int, _channel: str, payload: str) -> None:
        self.presence.hear(payload)

    def _on_other(self, _connection: object, _pid: int, channel: str, payload: str) -> None:
        self._others[channel](payload)

    async def _dispatch_loop(self) -> None:
        while True:
            await self._wake.wait()
            self._wake.clear()
            while self._pending:
                stream = next(iter(self._pending))
                del self._pending[stream]
                try:
                    await self._dispatch(stream)
                except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError) as fault:
                    end_if_cancelled()
                    log.warning("Events of %s could not be read (%s); trying again.", stream, type(fault).__name__)
                    await asyncio.sleep(0.2)
                    self._wake_for(stream)

    async def _dispatch(self, stream: str) -> None:
        feed = self._feeds.get(stream)
        if feed is None:
            return
        while records := await live_page(stream, feed.position):
            allowed = await self._allowed(stream)
            feed.position = records[-1]["position"]
            shared = [None if record["personal"] else frame_for(record, 0) for record in records]
            for client in list(feed.clients):
                if allowed is not None and client.user_id not in allowed:
                    self.unsubscribe(client, stream)
                    continue
                self._give(client, stream, records, shared)

    async def _allowed(self, stream: str) -> set[int] | None:
        """Who can read the stream now; None for the streams that nobody loses."""
        kind, _, number = stream.partition(":")
        if kind != "mailbox":
            return None
        rows = await fetch("SELECT user_id FROM mailbox_readers WHERE mailbox_id = $1", int(number))
        return {row["user_id"] for row in rows}

    def _give(self, client: Client, stream: str, records: Sequence[Row], shared: Sequence[bytes | None]) -> None:
        """Queue these events for one client; `shared` holds the frames that are the same for everybody."""
        last_given = 0
        for record, frame in zip(records, shared, strict=True):
            audience = record["audience"]
            if audience is None or client.user_id in audience:
                client.put(frame or frame_for(record, client.user_id))
                last_given = record["position"]
        newest = records[-1]["position"]
        client.positions[stream] = newest
        if last_given != newest:
            client.put_position(stream, newest)


async def close_sessions(kind: str, number: int) -> None:
    """Inside an action: when it commits, close the sockets of a `session`, `token` or `user`."""
    await fetch("SELECT pg_notify($1, $2)", SESSIONS_CHANNEL, f"{kind} {number}")


async def drain(client: Client) -> list[bytes]:
    """Wait until there is something to send, and take it."""
    while not client.queue:
        client.waiting.clear()
        await client.waiting.wait()
    taken = list(client.queue)
    client.queue.clear()
    client.drained.set()
    return taken
