"""In which conversations the messages of a batch belong: worked out in memory, as if they came one after the other.

Pure. The rule is `sync.mime.threading` (keys that are left and found), with a guard for private conversations: they
take mail of their correspondents and our own only, for naming a Message-ID is not enough. Conversations that a person
has parted are never joined: a mail that names both belongs where the nearest of what it names stands. A test compares
it with storing one message after the other (tests/backend/mail/one_by_one.py). The store tells beforehand which
conversations hold keys that the batch looks for (`know`), and afterwards writes what the groups say.
"""

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from backend.conversations.contracts import Visibility
from backend.mail.reading import Prepared
from sync.mime.threading import SUBJECT_WINDOW

STRICTNESS: tuple[Visibility, ...] = ("open", "private", "confidential")
MOST_RECEIVERS = 5
"""Who counts as correspondents of a conversation in which nobody has written to us yet."""


@dataclass(slots=True, eq=False)
class Group:
    """A conversation: one that the store has (`conversation_id`), or one that this batch begins (None).

    `joins` are conversations of the store that are to be joined into this one, in this order. `members` are the
    positions of the batch's messages.
    """

    order: int
    conversation_id: int | None
    visibility: Visibility
    people: set[str]
    senders: set[str]
    receivers: tuple[str, ...] = ()
    newest: datetime | None = None
    joins: list[int] = field(default_factory=list)
    members: list[int] = field(default_factory=list)
    _into: "Group | None" = None

    @property
    def survivor(self) -> "Group":
        """The group that this one has become part of, or itself."""
        group = self
        while group._into is not None:
            group = group._into
        return group

    @property
    def numbers(self) -> list[int]:
        """The conversations of the store that it is."""
        return [*self.joins, *([] if self.conversation_id is None else [self.conversation_id])]

    @property
    def writers(self) -> set[str]:
        return self.senders or set(self.receivers)

    def join(self, other: "Group") -> None:
        """Take in a younger group."""
        other._into = self
        if STRICTNESS.index(other.visibility) > STRICTNESS.index(self.visibility):
            self.visibility = other.visibility
        self.people |= other.people
        self.senders |= other.senders
        if other.newest is not None and (self.newest is None or other.newest > self.newest):
            self.newest, self.receivers = other.newest, other.receivers
        if other.conversation_id is not None:
            self.joins += [*other.joins, other.conversation_id]
        self.members += other.members

    def take(self, position: int, message: Prepared, date: datetime, *, outgoing: bool) -> None:
        """Another message of the batch belongs here."""
        self.members.append(position)
        self.people.update(message.addressed)
        if not outgoing and message.sender is not None:
            self.senders.add(message.sender_address)
            self.people.add(message.sender_address)
        if self.newest is None or date > self.newest:
            self.newest, self.receivers = date, message.addressed[:MOST_RECEIVERS]


class Gathering:
    """The groups of one mailbox while a batch is stored. `own` are our addresses there.

    `visibility_of` says how visible a conversation begins with this message; `parted` are the pairs of conversations
    of the store that a person has parted.
    """

    def __init__(self, own: set[str], visibility_of: Callable[[Prepared], Visibility]) -> None:
        self.parted: Collection[frozenset[int]] = ()
        self._own = own
        self._visibility_of = visibility_of
        self._groups: list[Group] = []
        self._last = 0
        self._keys: dict[str, list[tuple[datetime | None, Group]]] = defaultdict(list)

    @property
    def groups(self) -> list[Group]:
        """Those that got messages or others' messages, the oldest first."""
        return [group for group in self._groups if group.survivor is group and (group.members or group.joins)]

    def know(self, group: Group, keys: Iterable[tuple[str, datetime | None]]) -> None:
        """A conversation of the store, and the keys in it that the batch looks for."""
        self._groups.append(group)
        self._last = max(self._last, group.order)
        for key, at in keys:
            self._keys[key].append((at, group))

    def add(self, position: int, message: Prepared, date: datetime, *, outgoing: bool) -> Group:
        """The next message of the batch; answers its group as it is now."""
        found = self._admitted(self._find(message), message, outgoing=outgoing)
        if self.parted and len(found) > 1:
            found = self._together(found, message)
        if found:
            group = found[0]
            for other in found[1:]:
                group.join(other)
        else:
            self._last += 1
            group = Group(self._last, None, self._visibility_of(message), set(), set())
            self._groups.append(group)
        group.take(position, message, date, outgoing=outgoing)
        for key in message.leaves:
            self._keys[key].append((None, group))
        for key in message.dated_leaves:
            self._keys[key].append((message.linked_at, group))
        return group

    def _find(self, message: Prepared) -> list[Group]:
        """The groups that hold what the message looks for, oldest first."""
        found = {group.survivor for key in message.finds for _, group in self._keys.get(key, ())}
        if message.linked_at is not None:
            for key in message.dated_finds:
                for at, group in self._keys.get(key, ()):
                    if at is not None and abs(at - message.linked_at) <= SUBJECT_WINDOW:
                        found.add(group.survivor)
        return sorted(found, key=lambda group: group.order)

    def _admitted(self, found: Sequence[Group], message: Prepared, *, outgoing: bool) -> list[Group]:
        """Without private conversations of others, and without strangers' conversations beside a private one."""
        sender = {message.sender_address}
        admitted = [
            group
            for group in found
            if group.visibility == "open" or outgoing or sender <= group.people | group.senders | self._own
        ]
        closed = [group for group in admitted if group.visibility != "open"]
        if closed:
            known = self._own.union(*(group.people | group.writers for group in closed))
            admitted = [group for group in admitted if group.visibility != "open" or group.writers <= known]
        return admitted

    def _together(self, found: Sequence[Group], message: Prepared) -> list[Group]:
        """Of conversations that a person has parted, the one to which the message is nearest, the oldest first."""
        named = (group.survivor for key in message.nearest for _, group in self._keys.get(key, ()))
        nearest = next((group for group in named if group in found), found[0])
        kept = [nearest]
        for group in found:
            if group is not nearest and not any(self._are_parted(group, each) for each in kept):
                kept.append(group)
        return sorted(kept, key=lambda group: group.order)

    def _are_parted(self, one: Group, other: Group) -> bool:
        return any(frozenset((a, b)) in self.parted for a in one.numbers for b in other.numbers)
