"""Flags as words: which of them may mean something to people here, besides what is told of them elsewhere."""

from collections import defaultdict
from collections.abc import Iterable, Mapping

import msgspec

FLAG = "\\Flagged"

Labels = Mapping[int, set[str]]
"""By conversation: the flags, in lower case, that make its star and its tags."""

WELL_KNOWN = frozenset(
    {
        *("junk", "nonjunk", "notjunk", "forwarded", "redirected", "replied", "mdnsent", "submitted", "submitpending"),
        *("hasattachment", "hasnoattachment", "receiptchecked", "phishing", "notphishing"),
    }
)
"""What mail programs mark mail with for reasons of their own, in lower case; besides all that begins with "$"."""

_decoder = msgspec.json.Decoder(list[str])


def is_label(flag: str) -> bool:
    """Whether it may make a star or a tag. Other system flags, and what programs use among themselves, do not."""
    if flag[:1] in ("\\", "$", ""):
        return flag == FLAG
    return flag.lower() not in WELL_KNOWN


def labels_of(flags: Iterable[str]) -> set[str]:
    """Those of a message's flags that may make its star or tags, in lower case."""
    return {flag.lower() for flag in flags if is_label(flag)}


def by_conversation(each: Iterable[tuple[int | None, Iterable[str]]]) -> Labels:
    """The labels among the flags, by conversation; conversations without any are missing."""
    found: dict[int, set[str]] = defaultdict(set)
    for conversation_id, flags in each:
        if conversation_id is not None and (labels := labels_of(flags)):
            found[conversation_id] |= labels
    return found


def read_flags(column: str) -> list[str]:
    """Flags out of their column."""
    return _decoder.decode(column)


def flags_json(flags: Iterable[str]) -> str:
    """Flags as their column holds them."""
    return msgspec.json.encode(sorted(flags)).decode()
