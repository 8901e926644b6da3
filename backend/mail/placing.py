"""Where messages stand on the server: placements, and messages that have none.

Everything runs inside the caller's action, which holds the account's lease and the mailbox's threads.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence

from backend.conversations.actions import add_activity
from backend.conversations.change import changing
from backend.conversations.contracts import ConversationChanged, MessageAdded, MessageRemoved
from backend.conversations.threads import sum_up
from backend.database.connection import Row, execute, fetch, fetch_row, fetch_value
from backend.events.record import action
from backend.jobs import enqueue_or_hasten
from backend.mail.fetched import FolderKey
from backend.mail.flag_words import FLAG, by_conversation, flags_json, is_label, read_flags
from backend.mail.flags import set_flags
from backend.mail.following import status_follows, wished_kinds
from backend.mail.hiding import show_what_stands
from backend.mail.labels import labels_follow
from backend.mail.marks import marks_follow
from backend.mail.places import Where, where
from backend.mail.queries import ITEM_COLUMNS, message_of
from backend.mail.standing import GRACE

_MOST_WANTED: tuple[Where, ...] = ("inbox", "done", "other", "junk", "trash", "sent", "drafts")


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
    """Known messages have got a placement: they are on their way no more, not deleted, and hidden only by their age.

    What they were marked with when they stood in a folder last counts no more.
    """
    if not message_ids:
        return
    records = await fetch(
        "UPDATE messages SET unplaced_at = NULL, stood_in = '' "
        "WHERE id = ANY($1) AND (unplaced_at IS NOT NULL OR stood_in <> '' OR kept_flags <> '[]') "
        "RETURNING conversation_id, kept_flags",
        list(message_ids),
    )
    await show_what_stands(message_ids)
    await labels_follow(
        by_conversation((record["conversation_id"], read_flags(record["kept_flags"])) for record in records)
    )


async def bring_back(messages: Sequence[Row]) -> None:
    """Messages that were gone stand on the server again."""
    for stored in messages:
        await execute("UPDATE messages SET gone_at = NULL WHERE id = $1", stored["id"])
        async with changing(None, stored["conversation_id"]) as change:
            await sum_up(stored["conversation_id"])
            record = await fetch_row(f"SELECT {ITEM_COLUMNS} FROM messages WHERE id = $1", stored["id"])
            assert record is not None
            change.tell(lambda row, record=record: MessageAdded(row=row, message=message_of(record)))


# ---- messages that stand nowhere


async def take_out(folder: FolderKey, uids: Sequence[int]) -> None:
    """These messages stand in the folder no more; one that stands in no folder at all has some time to turn up."""
    records = await fetch(
        "SELECT DISTINCT m.conversation_id AS id FROM placements p JOIN messages m ON m.id = p.message_id "
        "WHERE p.folder_id = $1 AND p.uid = ANY($2)",
        folder.folder_id,
        list(uids),
    )
    conversation_ids = [record["id"] for record in records]
    async with status_follows(conversation_ids, moved=True):
        gone = await fetch(
            "DELETE FROM placements p WHERE folder_id = $1 AND uid = ANY($2) RETURNING message_id, flags, "
            "(SELECT m.conversation_id FROM messages m WHERE m.id = p.message_id) AS conversation_id, "
            "(SELECT m.mailbox_id FROM messages m WHERE m.id = p.message_id) AS mailbox_id",
            folder.folder_id,
            list(uids),
        )
        if await fetch_value("SELECT kind FROM mailboxes WHERE id = $1", folder.mailbox_id) == "intake":
            return  # deleting what was sorted deletes it there, not here
        gone = [record for record in gone if record["mailbox_id"] == folder.mailbox_id]  # what was moved, neither
        waiting = await _note_unplaced(folder, gone)
    await labels_follow(by_conversation((record["conversation_id"], read_flags(record["flags"])) for record in gone))
    async with action(None) as act:
        await marks_follow(act, folder.mailbox_id, conversation_ids)
    if waiting:
        await settle_later(folder.mailbox_id)


async def void_placements(folder: FolderKey) -> None:
    """The folder's UIDs mean nothing any more: its messages count as standing there until they are met again.

    Of one that stands in another folder too, the status must follow when this one turns out to have it no more
    (`remove_unplaced`): `unplaced_at` is infinity until then. One that has lost several folders counts where it is
    wanted most.
    """
    gone = await fetch("DELETE FROM placements WHERE folder_id = $1 RETURNING message_id, flags", folder.folder_id)
    records = await fetch(
        "UPDATE messages m SET stood_in = "
        "CASE WHEN array_position($3::text[], stood_in) < array_position($3, $2::text) THEN stood_in ELSE $2 END, "
        "unplaced_at = CASE WHEN EXISTS (SELECT 1 FROM placements p WHERE p.message_id = m.id) "
        "THEN 'infinity'::timestamptz END, kept_flags = w.kept "
        "FROM unnest($1::bigint[], $4::jsonb[]) AS w(id, kept) WHERE m.id = w.id AND m.gone_at IS NULL "
        "AND m.moved_from IS NULL RETURNING m.unplaced_at IS NOT NULL AS stands",
        [record["message_id"] for record in gone],
        await place_of(folder),
        list(_MOST_WANTED),
        _kept(gone),
    )
    if any(record["stands"] for record in records):
        await settle_later(folder.mailbox_id)


async def settle_later(mailbox_id: int) -> None:
    """Let the job look what became of messages that are on their way, after the time of grace.

    A job that is under way has looked already, and may be the one that asks: then there is to be another.
    """
    await enqueue_or_hasten("settle_removed", after=GRACE, mailbox_id=mailbox_id)


def _kept(gone: Sequence[Row]) -> list[str]:
    """What each was marked with: it counts while the message stands in no folder."""
    return [flags_json(filter(is_label, read_flags(record["flags"]))) for record in gone]


async def _note_unplaced(folder: FolderKey, gone: Sequence[Row]) -> int:
    """Remember where messages stood that stand nowhere now, and what they were marked with; answers how many those are.

    One that is still looked for in a folder that was numbered anew keeps counting there.
    """
    records = await fetch(
        "UPDATE messages m SET stood_in = CASE WHEN m.unplaced_at = 'infinity' THEN m.stood_in ELSE $2 END, "
        "unplaced_at = clock_timestamp(), kept_flags = w.kept FROM unnest($1::bigint[], $3::jsonb[]) AS w(id, kept) "
        "WHERE m.id = w.id AND m.gone_at IS NULL "
        "AND NOT EXISTS (SELECT 1 FROM placements p WHERE p.message_id = m.id) RETURNING m.id",
        [record["message_id"] for record in gone],
        await place_of(folder),
        _kept(gone),
    )
    return len(records)


async def _follow_voided(mailbox_id: int) -> set[int]:
    """The status of messages that stood in a folder which was numbered anew follows, once all such folders are whole;
    answers their conversations.

    Folders with the same meaning are one here: who is not met in one of them may yet be in another.
    """
    voided = await fetch(
        "SELECT id, conversation_id, stood_in FROM messages WHERE mailbox_id = $1 AND unplaced_at = 'infinity'",
        mailbox_id,
    )
    if not voided:
        return set()
    folders = await fetch(
        "SELECT f.role, f.name FROM folders f JOIN mail_accounts a ON a.id = f.account_id "
        "WHERE a.mailbox_id = $1 AND f.chosen AND f.selectable AND NOT f.backfill_done",
        mailbox_id,
    )
    open_places = {where(record["role"], record["name"]) for record in folders}
    settled = [record for record in voided if record["stood_in"] not in open_places]
    followed = {record["conversation_id"] for record in settled}
    async with status_follows(followed, moved=True):
        await execute(
            "UPDATE messages SET stood_in = '', unplaced_at = NULL WHERE id = ANY($1)",
            [record["id"] for record in settled],
        )
    return followed


async def remove_unplaced(mailbox_id: int, grace_seconds: float) -> bool:
    """Messages that stand nowhere for that long were deleted. False when there are others that still have time.

    Those that stand somewhere, and were not met again in a folder that was numbered anew, count where they stand.

    What is left of a conversation shows them no more, and its status follows where that stands; a conversation of which
    nothing is left moves to the Trash with all of them, where a person can restore it. The bytes stay in any case.
    """
    followed = await _follow_voided(mailbox_id)
    await execute(  # whoever placed them again
        "UPDATE messages m SET unplaced_at = NULL, stood_in = '' WHERE m.mailbox_id = $1 AND m.unplaced_at IS NOT NULL "
        "AND m.unplaced_at < 'infinity' AND EXISTS (SELECT 1 FROM placements p WHERE p.message_id = m.id)",
        mailbox_id,
    )
    records = await fetch(
        "UPDATE messages m SET unplaced_at = NULL WHERE m.mailbox_id = $1 "
        "AND m.unplaced_at <= clock_timestamp() - make_interval(secs => $2) AND m.gone_at IS NULL "
        "RETURNING m.id, m.conversation_id, m.kept_flags ? '\\Flagged' AS starred",
        mailbox_id,
        float(grace_seconds),
    )
    removed: dict[int, list[int]] = defaultdict(list)
    for record in records:
        removed[record["conversation_id"]].append(record["id"])
    for conversation_id in sorted(removed):
        async with status_follows([conversation_id], moved=True):
            await _remove(conversation_id, removed[conversation_id])
    async with action(None) as act:
        await marks_follow(act, mailbox_id, followed | removed.keys())
    # A star goes with the last mail that has it; what a team tagged stays tagged.
    await labels_follow({record["conversation_id"]: {FLAG.lower()} for record in records if record["starred"]})
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
        if "place" in (await wished_kinds([conversation_id]))[conversation_id]:
            return
        if change.before["status"] != "trash":
            await execute("UPDATE conversations SET status = 'trash' WHERE id = $1", conversation_id)
            activity = await add_activity(change, "status", value="trash")
            change.tell(lambda row: ConversationChanged(row=row, activity=activity))
