"""The flags of messages as they stand on the server. Everything runs inside the caller's action.

Placements hold what the server has, also where it is wished otherwise here: what is wished stands with the wishes and
with what people see (backend/mail/marks.py), so that nothing the server told is ever held back and forgotten.
"""

from collections.abc import Iterable, Mapping, Sequence

from backend.conversations.change import hold_membership
from backend.database.connection import Row, execute, fetch
from backend.mail.fetched import FolderKey
from backend.mail.flag_words import Labels, by_conversation, flags_json, read_flags
from backend.mail.following import status_follows
from backend.mail.labels import labels_follow
from backend.mail.store import hold_threading

DELETED = "\\Deleted"
"""The flag of a message that waits to be expunged (RFC 9051 section 2.3.2)."""


async def set_flags(folder: FolderKey, flags: Mapping[int, frozenset[str]]) -> list[int]:
    """Flags as they stand on the server; answers the conversations touched.

    The status follows what is marked as deleted, or is so no more. What is read here is held: whoever carries flags
    over writes them down either before that or after this.
    """
    known = await _read(folder, flags)
    marked = _marked(known, flags)
    if marked or _changed(known, flags):
        await hold_membership(folder.mailbox_id)
        await hold_threading(folder.mailbox_id)
    records = await _read(folder, flags, hold=True)
    async with status_follows(marked, moved=True):
        await execute(
            "UPDATE placements p SET flags = w.flags, seen = w.seen "
            "FROM unnest($2::bigint[], $3::jsonb[], $4::boolean[]) AS w(uid, flags, seen) "
            "WHERE p.folder_id = $1 AND p.uid = w.uid",
            folder.folder_id,
            [record["uid"] for record in records],
            [flags_json(flags[record["uid"]]) for record in records],
            ["\\Seen" in flags[record["uid"]] for record in records],
        )
    await labels_follow(_changed(records, flags))
    return sorted({record["conversation_id"] for record in records if record["direction"] == "incoming"})


async def _read(folder: FolderKey, flags: Mapping[int, frozenset[str]], *, hold: bool = False) -> Sequence[Row]:
    return await fetch(
        "SELECT p.uid, p.message_id, m.conversation_id, m.direction, p.flags ? '\\Deleted' AS deleted, p.flags "
        "FROM placements p JOIN messages m ON m.id = p.message_id WHERE p.folder_id = $1 AND p.uid = ANY($2) "
        f"ORDER BY p.uid {'FOR UPDATE OF p' if hold else ''}",
        folder.folder_id,
        list(flags),
    )


def _marked(records: Iterable[Row], flags: Mapping[int, frozenset[str]]) -> set[int]:
    """The conversations with a message that begins or ceases to be marked as deleted."""
    return {record["conversation_id"] for record in records if record["deleted"] != (DELETED in flags[record["uid"]])}


def _changed(records: Iterable[Row], flags: Mapping[int, frozenset[str]]) -> Labels:
    """The labels that messages have got or lost, by conversation."""
    return by_conversation(
        (record["conversation_id"], flags[record["uid"]] ^ set(read_flags(record["flags"]))) for record in records
    )
