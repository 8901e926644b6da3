"""Drafts: begun, saved with a version, taken over, removed. Each is one transaction, told to all who see it.

A draft in a conversation is shared by everybody who sees that; one of a new mail is its author's alone. Locks are
taken in the order of every action: membership, conversation, draft.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

import msgspec

from backend.access.asker import Asker
from backend.access.fetch import access_mailbox, check_handles
from backend.compose.beginnings import Beginning, CarriedFile, begin_new, begin_reply
from backend.compose.contracts import CreateDraft, Draft, DraftChanged, DraftGone, SaveDraft
from backend.compose.copies import AFTER_LEAVING, copy_later
from backend.compose.queries import WrittenRecipients, read_draft
from backend.conversations.change import ConversationChange, audience_of, changing, handling, hold_membership, tell
from backend.conversations.contracts import ConversationChanged
from backend.conversations.trail import add_activity
from backend.database.connection import Row, execute, fetch, fetch_row, fetch_value
from backend.errors import Conflict, NotFound, TooLarge, Unacceptable
from backend.events.record import Action, action, user_stream
from backend.identities.contracts import DraftSender
from backend.mail.contracts import MailAddress
from sync.mime.characters import clean_line, clean_text
from sync.mime.composed import TooMuchMarkup, clean_composed, composed_text

TOGETHER_CHANNEL = "tandem_together"
"""NOTIFY here with the number of a draft: the document in which it is written changed, or is gone."""

LONGEST_TEXT = 1_000_000
LONGEST_SUBJECT = 1_000
LONGEST_ADDRESS = 500
MOST_RECIPIENTS = 500
LONGEST_HTML = 4_000_000
"""Characters, with what was pasted and quoted."""


SIGNED_BY = (
    "CASE WHEN EXISTS (SELECT 1 FROM signatures WHERE mailbox_id = $1 AND html <> '') THEN 'mailbox' "
    "WHEN EXISTS (SELECT 1 FROM signatures WHERE user_id = $3 AND html <> '') THEN 'person' ELSE 'none' END"
)
"""SQL: whose signature a draft of the person `$3` from the mailbox `$1` begins with."""


@dataclass(slots=True)
class DraftChange:
    """A draft, locked in an action. `record` is as it was."""

    act: Action
    record: Row

    async def tell(self, *, copied: bool = False) -> Draft:
        """Record what the draft now is, for those who see it, and let the mail server have it, unless it was `copied`
        from there; answers it."""
        draft = await read_draft(self.record["id"])
        await tell_draft(self.act, self.record, DraftChanged(draft=draft))
        if not copied:
            await copy_later(draft.mailbox_id)
        return draft


async def create_draft(asker: Asker, given: CreateDraft) -> Draft:
    """Begin a reply, a forward or a new mail. Raises NotFound for a conversation or mailbox out of sight."""
    beginning = await (begin_new(asker, given) if given.kind == "new" else begin_reply(asker, given))
    if beginning.conversation_id is None:
        async with action(asker.user_id) as act:
            return await begin_alone(act, asker.user_id, beginning)
    async with handling(asker, beginning.conversation_id) as change:
        return await begin_in(change, asker.user_id, beginning)


async def begin_alone(act: Action, author_id: int, beginning: Beginning) -> Draft:
    """Write a draft of a new mail, and tell its author."""
    record = await insert_draft(author_id, beginning)
    draft = await read_draft(record["id"])
    await tell_draft(act, record, DraftChanged(draft=draft))
    return draft


async def begin_in(change: ConversationChange, author_id: int, beginning: Beginning) -> Draft:
    """Write a draft in a conversation, and tell everybody who sees that."""
    record = await insert_draft(author_id, beginning)
    draft = await read_draft(record["id"])
    change.tell(lambda row: ConversationChanged(row=row))
    change.tell(lambda row: DraftChanged(draft=draft))
    return draft


async def insert_draft(author_id: int, beginning: Beginning) -> Row:
    """Write the row, and what of the conversation its writer knows."""
    record = await fetch_row(
        "INSERT INTO drafts (mailbox_id, conversation_id, author_id, kind, answers_id, recipients, subject, text, "
        "html, quoted, version, updated_at, seen_at, signature, seen_arrival, seen_outgoing) "
        "VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, 1, now(), now(), "
        f"coalesce($11, {SIGNED_BY}), "
        "coalesce((SELECT last_arrival FROM conversations WHERE id = $2), 0), "
        "coalesce((SELECT max(id) FROM outgoing WHERE conversation_id = $2), 0)) RETURNING *",
        beginning.mailbox_id,
        beginning.conversation_id,
        author_id,
        beginning.kind,
        beginning.answers_id,
        _json(beginning.recipients),
        beginning.subject,
        beginning.text,
        beginning.html,
        beginning.quoted,
        beginning.signature,
    )
    assert record is not None
    if beginning.sender != DraftSender():
        await execute("UPDATE drafts SET sender = $2 WHERE id = $1", record["id"], _json(beginning.sender))
    for file in beginning.files:
        await add_file(record["id"], file)
    return record


async def add_file(draft_id: int, file: CarriedFile) -> None:
    """Write the row of a file, or of a picture in the text, that is in the blob store."""
    await execute(
        "INSERT INTO composed_attachments (draft_id, filename, content_type, size, digest, content_id) "
        "VALUES ($1, $2, $3, $4, $5, $6)",
        draft_id,
        file.filename,
        file.content_type,
        file.size,
        file.digest,
        file.content_id,
    )


async def save_draft(asker: Asker, draft_id: int, given: SaveDraft) -> Draft:
    """Store what was written, on top of the version that the writer had.

    Raises Conflict when somebody saved meanwhile: `details` hold both texts, and nothing is lost. Saving what stands
    there already changes nothing, so that a save may be repeated.
    """
    written = await prepare(given)
    async with changing_draft(asker.user_id, draft_id) as change:
        stored = await read_draft(draft_id)
        if _same(stored, written):
            return stored
        if stored.together:
            raise WrittenTogether(
                "Several people write in this draft together.",
                "Both texts are kept: write yours into theirs.",
                stored=msgspec.to_builtins(stored),
                given=msgspec.to_builtins(given),
            )
        if stored.version != given.version:
            raise Conflict(
                "This draft was changed meanwhile.",
                "Both texts are kept: take over what you need, then save again.",
                stored=msgspec.to_builtins(stored),
                given=msgspec.to_builtins(given),
            )
        await write_draft(stored, written)
        return await change.tell()


class WrittenTogether(Conflict):
    """A draft that is written together takes changes on its socket alone: a save would undo what others just typed."""

    code = "written_together"


async def prepare(given: SaveDraft) -> SaveDraft:
    """What was written, as it can be stored. Raises Unacceptable or TooLarge for what no mail can hold."""
    people = {name: _tidied(getattr(given, name)) for name in ("to", "cc", "bcc")}
    html, text = await _written(given)
    if sum(map(len, people.values())) > MOST_RECIPIENTS:
        raise Unacceptable(f"A mail goes to {MOST_RECIPIENTS} people at most.", "Send it in several groups.")
    return msgspec.structs.replace(
        given, **people, subject=clean_line(given.subject)[:LONGEST_SUBJECT], html=html, text=text
    )


def _same(stored: Draft, written: SaveDraft) -> bool:
    return all(getattr(stored, name) == getattr(written, name) for name in SaveDraft.__struct_fields__[1:])


async def write_draft(stored: Draft, written: SaveDraft) -> bool:
    """Write what was prepared into a locked draft's row; whether that says something else now."""
    if _same(stored, written):
        return False
    await execute(
        "UPDATE drafts SET recipients = $2, subject = $3, text = $4, html = $5, quoted = $6, "
        "version = version + 1, updated_at = now() WHERE id = $1",
        stored.id,
        _json(WrittenRecipients(to=written.to, cc=written.cc, bcc=written.bcc)),
        written.subject,
        written.text,
        written.html,
        written.quoted,
    )
    return True


async def _written(given: SaveDraft) -> tuple[str | None, str]:
    """The HTML as it can be stored, and what it says. Raises TooLarge for what no mail can hold."""
    too_long = TooLarge("This text is too long for a mail.", "Attach it as a file.")
    html, text = None, clean_text(given.text) if given.html is None else ""
    if given.html is not None:
        if len(given.html) > LONGEST_HTML:
            raise too_long
        try:
            html, text = await asyncio.to_thread(_clean, given.html)
        except TooMuchMarkup:
            raise too_long from None
    if len(text) > LONGEST_TEXT:
        raise too_long
    return html, text


def _clean(html: str) -> tuple[str, str]:
    clean = clean_composed(html)
    return clean, composed_text(clean)


async def take_over(asker: Asker, draft_id: int) -> Draft:
    """Write on as its author at a draft that a colleague began. Raises NotFound for who cannot open its mailbox.

    Its text stays; the version moves on, so that what the former author still saves is refused and kept by them.
    """
    async with changing_draft(asker.user_id, draft_id) as taken:
        author_id, conversation_id = taken.record["author_id"], taken.record["conversation_id"]
        await access_mailbox(asker, taken.record["mailbox_id"])
        if author_id == asker.user_id:
            return await read_draft(draft_id)
        async with changing(asker.user_id, conversation_id) as change:
            await execute(
                "UPDATE drafts SET author_id = $2, version = version + 1, updated_at = now() WHERE id = $1",
                draft_id,
                asker.user_id,
            )
            activity = await add_activity(change, "took_over", subject_id=author_id)
            draft = await read_draft(draft_id)
            change.tell(lambda row: ConversationChanged(row=row, activity=activity))
            change.tell(lambda row: DraftChanged(draft=draft))
            await copy_later(draft.mailbox_id)
    return draft


async def remove_draft(act: Action, record: Row) -> None:
    """Delete a locked draft's row, and tell it. Files that were not handed to an outgoing message go with it."""
    await execute("DELETE FROM composed_attachments WHERE draft_id = $1 AND outgoing_id IS NULL", record["id"])
    await execute("DELETE FROM drafts WHERE id = $1", record["id"])
    if record["together"]:
        await fetch("SELECT pg_notify($1, $2)", TOGETHER_CHANNEL, str(record["id"]))
    await copy_later(record["mailbox_id"], after=AFTER_LEAVING)
    gone = DraftGone(draft_id=record["id"], conversation_id=record["conversation_id"])
    if record["conversation_id"] is None:
        await tell_draft(act, record, gone)
        return
    async with changing(act.actor_id, record["conversation_id"]) as change:
        change.tell(lambda row: ConversationChanged(row=row))
        change.tell(lambda row: gone)


@asynccontextmanager
async def changing_draft(actor_id: int | None, draft_id: int, *, handles: bool = True) -> AsyncIterator[DraftChange]:
    """Open (or join) an action and lock the draft in it. Raises NotFound when it is gone.

    Without `handles`, the change is not the actor's own deed now: whether they may still open the mailbox is not asked.
    """
    async with action(actor_id) as act:
        record = await locked_draft(draft_id)
        if handles and actor_id is not None and record["conversation_id"] is not None:
            await check_handles(actor_id, record["mailbox_id"])
        yield DraftChange(act, record)


async def locked_draft(draft_id: int) -> Row:
    """The draft, locked in the caller's action with what it stands in. Raises NotFound when it is gone."""
    place = await fetch_row("SELECT mailbox_id, conversation_id FROM drafts WHERE id = $1", draft_id)
    if place is not None and place["conversation_id"] is not None:
        await hold_membership(place["mailbox_id"])
        await execute("SELECT 1 FROM conversations WHERE id = $1 FOR UPDATE", place["conversation_id"])
    record = await fetch_row("SELECT * FROM drafts WHERE id = $1 FOR UPDATE", draft_id)
    if record is None or place is None:
        raise NotFound("There is no such draft.", "It may have been sent or thrown away meanwhile.")
    if (record["conversation_id"], record["mailbox_id"]) != (place["conversation_id"], place["mailbox_id"]):
        raise Conflict("The conversation was joined into another, or moved, at this moment.", "Try again.")
    return record


async def tell_draft(act: Action, record: Row, event: DraftChanged | DraftGone) -> None:
    """Record an event about a draft for those who see it."""
    conversation_id = record["conversation_id"]
    if conversation_id is None:
        act.record(user_stream(record["author_id"]), event)
    else:
        audience = await audience_of(conversation_id)
        tell(act, (conversation_id, record["mailbox_id"]), event, audience)


async def newest_outgoing(conversation_id: int) -> int:
    """The newest mail that the conversation's outbox ever held, 0 for none."""
    return await fetch_value("SELECT coalesce(max(id), 0) FROM outgoing WHERE conversation_id = $1", conversation_id)


def _tidied(people: list[MailAddress]) -> list[MailAddress]:
    """As typed, but storable. Whether each is an address is asked at Send: a draft may hold half of one."""
    tidied = [
        MailAddress(name=clean_line(p.name)[:LONGEST_ADDRESS], address=clean_line(p.address)[:LONGEST_ADDRESS])
        for p in people
    ]
    return [p for p in tidied if p.address or p.name]


def _json(value: object) -> str:
    return msgspec.json.encode(value).decode()
