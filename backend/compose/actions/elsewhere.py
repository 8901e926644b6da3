"""Drafts that people write in other mail programs: what the account's Drafts folder holds, and what became of ours.

    a message that we put there, or the same again      noted where it stands
    one of ours, edited                                 the draft follows; if it was changed here too, both are kept
    a draft that was begun elsewhere                    a draft here: an answer in its conversation, or a new mail
    ours is gone                                        thrown away or sent elsewhere: here too, unless it was changed

What is no draft (mail that somebody dragged there) is left alone. A draft begun elsewhere is its mailbox owner's; in a
group mailbox it is the first admin's of those who handle it, and in a conversation everybody's to take over.
"""

import asyncio
from collections.abc import Collection, Sequence
from dataclasses import dataclass

import msgspec

from backend.compose.actions.drafts import (
    LONGEST_HTML,
    LONGEST_SUBJECT,
    LONGEST_TEXT,
    DraftChange,
    add_file,
    begin_alone,
    begin_in,
    locked_draft,
    remove_draft,
)
from backend.compose.beginnings import Beginning, CarriedFile
from backend.compose.copies import unwritten
from backend.compose.queries import WrittenRecipients, read_draft
from backend.conversations.change import changing
from backend.database.connection import Row, execute, fetch, fetch_row, fetch_value
from backend.errors import Conflict, NotFound
from backend.events.record import Action, action
from backend.mail.keeping import keep_one
from backend.mail.reading import people
from sync.mime.characters import clean_line
from sync.mime.composed import TooMuchMarkup, clean_composed, composed_text
from sync.mime.message import ParsedMessage
from sync.mime.parse import parse_message


@dataclass(frozen=True, slots=True)
class FoundDraft:
    """A message of the Drafts folder, read. `is_draft`: somebody writes it; it did not come from elsewhere."""

    uid: int
    is_draft: bool
    parsed: ParsedMessage
    html: str | None
    text: str
    files: Sequence[CarriedFile]

    @property
    def recipients(self) -> WrittenRecipients:
        return WrittenRecipients(to=people(self.parsed.to), cc=people(self.parsed.cc), bcc=people(self.parsed.bcc))


async def read_found(uid: int, raw: bytes, *, flagged: bool) -> FoundDraft:
    """Read a message of the Drafts folder; `flagged`: the server has it marked as a draft. Keeps its files."""
    parsed = await asyncio.to_thread(parse_message, raw)
    received = any(field.name.lower() == "received" for field in parsed.fields)
    html, text = await asyncio.to_thread(_words, parsed)
    files = [
        CarriedFile(
            filename=each.filename,
            content_type=each.content_type,
            size=len(each.content),
            digest=await keep_one(each.content),
            content_id=each.content_id if each.inline and each.content_id else "",
        )
        for each in parsed.attachments
    ]
    return FoundDraft(uid, flagged or not received, parsed, html, text, files)


def _words(parsed: ParsedMessage) -> tuple[str | None, str]:
    """The HTML, cleaned as what is written here is, and what it says; only text where it is none or too much."""
    if parsed.html is not None and len(parsed.html) <= LONGEST_HTML:
        try:
            clean = clean_composed(parsed.html)
        except TooMuchMarkup:
            return None, (parsed.text or "")[:LONGEST_TEXT]
        return clean, composed_text(clean)[:LONGEST_TEXT]
    return None, (parsed.text or "").rstrip("\n")[:LONGEST_TEXT]


async def take_listed(account_id: int, uid_validity: int, uids: Collection[int], found: Sequence[FoundDraft]) -> None:
    """The folder holds these UIDs, and what is `found` is new among them. One action."""
    async with action(None) as act:
        await _take_listed(act, account_id, uid_validity, uids, found)


async def _take_listed(
    act: Action, account_id: int, uid_validity: int, uids: Collection[int], found: Sequence[FoundDraft]
) -> None:
    mailbox = await fetch_row(
        "SELECT m.* FROM mailboxes m JOIN mail_accounts a ON a.mailbox_id = m.id WHERE a.id = $1", account_id
    )
    if mailbox is None or mailbox["kind"] == "intake":
        return
    await execute(
        "UPDATE draft_copies SET uid = NULL, uid_validity = $2 WHERE account_id = $1 AND uid_validity <> $2",
        account_id,
        uid_validity,
    )
    await execute(  # what was no draft, and is there no more, is of no interest
        "DELETE FROM draft_copies WHERE account_id = $1 AND draft_id IS NULL AND (uid IS NULL OR uid <> ALL($2))",
        account_id,
        list(uids),
    )
    for each in sorted(found, key=lambda one: one.uid):
        await _take(act, mailbox, account_id, uid_validity, each)
    for record in await fetch(
        "DELETE FROM draft_copies WHERE account_id = $1 AND uid IS NOT NULL AND uid <> ALL($2) "
        "RETURNING draft_id, version",
        account_id,
        list(uids),
    ):
        await _follow_gone(act, account_id, record["draft_id"], record["version"])


async def _take(act: Action, mailbox: Row, account_id: int, uid_validity: int, found: FoundDraft) -> None:
    message_id = found.parsed.message_id or ""
    known = await fetch(
        "SELECT * FROM draft_copies WHERE account_id = $1 AND message_id = $2 AND message_id <> '' "
        "ORDER BY version DESC",
        account_id,
        message_id,
    )
    same = next((each for each in known if each["uid"] is None or each["content_digest"] == found.parsed.digest), None)
    if same is not None:
        await execute(
            "UPDATE draft_copies SET uid = $2, uid_validity = $3 WHERE id = $1", same["id"], found.uid, uid_validity
        )
        return
    edited = next((each["draft_id"] for each in known if each["draft_id"] is not None), None)
    taken: tuple[int, int] | None = None
    if edited is not None:
        taken = await _edit(act, edited, found, written_on={each["version"] for each in known})
    if taken is None and found.is_draft:
        taken = await _begin(act, mailbox, found)
    await execute(
        "INSERT INTO draft_copies (account_id, draft_id, version, message_id, content_digest, uid_validity, uid) "
        "VALUES ($1, $2, $3, $4, $5, $6, $7)",
        account_id,
        taken[0] if taken else None,
        taken[1] if taken else 0,
        message_id,
        found.parsed.digest,
        uid_validity,
        found.uid,
    )


async def _edit(
    act: Action, draft_id: int, found: FoundDraft, *, written_on: Collection[int]
) -> tuple[int, int] | None:
    """Let the draft be as it was written elsewhere; None when it is gone, changed, or written by several."""
    try:
        record = await locked_draft(draft_id)
    except (NotFound, Conflict):
        return None
    if record["version"] not in written_on or record["together"]:
        return None  # what several write at this moment is not written over
    before, now = unwritten(await read_draft(draft_id)), found.recipients
    recipients = WrittenRecipients(
        to=[*now.to, *before["to"]], cc=[*now.cc, *before["cc"]], bcc=[*now.bcc, *before["bcc"]]
    )
    await execute(
        "UPDATE drafts SET recipients = $2, subject = $3, text = $4, html = $5, version = version + 1, "
        "updated_at = now() WHERE id = $1",
        draft_id,
        msgspec.json.encode(recipients).decode(),
        clean_line(found.parsed.subject)[:LONGEST_SUBJECT],
        found.text,
        found.html,
    )
    await execute("DELETE FROM composed_attachments WHERE draft_id = $1 AND outgoing_id IS NULL", draft_id)
    for file in found.files:
        await add_file(draft_id, file)
    return draft_id, (await DraftChange(act, record).tell(copied=True)).version


async def _begin(act: Action, mailbox: Row, found: FoundDraft) -> tuple[int, int] | None:
    """A draft that was begun elsewhere; None when nobody is there whose it could be."""
    author_id = mailbox["owner_id"] if mailbox["kind"] == "personal" else await _first_who_handles(mailbox["id"])
    if author_id is None:
        return None
    answered = await _answered(mailbox["id"], author_id, found.parsed)
    beginning = Beginning(
        mailbox_id=mailbox["id"],
        conversation_id=answered["conversation_id"] if answered else None,
        kind="reply" if answered else "new",
        recipients=found.recipients,
        subject=clean_line(found.parsed.subject)[:LONGEST_SUBJECT],
        text=found.text,
        html=found.html,
        answers_id=answered["id"] if answered else None,
        files=found.files,
    )
    if beginning.conversation_id is None:
        begun = await begin_alone(act, author_id, beginning)
    else:
        async with changing(act.actor_id, beginning.conversation_id) as change:
            begun = await begin_in(change, author_id, beginning)
    return begun.id, begun.version


async def _first_who_handles(mailbox_id: int) -> int | None:
    return await fetch_value(
        "SELECT u.id FROM mailbox_readers r JOIN users u ON u.id = r.user_id WHERE r.mailbox_id = $1 "
        "ORDER BY array_position(ARRAY['owner', 'admin'], u.role), u.id LIMIT 1",
        mailbox_id,
    )


async def _answered(mailbox_id: int, author_id: int, parsed: ParsedMessage) -> Row | None:
    """The message that it answers, in a conversation of the mailbox that its author sees."""
    named = [*parsed.in_reply_to, *reversed(parsed.references)]
    if not named:
        return None
    return await fetch_row(
        "SELECT m.id, m.conversation_id FROM messages m JOIN conversations c ON c.id = m.conversation_id "
        "WHERE c.mailbox_id = $1 AND m.message_id = ANY($2) AND m.gone_at IS NULL AND c.joined_into IS NULL "
        "AND sees($3, c.id) ORDER BY array_position($2, m.message_id) LIMIT 1",
        mailbox_id,
        named,
        author_id,
    )


async def _follow_gone(act: Action, account_id: int, draft_id: int | None, version: int) -> None:
    """A message that held this version of a draft left the folder."""
    if draft_id is None or await fetch_value(
        "SELECT 1 FROM draft_copies WHERE account_id = $1 AND draft_id = $2 AND version >= $3",
        account_id,
        draft_id,
        version,
    ):
        return  # it stands there in another message
    try:
        record = await locked_draft(draft_id)
    except (NotFound, Conflict):
        return  # it is gone here too
    if record["version"] == version and not record["together"]:
        await remove_draft(act, record)
