"""Throwing a draft away, and taking that back: for an hour the rows of the draft are kept as they were.

Files need nothing more: what nothing refers to stays in the blob store for a day.
"""

from backend.access.asker import Asker
from backend.access.fetch import access_mailbox, handled_conversation
from backend.compose.actions.drafts import changing_draft, remove_draft, tell_draft
from backend.compose.contracts import Draft, DraftChanged
from backend.compose.copies import copy_later
from backend.compose.queries import read_draft
from backend.conversations.change import handling
from backend.conversations.contracts import ConversationChanged
from backend.database.connection import Row, execute, fetch_row
from backend.errors import NotFound
from backend.events.record import action

KEEP = """
INSERT INTO discarded_drafts (draft_id, user_id, mailbox_id, conversation_id, kept)
SELECT d.id, $2, d.mailbox_id, d.conversation_id, jsonb_build_object(
    'draft', to_jsonb(d),
    'files', (SELECT coalesce(jsonb_agg(f), '[]') FROM composed_attachments f
              WHERE f.draft_id = d.id AND f.outgoing_id IS NULL),
    'links', (SELECT coalesce(jsonb_agg(s), '[]') FROM shared_files s WHERE s.draft_id = d.id),
    'meetings', (SELECT coalesce(jsonb_agg(m), '[]') FROM meetings m
                 JOIN meeting_mails l ON l.meeting_id = m.id WHERE l.draft_id = d.id),
    'invitations', (SELECT coalesce(jsonb_agg(l), '[]') FROM meeting_mails l WHERE l.draft_id = d.id))
FROM drafts d WHERE d.id = $1
"""
BRING_BACK = (
    "INSERT INTO drafts SELECT r.* FROM discarded_drafts k, jsonb_populate_record(NULL::drafts, k.kept->'draft' || "
    "jsonb_build_object('together', false, 'writer_ids', '[]'::jsonb, 'updated_at', now(), "
    "'version', (k.kept->'draft'->>'version')::bigint + 1, 'mailbox_id', $2::bigint)) r WHERE k.id = $1",
    "INSERT INTO composed_attachments SELECT r.* FROM discarded_drafts k, "
    "jsonb_populate_recordset(NULL::composed_attachments, k.kept->'files') r WHERE k.id = $1",
    # The document or the upload behind a link may be gone meanwhile.
    "INSERT INTO shared_files SELECT r.* FROM discarded_drafts k, jsonb_array_elements(k.kept->'links') e, "
    "jsonb_populate_record(NULL::shared_files, e || jsonb_build_object('document_id', "
    "(SELECT id FROM documents WHERE id = (e->>'document_id')::bigint))) r WHERE k.id = $1 "
    "AND (r.upload_id IS NULL OR EXISTS (SELECT 1 FROM uploads WHERE id = r.upload_id))",
    "INSERT INTO meetings SELECT r.* FROM discarded_drafts k, "
    "jsonb_populate_recordset(NULL::meetings, k.kept->'meetings') r WHERE k.id = $1 ON CONFLICT (id) DO NOTHING",
    "INSERT INTO meeting_mails SELECT r.* FROM discarded_drafts k, "
    "jsonb_populate_recordset(NULL::meeting_mails, k.kept->'invitations') r WHERE k.id = $1",
)
"""SQL: the rows of the kept draft `$1`, in the mailbox `$2` where its conversation stands now. It is its author's alone
again, and of a newer version than any that somebody still has."""


async def delete_draft(asker: Asker, draft_id: int) -> None:
    """Throw a draft away, with its files. `restore_draft` brings it back, for an hour."""
    async with changing_draft(asker.user_id, draft_id) as change:
        await execute(KEEP, draft_id, asker.user_id)
        await remove_draft(change.act, change.record)


async def restore_draft(asker: Asker, draft_id: int) -> Draft:
    """Bring back a draft that the person has thrown away, as it was. Raises NotFound for others, and after an hour."""
    kept = await _kept(asker, draft_id)
    if kept["conversation_id"] is None:
        async with action(asker.user_id) as act:
            await access_mailbox(asker, kept["mailbox_id"])
            record = await _bring_back(asker, draft_id, kept["mailbox_id"])
            draft = await read_draft(draft_id)
            await tell_draft(act, record, DraftChanged(draft=draft))
    else:
        await handled_conversation(asker, kept["conversation_id"])
        async with handling(asker, kept["conversation_id"]) as change:
            await _bring_back(asker, draft_id, change.before["mailbox_id"])
            draft = await read_draft(draft_id)
            change.tell(lambda row: ConversationChanged(row=row))
            change.tell(lambda row: DraftChanged(draft=draft))
    return draft


async def _kept(asker: Asker, draft_id: int) -> Row:
    kept = await fetch_row(
        "SELECT * FROM discarded_drafts WHERE draft_id = $1 AND user_id = $2 AND at > now() - interval '1 hour' "
        "FOR UPDATE",
        draft_id,
        asker.user_id,
    )
    if kept is None:
        raise NotFound("There is no such draft.", "What was thrown away comes back for an hour, and once.")
    return kept


async def _bring_back(asker: Asker, draft_id: int, mailbox_id: int) -> Row:
    """The draft's row, with all that hung on it, once: whoever comes second finds nothing. Raises NotFound."""
    kept = await _kept(asker, draft_id)
    for statement in BRING_BACK:
        await (execute(statement, kept["id"], mailbox_id) if "$2" in statement else execute(statement, kept["id"]))
    await execute("DELETE FROM discarded_drafts WHERE id = $1", kept["id"])
    record = await fetch_row("SELECT * FROM drafts WHERE id = $1", draft_id)
    assert record is not None
    await copy_later(mailbox_id)
    return record
