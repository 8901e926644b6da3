"""What can be typed next in the search box: pure, over the view.

Offered are operators, then their values: people, teams, tags and mailboxes that stand in the view, which holds what the
person may see and nothing else.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple, TypedDict

from backend.contacts.contracts import AddressSuggestion
from frontend.view import View

MOST = 8
"""Offers at once."""

OPERATORS = {
    "from": "who wrote it",
    "to": "to whom it went",
    "cc": "who got a copy",
    "subject": "words of the subject",
    "has": "attachment, comment, draft",
    "filename": "name of a file",
    "in": "mailbox or folder",
    "is": "unread, done, starred",
    "assignee": "who has it",
    "mentions": "who is mentioned",
    "tag": "what it is marked with",
    "before": "last mail before a day",
    "after": "last mail from a day on",
    "on": "last mail on a day",
    "larger": "a mail larger than",
    "smaller": "a mail smaller than",
    "sort": "newest or relevance",
}
FIRST = ("from", "to", "subject", "is", "has", "in", "assignee", "before")
"""Offered to whoever has typed nothing yet."""
VALUES = {
    "is": (
        *("unread", "read", "open", "done", "unassigned", "assigned", "mine", "starred", "followed", "snoozed"),
        *("reminder", "private", "confidential", "shared", "spam", "trash"),
    ),
    "has": ("attachment", "comment", "draft", "tag"),
    "in": ("inbox", "archive", "sent", "drafts", "spam", "trash", "anywhere"),
    "before": ("today", "yesterday", "7d", "1m", "1y"),
    "after": ("today", "yesterday", "7d", "1m", "1y"),
    "on": ("today", "yesterday", "monday"),
    "larger": ("1M", "5M", "10M"),
    "smaller": ("100k", "1M"),
    "sort": ("newest", "relevance"),
    "assignee": ("me", "none"),
    "mentions": ("me",),
}
ADDRESSES = ("from", "to", "cc")
_KEY = re.compile(r"(?P<minus>-?)(?:(?P<key>[a-zA-Z]+):)?(?P<value>\"?.*)", re.DOTALL)


class OfferView(TypedDict):
    """`text`: the whole search with it."""

    key: str
    shown: str
    hint: str
    text: str


class Typed(NamedTuple):
    """The term at the end of a text, and what stands before it."""

    before: str
    minus: str
    key: str
    value: str


def typed(text: str) -> Typed:
    """What is being typed at the end."""
    quoted = text.count('"') % 2 == 1
    upto = text.rfind('"') if quoted else len(text)
    start = max((at + 1 for at, letter in enumerate(text[:upto]) if letter.isspace() and _even(text[:at])), default=0)
    match = _KEY.fullmatch(text[start:])
    assert match is not None
    key, value = (match["key"] or "").lower(), match["value"].replace('"', "")
    if key not in OPERATORS:
        return Typed(text[:start], match["minus"], "", text[start:].removeprefix(match["minus"]))
    return Typed(text[:start], match["minus"], key, value)


def offers(view: View, text: str, addresses: Sequence[AddressSuggestion] = ()) -> list[OfferView]:
    """What may come next."""
    last = typed(text)
    if last.key:
        return [_value(last, value, hint) for value, hint in _values(view, last, addresses)][:MOST]
    if not last.value:
        return [_operator(last, key) for key in FIRST] if not last.before else []
    return [_operator(last, key) for key in OPERATORS if key.startswith(last.value.lower())][:MOST]


def _values(view: View, last: Typed, addresses: Sequence[AddressSuggestion]) -> Iterator[tuple[str, str]]:
    wanted = _folded(last.value)
    if last.key in ADDRESSES:
        yield from ((each.address, each.name) for each in addresses)
        return
    named = [(value, "") for value in VALUES.get(last.key, ())]
    if last.key in ("assignee", "mentions"):
        named += _by_name((each.name, "") for each in view.people.values() if each.active)
    if last.key == "assignee":
        named += _by_name((each.name, "Team") for each in view.teams.values())
    if last.key == "tag":
        named += _by_name((each.name, "") for each in view.tags.values())
    if last.key == "in":
        named = _by_name((each.name, each.address) for each in view.mailboxes.values()) + named
    for name, hint in named:
        if any(part.startswith(wanted) for part in (_folded(name), *_folded(name).split(), _folded(hint))):
            yield name, hint


def _by_name(named: Iterable[tuple[str, str]]) -> list[tuple[str, str]]:
    return sorted(named, key=lambda each: each[0].casefold())


def _operator(last: Typed, key: str) -> OfferView:
    return OfferView(key=key, shown=f"{last.minus}{key}:", hint=OPERATORS[key], text=f"{last.before}{last.minus}{key}:")


def _value(last: Typed, value: str, hint: str) -> OfferView:
    written = f'"{value}"' if " " in value else value
    text = f"{last.before}{last.minus}{last.key}:{written} "
    return OfferView(key=f"{last.key}:{value}", shown=value, hint=hint, text=text)


def sorted_by(text: str, order: str) -> str:
    """The search in this order."""
    kept = re.sub(r"(?i)(?<!\S)sort:\S*\s*", "", text).strip()
    return f"{kept} sort:relevance" if order == "relevance" else kept


def names_a_status(text: str) -> bool:
    """Whether the search says itself whether spam and trash belong to it."""
    named = (*(f"is:{each}" for each in ("open", "done", "spam", "trash")), *(f"in:{each}" for each in VALUES["in"]))
    return any(word.removeprefix("-") in named for word in text.lower().split())


def _even(text: str) -> bool:
    return text.count('"') % 2 == 0


def _folded(text: str) -> str:
    plain = unicodedata.normalize("NFKD", text)
    return "".join(letter for letter in plain if not unicodedata.combining(letter)).casefold()
