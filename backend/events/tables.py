"""Streams and their numbered events."""

from piccolo.columns import JSONB, Array, BigInt, BigSerial, Text, Timestamptz
from piccolo.columns.defaults import TimestamptzNow
from piccolo.table import Table


class Stream(Table, tablename="streams"):
    """`mailbox:3`, `user:5` or `organisation`. Events up to `pruned_to` are no longer kept."""

    key = Text(primary_key=True)
    position = BigInt(default=0)
    pruned_to = BigInt(default=0)


class EventRow(Table, tablename="events"):
    """One recorded change. `audience` (if not null) lists the only users who may see it; `personal` holds, by
    user, what is merged into the body for that one."""

    id = BigSerial(primary_key=True)
    stream = Text()
    position = BigInt()
    at = Timestamptz(default=TimestamptzNow())
    actor_id = BigInt(null=True, default=None)
    conversation_id = BigInt(null=True, default=None)
    audience = Array(base_column=BigInt(), null=True, default=None)
    body = JSONB()
    personal = JSONB(null=True, default=None)
