"""Messages that have left every folder that is fetched: were they deleted, or moved into one that is not?

A folder that nobody chose is not followed, so a mail that another program moves there looks deleted. Before it counts
as that, such folders are asked for it, by Message-ID and size among their newest. What is found stands there from then
on: it is hidden like everything in folders that were not chosen, not put into the trash, and shown again when it comes
back.
"""

import time
from collections.abc import Sequence

from backend.accounts.queries import unchosen_folders
from backend.database.connection import Row, fetch
from backend.mail import actions
from backend.mail.hiding import hide_strayed
from backend.mail.standing import GRACE
from backend.workers.visits import signed_in
from sync.errors import CommandRefused
from sync.imap.pushback import locate
from sync.imap.reader import format_number_set

MOST_FOLDERS = 30
MOST_MESSAGES = 200
"""Looked for at once. Of more that go in one moment it is believed that they were deleted."""


async def settle_removed(mailbox_id: int, grace_seconds: float | None = None) -> None:
    """The job: what stood in no folder for the time of grace was deleted, unless it is found in one not fetched.

    Raises TryAgain while the server cannot be asked.
    """
    began = time.monotonic()
    grace = GRACE.total_seconds() if grace_seconds is None else grace_seconds
    await _look_elsewhere(mailbox_id, grace)
    # What has become due meanwhile was not looked for: it waits for the next time.
    await actions.settle_removed(mailbox_id, grace + time.monotonic() - began)


async def _look_elsewhere(mailbox_id: int, grace: float) -> None:
    folders = await unchosen_folders(mailbox_id, MOST_FOLDERS)
    due = await _due(mailbox_id, grace) if folders else []
    if not due or len(due) > MOST_MESSAGES:
        return
    async with signed_in(folders[0]["account_id"]) as server:
        for folder in folders:
            wanted = {f"<{row['message_id']}>": row["size"] for row in due}
            try:
                found = await locate(server, folder["name"], wanted)
            except CommandRefused:
                if server.lost:
                    raise
                continue  # a folder that may not be read
            if found:
                told = await server.fetch_flags(format_number_set(found.values()))
                flags = {each.uid: each.flags for each in told}
                places = [
                    (row["id"], uid, flags[uid], row["size"])
                    for row in due
                    if (uid := found.get(f"<{row['message_id']}>")) in flags
                ]
                await hide_strayed(mailbox_id, folder["id"], places)
                due = [row for row in due if f"<{row['message_id']}>" not in found]
            if not due:
                return


async def _due(mailbox_id: int, grace: float) -> Sequence[Row]:
    return await fetch(
        "SELECT m.id, m.message_id, r.size FROM messages m JOIN raw_messages r ON r.digest = m.raw_digest "
        "WHERE m.mailbox_id = $1 AND m.message_id <> '' AND m.gone_at IS NULL "
        "AND m.unplaced_at <= clock_timestamp() - make_interval(secs => $2) "
        "AND NOT EXISTS (SELECT 1 FROM placements p WHERE p.message_id = m.id) ORDER BY m.id LIMIT $3",
        mailbox_id,
        grace,
        MOST_MESSAGES + 1,
    )
