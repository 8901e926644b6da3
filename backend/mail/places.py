"""What a folder of the server means for the mail in it, and what has to move for a message to stand where it should.

Pure: the job that moves (backend/workers/carrying.py) and the rule that reads the server's moves share these words.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

Place = Literal["inbox", "done", "trash", "junk"]
Where = Literal["inbox", "done", "trash", "junk", "sent", "drafts", "other"]

DONE_TITLE = "Done"
"""The folder that takes done mail in accounts that are set so (`mail_accounts.done_to` = done)."""

_BY_ROLE: dict[str, Where] = {
    "inbox": "inbox",
    "archive": "done",
    "trash": "trash",
    "junk": "junk",
    "sent": "sent",
    "drafts": "drafts",
}


def where(role: str, name: str, delimiter: str = "/.") -> Where:
    """What standing in this folder means. `name` is the server's; the last part of it may be "Done"."""
    if role in _BY_ROLE:
        return _BY_ROLE[role]
    last = name
    for separator in delimiter:
        last = last.rsplit(separator, 1)[-1]
    return "done" if last.casefold() == DONE_TITLE.casefold() else "other"


@dataclass(frozen=True, slots=True)
class Stand:
    """One copy of a message on the server."""

    placement_id: int
    folder_id: int
    uid: int
    where: Where


def to_move(wanted: Place, stands: Sequence[Stand], *, done_stays: bool = False) -> list[Stand]:
    """The copies that have to move so that the message stands where it is wanted; none when it does.

    Trash and junk take every copy but those in Sent and Drafts. The inbox takes one copy back, from where it was put
    away. Done clears the inbox; what a person filed in a folder of their own stays there. `done_stays`: done mail is
    left in the inbox.
    """
    if wanted in ("trash", "junk"):
        return [stand for stand in stands if stand.where not in ("sent", "drafts", wanted)]
    if wanted == "done" and not done_stays:
        in_inbox = [stand for stand in stands if stand.where == "inbox"]
        return in_inbox or _one_back(stands, ("done", "other"), ("trash", "junk"))
    return _one_back(stands, ("inbox",), ("done", "trash", "junk") if wanted == "inbox" else ("trash", "junk"))


def _one_back(stands: Sequence[Stand], enough: Sequence[Where], sources: Sequence[Where]) -> list[Stand]:
    """The first copy in one of the sources, unless one stands where that is enough."""
    if any(stand.where in enough for stand in stands):
        return []
    found = [stand for source in sources for stand in stands if stand.where == source]
    return found[:1]


def is_there(wanted: Place, stand: Stand, *, done_stays: bool = False) -> bool:
    """Whether this copy is one that makes the wish true."""
    if wanted == "done":
        return stand.where in ("done", "other") or (done_stays and stand.where == "inbox")
    return stand.where == wanted
