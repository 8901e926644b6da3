"""Files that come up in parts, so that a broken line or a restart costs one part at most.

A part is stored as any other file is (backend/mail/keeping.py) before it counts, and it counts only where it begins
at the end of what is there. Whoever lost the answer asks how far it came, and goes on there. A file that is to be
attached is put together then; one that a link leads to stays in its parts, and is never whole in memory.
"""

from datetime import timedelta

from backend.access.asker import Asker
from backend.database.connection import execute, fetch_row, fetch_value
from backend.errors import Conflict, NotFound, TooLarge, Unacceptable
from backend.events.record import action
from backend.mail.keeping import keep_one
from backend.settings import settings
from backend.sizes import size_words
from backend.uploads.contracts import BeginUpload, Upload
from backend.uploads.queries import access_upload, unfinished_uploads, upload_of
from sync.mime.attachments import safe_filename
from sync.mime.characters import clean_line

LARGEST_PART = 4 * 1024 * 1024
SMALLEST_PART = 64 * 1024
"""Bytes, but for the last part: a file in millions of parts would be a burden for ever."""
LONGEST_DAYS = 365
MOST_UNFINISHED = 20
KEPT = timedelta(days=1)
"""How long an upload waits for its next part, or for its use."""


async def begin_upload(asker: Asker, draft_id: int, given: BeginUpload, *, room: int) -> Upload:
    """A file is to come up for this draft. Raises TooLarge and Unacceptable before anything of it came."""
    if given.size < 0 or not 0 <= given.link_days <= LONGEST_DAYS:
        raise Unacceptable(f"A link leads somewhere for 1 to {LONGEST_DAYS} days.", "Choose a shorter time.")
    largest = settings().largest_linked_file if given.link_days else room
    if given.size > largest:
        raise TooLarge(
            f"A file that a mail links to has {size_words(largest)} at most."
            if given.link_days
            else f"This mail takes {size_words(largest)} more at most.",
            "Make the file smaller, or split it." if given.link_days else "Send a link to the file, or split it.",
        )
    if len(await unfinished_uploads(asker, draft_id)) >= MOST_UNFINISHED:
        raise Unacceptable(f"{MOST_UNFINISHED} files are on their way up already.", "Wait for them, or give some up.")
    async with action(asker.user_id):
        if not await fetch_value("SELECT 1 FROM drafts WHERE id = $1 FOR SHARE", draft_id):
            raise NotFound("There is no such draft.", "It may have been sent or thrown away meanwhile.")
        record = await fetch_row(
            "INSERT INTO uploads (user_id, draft_id, filename, content_type, size, modified, received, link_days, "
            "used, touched_at) VALUES ($1, $2, $3, $4, $5, $6, 0, $7, false, now()) RETURNING *",
            asker.user_id,
            draft_id,
            safe_filename(clean_line(given.filename))[:200] or "attachment",
            clean_line(given.content_type)[:150].lower() or "application/octet-stream",
            given.size,
            given.modified,
            given.link_days,
        )
    assert record is not None
    return upload_of(record)


async def add_part(asker: Asker, draft_id: int, upload_id: int, offset: int, content: bytes) -> Upload:
    """The next bytes of a file. When this answers they are there for good.

    Raises Conflict, with the right `offset`, for bytes that do not begin where those that are there end; Unacceptable
    for more than the file was said to have, and for a part that is too small; NotFound.
    """
    record = await access_upload(asker, draft_id, upload_id)
    left = record["size"] - offset
    if record["received"] != offset:
        raise _elsewhere(record["received"])
    if len(content) > left:
        raise Unacceptable("This is more than the file was said to have.", "Begin again with the file as it is now.")
    if len(content) < min(SMALLEST_PART, left):
        raise Unacceptable(f"A part has {SMALLEST_PART} bytes at least, but for the last.", "Send more at once.")
    digest = await keep_one(content)
    async with action(asker.user_id):
        stored = await fetch_row(
            "UPDATE uploads SET received = received + $3, touched_at = now() WHERE id = $1 AND received = $2 "
            "RETURNING *",
            upload_id,
            offset,
            len(content),
        )
        if stored is None:  # the same part came over another line meanwhile, or the upload was given up
            raise _elsewhere((await access_upload(asker, draft_id, upload_id))["received"])
        if content:
            await execute(
                "INSERT INTO upload_parts (upload_id, begins, size, digest) VALUES ($1, $2, $3, $4)",
                upload_id,
                offset,
                len(content),
                digest,
            )
    return upload_of(stored)


async def give_up(asker: Asker, draft_id: int, upload_id: int) -> None:
    """An upload is not wanted any more, or was taken along. Raises NotFound."""
    await access_upload(asker, draft_id, upload_id)
    async with action(asker.user_id):
        await execute(
            "DELETE FROM uploads u WHERE id = $1 AND NOT EXISTS "
            "(SELECT 1 FROM shared_files s WHERE s.upload_id = u.id)",
            upload_id,
        )


async def mark_used(upload_id: int) -> bool:
    """Inside the caller's transaction: the upload has come to its end; answers whether it had not before. The row of
    one that was attached stays for a day, so that asking again does not attach it twice."""
    return bool(
        await fetch_value(
            "UPDATE uploads SET used = true, touched_at = now() WHERE id = $1 AND NOT used RETURNING true", upload_id
        )
    )


async def drop_old_uploads() -> int:
    """Those that nobody went on with for a day, and those whose links have ended; answers how many were."""
    return await fetch_value(
        "WITH gone AS (DELETE FROM uploads u WHERE touched_at < now() - $1::interval AND NOT EXISTS "
        "(SELECT 1 FROM shared_files s WHERE s.upload_id = u.id AND NOT s.closed AND s.ends_at > now()) "
        "RETURNING 1) SELECT count(*) FROM gone",
        KEPT,
    )


def _elsewhere(offset: int) -> Conflict:
    return Conflict(f"{offset} bytes of this file are here.", "Go on from there.", offset=offset)
