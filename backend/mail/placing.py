"""Where messages stand on the server, and what follows from it: placements, flags, the status of conversations.

Everything runs inside the caller's action, which holds the account's lease and the mailbox's threads.
"""

from collections import defaultdict
from collections.abc import AsyncIterator, Collection, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager

import msgspec

from backend.conversations.change import changing, hold_membership
from backend.conversations.contracts import ConversationChanged, MarkChanged, MessageAdded, MessageRemoved, Status
from backend.conversations.rows import mark_of
from backend.conversations.threads import sum_up
from backend.database.connection import Row, execute, fetch, fetch_row, fetch_value
from backend.events.record import Action, user_stream
from backend.jobs import enqueue
from backend.mail.fetched import FolderKey
from backend.mail.hiding import show_what_stands
from backend.mail.intents import open_kinds
from backend.mail.places import Where, where
from backend.mail.queries import message_of
from backend.mail.standing import GRACE, Standing, follows, standing
from backend.mail.store import hold_threading

_MOST_WANTED: tuple[Where, ...] = ("inbox", "done", "other", "junk", "trash", "sent", "drafts")
DELETED = "\\Deleted"
"""The flag of a message that waits to be expunged (RFC 9051 section 2.3.2)."""

_FLAG_OF = {"seen": "\\Seen", "flagged": "\\Flagged", "answered": "\\Answered"}


OF_INTAKE = (
    "EXISTS (SELECT 1 FROM mail_accounts ia JOIN mailboxes im ON im.id = ia.mailbox_id "
    "WHERE ia.id = f.account_id AND im.kind = 'intake')"
)
"""SQL: the folder `f` is the intake account's. Where mail stands there says nothing of what became of it here."""


STANDS = (
    "(NOT p.flags ? '\\Deleted' OR NOT EXISTS (SELECT 1 FROM placements other "
    "WHERE other.message_id = p.message_id AND NOT other.flags ? '\\Deleted'))"
)
"""SQL: the placement `p` counts. Programs without MOVE copy a message and mark the one left behind as deleted."""


async def place_of(folder: FolderKey) -> Where:
    """What standing in the folder means."""
    name = await fetch_value("SELECT name FROM folders WHERE id = $1", folder.folder_id)
    return where(folder.role, name or "")


async def place(folder: FolderKey, places: Sequence[tuple[int, frozenset[str], int, int]]) -> None:
    """Messages stand in the folder: UID, flags, size in bytes, message id.

    Who carries a move over may have placed one of them a moment ago, with the flags that were known before it: then
    that placement stays and takes these flags.
    """
    if not places:
        return
    rows = sorted(places, key=lambda each: each[0])
    records = await fetch(
        "INSERT INTO placements (folder_id, uid, flags, seen, size, message_id) SELECT $1, * FROM "
        "unnest($2::bigint[], $3::jsonb[], $4::boolean[], $5::integer[], $6::bigint[]) "
        "ON CONFLICT (folder_id, uid) DO NOTHING RETURNING uid",
        folder.folder_id,
        [uid for uid, _, _, _ in rows],
        [flags_json(flags) for _, flags, _, _ in rows],
        ["\\Seen" in flags for _, flags, _, _ in rows],
        [size for _, _, size, _ in rows],
        [message_id for _, _, _, message_id in rows],
    )
    fresh = {record["uid"] for record in records}
    met = {uid: flags for uid, flags, _, _ in rows if uid not in fresh}
    if met:
        await set_flags(folder, met)


async def placed_uids(folder: FolderKey, uids: Iterable[int]) -> set[int]:
    """Those of the UIDs that have a placement in the folder."""
    records = await fetch(
        "SELECT uid FROM placements WHERE folder_id = $1 AND uid = ANY($2)", folder.folder_id, list(uids)
    )
    return {record["uid"] for record in records}


async def arrived_again(message_ids: Collection[int]) -> None:
    """Known messages have got a placement: they are on their way no more, not deleted, and hidden only by their age."""
    if not message_ids:
        return
    await execute(
        "UPDATE messages SET unplaced_at = NULL, stood_in = '' "
        "WHERE id = ANY($1) AND (unplaced_at IS NOT NULL OR stood_in <> '')",
        list(message_ids),
    )
    await show_what_stands(message_ids)


async def bring_back(messages: Sequence[Row]) -> None:
    """Messages that were gone stand on the server again."""
    for stored in messages:
        await execute("UPDATE messages SET gone_at = NULL WHERE id = $1", stored["id"])
        async with changing(None, stored["conversation_id"]) as change:
            await sum_up(stored["conversation_id"])
            record = await fetch_row("SELECT * FROM messages WHERE id = $1", stored["id"])
            assert record is not None
            change.tell(lambda row, record=record: MessageAdded(row=row, message=message_of(record)))


# ---- the status follows where the mail stands


@asynccontextmanager
async def status_follows(conversation_ids: Collection[int], *, moved: bool) -> AsyncIterator[None]:
    """What is placed or removed in this block may change the status of these conversations (`standing.follows`).

    `moved`: known messages are placed or removed; else new ones join.
    """
    before = await _standings(conversation_ids)
    yield
    after = await _standings(conversation_ids)
    changed = [each for each in sorted(set(before) | set(after)) if before.get(each) != after.get(each)]
    if not changed:
        return
    by_person, wished = await _given_here(changed), await _wished(changed)
    for conversation_id in changed:
        status = await fetch_value(
            "SELECT status FROM conversations WHERE id = $1 AND joined_into IS NULL", conversation_id
        )
        if status is None:
            continue
        follow = follows(
            before.get(conversation_id),
            after.get(conversation_id),
            status,
            by_person=conversation_id in by_person,
            moved=moved,
            wished=wished[conversation_id],
        )
        if follow != status:
            await _set_status(conversation_id, follow)


async def _set_status(conversation_id: int, status: Status) -> None:
    async with changing(None, conversation_id) as change:
        await execute("UPDATE conversations SET status = $2 WHERE id = $1", conversation_id, status)
        change.tell(lambda row: ConversationChanged(row=row))


async def _standings(conversation_ids: Collection[int]) -> dict[int, Standing]:
    places: dict[int, set[Where]] = defaultdict(set)
    if conversation_ids:
        for record in await fetch(
            "SELECT DISTINCT m.conversation_id, f.id, f.role, f.name, m.stood_in FROM messages m "
            f"LEFT JOIN placements p ON p.message_id = m.id AND {STANDS} LEFT JOIN folders f ON f.id = p.folder_id "
            f"AND NOT {OF_INTAKE} "
            "WHERE m.conversation_id = ANY($1) AND m.direction = 'incoming' AND m.gone_at IS NULL",
            list(conversation_ids),
        ):
            if record["id"] is not None:
                places[record["conversation_id"]].add(where(record["role"], record["name"]))
            if record["stood_in"]:
                places[record["conversation_id"]].add(record["stood_in"])
    return {conversation_id: standing(found) for conversation_id, found in places.items()}


async def _given_here(conversation_ids: Collection[int]) -> set[int]:
    records = await fetch(
        "SELECT DISTINCT conversation_id FROM activities WHERE conversation_id = ANY($1) AND kind = 'status' "
        "AND actor_id IS NOT NULL",
        list(conversation_ids),
    )
    return {record["conversation_id"] for record in records}


async def _wished(conversation_ids: Collection[int]) -> dict[int, set[str]]:
    records = await fetch(
        "SELECT id, conversation_id FROM messages WHERE conversation_id = ANY($1) AND gone_at IS NULL",
        list(conversation_ids),
    )
    kinds = await open_kinds([record["id"] for record in records])
    found: dict[int, set[str]] = defaultdict(set)
    for record in records:
        found[record["conversation_id"]] |= kinds.get(record["id"], set())
    return found


# ---- messages that stand nowhere


async def take_out(folder: FolderKey, uids: Sequence[int]) -> None:
    """These messages stand in the folder no more; one that stands in no folder at all has some time to turn up."""
    records = await fetch(
        "SELECT DISTINCT m.conversation_id AS id FROM placements p JOIN messages m ON m.id = p.message_id "
        "WHERE p.folder_id = $1 AND p.uid = ANY($2)",
        folder.folder_id,
        list(uids),
    )
    async with status_follows([record["id"] for record in records], moved=True):
        gone = await fetch(
            "DELETE FROM placements WHERE folder_id = $1 AND uid = ANY($2) RETURNING message_id",
            folder.folder_id,
            list(uids),
        )
        if await fetch_value(f"SELECT {OF_INTAKE} FROM folders f WHERE f.id = $1", folder.folder_id):
            return  # deleting what was sorted deletes it there, not here
        waiting = await _note_unplaced(folder, [record["message_id"] for record in gone])
    if waiting:
        await settle_later(folder.mailbox_id)


async def void_placements(folder: FolderKey) -> None:
    """The folder's UIDs mean nothing any more: its messages count as standing there until they are met again.

    Of one that stands in another folder too, the status must follow when this one turns out to have it no more
    (`remove_unplaced`): `unplaced_at` is infinity until then. One that has lost several folders counts where it is
    wanted most.
    """
    gone = await fetch("DELETE FROM placements WHERE folder_id = $1 RETURNING message_id", folder.folder_id)
    records = await fetch(
        "UPDATE messages m SET stood_in = "
        "CASE WHEN array_position($3::text[], stood_in) < array_position($3, $2::text) THEN stood_in ELSE $2 END, "
        "unplaced_at = CASE WHEN EXISTS (SELECT 1 FROM placements p WHERE p.message_id = m.id) "
        "THEN 'infinity'::timestamptz END "
        "WHERE m.id = ANY($1) AND m.gone_at IS NULL RETURNING m.unplaced_at IS NOT NULL AS stands",
        [record["message_id"] for record in gone],
        await place_of(folder),
        list(_MOST_WANTED),
    )
    if any(record["stands"] for record in records):
        await settle_later(folder.mailbox_id)


async def settle_later(mailbox_id: int) -> None:
    """Let the job look what became of messages that are on their way, after the time of grace."""
    await enqueue("settle_removed", after=GRACE, key=str(mailbox_id), mailbox_id=mailbox_id)


async def _note_unplaced(folder: FolderKey, message_ids: Collection[int]) -> int:
    """Remember where messages stood that stand nowhere now; answers how many those are.

    One that is still looked for in a folder that was numbered anew keeps counting there.
    """
    records = await fetch(
        "UPDATE messages m SET stood_in = CASE WHEN m.unplaced_at = 'infinity' THEN m.stood_in ELSE $2 END, "
        "unplaced_at = clock_timestamp() "
        "WHERE m.id = ANY($1) AND m.gone_at IS NULL "
        "AND NOT EXISTS (SELECT 1 FROM placements p WHERE p.message_id = m.id) RETURNING m.id",
        list(message_ids),
        await place_of(folder),
    )
    return len(records)


async def _follow_voided(mailbox_id: int) -> None:
    """The status of messages that stood in a folder which was numbered anew follows, once all such folders are whole.

    Folders with the same meaning are one here: who is not met in one of them may yet be in another.
    """
    voided = await fetch(
        "SELECT id, conversation_id, stood_in FROM messages WHERE mailbox_id = $1 AND unplaced_at = 'infinity'",
        mailbox_id,
    )
    if not voided:
        return
    folders = await fetch(
        "SELECT f.role, f.name FROM folders f JOIN mail_accounts a ON a.id = f.account_id "
        "WHERE a.mailbox_id = $1 AND f.chosen AND f.selectable AND NOT f.backfill_done",
        mailbox_id,
    )
    open_places = {where(record["role"], record["name"]) for record in folders}
    settled = [record for record in voided if record["stood_in"] not in open_places]
    async with status_follows({record["conversation_id"] for record in settled}, moved=True):
        await execute(
            "UPDATE messages SET stood_in = '', unplaced_at = NULL WHERE id = ANY($1)",
            [record["id"] for record in settled],
        )


async def remove_unplaced(mailbox_id: int, grace_seconds: float) -> bool:
    """Messages that stand nowhere for that long were deleted. False when there are others that still have time.

    Those that stand somewhere, and were not met again in a folder that was numbered anew, count where they stand.

    What is left of a conversation shows them no more; a conversation of which nothing is left moves to the Trash with
    all of them, where a person can restore it. The bytes stay in any case.
    """
    await _follow_voided(mailbox_id)
    await execute(  # whoever placed them again
        "UPDATE messages m SET unplaced_at = NULL, stood_in = '' WHERE m.mailbox_id = $1 AND m.unplaced_at IS NOT NULL "
        "AND m.unplaced_at < 'infinity' AND EXISTS (SELECT 1 FROM placements p WHERE p.message_id = m.id)",
        mailbox_id,
    )
    records = await fetch(
        "UPDATE messages m SET unplaced_at = NULL WHERE m.mailbox_id = $1 "
        "AND m.unplaced_at <= clock_timestamp() - make_interval(secs => $2) AND m.gone_at IS NULL "
        "RETURNING m.id, m.conversation_id",
        mailbox_id,
        float(grace_seconds),
    )
    removed: dict[int, list[int]] = defaultdict(list)
    for record in records:
        removed[record["conversation_id"]].append(record["id"])
    for conversation_id in sorted(removed):
        await _remove(conversation_id, removed[conversation_id])
    return not await fetch_value(
        "SELECT EXISTS (SELECT 1 FROM messages WHERE mailbox_id = $1 AND unplaced_at IS NOT NULL)", mailbox_id
    )


async def _remove(conversation_id: int, message_ids: Sequence[int]) -> None:
    async with changing(None, conversation_id) as change:
        others = await fetch_value(
            "SELECT EXISTS (SELECT 1 FROM messages WHERE conversation_id = $1 AND gone_at IS NULL AND id <> ALL($2) "
            "AND direction = 'incoming')",
            conversation_id,
            list(message_ids),
        )
        if others:
            await execute("UPDATE messages SET gone_at = now(), stood_in = '' WHERE id = ANY($1)", list(message_ids))
            await sum_up(conversation_id)
            for message_id in message_ids:
                change.tell(lambda row, message_id=message_id: MessageRemoved(row=row, message_id=message_id))
            return
        await execute("UPDATE messages SET stood_in = 'trash' WHERE id = ANY($1)", list(message_ids))
        if "place" in (await _wished([conversation_id]))[conversation_id]:
            return
        if change.before["status"] != "trash":
            await execute("UPDATE conversations SET status = 'trash' WHERE id = $1", conversation_id)
            change.tell(lambda row: ConversationChanged(row=row))


# ---- flags


async def set_flags(folder: FolderKey, flags: Mapping[int, frozenset[str]]) -> list[int]:
    """Flags as they stand on the server, but for what is wished otherwise here; answers the conversations touched.

    The status follows what is marked as deleted, or is so no more.
    """
    records = await fetch(
        "SELECT p.uid, p.message_id, m.conversation_id, m.direction, ARRAY(SELECT jsonb_array_elements_text(p.flags)) "
        "AS flags FROM placements p JOIN messages m ON m.id = p.message_id WHERE p.folder_id = $1 AND p.uid = ANY($2)",
        folder.folder_id,
        list(flags),
    )
    wished = await open_kinds([record["message_id"] for record in records])
    now = {
        record["uid"]: _merged(flags[record["uid"]], record["flags"], wished.get(record["message_id"], ()))
        for record in records
    }
    marked = {
        record["conversation_id"]
        for record in records
        if (DELETED in record["flags"]) != (DELETED in now[record["uid"]])
    }
    if marked:
        await hold_membership(folder.mailbox_id)
        await hold_threading(folder.mailbox_id)
    async with status_follows(marked, moved=True):
        await execute(
            "UPDATE placements p SET flags = w.flags, seen = w.seen "
            "FROM unnest($2::bigint[], $3::jsonb[], $4::boolean[]) AS w(uid, flags, seen) "
            "WHERE p.folder_id = $1 AND p.uid = w.uid",
            folder.folder_id,
            list(now),
            [flags_json(each) for each in now.values()],
            ["\\Seen" in each for each in now.values()],
        )
    return sorted({record["conversation_id"] for record in records if record["direction"] == "incoming"})


def _merged(there: frozenset[str], here: Collection[str], wished: Collection[str]) -> frozenset[str]:
    """The server's flags, with ours where an open wish speaks of the flag."""
    ours = {_FLAG_OF[kind] for kind in wished if kind in _FLAG_OF}
    return frozenset((there - ours) | (ours & set(here)))


def flags_json(flags: Iterable[str]) -> str:
    return msgspec.json.encode(sorted(flags)).decode()


async def mark_like_server(act: Action, mailbox: Row, conversation_ids: Sequence[int], *, tell: bool = True) -> None:
    """Give the owner of a personal mailbox the read state that the server's Seen flags say."""
    records = await fetch(
        "INSERT INTO read_marks (conversation_id, user_id, read_up_to, forced_unread, revision) "
        "SELECT c.id, $2, CASE WHEN unseen.any THEN 0 ELSE c.last_arrival END, unseen.any, 1 FROM conversations c "
        "CROSS JOIN LATERAL (SELECT EXISTS (SELECT 1 FROM messages m JOIN placements p ON p.message_id = m.id "
        f"WHERE m.conversation_id = c.id AND m.direction = 'incoming' AND NOT p.seen AND {STANDS}) AS any) unseen "
        "WHERE c.id = ANY($1) ORDER BY c.id ON CONFLICT (conversation_id, user_id) DO UPDATE SET "
        "read_up_to = greatest(read_marks.read_up_to, excluded.read_up_to), forced_unread = excluded.forced_unread, "
        "revision = read_marks.revision + 1 WHERE read_marks.forced_unread <> excluded.forced_unread "
        "OR read_marks.read_up_to < excluded.read_up_to RETURNING *",
        list(conversation_ids),
        mailbox["owner_id"],
    )
    if not tell:
        return
    for record in records:
        if record["forced_unread"] or record["read_up_to"] or record["revision"] > 1:
            mark = mark_of(record["conversation_id"], record)
            act.record(user_stream(mailbox["owner_id"]), MarkChanged(mailbox_id=mailbox["id"], mark=mark))
