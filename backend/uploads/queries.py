"""Uploads of the person who asks: others know nothing of them."""

from collections.abc import AsyncIterator

from backend.access.asker import Asker
from backend.database.connection import Row, fetch, fetch_row
from backend.errors import Conflict, NotFound
from backend.mail import blobs
from backend.uploads.contracts import Upload


async def unfinished_uploads(asker: Asker, draft_id: int) -> list[Upload]:
    """What the person began to send up for this draft, and neither attached nor linked to."""
    records = await fetch(
        "SELECT * FROM uploads WHERE draft_id = $1 AND user_id = $2 AND NOT used ORDER BY id", draft_id, asker.user_id
    )
    return [upload_of(record) for record in records]


async def access_upload(asker: Asker, draft_id: int, upload_id: int) -> Row:
    """The person's own, for this draft. Raises NotFound."""
    record = await fetch_row(
        "SELECT * FROM uploads WHERE id = $1 AND draft_id = $2 AND user_id = $3", upload_id, draft_id, asker.user_id
    )
    if record is None:
        raise NotFound("There is no such upload.", "What is not finished within a day is gone: send the file up again.")
    return record


async def access_whole(asker: Asker, draft_id: int, upload_id: int) -> Row:
    """The same, when all of it is there. Raises NotFound and Conflict."""
    record = await access_upload(asker, draft_id, upload_id)
    if record["received"] < record["size"]:
        raise Conflict("This file is not up yet.", "Send the rest of it first.", offset=record["received"])
    return record


async def parts_of(upload_id: int, begins: int = 0) -> AsyncIterator[bytes]:
    """The bytes from there on, one part after the other. Each is compared with its digest. Raises Unavailable."""
    records = await fetch(
        "SELECT begins, digest FROM upload_parts WHERE upload_id = $1 AND begins + size > $2 ORDER BY begins",
        upload_id,
        begins,
    )
    for record in records:
        yield (await blobs.get(record["digest"]))[max(0, begins - record["begins"]) :]


def upload_of(record: Row) -> Upload:
    return Upload(
        id=record["id"],
        filename=record["filename"],
        size=record["size"],
        content_type=record["content_type"],
        modified=record["modified"],
        offset=record["received"],
        link_days=record["link_days"],
    )
