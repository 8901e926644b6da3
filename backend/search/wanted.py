"""What somebody typed into the search box, taken apart, and written again. Pure.

    road bike "broken spoke" from:carla -tag:spam invoice OR receipt before:2026-11 is:unread

Everything that is said must hold somewhere in a conversation; of what stands with `OR` between it, one. A minus says
that it must not. The last word counts as a beginning, because one searches while typing. Any text can be read: what
looks like an operator and is none is an ordinary word. What the values mean is worked out later
(backend/search/compile.py).
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from backend.errors import Unacceptable

LONGEST_QUERY = 1_000
"""Characters."""
MOST_WORDS = 32
LONGEST_WORD = 200
"""Characters of one word or phrase that are looked at; PostgreSQL indexes no word above 2 KB."""

OPERATORS = (
    *("from", "to", "cc", "subject", "has", "filename", "in", "is", "assignee", "mentions", "tag"),
    *("before", "after", "on", "larger", "smaller", "sort"),
)
_TOKEN = re.compile(
    r'(?P<minus>-(?=\S))?(?:(?P<key>[a-zA-Z]{2,12}):)?(?:"(?P<phrase>[^"]*)"?|(?P<word>[^\s"]+)|(?<=:))'
)


@dataclass(frozen=True, slots=True)
class Term:
    """A word or phrase, or an operator with its value. `key` is empty for the former.

    `unfinished`: the text ends right behind it, so that it may be typed on.
    """

    key: str
    value: str
    quoted: bool = False
    negated: bool = False
    unfinished: bool = False

    def written(self) -> str:
        """As somebody types it."""
        value = f'"{self.value}"' if self.quoted else self.value
        return f"{'-' if self.negated else ''}{self.key + ':' if self.key else ''}{value}"


Group = tuple[Term, ...]
"""Of these one must hold."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """A search: of each group something must hold."""

    groups: tuple[Group, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.groups)

    @property
    def terms(self) -> list[Term]:
        return [term for group in self.groups for term in group]

    def written(self) -> str:
        """The same search as text, which is read as an equal one."""
        text = " ".join(" OR ".join(term.written() for term in group) for group in self.groups)
        closed = not self.groups or self.groups[-1][-1].unfinished
        return text if closed else f"{text} "


def read_wanted(q: str, most: int = MOST_WORDS) -> Wanted:
    """Take a query apart. Raises Unacceptable for one that is too long to be typed."""
    if len(q) > LONGEST_QUERY:
        raise _too_much(f"Search for at most {LONGEST_QUERY} characters.")
    text = "".join(" " if ord(c) < 32 or 0xD800 <= ord(c) <= 0xDFFF else c for c in q)
    groups: list[list[Term]] = []
    joined = False
    for term in _terms(text):
        if not term.key and not term.quoted and not term.negated and term.value in ("OR", "AND"):
            joined = term.value == "OR"
            continue
        if sum(map(len, groups)) >= most:
            raise _too_much(f"Search for at most {most} words.")
        if joined and groups:
            groups[-1].append(term)
        else:
            groups.append([term])
        joined = False
    return Wanted(tuple(map(tuple, groups)))


def _terms(text: str) -> Iterator[Term]:
    for match in _TOKEN.finditer(text):
        quoted = match["phrase"] is not None
        raw, key = (match["phrase"] if quoted else match["word"]) or "", match["key"] or ""
        known = key.lower() in OPERATORS
        if key and not known:  # a time, an address of the web: a word
            raw, key = f"{key}:{raw}", ""
        value = raw.strip()[:LONGEST_WORD].strip()
        if not value:
            continue
        at_end = match.end() == len(text)
        yield Term(key.lower(), value, quoted, negated=match["minus"] is not None, unfinished=at_end)


def _too_much(sentence: str) -> Unacceptable:
    return Unacceptable("This is too much to search for.", sentence, fields={"q": sentence})
