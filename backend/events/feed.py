"""Reading a stream on behalf of one person, and turning events into frames."""

from collections.abc import Sequence

import msgspec

from backend.database.connection import Row, fetch, fetch_row
from backend.events.contracts import Event, EventFrame, event_decoder, frame_encoder

PAGE = 500
"""Events read at once."""

_personal_fields = msgspec.json.Decoder(dict[str, dict[str, msgspec.Raw]])


async def stream_is_for(user_id: int, stream: str) -> bool:
    """Whether the person may follow the stream now."""
    kind, _, number = stream.partition(":")
    if stream == "organisation":
        return True
    # One spelling for each stream: a client that follows the same one in a thousand would be a thousand feeds.
    if not number.isdecimal() or len(number) > 18 or number != str(int(number)):
        return False
    if kind == "user":
        return int(number) == user_id
    if kind != "mailbox":
        return False
    return bool(
        await fetch("SELECT 1 FROM mailbox_readers WHERE mailbox_id = $1 AND user_id = $2", int(number), user_id)
    )


async def stream_head(stream: str) -> tuple[int, int]:
    """The newest number of the stream, and the newest one that is no longer kept."""
    row = await fetch_row("SELECT position, pruned_to FROM streams WHERE key = $1", stream)
    return (row["position"], row["pruned_to"]) if row else (0, 0)


async def replay_page(user_id: int, stream: str, after: int) -> tuple[Sequence[Row], int]:
    """The next events after a number that the person may see, and the number up to which that is the whole truth.

    An event about a conversation that the person sees no longer is passed over: the later `conversation_gone` says
    what there is to say. (One of `conversation_gone` itself holds an id alone.)
    """
    row = await fetch_row(
        "SELECT max(position) AS reached FROM (SELECT position FROM events WHERE stream = $1 AND position > $2 "
        "ORDER BY position LIMIT $3) page",
        stream,
        after,
        PAGE,
    )
    reached = row["reached"] if row else None
    if reached is None:
        return [], after
    records = await fetch(
        "SELECT * FROM events e WHERE stream = $1 AND position > $2 AND position <= $3 "
        "AND (audience IS NULL OR $4 = ANY(audience)) "
        "AND (conversation_id IS NULL OR body ->> 'type' = 'conversation_gone' OR sees($4, conversation_id)) "
        "ORDER BY position",
        stream,
        after,
        reached,
        user_id,
    )
    return records, reached


async def live_page(stream: str, after: int) -> Sequence[Row]:
    """Every event after a number, for whoever `audience` says; the hub looks at that for each of its clients."""
    return await fetch(
        "SELECT * FROM events WHERE stream = $1 AND position > $2 ORDER BY position LIMIT $3",
        stream,
        after,
        PAGE,
    )


def frame_for(record: Row, user_id: int) -> bytes:
    """The frame of one event as this person receives it."""
    event: Event = event_decoder.decode(record["body"])
    if record["personal"] is not None:
        own = _personal_fields.decode(record["personal"]).get(str(user_id))
        if own:
            body = msgspec.json.decode(record["body"])
            body.update({name: msgspec.json.decode(value) for name, value in own.items()})
            event = msgspec.convert(body, Event)
    return frame_encoder.encode(
        EventFrame(
            stream=record["stream"],
            position=record["position"],
            at=record["at"],
            actor_id=record["actor_id"],
            event=event,
        )
    )
