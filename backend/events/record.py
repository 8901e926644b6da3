"""The write path: one action is one transaction, and its events are numbered as the last step before commit.

    async with action(actor_id) as act:
        ... rows ...
        act.record("mailbox:3", CommentAdded(...), conversation_id=7, audience=None)
        await enqueue("take_report", message_id=9)

Leaving the block writes the recorded events. Each stream's counter row is locked in the order of the keys, so that two
actions never wait for each other, and only from there to the commit, so that streams are held for as short as can be.
The numbers of a stream therefore have no gap, and follow the order of the commits. NOTIFY says which streams moved;
the table is what is read.

An action inside another action's block joins it: same transaction, same events, the outer actor.
"""

from collections import defaultdict
from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from contextlib import asynccontextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from datetime import datetime

import msgspec

from backend.database.connection import copy_rows, engine, execute, fetch
from backend.events.contracts import Event

CHANNEL = "tandem_events"
ORGANISATION = "organisation"


def mailbox_stream(mailbox_id: int) -> str:
    return f"mailbox:{mailbox_id}"


def user_stream(user_id: int) -> str:
    return f"user:{user_id}"


@dataclass(slots=True)
class _Recorded:
    stream: str
    event: Event
    conversation_id: int | None
    audience: list[int] | None
    personal: Mapping[int, object] | None
    actor_id: int | None


@dataclass(slots=True)
class Action:
    """What an action has to tell. `actor_id` is the person who acts, or nobody (arriving mail, a rule)."""

    actor_id: int | None
    _events: list[_Recorded] = field(default_factory=list)

    def record(
        self,
        stream: str,
        event: Event,
        *,
        conversation_id: int | None = None,
        audience: Collection[int] | None = None,
        personal: Mapping[int, object] | None = None,
        actor_id: int | None = None,
    ) -> None:
        """Append an event to a stream when the action commits.

        `audience` (None: all who can read the stream) is fixed now. `personal` maps a user to the fields of the
        event's body that only that user receives. `actor_id` names who acts, where an action does the work of many.
        """
        listed = None if audience is None else sorted(audience)
        who = self.actor_id if actor_id is None else actor_id
        self._events.append(_Recorded(stream, event, conversation_id, listed, personal, who))

    async def write_events(self) -> None:
        """Number and store what was recorded. Called once, as the transaction's last step."""
        by_stream: dict[str, list[_Recorded]] = defaultdict(list)
        for recorded in self._events:
            by_stream[recorded.stream].append(recorded)
        if not by_stream:
            return
        streams = sorted(by_stream)
        records = await fetch(
            "INSERT INTO streams (key, position, pruned_to) SELECT key, number, 0 "
            "FROM unnest($1::text[], $2::bigint[]) AS t(key, number) ORDER BY key "
            "ON CONFLICT (key) DO UPDATE SET position = streams.position + excluded.position "
            "RETURNING key, position, clock_timestamp() AS at",
            streams,
            [len(by_stream[stream]) for stream in streams],
        )
        moved = {record["key"]: record["position"] for record in records}
        at = max(record["at"] for record in records)
        await copy_rows(
            "events",
            ("stream", "position", "at", "actor_id", "conversation_id", "audience", "body", "personal"),
            [row for stream in streams for row in _numbered(stream, moved[stream], at, by_stream[stream])],
        )
        await execute("SELECT pg_notify($1, $2)", CHANNEL, " ".join(f"{k}={v}" for k, v in moved.items()))


def _numbered(stream: str, position: int, at: datetime, events: Sequence[_Recorded]) -> list[tuple[object, ...]]:
    """The rows of one stream's events, the last of which has this number."""
    return [
        (
            stream,
            number,
            at,
            recorded.actor_id,
            recorded.conversation_id,
            recorded.audience,
            msgspec.json.encode(recorded.event).decode(),
            _personal(recorded.personal),
        )
        for number, recorded in enumerate(events, position - len(events) + 1)
    ]


def _personal(fields: Mapping[int, object] | None) -> str | None:
    return None if fields is None else msgspec.json.encode({str(k): v for k, v in fields.items()}).decode()


_current: ContextVar[Action | None] = ContextVar("tandem_action", default=None)


@asynccontextmanager
async def action(actor_id: int | None) -> AsyncIterator[Action]:
    """Open a transaction for one change, or join the one that is open."""
    outer = _current.get()
    if outer is not None:
        yield outer
        return
    async with engine.transaction():
        act = Action(actor_id)
        token = _current.set(act)
        try:
            yield act
        finally:
            _current.reset(token)
        await act.write_events()


async def positions(streams: Collection[str]) -> dict[str, int]:
    """The current number of each stream, 0 for one that nothing was recorded in yet."""
    rows = await fetch("SELECT key, position FROM streams WHERE key = ANY($1)", list(streams))
    known = {row["key"]: row["position"] for row in rows}
    return {stream: known.get(stream, 0) for stream in streams}
