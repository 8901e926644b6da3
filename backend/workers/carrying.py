"""Carrying what is wanted on the server (backend/mail/intents.py) over to it: one visit, few commands.

          read the open wishes and where their messages stand
                      |
                      v
    +---> for each folder: set flags, look who is there, move          (sync/imap/pushback.py)
    |                 |
    |                 v
    |     who was gone, or went without the server telling where:      found by Message-ID and size in the folder
    |     an earlier visit that died between MOVE and commit           where it was to go
    |                 |
    |                 v
    |     one transaction: placements as they are now, wishes that the server confirmed
    |                 |
    +-- newer wishes -+--> none: done;  some could not be confirmed: TryAgain

A wish is confirmed by what the server answered in this visit, never by what our tables say about it: after a crash they
may be older than the server. Nothing is held locked while the server is spoken to; the account's watcher goes on and
may be told of a move before it is committed here. It does not act on it, for the wish is still open, and whoever comes
second finds the placement there already.

A message that is nowhere to be found was moved by somebody else at the same time; the watcher will meet it, and the
wish is carried out there. One that is not met within GIVE_UP is deleted: then the server is right.
"""

import logging
from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import timedelta

import asyncpg
import msgspec

from backend.database.connection import execute, execute_many, fetch, fetch_row
from backend.events.record import action
from backend.jobs import TryAgain
from backend.mail.places import Place, Stand, is_there, to_move, where
from backend.workers.server_folders import FolderNames
from backend.workers.visits import alone, signed_in
from sync.errors import CommandRefused, FolderChanged
from sync.imap.connection import Connection
from sync.imap.pushback import FolderOutcome, FolderWork, locate, work_in_folder
from sync.types import ANSWERED, FLAGGED, SEEN

log = logging.getLogger(__name__)

CARRY_LOCK = 7_264_341
"""First key of the advisory lock under which one worker at a time carries an account's wishes; the second is its id."""
PATIENCE = 20.0
"""Seconds that a job waits for another that carries wishes of the same account."""
MOST_WISHES = 1_000
"""Carried in one round."""
WRITE_TRIES = 5
GIVE_UP = timedelta(minutes=10)
FORGET = timedelta(days=1)
"""Confirmed wishes are kept for so long, for whoever wonders what was done."""

FLAGS = {"seen": SEEN, "flagged": FLAGGED, "answered": ANSWERED}


@dataclass(frozen=True, slots=True)
class Wish:
    id: int
    message_id: int
    kind: str
    value: str


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


@dataclass(slots=True)
class Round:
    """What one round is about, and what came of it."""

    wishes: Sequence[Wish]
    copies: dict[int, list[Copy]]
    """By message."""
    stays: bool
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
        chosen = to_move(_place(wish), [copy.stand for copy in copies], done_stays=self.stays)
        return [copy for copy in copies if copy.stand in chosen]

    def target(self, wish: Wish) -> str:
        """The folder where this wish puts a message."""
        place = _place(wish)
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

    def confirmed(self, wish: Wish) -> bool:
        """Whether the server has made this wish true, by its own word."""
        copies = self.copies.get(wish.message_id, [])
        if wish.kind != "place":
            return bool(copies) and all(self.was_there(copy) for copy in copies)
        moving = self.moving(wish)
        if not moving:
            right = [copy for copy in copies if is_there(_place(wish), copy.stand, done_stays=self.stays)]
            return any(self.was_there(copy) for copy in right or copies)
        arrived = any(self.new_place(copy) for copy in moving)
        stood = any(
            self.was_there(copy) and is_there(_place(wish), copy.stand, done_stays=self.stays)
            for copy in copies
            if copy not in moving
        )
        # Of several copies one may have taken the others along (labels are folders there): then they are gone.
        settled = all(self.new_place(copy) or (self.worked_at(copy) and not self.was_there(copy)) for copy in moving)
        return settled and (arrived or stood)


async def carry_out(account_id: int) -> None:
    """Make the account's open wishes true on its server. The handler of the job of that name; may run at any time."""
    async with alone(CARRY_LOCK, account_id, patience=PATIENCE):
        account = await fetch_row("SELECT id, done_to, paused_at FROM mail_accounts WHERE id = $1", account_id)
        if account is None or account["paused_at"] is not None:
            return  # whoever resumes it lets this job look again
        await _tidy(account_id)
        tried: set[int] = set()
        wishes = await _open_wishes(account_id, tried)
        if not wishes:
            return
        reasons: list[str] = []
        async with signed_in(account_id) as server:
            names = FolderNames(server, account_id)
            while wishes:
                tried.update(wish.id for wish in wishes)
                turn = Round(wishes, await _copies(wishes, account_id), stays=account["done_to"] == "stay")
                await _choose_targets(turn, names, account["done_to"])
                reasons += await _work(server, turn)
                await _locate(server, turn)
                await _write_firmly(turn, names)
                wishes = await _open_wishes(account_id, tried)
        left = len(await _open_wishes(account_id, ()))
    if left:
        why = reasons[0] if reasons else "Some messages are on their way from one folder to another."
        raise TryAgain(f"{left} changes are not confirmed by the mail server yet. {why}")


def _place(wish: Wish) -> Place:
    return msgspec.convert(wish.value, Place)


async def _tidy(account_id: int) -> None:
    """Close what cannot come true any more, and forget what came true long ago."""
    await execute(
        "UPDATE server_intents i SET confirmed_at = now() WHERE account_id = $1 AND confirmed_at IS NULL "
        "AND created_at < now() - $2::interval "
        "AND NOT EXISTS (SELECT 1 FROM placements p WHERE p.message_id = i.message_id)",
        account_id,
        GIVE_UP,
    )
    await execute(
        "DELETE FROM server_intents WHERE account_id = $1 AND confirmed_at < now() - $2::interval", account_id, FORGET
    )


async def _open_wishes(account_id: int, tried: Collection[int]) -> list[Wish]:
    records = await fetch(
        "SELECT id, message_id, kind, value FROM server_intents WHERE account_id = $1 AND confirmed_at IS NULL "
        "AND id <> ALL($2) ORDER BY id LIMIT $3",
        account_id,
        list(tried),
        MOST_WISHES,
    )
    return [Wish(record["id"], record["message_id"], record["kind"], record["value"]) for record in records]


async def _copies(wishes: Sequence[Wish], account_id: int) -> dict[int, list[Copy]]:
    records = await fetch(
        "SELECT p.id, p.folder_id, p.uid, p.message_id, p.size, m.message_id AS mime_id, f.name, f.role, "
        "f.uid_validity, ARRAY(SELECT jsonb_array_elements_text(p.flags)) AS flags FROM placements p "
        "JOIN folders f ON f.id = p.folder_id JOIN messages m ON m.id = p.message_id "
        "WHERE p.message_id = ANY($1) AND f.account_id = $2 ORDER BY p.id",
        sorted({wish.message_id for wish in wishes}),
        account_id,
    )
    copies: dict[int, list[Copy]] = defaultdict(list)
    for record in records:
        stand = Stand(record["id"], record["folder_id"], record["uid"], where(record["role"], record["name"]))
        copies[record["message_id"]].append(
            Copy(
                stand,
                record["message_id"],
                record["mime_id"],
                record["name"],
                record["uid_validity"],
                record["size"],
                frozenset(record["flags"]),
            )
        )
    return copies


async def _choose_targets(turn: Round, names: FolderNames, done_to: str) -> None:
    for wish in turn.wishes:
        if wish.kind == "place" and turn.moving(wish):
            place = _place(wish)
            turn.targets[place] = await names.of(place, done_to)
            if place == "done" and turn.stays:
                turn.targets["inbox"] = await names.of("inbox", done_to)


async def _work(server: Connection, turn: Round) -> list[str]:
    """Everything that is wanted, folder by folder. Answers why a folder could not be worked in."""
    look: dict[int, dict[int, Copy]] = defaultdict(dict)
    flags: dict[int, dict[tuple[str, bool], set[int]]] = defaultdict(lambda: defaultdict(set))
    moves: dict[int, dict[str, set[int]]] = defaultdict(lambda: defaultdict(set))
    for wish in turn.wishes:
        for copy in turn.copies.get(wish.message_id, []):
            look[copy.stand.folder_id][copy.stand.uid] = copy
            if wish.kind in FLAGS:
                flags[copy.stand.folder_id][FLAGS[wish.kind], wish.value == "yes"].add(copy.stand.uid)
        for copy in turn.moving(wish):
            moves[copy.stand.folder_id][turn.target(wish)].add(copy.stand.uid)
    reasons = []
    for folder_id, copies in look.items():
        first = next(iter(copies.values()))
        work = FolderWork(
            look=copies,
            flags=flags[folder_id],
            moves=moves[folder_id],
            known_as={uid: f"<{copy.mime_id}>" for uid, copy in copies.items() if copy.mime_id},
        )
        try:
            turn.outcomes[folder_id] = await work_in_folder(server, first.folder, first.uid_validity, work)
        except FolderChanged:
            reasons.append("A folder was numbered anew; its messages are being met again.")
        except CommandRefused as refusal:
            if server.lost:
                raise
            log.info("A folder of the account refused a change: %s", refusal.server_words)
            reasons.append(f"{refusal.sentence} {refusal.remedy} [{refusal.server_words}]")
    return reasons


async def _locate(server: Connection, turn: Round) -> None:
    """Find what is where it was to go although nobody told: after a crash, or without UIDPLUS."""
    unknown: dict[str, dict[int, Copy]] = defaultdict(dict)
    for wish in turn.wishes:
        for copy in turn.moving(wish):
            if turn.worked_at(copy) and turn.new_place(copy) is None:
                unknown[turn.target(wish)][copy.message_id] = copy
    for folder, copies in unknown.items():
        records = await fetch(
            "SELECT m.id, m.message_id, r.size FROM messages m JOIN raw_messages r ON r.digest = m.raw_digest "
            "WHERE m.id = ANY($1) AND m.message_id <> ''",
            list(copies),
        )
        wanted = {f"<{record['message_id']}>": (record["id"], record["size"]) for record in records}
        found = await locate(server, folder, {message_id: size for message_id, (_, size) in wanted.items()})
        for message_id, uid in found.items():
            turn.located[copies[wanted[message_id][0]].stand.placement_id] = (folder, uid)


async def _write_firmly(turn: Round, names: FolderNames) -> None:
    """Write what came of the round. What the watcher and this job hold at once, one of the two waits for."""
    for _ in range(WRITE_TRIES):
        try:
            await _write(turn, names)
            return
        except asyncpg.DeadlockDetectedError:
            log.info("The changes of an account are written down once more: the watcher was there first.")
        except asyncpg.ForeignKeyViolationError as fault:
            raise TryAgain("The account or a message was removed meanwhile.") from fault
    raise TryAgain("What the server confirmed could not be written down yet.")


async def _write(turn: Round, names: FolderNames) -> None:
    """Placements as they are now, and the wishes that came true, in one transaction."""
    new_flags = _flags_after(turn)
    moved: list[tuple[Copy, str, int]] = []
    gone: list[Copy] = []
    confirmed = {wish.id for wish in turn.wishes if turn.confirmed(wish)}
    for wish in turn.wishes:
        for copy in turn.moving(wish):
            place = turn.new_place(copy)
            if place is not None:
                moved.append((copy, *place))
            elif wish.id in confirmed:
                gone.append(copy)
    async with action(None):
        # In one order, here and in the watcher, so that nobody waits in a circle.
        await execute(
            "SELECT 1 FROM placements WHERE id = ANY($1) ORDER BY folder_id, uid FOR UPDATE",
            [copy.stand.placement_id for copy in new_flags] + [copy.stand.placement_id for copy in gone],
        )
        await execute_many(
            "UPDATE placements SET flags = $2, seen = $3 WHERE id = $1",
            [(copy.stand.placement_id, _json(flags), SEEN in flags) for copy, flags in new_flags.items()],
        )
        for copy, folder, uid in moved:
            flags = new_flags.get(copy, copy.flags)
            await execute(
                "INSERT INTO placements (folder_id, uid, message_id, flags, seen, size) VALUES ($1, $2, $3, $4, $5, $6)"
                " ON CONFLICT (folder_id, uid) DO NOTHING",
                await names.id_of(folder),
                uid,
                copy.message_id,
                _json(flags),
                SEEN in flags,
                copy.size,
            )
        await execute(
            "DELETE FROM placements WHERE id = ANY($1)",
            [copy.stand.placement_id for copy in (*gone, *(copy for copy, _, _ in moved))],
        )
        await execute(
            "UPDATE server_intents SET confirmed_at = now() WHERE id = ANY($1) AND confirmed_at IS NULL",
            sorted(confirmed),
        )


def _flags_after(turn: Round) -> dict[Copy, frozenset[str]]:
    """The flags of the copies that were seen to have them."""
    after: dict[Copy, frozenset[str]] = {}
    for wish in turn.wishes:
        if wish.kind not in FLAGS:
            continue
        for copy in turn.copies.get(wish.message_id, []):
            if turn.was_there(copy):
                flag, before = frozenset({FLAGS[wish.kind]}), after.get(copy, copy.flags)
                after[copy] = before | flag if wish.value == "yes" else before - flag
    return after


def _json(flags: Iterable[str]) -> str:
    return msgspec.json.encode(sorted(flags)).decode()
