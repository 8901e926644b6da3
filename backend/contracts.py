"""The base of everything that crosses the wire.

A contract is a closed msgspec struct: an unknown field is an error, in requests and in events alike, so that
a typing error in a field's name is told and never swallowed. Times are aware and in UTC.
"""

from datetime import datetime
from typing import Annotated, dataclass_transform

import msgspec

Moment = Annotated[datetime, msgspec.Meta(tz=True)]
"""A moment in a request: with its time zone, or it is refused."""


@dataclass_transform(frozen_default=True, kw_only_default=True)
class Contract(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A value that crosses the wire between server, browser and other programs."""


@dataclass_transform(frozen_default=True, kw_only_default=True)
class Change(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A request that changes some fields: what is left out (`UNSET`) stays as it is."""


class StreamPosition(Contract):
    """How far a snapshot or a client has come in one stream, such as `mailbox:3`."""

    stream: str
    position: int
