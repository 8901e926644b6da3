"""One round of carrying wishes to a server: what is wanted of which copies, what the server answered, what is true now.

No database and no connection: backend/workers/carrying.py fills it in and acts on it.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field

import msgspec

from backend.mail.intents import flag_of
from backend.mail.places import Place, Stand, is_there, to_move
from sync.imap.pushback import FolderOutcome
from sync.types import DELETED


@dataclass(frozen=True, slots=True)
class Wish:
    id: int
    message_id: int
    kind: str
    value: str

    @property
    def place(self) -> Place:
        """Where the message is to stand; of a wish of the kind `place`."""
        return msgspec.convert(self.value, Place)


@dataclass(frozen=True, slots=True)
class Copy:
    """A placement, with what is needed to write it anew elsewhere."""

    stand: Stand
    message_id: int
    mime_id: str
    folder: str
    uid_validity: int
    size: int
    flags: frozenset[str]
    version: int
    """Of the placement's row: another one when the watcher has written it since."""


def standing_copies(copies: Sequence[Copy]) -> list[Copy]:
    """The copies of a message that count: one that is marked as deleted only where there is no other."""
    return [copy for copy in copies if DELETED not in copy.flags] or list(copies)


@dataclass(slots=True)
class Round:
    """What one round is about, and what came of it."""

    wishes: Sequence[Wish]
    copies: dict[int, list[Copy]]
    """By message."""
    stays: bool
    known: Collection[int] = ()
    """The placements that there were of the messages, counting or not, by id."""
    targets: dict[Place, str] = field(default_factory=dict)
    outcomes: dict[int, FolderOutcome] = field(default_factory=dict)
    """By folder id; a folder that could not be worked in is missing."""
    located: dict[int, tuple[str, int]] = field(default_factory=dict)
    """Messages found in the folder where they were to go, by placement."""

    def moving(self, wish: Wish) -> list[Copy]:
        """The copies that this wish lets move."""
        if wish.kind != "place":
            return []
        copies = self.copies.get(wish.message_id, [])
        chosen = to_move(wish.place, [copy.stand for copy in copies], done_stays=self.stays)
        return [copy for copy in copies if copy.stand in chosen]

    def target(self, wish: Wish) -> str:
        """The folder where this wish puts a message."""
        place = wish.place
        return self.targets["inbox" if place == "done" and self.stays else place]

    def was_there(self, copy: Copy) -> bool:
        outcome = self.outcomes.get(copy.stand.folder_id)
        return outcome is not None and copy.stand.uid in outcome.there

    def worked_at(self, copy: Copy) -> bool:
        return copy.stand.folder_id in self.outcomes

    def new_place(self, copy: Copy) -> tuple[str, int] | None:
        """Where a copy stands after its move: the folder and the UID, if known."""
        outcome = self.outcomes.get(copy.stand.folder_id)
        told = outcome.moved.get(copy.stand.uid) if outcome is not None else None
        return told or self.located.get(copy.stand.placement_id)

    def moved(self) -> list[tuple[Copy, str, int]]:
        """Every copy that went: to which folder, and under which UID it stands there."""
        going = (copy for wish in self.wishes for copy in self.moving(wish))
        return [(copy, *place) for copy in going if (place := self.new_place(copy)) is not None]

    def confirmed(self, wish: Wish) -> bool:
        """Whether the server has made this wish true, by its own word."""
        copies = self.copies.get(wish.message_id, [])
        if wish.kind != "place":
            return bool(copies) and all(self.was_there(copy) for copy in copies)
        moving = self.moving(wish)
        if not moving:
            right = [copy for copy in copies if is_there(wish.place, copy.stand, done_stays=self.stays)]
            return any(self.was_there(copy) for copy in right or copies)
        arrived = any(self.new_place(copy) for copy in moving)
        stood = any(
            self.was_there(copy) and is_there(wish.place, copy.stand, done_stays=self.stays)
            for copy in copies
            if copy not in moving
        )
        # Of several copies one may have taken the others along (labels are folders there): then they are gone.
        settled = all(self.new_place(copy) or (self.worked_at(copy) and not self.was_there(copy)) for copy in moving)
        return settled and (arrived or stood)

    def flags_after(self) -> dict[Copy, frozenset[str]]:
        """The flags of the copies that were seen to have them."""
        after: dict[Copy, frozenset[str]] = {}
        for wish in self.wishes:
            flag = flag_of(wish.kind)
            if flag is None:
                continue
            for copy in self.copies.get(wish.message_id, []):
                if self.was_there(copy) and flag not in self.outcomes[copy.stand.folder_id].untaken:
                    before = after.get(copy, copy.flags)
                    others = frozenset(each for each in before if each.lower() != flag.lower())
                    after[copy] = others | {flag} if wish.value == "yes" else others
        return after

    def taken(self, wish: Wish) -> bool:
        """Whether the folders where the message stands keep what it is to be marked with."""
        folders = {copy.stand.folder_id for copy in self.copies.get(wish.message_id, [])}
        return not any(flag_of(wish.kind) in self.outcomes[each].untaken for each in folders if each in self.outcomes)

    def messages(self) -> set[int]:
        """Every message that a wish of this round is about."""
        return {wish.message_id for wish in self.wishes}
