"""Mail that was deleted for good: what is left of it, so that it does not come back.

Of such a message only its identity is kept (`deleted_messages`), and where it still stands on the server. A placement
of one is a wish by itself: the job `carry_out` expunges it there (backend/workers/expunging.py). Whatever else the
server lists of the same identity, in another folder or after it was numbered anew, is placed the same way and shown to
nobody. The flags of such a placement are not the server's: they say whether we have marked it there without being able
to expunge it. Only the mailbox's own account is worked in: what lies in the intake account may be others' too.

Everything runs inside the caller's action, which holds the mailbox's threads.
"""

from collections.abc import Collection, Sequence

from backend.database.connection import execute, fetch
from backend.jobs import enqueue_or_hasten
from backend.mail.fetched import Fetched, FolderKey
from backend.mail.intents import GATHER
from backend.mail.moved import HOLDER


async def leave_identity(message_ids: Collection[int]) -> None:
    """These messages are about to be deleted: keep what they are known by, and let the server expunge them."""
    await execute(
        "INSERT INTO deleted_messages (id, mailbox_id, message_id, content_digest, email_id, at) "
        "SELECT id, coalesce(moved_from, mailbox_id), message_id, content_digest, email_id, now() FROM messages "
        "WHERE id = ANY($1)",
        list(message_ids),
    )
    await execute(
        "UPDATE placements SET deleted_id = message_id, message_id = NULL, flags = '[]' WHERE message_id = ANY($1)",
        list(message_ids),
    )
    await _expunge_soon(message_ids)


async def pass_over_deleted(folder: FolderKey, mailbox_id: int, messages: Sequence[Fetched]) -> list[Fetched]:
    """Those of the messages that nobody deleted for good. The others stand in the folder and are expunged."""
    records = await fetch(
        "SELECT w.number, d.id FROM unnest($2::bigint[], $3::text[], $4::text[], $5::text[]) "
        "AS w(number, message_id, content_digest, email_id) CROSS JOIN LATERAL (SELECT d.id FROM deleted_messages d "
        "WHERE d.mailbox_id = $1 AND ((d.message_id = w.message_id AND d.content_digest = w.content_digest) "
        "OR (w.email_id <> '' AND d.email_id = w.email_id)) ORDER BY d.id LIMIT 1) d "
        # One that was brought back since, from a file, is a message as any other.
        f"WHERE NOT EXISTS (SELECT 1 FROM messages m WHERE {HOLDER} = $1 AND m.message_id = w.message_id "
        "AND m.content_digest = w.content_digest)",
        mailbox_id,
        list(range(len(messages))),
        [each.prepared.message_id for each in messages],
        [each.prepared.content_digest for each in messages],
        [each.email_id for each in messages],
    )
    if not records:
        return list(messages)
    deleted: dict[int, int] = {record["number"]: record["id"] for record in records}
    for number, deleted_id in deleted.items():
        each = messages[number]
        await execute(
            "INSERT INTO placements (folder_id, uid, deleted_id, flags, seen, size) "
            "VALUES ($1, $2, $3, '[]', false, $4) ON CONFLICT (folder_id, uid) DO NOTHING",
            folder.folder_id,
            each.uid,
            deleted_id,
            len(each.raw),
        )
    await _expunge_soon(deleted.values())
    return [each for number, each in enumerate(messages) if number not in deleted]


STILL_THERE = """
    FROM placements p JOIN deleted_messages d ON d.id = p.deleted_id JOIN folders f ON f.id = p.folder_id
    JOIN mail_accounts a ON a.id = f.account_id AND a.mailbox_id = d.mailbox_id
"""
"""SQL: what was deleted for good and stands on the server of the mailbox's own account."""
NOT_MARKED = "NOT p.flags ? '\\Deleted'"
"""SQL: nothing was done about it there yet."""


async def _expunge_soon(deleted_ids: Collection[int]) -> None:
    for record in await fetch(f"SELECT DISTINCT a.id {STILL_THERE} WHERE d.id = ANY($1) ORDER BY 1", list(deleted_ids)):
        await enqueue_or_hasten("carry_out", after=GATHER, account_id=record["id"])
