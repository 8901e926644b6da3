"""What is said on the socket of a draft that several write together. Bytes travel as base64.

A client that arrives hears `welcome`. While nobody has put the draft into the shared document (`begun` is null), it
does so with `begin`; of several, the first counts, and all hear that one. From then on it says what it `has` (a Yjs
state vector) after each connection, hears what it is `missing`, and sends what the server lacks. Each `change` (a Yjs
update) is answered by `stored` once it is durable.
"""

from typing import Annotated

import msgspec

from backend.compose.contracts import Draft
from backend.contracts import Contract
from backend.events.contracts import ClosingFrame

LARGEST_CHANGE = 2 * 1024 * 1024
"""Bytes of one change."""
LARGEST_DOCUMENT = 6 * 1024 * 1024
"""Bytes of all that is kept of one document."""

Change = Annotated[bytes, msgspec.Meta(max_length=LARGEST_CHANGE)]
Cursor = Annotated[str, msgspec.Meta(max_length=2_000)]
DocumentClient = Annotated[int, msgspec.Meta(ge=0, le=2**53)]
"""The number under which one open editor writes in the document: Yjs calls it a client id."""


class Begin(Contract, tag="begin", tag_field="frame"):
    """The draft, as the first change of the document."""

    change: Change


class Has(Contract, tag="has", tag_field="frame"):
    state: Annotated[bytes, msgspec.Meta(max_length=256 * 1024)]


class MakeChange(Contract, tag="change", tag_field="frame"):
    """`number` is the client's own, told back when the change is stored."""

    number: int
    change: Change


class MoveCursor(Contract, tag="cursor", tag_field="frame"):
    """Where this editor's cursor stands, as its own kind understand it; None: nowhere."""

    client: DocumentClient
    cursor: Cursor | None


ClientFrame = Begin | Has | MakeChange | MoveCursor


class Welcome(Contract, tag="welcome", tag_field="frame"):
    draft: Draft
    begun: bytes | None


class Begun(Contract, tag="begun", tag_field="frame"):
    """What the document began with: whatever was typed elsewhere before is a change of this."""

    change: bytes


class Missing(Contract, tag="missing", tag_field="frame"):
    """What the client lacks, and what the server has."""

    change: bytes
    state: bytes


class Changed(Contract, tag="changed", tag_field="frame"):
    change: bytes


class Stored(Contract, tag="stored", tag_field="frame"):
    """Every change up to this number is durable."""

    number: int


class Writer(Contract):
    """Somebody who has the draft open. Name and colour are the server's word, not the client's."""

    user_id: int
    name: str
    colour: int
    client: int
    cursor: str | None


class Writers(Contract, tag="writers", tag_field="frame"):
    """The others who write here now; whatever was said of it before is no longer so."""

    writers: list[Writer]


class Refused(Contract, tag="refused", tag_field="frame"):
    """What was sent is not taken, or cannot become a mail."""

    message: str
    remedy: str


class Beat(Contract, tag="beat", tag_field="frame"):
    """Said when nothing else is: the line stands."""


ServerFrame = Beat | Welcome | Begun | Missing | Changed | Stored | Writers | Refused | ClosingFrame

client_frames = msgspec.json.Decoder(ClientFrame)
server_frames = msgspec.json.Decoder(ServerFrame)
