"""Flags of folders besides the inbox, on servers without CONDSTORE.

There STATUS tells of nothing but the number of unseen messages: what is flagged, answered or read and unread in turn
is seen by looking. A folder's marks, the UIDs that bear each flag and keyword, are asked for by search, in a few short
answers; only where they are others than the last time are all flags of the folder read and compared.
"""

import re
import time
from collections.abc import Iterable

from sync.imap.connection import Connection

AT_ONCE = 20
"""Folders that one round looks at: hundreds take turns."""
MOST_KEYWORDS = 20
"""Of a folder, looked at; more of them are met when something else changes."""
_ATOM = re.compile(r"[A-Za-z0-9$_.:+-]+")
_ASKED = ("UNSEEN", "FLAGGED", "ANSWERED", "DELETED")

Marks = tuple[tuple[int, ...], ...]
"""The UIDs that bear each of the flags asked for."""


async def marks_of(connection: Connection) -> Marks:
    """The marks of the open folder."""
    if not connection.exists:
        return ()
    selected = connection.selected
    keywords = [word for word in selected.keywords if _ATOM.fullmatch(word)] if selected is not None else []
    asked = [*_ASKED, *(f"KEYWORD {word}" for word in sorted(keywords)[:MOST_KEYWORDS])]
    return tuple([tuple(await connection.search(flag)) for flag in asked])


class Marked:
    """The marks of an account's folders as last seen."""

    def __init__(self) -> None:
        self._marks: dict[str, Marks] = {}
        self._looked_at: dict[str, float] = {}

    def turn(self, names: Iterable[str]) -> set[str]:
        """Those of these folders whose turn it is: the ones looked at longest ago."""
        return set(sorted(names, key=lambda name: self._looked_at.get(name, 0.0))[:AT_ONCE])

    def are(self, name: str, marks: Marks) -> bool:
        """Whether the folder had these marks the last time; the time of this look is noted."""
        self._looked_at[name] = time.monotonic()
        return self._marks.get(name) == marks

    def note(self, name: str, marks: Marks) -> None:
        """The folder was caught up after these marks were read."""
        self._looked_at[name] = time.monotonic()
        self._marks[name] = marks

    def forget(self, name: str) -> None:
        """The folder is gone."""
        self._marks.pop(name, None)
        self._looked_at.pop(name, None)
