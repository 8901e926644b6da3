"""Expunging from a mail server what was deleted for good here (backend/mail/deleted.py); a part of a visit that carries
wishes (backend/workers/carrying.py).

What the server confirms to be gone has its placement removed, and with the last one nothing more is known of where it
stood. A server that can only expunge all marked messages of a folder at once, and has others' marked beside ours, keeps
ours marked; they go when somebody clears up there.
"""

import logging
from collections import defaultdict

from backend.database.connection import Row, execute, fetch, fetch_value
from backend.events.record import action
from backend.mail.deleted import NOT_MARKED, STILL_THERE
from backend.mail.store import hold_threading
from sync.errors import CommandRefused, FolderChanged
from sync.imap.connection import Connection
from sync.imap.pushback import expunge

log = logging.getLogger(__name__)

MOST_AT_ONCE = 1_000
"""Messages of one folder that are expunged with one command."""


async def count_deleted(account_id: int) -> int:
    """How many messages are to be expunged from the account's server, but for those that only wait there, marked."""
    return await fetch_value(f"SELECT count(*) {STILL_THERE} WHERE a.id = $1 AND {NOT_MARKED}", account_id)


async def expunge_deleted(server: Connection, account_id: int, mailbox_id: int) -> list[str]:
    """Expunge what was deleted for good, folder by folder. Answers why that could not be done in a folder."""
    by_folder: dict[int, list[Row]] = defaultdict(list)
    for record in await fetch(
        "SELECT p.id, p.uid, p.folder_id, f.name, f.uid_validity, d.message_id AS mime_id "
        f"{STILL_THERE} WHERE a.id = $1 ORDER BY p.folder_id, p.uid",
        account_id,
    ):
        by_folder[record["folder_id"]].append(record)
    reasons: list[str] = []
    for records in by_folder.values():
        for start in range(0, len(records), MOST_AT_ONCE):
            reasons += await _expunge(server, mailbox_id, records[start : start + MOST_AT_ONCE])
    return reasons


async def _expunge(server: Connection, mailbox_id: int, records: list[Row]) -> list[str]:
    known_as = {record["uid"]: f"<{record['mime_id']}>" if record["mime_id"] else None for record in records}
    try:
        gone = await expunge(server, records[0]["name"], records[0]["uid_validity"], known_as)
    except FolderChanged:
        return ["A folder was numbered anew; its messages are being met again."]
    except CommandRefused as refusal:
        if server.lost:
            raise
        log.info("A folder of the account refused to expunge: %s", refusal.server_words)
        return [f"{refusal.sentence} {refusal.remedy} [{refusal.server_words}]"]
    async with action(None):
        await hold_threading(mailbox_id)
        await execute(
            "DELETE FROM placements WHERE id = ANY($1) AND deleted_id IS NOT NULL",
            [record["id"] for record in records if record["uid"] in gone],
        )
        await execute(
            "UPDATE placements SET flags = '[\"\\\\Deleted\"]' WHERE id = ANY($1) AND deleted_id IS NOT NULL",
            [record["id"] for record in records if record["uid"] not in gone],
        )
    return []
