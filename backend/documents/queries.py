"""Documents that somebody may use, and what the links of a conversation's mail lead to."""

import hashlib
from collections.abc import Sequence
from datetime import datetime

import msgspec

from backend.access.asker import Asker
from backend.database.connection import Row, fetch, fetch_row
from backend.documents.contracts import Document, DocumentVersion, SharedFile
from backend.errors import NotFound
from backend.mail.contracts import MailAddress
from backend.people.shared_with import uses

USES = uses("d")
"""SQL: the document `d` is the person's own, or they may use it."""
LONGEST_QUERY = 200
MOST_VIEWS = 1_000


async def list_documents(asker: Asker, *, q: str = "") -> list[Document]:
    """Those that the person may use, by folder and name; with `q`, where all its words stand in name, folder or the
    name of the newest file."""
    words = q.replace("\x00", " ").lower()[:LONGEST_QUERY].split()
    records = await fetch(
        f"SELECT d.* FROM documents d WHERE {USES} AND NOT EXISTS (SELECT 1 FROM unnest($2::text[]) AS w(word) "
        "WHERE position(fold_accents(w.word) in fold_accents(lower(d.name || ' ' || d.folder || ' ' || "
        "(SELECT v.filename FROM document_versions v WHERE v.document_id = d.id ORDER BY v.number DESC LIMIT 1)))) "
        "= 0) ORDER BY lower(d.folder), lower(d.name), d.id",
        asker.user_id,
        words,
    )
    return await _documents(asker, records)


async def read_document(asker: Asker, document_id: int) -> Document:
    """Raises NotFound."""
    return (await _documents(asker, [await access_document(asker, document_id)]))[0]


async def access_document(asker: Asker, document_id: int) -> Row:
    """The row of a document that the person may use. Raises NotFound."""
    record = await fetch_row(f"SELECT d.* FROM documents d WHERE d.id = $2 AND {USES}", asker.user_id, document_id)
    if record is None:
        raise NotFound("There is no such document.", "It may have been deleted, or you may not use it any more.")
    return record


async def access_version(asker: Asker, document_id: int, number: int | None = None) -> Row:
    """A version of a document that the person may use, without a number its newest. Raises NotFound."""
    await access_document(asker, document_id)
    record = await fetch_row(
        "SELECT * FROM document_versions WHERE document_id = $1 AND ($2::bigint IS NULL OR number = $2) "
        "ORDER BY number DESC LIMIT 1",
        document_id,
        number,
    )
    if record is None:
        raise NotFound("This document has no such version.", "Look at the versions that it has.")
    return record


def hash_of(key: str) -> bytes:
    """What is kept of the key of a link."""
    return hashlib.sha256(key.encode()).digest()


async def file_behind(key: str) -> Row | None:
    """The file that this key opens now: its link has not ended, and its mail was not taken back."""
    return await fetch_row(
        "SELECT s.*, o.conversation_id FROM shared_files s LEFT JOIN outgoing o ON o.id = s.outgoing_id "
        "WHERE s.key_hash = $1 AND NOT s.closed AND s.ends_at > now() "
        "AND (s.draft_id IS NOT NULL OR (o.state <> 'cancelled' AND s.for_whom <> 'each'))",
        hash_of(key),
    )


_SHARED = (
    "SELECT s.*, o.created_at AS sent_at, CASE s.for_whom WHEN 'one' THEN o.recipients->'to'->0 END AS recipient "
    "FROM shared_files s JOIN outgoing o ON o.id = s.outgoing_id AND s.for_whom <> 'each' "
)


async def shared_files_of(conversation_id: int) -> list[SharedFile]:
    """What the links of the conversation's mail lead to, whether they still do or not."""
    return [
        shared_file_of(record)
        for record in await fetch(f"{_SHARED} WHERE o.conversation_id = $1 ORDER BY s.id", conversation_id)
    ]


async def read_shared_file(conversation_id: int, file_id: int) -> SharedFile:
    """One of them. Raises NotFound for a file of another conversation, too."""
    record = await fetch_row(f"{_SHARED} WHERE o.conversation_id = $1 AND s.id = $2", conversation_id, file_id)
    if record is None:
        raise NotFound("No mail of this conversation links to such a file.", "Look at the conversation again.")
    return shared_file_of(record)


async def views_of(conversation_id: int, file_id: int) -> list[datetime]:
    """When it was fetched, the last time first. Raises NotFound."""
    await read_shared_file(conversation_id, file_id)
    records = await fetch(
        f"SELECT at FROM shared_file_views WHERE file_id = $1 ORDER BY id DESC LIMIT {MOST_VIEWS}", file_id
    )
    return [record["at"] for record in records]


def shared_file_of(record: Row) -> SharedFile:
    return SharedFile(
        id=record["id"],
        outgoing_id=record["outgoing_id"],
        filename=record["filename"],
        size=record["size"],
        at=record["sent_at"],
        ends_at=record["ends_at"],
        closed=record["closed"],
        views=record["views"],
        viewed_at=record["viewed_at"],
        recipient=msgspec.json.decode(record["recipient"], type=MailAddress) if record["recipient"] else None,
    )


async def _documents(asker: Asker, records: Sequence[Row]) -> list[Document]:
    versions: dict[int, list[DocumentVersion]] = {}
    ids = [record["id"] for record in records]
    for record in await fetch(
        "SELECT * FROM document_versions WHERE document_id = ANY($1) ORDER BY document_id, number DESC", ids
    ):
        versions.setdefault(record["document_id"], []).append(
            DocumentVersion(
                number=record["number"],
                filename=record["filename"],
                content_type=record["content_type"],
                size=record["size"],
                uploader_id=record["uploader_id"],
                uploaded_at=record["uploaded_at"],
            )
        )
    return [
        Document(
            id=record["id"],
            name=record["name"],
            folder=record["folder"],
            maker_id=record["maker_id"],
            shared=record["shared"],
            team_id=record["team_id"],
            changeable=record["maker_id"] == asker.user_id or asker.is_admin,
            updated_at=record["updated_at"],
            versions=versions.get(record["id"], []),
        )
        for record in records
    ]
