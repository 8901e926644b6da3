"""Deleting conversations for good: only from the Trash, by those who may, with everything that was said in them.

In a personal mailbox that is its owner, in a group mailbox the admins among its members. It cannot be taken back, so it
is one transaction for all that is asked for at once, and one entry of the audit log says who and how many. Messages,
comments, drafts, sent mail, activities, marks and notifications go with the conversation; the events about it, which
nobody may read any more, lose what they said. Of each message its identity is left (backend/mail/deleted.py), so that
the mail server does not bring it back while it is expunged there.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field

from backend.access.asker import Asker
from backend.access.fetch import SEES
from backend.conversations.change import audience_of, hold_membership, tell
from backend.conversations.contracts import ConversationGone, EmptiedTrash, RefusedChange
from backend.database.connection import Row, execute, fetch
from backend.errors import Forbidden, NotFound, TandemError, Unacceptable
from backend.events.record import Action, action
from backend.mail.deleted import leave_identity
from backend.mail.store import hold_threading
from backend.people.audit import audit

AT_ONCE = 100
"""Conversations that are deleted in one transaction: while it lasts no mail is stored in their mailboxes."""
MOST_EMPTIED = 1_000
"""Conversations that one request takes out of a Trash."""

MAY_DELETE = (
    "EXISTS (SELECT 1 FROM mailboxes m JOIN mailbox_readers r ON r.mailbox_id = m.id AND r.user_id = $1 "
    "WHERE m.id = c.mailbox_id AND CASE m.kind WHEN 'personal' THEN m.owner_id = $1 ELSE $3 END)"
)
"""SQL: the person `$1`, who is an admin or not (`$3`), may delete the conversation `c` for good."""
WAITS = "EXISTS (SELECT 1 FROM outgoing o WHERE o.conversation_id = c.id AND o.state NOT IN ('sent', 'cancelled'))"
"""SQL: a mail of the conversation `c` has not left."""


@dataclass(slots=True)
class Outcome:
    """What is gone, and why the others are not."""

    deleted: list[int] = field(default_factory=list)
    refused: list[RefusedChange] = field(default_factory=list)


async def delete_conversation(asker: Asker, conversation_id: int) -> None:
    """Delete one for good. Raises Forbidden for who may not, Unacceptable for what is not in the Trash."""
    async with action(asker.user_id) as act:
        fault = (await _delete(act, asker, [conversation_id])).get(conversation_id)
        if fault is not None:
            raise fault


async def delete_conversations(asker: Asker, conversation_ids: Collection[int]) -> Outcome:
    """Delete many for good; what may not be, or is out of sight, is refused one by one."""
    outcome = Outcome()
    wanted = sorted(set(conversation_ids))
    for start in range(0, len(wanted), AT_ONCE):
        part = wanted[start : start + AT_ONCE]
        async with action(asker.user_id) as act:
            faults = await _delete(act, asker, part)
        outcome.refused += [refusal_of(each, fault) for each, fault in faults.items()]
        outcome.deleted += [each for each in part if each not in faults]
    return outcome


async def empty_trash(asker: Asker, mailbox_id: int) -> EmptiedTrash:
    """Delete for good what the person sees in the Trash of a mailbox at this moment, at most 1,000 conversations."""
    records = await fetch(
        f"SELECT c.id FROM conversations c WHERE {SEES.format(user='$1')} AND c.mailbox_id = $2 "
        "AND c.status = 'trash' AND NOT c.hidden ORDER BY c.last_at DESC, c.id DESC",
        asker.user_id,
        mailbox_id,
    )
    ids = [record["id"] for record in records]
    outcome = await delete_conversations(asker, ids[:MOST_EMPTIED])
    left = max(0, len(ids) - MOST_EMPTIED)
    return EmptiedTrash(deleted=len(outcome.deleted), left=left, refused=outcome.refused)


def refusal_of(conversation_id: int, fault: TandemError) -> RefusedChange:
    return RefusedChange(conversation_id=conversation_id, error=fault.code, message=fault.message, remedy=fault.remedy)


async def _delete(act: Action, asker: Asker, conversation_ids: Sequence[int]) -> dict[int, TandemError]:
    """Delete those of the conversations that may be, inside the action; answers why others were not."""
    mailboxes = await fetch(
        f"SELECT DISTINCT c.mailbox_id FROM conversations c WHERE c.id = ANY($2) AND {SEES.format(user='$1')} "
        "ORDER BY c.mailbox_id",
        asker.user_id,
        list(conversation_ids),
    )
    for record in mailboxes:  # in the order of those who store mail
        await hold_membership(record["mailbox_id"])
        await hold_threading(record["mailbox_id"])
    records = await fetch(
        f"SELECT c.id, c.mailbox_id, c.status, c.version, {MAY_DELETE} AS may, {WAITS} AS waits "
        f"FROM conversations c WHERE c.id = ANY($2) AND {SEES.format(user='$1')} AND c.mailbox_id = ANY($4) "
        "ORDER BY c.id FOR UPDATE OF c",
        asker.user_id,
        list(conversation_ids),
        asker.is_admin,
        [record["mailbox_id"] for record in mailboxes],
    )
    seen = {record["id"]: record for record in records}
    faults: dict[int, TandemError] = {}
    for conversation_id in conversation_ids:
        fault = _why_not(seen.get(conversation_id))
        if fault is not None:
            faults[conversation_id] = fault
    going = [record for record in records if record["id"] not in faults]
    for mailbox_id in sorted({record["mailbox_id"] for record in going}):
        await _remove(act, mailbox_id, [record for record in going if record["mailbox_id"] == mailbox_id])
    return faults


def _why_not(record: Row | None) -> TandemError | None:
    if record is None:
        return NotFound("There is no such conversation.", "It may have been made private, moved or deleted meanwhile.")
    if not record["may"]:
        return Forbidden("Only admins delete for good in a group mailbox.", "It stays in the Trash; ask one of them.")
    if record["status"] != "trash":
        return Unacceptable("Only what is in the Trash can be deleted for good.", "Move it to the Trash first.")
    if record["waits"]:
        return Unacceptable("A mail of this conversation has not left yet.", "Send it or throw it away first.")
    return None


async def _remove(act: Action, mailbox_id: int, records: Sequence[Row]) -> None:
    ids = [record["id"] for record in records]
    audiences = {conversation_id: await audience_of(conversation_id) for conversation_id in ids}
    versions = {record["id"]: record["version"] for record in records}
    joined = await fetch("SELECT id FROM conversations WHERE joined_into = ANY($1)", ids)
    everything = [*ids, *(record["id"] for record in joined)]
    messages = await fetch("SELECT id FROM messages WHERE conversation_id = ANY($1)", everything)
    await leave_identity([record["id"] for record in messages])
    await execute(
        "DELETE FROM composed_attachments WHERE draft_id IN (SELECT id FROM drafts WHERE conversation_id = ANY($1)) "
        "OR outgoing_id IN (SELECT id FROM outgoing WHERE conversation_id = ANY($1))",
        everything,
    )
    await execute("DELETE FROM conversations WHERE id = ANY($1)", everything)
    await execute(
        "UPDATE events SET personal = NULL, "
        "body = jsonb_build_object('type', 'conversation_gone', 'conversation_id', conversation_id) "
        "WHERE conversation_id = ANY($1) AND body ->> 'type' <> 'conversation_gone'",
        everything,
    )
    for conversation_id, audience in audiences.items():
        gone = ConversationGone(conversation_id=conversation_id, version=versions[conversation_id])
        tell(act, (conversation_id, mailbox_id), gone, audience)
    await audit(
        act.actor_id,
        "conversations_deleted",
        f"mailbox:{mailbox_id}",
        conversations=len(ids),
        messages=len(messages),
    )
