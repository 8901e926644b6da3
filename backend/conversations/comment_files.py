"""Files of comments: uploaded beside what is being written, told with it, gone with it.

They are no attachments of mail: they have a table of their own, and nothing that makes a mail reads it.
"""

from dataclasses import dataclass
from datetime import timedelta

from backend.access.asker import Asker
from backend.access.fetch import access_comment_file
from backend.conversations.change import changing
from backend.conversations.contracts import CommentChanged, CommentFile
from backend.conversations.rows import read_comment
from backend.database.connection import Row, execute, fetch_row, fetch_value
from backend.errors import Forbidden, TooLarge, Unacceptable
from backend.events.record import action
from backend.mail import blobs
from backend.mail.keeping import keep_one
from sync.mime.attachments import safe_filename
from sync.mime.characters import clean_line

LARGEST_FILES = 25 * 1024 * 1024
"""Bytes of all files of one comment together: as of one mail."""
MOST_FILES = 100
FORGOTTEN_AFTER = timedelta(days=1)
"""A file whose comment was not said by then is forgotten, at the next upload."""


@dataclass(frozen=True, slots=True)
class StoredFile:
    filename: str
    content_type: str
    content: bytes


async def upload_file(
    asker: Asker, conversation_id: int, filename: str, content_type: str, content: bytes
) -> CommentFile:
    """Keep a file for a comment that the person is writing. Raises TooLarge for one that no comment takes."""
    if len(content) > LARGEST_FILES:
        raise TooLarge(f"“{filename[:80]}” is larger than 25 MB.", "Link to it instead.")
    digest = await keep_one(content)
    async with action(asker.user_id):
        await execute(
            "DELETE FROM comment_files WHERE uploader_id = $1 AND comment_id IS NULL "
            "AND uploaded_at < now() - $2::interval",
            asker.user_id,
            FORGOTTEN_AFTER,
        )
        record = await fetch_row(
            "INSERT INTO comment_files (conversation_id, uploader_id, filename, content_type, size, digest, "
            "uploaded_at) VALUES ($1, $2, $3, $4, $5, $6, now()) RETURNING *",
            conversation_id,
            asker.user_id,
            safe_filename(clean_line(filename))[:200] or "file",
            clean_line(content_type)[:150].lower() or "application/octet-stream",
            len(content),
            digest,
        )
    assert record is not None
    return file_of(record)


async def take_files(asker: Asker, conversation_id: int, comment_id: int, file_ids: list[int]) -> None:
    """Give a comment the files that its author uploaded for it. Call inside the action that says it.

    Raises Unacceptable for a file that is not there (any more), TooLarge when they are too much together.
    """
    if not file_ids:
        return
    taken = await fetch_row(
        "WITH taken AS (UPDATE comment_files SET comment_id = $1 WHERE id = ANY($2) AND uploader_id = $3 "
        "AND conversation_id = $4 AND comment_id IS NULL RETURNING size), "
        "kept AS (SELECT size FROM comment_files WHERE comment_id = $1) "
        "SELECT (SELECT count(*) FROM taken) AS number, (SELECT count(*) FROM kept) AS kept, "
        "(SELECT coalesce(sum(size), 0) FROM (TABLE taken UNION ALL TABLE kept) files)::bigint AS size",
        comment_id,
        file_ids,
        asker.user_id,
        conversation_id,
    )
    assert taken is not None
    if taken["number"] != len(set(file_ids)):
        raise Unacceptable("A file of this comment is not there any more.", "Attach it again.")
    if taken["size"] > LARGEST_FILES or taken["number"] + taken["kept"] > MOST_FILES:
        raise TooLarge("The files of one comment are 25 MB at most.", "Write several comments.")


async def has_files(comment_id: int) -> bool:
    return await fetch_value("SELECT EXISTS (SELECT 1 FROM comment_files WHERE comment_id = $1)", comment_id)


async def read_file(asker: Asker, comment_file_id: int) -> StoredFile:
    record = await access_comment_file(asker, comment_file_id)
    return StoredFile(record["filename"], record["content_type"], await blobs.get(record["digest"]))


async def remove_file(asker: Asker, comment_file_id: int) -> None:
    """Take a file of one's own off a comment, said or not.

    Raises Forbidden for somebody else's, Unacceptable when the comment would say nothing then.
    """
    record = await access_comment_file(asker, comment_file_id)
    if record["uploader_id"] != asker.user_id:
        raise Forbidden("Only its author changes a comment.", "Write one of your own.")
    if record["comment_id"] is None:
        async with action(asker.user_id):
            await execute("DELETE FROM comment_files WHERE id = $1 AND comment_id IS NULL", comment_file_id)
        return
    said = await read_comment(record["comment_id"])
    async with changing(asker.user_id, said.conversation_id) as change:
        await execute("DELETE FROM comment_files WHERE id = $1", comment_file_id)
        comment = await read_comment(said.id)
        if not comment.text and not comment.files:
            raise Unacceptable("The comment says nothing without this file.", "Delete the comment instead.")
        change.tell(lambda row: CommentChanged(row=row, comment=comment))


def file_of(record: Row) -> CommentFile:
    return CommentFile(
        id=record["id"], filename=record["filename"], content_type=record["content_type"], size=record["size"]
    )
