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
from collections.abc import Collection, Sequence
from datetime import timedelta

import asyncpg

from backend.database.connection import Row, execute, execute_many, fetch, fetch_row
from backend.events.record import action
from backend.jobs import TryAgain
from backend.mail.actions import remove_placements
from backend.mail.fetched import FolderKey
from backend.mail.flag_words import Labels, by_conversation, flags_json, read_flags
from backend.mail.intents import flag_of
from backend.mail.labels import keep_labels, labels_follow
from backend.mail.marks import marks_follow
from backend.mail.places import Stand, where
from backend.mail.placing import arrived_again
from backend.mail.store import hold_threading
from backend.workers.carry_round import Copy, Round, Wish, standing_copies
from backend.workers.expunging import count_deleted, expunge_deleted
from backend.workers.incoming import look_again
from backend.workers.server_folders import FolderNames
from backend.workers.visits import alone, signed_in
from sync.errors import CommandRefused, FolderChanged
from sync.imap.connection import Connection
from sync.imap.pushback import FolderWork, locate, still_there, work_in_folder
from sync.types import SEEN

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


async def carry_out(account_id: int) -> None:
    """Make the account's open wishes true on its server. The handler of the job of that name; may run at any time."""
    async with alone(CARRY_LOCK, account_id, patience=PATIENCE):
        account = await fetch_row("SELECT * FROM mail_accounts WHERE id = $1", account_id)
        if account is None or account["paused_at"] is not None:
            return  # whoever resumes it lets this job look again
        await _tidy(account_id, account["mailbox_id"])
        tried: set[int] = set()
        wishes = await _open_wishes(account_id, tried)
        if not wishes and not await count_deleted(account_id):
            return
        reasons: list[str] = []
        async with signed_in(account_id) as server:
            names = FolderNames(server, account_id)
            while wishes:
                tried.update(wish.id for wish in wishes)
                known, copies = await _copies(wishes, account_id)
                turn = Round(wishes, copies, stays=account["done_to"] == "stay", known=known)
                await _choose_targets(turn, names, account["done_to"])
                reasons += await _work(server, turn)
                await _locate(server, turn)
                await _write_firmly(account["mailbox_id"], turn, names)
                await _look_after(server, account_id, account["mailbox_id"], turn, names)
                wishes = await _open_wishes(account_id, tried)
            reasons += await expunge_deleted(server, account_id, account["mailbox_id"])
        left = await count_deleted(account_id) + len(await _open_wishes(account_id, ()))
    if left:
        why = reasons[0] if reasons else "Some messages are on their way from one folder to another."
        raise TryAgain(f"{left} changes are not confirmed by the mail server yet. {why}")


async def _tidy(account_id: int, mailbox_id: int) -> None:
    """Close what cannot come true any more, and forget what came true long ago."""
    async with action(None) as act:
        closed = await fetch(
            "UPDATE server_intents i SET confirmed_at = now() WHERE account_id = $1 AND confirmed_at IS NULL "
            "AND created_at < now() - $2::interval "
            "AND NOT EXISTS (SELECT 1 FROM placements p WHERE p.message_id = i.message_id) "
            "RETURNING message_id, kind, value",
            account_id,
            GIVE_UP,
        )
        for record in closed:
            if record["kind"] == "place":
                # It was shown as standing there; should it turn up elsewhere after all, that is a move.
                await execute(
                    "UPDATE messages SET stood_in = $2 WHERE id = $1 AND gone_at IS NULL",
                    record["message_id"],
                    record["value"],
                )
        await _keep_wished(closed)
        if closed:
            conversation_ids = await _conversations_of({record["message_id"] for record in closed})
            await marks_follow(act, mailbox_id, conversation_ids)
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


async def _copies(wishes: Sequence[Wish], account_id: int) -> tuple[set[int], dict[int, list[Copy]]]:
    """The placements that are known of the messages, by id, and the copies that count, by message."""
    records = await fetch(
        "SELECT p.id, p.folder_id, p.uid, p.message_id, p.size, m.message_id AS mime_id, f.name, f.role, "
        "f.uid_validity, ARRAY(SELECT jsonb_array_elements_text(p.flags)) AS flags, p.xmin::text::bigint AS version "
        "FROM placements p JOIN folders f ON f.id = p.folder_id JOIN messages m ON m.id = p.message_id "
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
                record["version"],
            )
        )
    standing = {message_id: standing_copies(found) for message_id, found in copies.items()}
    return {record["id"] for record in records}, standing


async def _choose_targets(turn: Round, names: FolderNames, done_to: str) -> None:
    for wish in turn.wishes:
        if wish.kind == "place" and turn.moving(wish):
            place = wish.place
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
            if (flag := flag_of(wish.kind)) is not None:
                flags[copy.stand.folder_id][flag, wish.value == "yes"].add(copy.stand.uid)
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


async def _write_firmly(mailbox_id: int, turn: Round, names: FolderNames) -> None:
    """Write what came of the round. What the watcher and this job hold at once, one of the two waits for."""
    for _ in range(WRITE_TRIES):
        try:
            await _write(mailbox_id, turn, names)
            return
        except asyncpg.DeadlockDetectedError:
            log.info("The changes of an account are written down once more: the watcher was there first.")
        except asyncpg.ForeignKeyViolationError as fault:
            raise TryAgain("The account or a message was removed meanwhile.") from fault
    raise TryAgain("What the server confirmed could not be written down yet.")


async def _write(mailbox_id: int, turn: Round, names: FolderNames) -> None:
    """Placements as they are now, and the wishes that came true, in one transaction.

    A placement that the watcher has written since we looked keeps what it says: it may have been told of what somebody
    else did after us, and of what we did it is told in any case.
    """
    new_flags = turn.flags_after()
    moved = turn.moved()
    async with action(None) as act:
        await hold_threading(mailbox_id)  # what the watcher stores looks at where messages stand, before and after
        met = await _met_meanwhile(turn)
        true = [wish for wish in turn.wishes if wish.message_id not in met and turn.confirmed(wish)]
        confirmed = {wish.id for wish in true}
        gone = [copy for wish in true for copy in turn.moving(wish) if turn.new_place(copy) is None]
        # In one order, here and in the watcher, so that nobody waits in a circle.
        held = await fetch(
            "SELECT id, xmin::text::bigint AS version, ARRAY(SELECT jsonb_array_elements_text(flags)) AS flags "
            "FROM placements WHERE id = ANY($1) ORDER BY folder_id, uid FOR UPDATE",
            [copy.stand.placement_id for copy in (*new_flags, *gone, *(copy for copy, _, _ in moved))],
        )
        told = {record["id"]: record for record in held}
        for copy in [*new_flags, *(copy for copy, _, _ in moved)]:
            record = told.get(copy.stand.placement_id)
            if record is not None and record["version"] != copy.version:
                new_flags[copy] = frozenset(record["flags"])
        await execute_many(
            "UPDATE placements SET flags = $2, seen = $3 WHERE id = $1",
            [(copy.stand.placement_id, flags_json(flags), SEEN in flags) for copy, flags in new_flags.items()],
        )
        for copy, folder, uid in moved:
            flags = new_flags.get(copy, copy.flags)
            await execute(
                "INSERT INTO placements (folder_id, uid, message_id, flags, seen, size) VALUES ($1, $2, $3, $4, $5, $6)"
                " ON CONFLICT (folder_id, uid) DO NOTHING",
                await names.id_of(folder),
                uid,
                copy.message_id,
                flags_json(flags),
                SEEN in flags,
                copy.size,
            )
        await arrived_again(sorted({copy.message_id for copy, _, _ in moved}))
        await execute(
            "DELETE FROM placements WHERE id = ANY($1)",
            [copy.stand.placement_id for copy in (*gone, *(copy for copy, _, _ in moved))],
        )
        await keep_labels({copy.message_id: new_flags.get(copy, copy.flags) for copy in gone})
        # Marks before wishes, as those do who read.
        await marks_follow(act, mailbox_id, await _conversations_of(turn.messages()), confirmed=confirmed)
        labels = await _labels([(wish.message_id, wish.kind) for wish in true if turn.taken(wish)])
        await labels_follow(labels, confirmed=confirmed)
        await execute(
            "UPDATE server_intents SET confirmed_at = now() WHERE id = ANY($1) AND confirmed_at IS NULL",
            sorted(confirmed),
        )


async def _met_meanwhile(turn: Round) -> set[int]:
    """The messages of which the watcher has met a copy since we looked: their wishes are about that one, too."""
    records = await fetch(
        "SELECT p.id, p.message_id, f.name, p.uid FROM placements p JOIN folders f ON f.id = p.folder_id "
        "WHERE p.message_id = ANY($1) AND p.id <> ALL($2) AND NOT p.flags ? '\\Deleted'",
        list(turn.messages()),
        list(turn.known),
    )
    ours = {(folder, uid) for _, folder, uid in turn.moved()}
    return {record["message_id"] for record in records if (record["name"], record["uid"]) not in ours}


async def _conversations_of(message_ids: Collection[int]) -> list[int]:
    if not message_ids:
        return []
    records = await fetch(
        "SELECT DISTINCT conversation_id AS id FROM messages WHERE id = ANY($1) ORDER BY 1", list(message_ids)
    )
    return [record["id"] for record in records]


async def _labels(wished: Sequence[tuple[int, str]]) -> Labels:
    """The labels that wishes (a message and a kind) are about, by conversation."""
    flags = [(message_id, flag) for message_id, kind in wished if (flag := flag_of(kind)) is not None]
    if not flags:
        return {}
    records = await fetch(
        "SELECT id, conversation_id FROM messages WHERE id = ANY($1)", [message_id for message_id, _ in flags]
    )
    conversations = {record["id"]: record["conversation_id"] for record in records}
    return by_conversation((conversations.get(message_id), [flag]) for message_id, flag in flags)


async def _keep_wished(closed: Sequence[Row]) -> None:
    """What messages that are nowhere to be found were to be marked with stays so here."""
    wished = [(record, flag) for record in closed if (flag := flag_of(record["kind"])) is not None]
    if not wished:
        return
    kept = {
        record["id"]: set(read_flags(record["kept_flags"]))
        for record in await fetch(
            "SELECT id, kept_flags FROM messages WHERE id = ANY($1)", [record["message_id"] for record, _ in wished]
        )
    }
    for record, flag in wished:
        flags = kept.setdefault(record["message_id"], set())
        flags.discard(flag)
        if record["value"] == "yes":
            flags.add(flag)
    await keep_labels(kept)


async def _look_after(server: Connection, account_id: int, mailbox_id: int, turn: Round, names: FolderNames) -> None:
    """Look once more for what was moved, now that it is written down.

    Somebody else may have moved it on between the two. If the watcher was told of that before the placement stood here,
    nobody would tell it again. If it is moved on in the next moment the watcher may not be told at all, and therefore
    looks a second time.
    """
    by_folder: dict[str, list[int]] = defaultdict(list)
    for _, folder, uid in turn.moved():
        by_folder[folder].append(uid)
    for folder, uids in by_folder.items():
        there = set(await still_there(server, folder, uids))
        gone = [uid for uid in uids if uid not in there]
        if not gone:
            continue
        async with action(None):
            row = await fetch_row(
                "SELECT f.id, f.role, a.fence FROM folders f JOIN mail_accounts a ON a.id = f.account_id "
                "WHERE f.id = $1 FOR SHARE OF a",
                await names.id_of(folder),
            )
            if row is not None:
                key = FolderKey(
                    folder_id=row["id"],
                    role=row["role"],
                    account_id=account_id,
                    mailbox_id=mailbox_id,
                    fence=row["fence"],
                )
                await remove_placements(key, gone)
    await look_again(account_id, by_folder)
