"""Drafts that several write together: changes of the shared document are stored as they come, and the draft follows.

Locks are taken in the order membership, conversation, draft, document. Whoever stores a change holds the document's
row alone, and looks under that lock who may still write.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass

import msgspec

from backend.access.asker import Asker
from backend.access.fetch import SEES_AS_READER, access_mailbox
from backend.compose.actions.drafts import TOGETHER_CHANNEL, changing_draft, prepare, write_draft
from backend.compose.contracts import Draft, SaveDraft
from backend.compose.queries import read_draft
from backend.compose.together.document import Document
from backend.database.connection import Row, execute, fetch, fetch_row, fetch_value
from backend.errors import NotFound

COMPACT_AFTER = 200
"""Changes that are kept apart before they become one."""


@dataclass(frozen=True, slots=True)
class Standing:
    """A document as it is stored. `changes` make it, in this order."""

    document_id: int
    position: int
    begun: bytes | None
    changes: Sequence[bytes]


async def write_together(asker: Asker, draft_id: int) -> Draft:
    """Join its author in writing a draft. Raises NotFound for who cannot open its mailbox."""
    async with changing_draft(asker.user_id, draft_id) as change:
        await access_mailbox(asker, change.record["mailbox_id"])
        known = {change.record["author_id"], *change.record["writer_ids"]}
        if change.record["together"] and asker.user_id in known:
            return await read_draft(draft_id)
        await execute(
            "UPDATE drafts SET together = true, writer_ids = $2, version = version + 1, updated_at = now() "
            "WHERE id = $1",
            draft_id,
            sorted((known | {asker.user_id}) - {change.record["author_id"]}),
        )
        await execute(
            "INSERT INTO draft_documents (draft_id, whole, whole_position, position, written_position, size) "
            "VALUES ($1, '', 0, 0, 0, 0) ON CONFLICT (draft_id) DO NOTHING",
            draft_id,
        )
        return await change.tell()


async def read_document(draft_id: int, after: int = -1) -> Standing:
    """The document, or what of it came after a position. Raises NotFound when the draft is gone, or is one person's."""
    record = await fetch_row("SELECT * FROM draft_documents WHERE draft_id = $1", draft_id)
    return await _standing(record, after)


async def hold_document(draft_id: int, after: int) -> Standing:
    """The same, locked until the transaction ends: what follows is stored at the next position."""
    record = await fetch_row("SELECT * FROM draft_documents WHERE draft_id = $1 FOR UPDATE", draft_id)
    return await _standing(record, after)


async def _standing(record: Row | None, after: int) -> Standing:
    if record is None:
        raise NotFound("There is no such draft.", "It may have been sent or thrown away meanwhile.")
    changes: list[bytes] = []
    if after < record["whole_position"]:
        changes.append(record["whole"])
        after = record["whole_position"]
    if after < record["position"]:
        later = await fetch(
            "SELECT change FROM draft_document_changes WHERE document_id = $1 AND position > $2 ORDER BY position",
            record["id"],
            after,
        )
        changes += [each["change"] for each in later]
    return Standing(record["id"], record["position"], record["begun"], [each for each in changes if each])


async def writers_among(draft_id: int, user_ids: Collection[int]) -> set[int]:
    """Those of them who may write in the draft now."""
    records = await fetch(
        "SELECT u.id FROM drafts d LEFT JOIN conversations c ON c.id = d.conversation_id "
        "JOIN users u ON u.id = ANY($2) AND u.active "
        "WHERE d.id = $1 AND ((d.conversation_id IS NULL AND d.author_id = u.id) "
        "OR (c.id IS NOT NULL AND " + SEES_AS_READER.format(user="u.id") + "))",
        draft_id,
        list(user_ids),
    )
    return {record["id"] for record in records}


async def store_change(held: Standing, draft_id: int, change: bytes, whole: Document) -> int:
    """Put a change behind the others of a held document; answers its position."""
    position = held.position + 1
    begins = held.begun is None
    await execute(
        "INSERT INTO draft_document_changes (document_id, position, change) VALUES ($1, $2, $3)",
        held.document_id,
        position,
        change,
    )
    await execute(
        "UPDATE draft_documents SET position = $2, size = size + $3, begun = CASE WHEN $4 THEN $5 ELSE begun END "
        "WHERE id = $1",
        held.document_id,
        position,
        len(change),
        begins,
        change if begins else None,
    )
    if position % COMPACT_AFTER == 0:
        await _compact(held.document_id, position, whole.whole)
    await fetch("SELECT pg_notify($1, $2)", TOGETHER_CHANNEL, str(draft_id))
    return position


async def _compact(document_id: int, position: int, whole: bytes) -> None:
    await execute("DELETE FROM draft_document_changes WHERE document_id = $1", document_id)
    await execute(
        "UPDATE draft_documents SET whole = $2, whole_position = $3, size = $4 + coalesce(length(begun), 0) "
        "WHERE id = $1",
        document_id,
        whole,
        position,
        len(whole),
    )


async def size_of(draft_id: int) -> int:
    """Bytes that are kept of the document."""
    return await fetch_value("SELECT coalesce(max(size), 0) FROM draft_documents WHERE draft_id = $1", draft_id)


async def follow_document(draft_id: int, writer_id: int | None) -> Draft | None:
    """Let the draft say what its document says, and tell it; None when there is nothing to do.

    Raises TooLarge for what no mail can hold: then the draft stays as it was.
    """
    async with changing_draft(writer_id, draft_id, handles=False) as change:
        record = await fetch_row("SELECT * FROM draft_documents WHERE draft_id = $1", draft_id)
        if record is None or record["begun"] is None or record["written_position"] == record["position"]:
            return None
        standing = await _standing(record, -1)
        stored = await read_draft(draft_id)
        before = saved(stored)
        written = await prepare(Document(draft_id, standing.changes).written(before))
        await execute(
            "UPDATE draft_documents SET written_position = $2 WHERE id = $1", standing.document_id, standing.position
        )
        if not await write_draft(stored, written):
            return stored
        return await change.tell()


def saved(draft: Draft) -> SaveDraft:
    """What a save of the draft as it is would say."""
    names = SaveDraft.__struct_fields__
    return SaveDraft(**{name: value for name, value in msgspec.structs.asdict(draft).items() if name in names})


async def behind() -> list[int]:
    """Drafts that do not yet say what their document says: their process ended in between."""
    records = await fetch("SELECT draft_id FROM draft_documents WHERE written_position < position ORDER BY draft_id")
    return [record["draft_id"] for record in records]
