"""What somebody typed into the search box, taken apart. Pure.

    road bike "broken spoke" from:carla subject:order to:sales@ is:unread assignee:me

Words and phrases must all stand in one message (its subject, sender and text) or in one comment. The last word counts
as a beginning, because one searches while typing. What looks like an operator and is none is an ordinary word.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Literal

from backend.errors import Unacceptable

LONGEST_QUERY = 1_000
"""Characters."""
MOST_WORDS = 32
LONGEST_WORD = 200
"""Characters of one word or phrase that are looked at; PostgreSQL indexes no word above 2 KB."""
SHORTEST_BEGINNING = 2
"""Letters of the last word from which on it counts as a beginning: every mail has words that begin with an a."""

Place = Literal["", "A", "B"]
"""Where a word must stand: anywhere, in the subject, or in the sender (the weights of `messages.search`)."""

STATES = ("unread", "open", "done", "spam", "trash", "unassigned", "mine", "private")

_PLACES: dict[str, Place] = {"subject": "A", "from": "B"}
_TOKEN = re.compile(r'(?:(?P<key>[a-zA-Z]{2,8}):)?(?:"(?P<phrase>[^"]*)"?|(?P<word>[^\s"]+))')


@dataclass(frozen=True, slots=True)
class Term:
    """A word or phrase. `prefix`: what begins so counts too."""

    text: str
    place: Place = ""
    prefix: bool = False

    @property
    def suffix(self) -> str:
        """What follows the quoted text in a tsquery."""
        marks = ("*" if self.prefix else "") + self.place
        return f":{marks}" if marks else ""


@dataclass(slots=True)
class Wanted:
    """A search. `to` are parts of recipients' addresses, small letters."""

    terms: list[Term] = field(default_factory=list)
    to: list[str] = field(default_factory=list)
    states: set[str] = field(default_factory=set)
    attachments: bool = False

    def __bool__(self) -> bool:
        return bool(self.terms or self.to or self.states or self.attachments)


def read_wanted(q: str) -> Wanted:
    """Take a query apart. Raises Unacceptable for one that is too long to be typed."""
    if len(q) > LONGEST_QUERY:
        raise _too_much(f"Search for at most {LONGEST_QUERY} characters.")
    text = "".join(" " if ord(c) < 32 or 0xD800 <= ord(c) <= 0xDFFF else c for c in q)
    wanted = Wanted()
    for key, value, quoted, at_end in _tokens(text):
        if len(wanted.terms) + len(wanted.to) >= MOST_WORDS:
            raise _too_much(f"Search for at most {MOST_WORDS} words.")
        if key in _PLACES:
            wanted.terms.append(Term(value, _PLACES[key], prefix=not quoted))
        elif key == "to":
            wanted.to.append(value.lower())
        elif key == "is" and value.lower() in STATES:
            wanted.states.add(value.lower())
        elif key == "assignee" and value.lower() in ("me", "none"):
            wanted.states.add("mine" if value.lower() == "me" else "unassigned")
        elif key == "has" and value.lower() in ("attachment", "attachments"):
            wanted.attachments = True
        else:
            word = f"{key}:{value}" if key else value
            long_enough = len(word) >= SHORTEST_BEGINNING or not word.isascii()
            wanted.terms.append(Term(word, prefix=at_end and not quoted and long_enough))
    return wanted


def _tokens(text: str) -> Iterator[tuple[str, str, bool, bool]]:
    """Key (small letters, or empty), value, whether it was quoted, and whether the text ends right behind it."""
    for match in _TOKEN.finditer(text):
        quoted = match["phrase"] is not None
        value = (match["phrase"] if quoted else match["word"]).strip()[:LONGEST_WORD]
        if value:
            yield (match["key"] or "").lower(), value, quoted, match.end() == len(text)


def _too_much(sentence: str) -> Unacceptable:
    return Unacceptable("This is too much to search for.", sentence, fields={"q": sentence})
