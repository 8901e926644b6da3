"""Which messages are one conversation: a pure function of their headers, whatever order they arrive in.

Two messages belong together when one of these holds, and then so does everything that belongs with either:

1. **Named.** One names the other's Message-ID in References or In-Reply-To.
2. **Siblings.** Both name the same identifier, *and* their subjects are the same but for "Re:". The parent is
   missing here (a private mail, another folder). The subject guards against senders who put one constant
   identifier into every newsletter or notification.
3. **Twins.** Both carry the same Message-ID and the same subject. Without the same subject they stay apart: a
   broken program that always writes the same identifier must not glue everything together.
4. **Subject.** For replies from programs that name no parent: same subject, the same set of people in From, To
   and Cc, at most seven days apart, and at least one of the two is *seeking*: it has a "Re:" and names nobody.

Why the order does not matter: each rule looks at two messages only, at nothing that other messages change. So the
set of pairs is the same for every order, and conversations are its connected components. A message that arrives
late can add pairs and never remove one: adding it joins what it connects. (A rule such as "an identifier named by
more than 50 messages no longer counts" would have to split conversations again, or depend on the order. The
subject in rules 2 and 3 does that work instead.) Rule 4 compares the dates of two messages, not with the newest of a
conversation: mails a, b and c with six days between each are one conversation in every order, by way of b.

For a database, the rules become keys that are compared for equality. A message *leaves* keys, and *finds* the
conversations in which earlier messages left what it looks for:

    rule      leaves                     finds
    named     own:ID, ref:PARENT...      ref:ID, own:PARENT...
    siblings  sib:PARENT+subject...      sib:PARENT+subject...
    twins     twin:ID+subject            twin:ID+subject
    subject   subj:KEY, and seek:KEY     seek:KEY, and subj:KEY if it is seeking itself;
              if it is seeking           only within seven days of its own date

Inserting: find the conversations of this mailbox that hold any key in `finds`, or any in `dated_finds` with a date
within `SUBJECT_WINDOW`; none: a new one; several: the oldest survives and the keys of the others move to it; then
store `leaves` and `dated_leaves`. This must happen one message at a time per mailbox (a lock, or a serial job).
`group` is the same on a list in memory, and what the tests compare a store with.
"""

import hashlib
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sync.mime.message import ParsedMessage
from sync.mime.subjects import base_subject

SUBJECT_WINDOW = timedelta(days=7)
MAX_PARENTS = 60
"""Of more identifiers in References, the first 10 and the last 50 count."""
MAX_CORRESPONDENTS = 12
"""With more people than this, "the same people" says nothing about "the same matter"."""
MIN_SUBJECT = 4
"""Letters and digits that a subject needs for the fallback: "Re: hi" is not enough."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ThreadHeaders:
    """What threading looks at. `parents` in the order of References, then In-Reply-To; no angle brackets."""

    message_id: str | None
    parents: tuple[str, ...]
    subject: str
    date: datetime | None
    correspondents: frozenset[str]


@dataclass(frozen=True, slots=True)
class ThreadLinks:
    """Keys for the store; see the top of the module. `date` is that of the message, None when it has none."""

    leaves: frozenset[str]
    finds: frozenset[str]
    dated_leaves: frozenset[str]
    dated_finds: frozenset[str]
    date: datetime | None


def thread_headers(message: ParsedMessage) -> ThreadHeaders:
    """The threading headers of a parsed message."""
    people = [message.from_] if message.from_ else []
    people += [*message.to, *message.cc]
    return ThreadHeaders(
        message_id=message.message_id,
        parents=(*message.references, *message.in_reply_to),
        subject=message.subject,
        date=message.date,
        correspondents=frozenset(person.address.lower() for person in people if person.address),
    )


def thread_keys(headers: ThreadHeaders) -> ThreadLinks:
    """The keys that a message leaves and finds."""
    subject, replied = base_subject(headers.subject)
    own = _usable(headers.message_id)
    parents = _parents(headers, own)
    leaves = {f"ref:{parent}" for parent in parents}
    finds = {f"own:{parent}" for parent in parents}
    both = {_key("sib", parent, subject) for parent in parents}
    if own:
        leaves.add(f"own:{own}")
        finds.add(f"ref:{own}")
        both.add(_key("twin", own, subject))
    dated_leaves: set[str] = set()
    dated_finds: set[str] = set()
    people = headers.correspondents
    significant = sum(map(str.isalnum, subject))
    if headers.date and 2 <= len(people) <= MAX_CORRESPONDENTS and significant >= MIN_SUBJECT:
        key = _key("", subject, *sorted(people))[1:]
        dated_leaves.add(f"subj:{key}")
        dated_finds.add(f"seek:{key}")
        if replied and not parents:
            dated_leaves.add(f"seek:{key}")
            dated_finds.add(f"subj:{key}")
    return ThreadLinks(
        leaves=frozenset(leaves | both),
        finds=frozenset(finds | both),
        dated_leaves=frozenset(dated_leaves),
        dated_finds=frozenset(dated_finds),
        date=headers.date if dated_leaves else None,
    )


def nearest_parents(headers: ThreadHeaders) -> tuple[str, ...]:
    """The messages that this one names, as their `own:` keys, the one it answers first, the thread's first one last.

    For a store in which a person has split conversations: there it is not enough that a message names another.
    """
    return tuple(f"own:{parent}" for parent in reversed(_parents(headers, _usable(headers.message_id))))


def group(messages: Sequence[ThreadHeaders]) -> list[set[int]]:
    """The conversations among these messages, as sets of positions, ordered by their first message."""
    links = [thread_keys(headers) for headers in messages]
    sets = _DisjointSets(len(messages))
    holders: dict[str, list[int]] = defaultdict(list)
    for index, link in enumerate(links):
        for key in link.leaves:
            holders[key].append(index)
    for index, link in enumerate(links):
        for key in link.finds:
            sets.join_all(index, holders.get(key, ()))
    _join_by_subject(links, sets)
    return sets.groups()


def _join_by_subject(links: list[ThreadLinks], sets: "_DisjointSets") -> None:
    holders: dict[str, list[tuple[datetime, int]]] = defaultdict(list)
    for index, link in enumerate(links):
        for key in link.dated_leaves:
            if link.date:
                holders[key].append((link.date, index))
    for index, link in enumerate(links):
        for key in link.dated_finds:
            for date, other in holders.get(key, ()):
                if link.date and abs(date - link.date) <= SUBJECT_WINDOW:
                    sets.join_all(index, (other,))


class _DisjointSets:
    def __init__(self, size: int) -> None:
        self._parent = list(range(size))

    def _root(self, item: int) -> int:
        while self._parent[item] != item:
            self._parent[item] = self._parent[self._parent[item]]
            item = self._parent[item]
        return item

    def join_all(self, item: int, others: Iterable[int]) -> None:
        root = self._root(item)
        for other in others:
            self._parent[self._root(other)] = root

    def groups(self) -> list[set[int]]:
        found: dict[int, set[int]] = {}
        for item in range(len(self._parent)):
            found.setdefault(self._root(item), set()).add(item)
        return list(found.values())


def _parents(headers: ThreadHeaders, own: str | None) -> list[str]:
    named = dict.fromkeys(map(_usable, headers.parents))
    parents = [parent for parent in named if parent and parent != own]
    return parents if len(parents) <= MAX_PARENTS else parents[:10] + parents[10 - MAX_PARENTS :]


def _usable(identifier: str | None) -> str | None:
    """The identifier as a key: None for what identifies nothing, a digest for what is too long to index."""
    text = (identifier or "").strip().strip("<>").strip()
    if len(text) < 5 or not any(map(str.isalnum, text)):
        return None
    return text if len(text) <= 200 else "long-" + hashlib.sha256(text.encode("utf-8", "replace")).hexdigest()


def _key(kind: str, *parts: str) -> str:
    joined = "\0".join(parts).encode("utf-8", "replace")
    return f"{kind}:{hashlib.sha256(joined).hexdigest()[:32]}"
