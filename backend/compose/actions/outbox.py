"""What people do with the outbox: send a draft, take it back, decide about a mail that did not simply leave.

From Send on, the mail is frozen: its recipients, its bytes and its Message-ID. transitions.py has the
states and the picture; here are the arrows that people draw in it.
"""

from dataclasses import replace
from datetime import timedelta

import msgspec

from backend.access.asker import Asker
from backend.compose.actions.drafts import insert_draft, newest_outgoing, remove_draft, tell_draft
from backend.compose.actions.transitions import record_acceptance, replies_since
from backend.compose.beginnings import Beginning, CarriedFile
from backend.compose.contracts import Draft, DraftChanged, Outgoing, ResolveOutgoing, SendDraft
from backend.compose.freeze import Frozen, freeze
from backend.compose.queries import (
    WrittenRecipients,
    attachments_of_draft,
    read_draft,
    read_outgoing,
    recipients_of,
)
from backend.conversations.change import audience_of, changing, hold_membership
from backend.conversations.contracts import (
    ConversationAdded,
    ConversationChanged,
    ConversationGone,
    OutgoingChanged,
)
from backend.conversations.threads import begin_conversation
from backend.database.connection import Row, execute, fetch, fetch_row, fetch_value
from backend.errors import Conflict, NotFound, Unacceptable
from backend.events.record import Action, action, mailbox_stream
from backend.jobs import enqueue
from backend.mail.contracts import MailAddress
from backend.mail.raw import store_raw
from backend.mail.store import addressed_in, hold_threading, leave_keys, mail_address

LONGEST_UNDO = 30
"""Seconds."""


class AnsweredMeanwhile(Conflict):
    """Somebody answered, or the customer wrote again, since the draft was begun. `details` say what came."""

    code = "answered_meanwhile"


async def send_draft(asker: Asker, draft_id: int, given: SendDraft) -> Outgoing:
    """Hand a draft to the outbox. It leaves after `undo_seconds`, and until then can be taken back.

    Raises Unacceptable for wrong recipients or a mailbox without an account, Conflict for a stale version,
    AnsweredMeanwhile unless `even_if_answered`.
    """
    undo_seconds = max(0, min(given.undo_seconds, LONGEST_UNDO))
    draft = await read_draft(draft_id)
    files = await attachments_of_draft(draft_id)
    record = await fetch_row("SELECT * FROM drafts WHERE id = $1", draft_id)
    mailbox = await fetch_row("SELECT * FROM mailboxes WHERE id = $1", draft.mailbox_id)
    if record is None or mailbox is None:
        raise NotFound("There is no such draft.", "It may have been sent or thrown away meanwhile.")
    _check_version(draft, given)
    await _check_account(draft.mailbox_id)
    # Built before anything is locked: it takes as long as the attachments are large.
    frozen = await freeze(draft, record["answers_id"], mailbox, files)
    async with action(asker.user_id) as act:
        await hold_membership(draft.mailbox_id)
        await hold_threading(draft.mailbox_id)
        begun = draft.conversation_id is None
        conversation_id = draft.conversation_id or await _begin(draft, frozen)
        async with changing(asker.user_id, conversation_id) as change:
            locked = await fetch_row("SELECT * FROM drafts WHERE id = $1 FOR UPDATE", draft_id)
            if locked is None:
                raise NotFound("There is no such draft.", "It may have been sent or thrown away meanwhile.")
            _check_version(await read_draft(draft_id), given)
            if [f["id"] for f in files] != [f["id"] for f in await attachments_of_draft(draft_id)]:
                raise Conflict("The attachments changed at this moment.", "Look at them, and send again.")
            if not given.even_if_answered:
                await _check_unanswered(asker, locked, given)
            outgoing_id = await _hand_over(asker, draft, locked, frozen, conversation_id, given, undo_seconds)
            await leave_keys(draft.mailbox_id, conversation_id, frozen.parsed)
            await execute("UPDATE composed_attachments SET outgoing_id = $2 WHERE draft_id = $1", draft_id, outgoing_id)
            outgoing = await read_outgoing(outgoing_id)
            if begun:
                change.tell(lambda row: ConversationAdded(row=row))
            change.tell(lambda row: OutgoingChanged(row=row, outgoing=outgoing))
            await remove_draft(act, locked)
        await enqueue("send_outgoing", after=timedelta(seconds=undo_seconds), outgoing_id=outgoing_id)
    return outgoing


def _check_version(draft: Draft, given: SendDraft) -> None:
    if draft.version != given.version:
        raise Conflict(
            "This draft was changed meanwhile.",
            "Read the newer text, then send it.",
            stored=msgspec.to_builtins(draft),
        )


async def _check_account(mailbox_id: int) -> None:
    if await fetch_value("SELECT 1 FROM mail_accounts WHERE mailbox_id = $1", mailbox_id) is None:
        raise Unacceptable(
            "This mailbox cannot send yet: it is not connected to a mail account.",
            "Connect an account in the mailbox's settings. The draft is kept.",
        )


async def _check_unanswered(asker: Asker, record: Row, given: SendDraft) -> None:
    if record["conversation_id"] is None:
        return
    seen = max(record["seen_arrival"], given.seen_arrival or 0)
    arrived = await fetch(
        "SELECT id, sender, subject, snippet, date FROM messages WHERE conversation_id = $1 "
        "AND direction = 'incoming' AND arrival > $2 AND gone_at IS NULL ORDER BY arrival",
        record["conversation_id"],
        seen,
    )
    replies = await replies_since(
        record["conversation_id"],
        asker.user_id,
        record["seen_outgoing"],
        record["seen_at"],
        ("scheduled", "queued", "sending", "sent", "unknown"),
    )
    if not arrived and not replies:
        return
    raise AnsweredMeanwhile(
        "Somebody answered this conversation meanwhile." if replies else "A new mail arrived meanwhile.",
        "Read what came, then send your mail anyway or change it.",
        arrived=[
            {
                "message_id": each["id"],
                "sender": msgspec.json.decode(each["sender"]) if each["sender"] else None,
                "subject": each["subject"],
                "snippet": each["snippet"],
                "date": each["date"].isoformat(),
            }
            for each in arrived
        ],
        replies=[
            {"author_id": each["author_id"], "subject": each["subject"], "at": each["at"].isoformat()}
            for each in replies
        ],
    )


async def _begin(draft: Draft, frozen: Frozen) -> int:
    """The conversation of a new mail, as its list row will show it before the mail has left."""
    conversation_id = await begin_conversation(draft.mailbox_id, frozen.parsed.subject)
    await execute(
        "UPDATE conversations SET correspondents = $2, addressed = $3, snippet = $4, last_direction = 'outgoing', "
        "has_attachments = $5 WHERE id = $1",
        conversation_id,
        msgspec.json.encode([mail_address(person) for person in frozen.parsed.to[:5]]).decode(),
        addressed_in(frozen.parsed),
        frozen.parsed.snippet,
        bool(frozen.parsed.attachments),
    )
    return conversation_id


async def _hand_over(
    asker: Asker,
    draft: Draft,
    record: Row,
    frozen: Frozen,
    conversation_id: int,
    given: SendDraft,
    undo_seconds: int,
) -> int:
    """Write the rows of the outgoing message; answers its id."""
    outgoing_id: int = await fetch_value(
        "INSERT INTO outgoing (mailbox_id, conversation_id, author_id, state, message_id, envelope_from, raw_digest, "
        "recipients, subject, text, kind, answers_id, seen_arrival, seen_outgoing, seen_at, then_done, created_at, "
        "undo_until, attempts, fence, reason, remedy, server_words, sent_copy) "
        "VALUES ($1, $2, $3, 'queued', $4, $5, $6, $7, $8, $9, $10, $11, "
        "(SELECT last_arrival FROM conversations WHERE id = $2), $12, now(), $13, now(), now() + $14::interval, "
        "0, 0, '', '', '', 'none') RETURNING id",
        draft.mailbox_id,
        conversation_id,
        asker.user_id,
        frozen.message_id,
        frozen.sender,
        await store_raw(frozen.raw),
        record["recipients"],
        draft.subject,
        draft.text,
        draft.kind,
        record["answers_id"],
        await newest_outgoing(conversation_id),
        given.then_done,
        timedelta(seconds=undo_seconds),
    )
    for address in frozen.envelope:
        await execute(
            "INSERT INTO outgoing_recipients (outgoing_id, address, state, reason) VALUES ($1, $2, 'pending', '')",
            outgoing_id,
            address,
        )
    return outgoing_id


async def undo_sending(asker: Asker, outgoing_id: int) -> Draft:
    """Take a mail back before anything was tried: it is a draft again. Raises Conflict when it is too late."""
    return await _take_back(asker, outgoing_id, ("scheduled", "queued"))


async def resolve_outgoing(asker: Asker, outgoing_id: int, given: ResolveOutgoing) -> Outgoing | Draft:
    """What a person decides about a mail. Raises Conflict when the mail is not in a state for it."""
    match given.choice:
        case "edit":
            return await _take_back(asker, outgoing_id, WAITING)
        case "cancel":
            return await _cancel(asker, outgoing_id)
        case "send_again":
            return await _send_again(asker, outgoing_id)
        case "was_sent":
            return await _declare_sent(outgoing_id)


WAITING = ("scheduled", "queued", "failed", "unknown", "held", "sent")
"""The states in which a person may decide; `sent` only when some recipients refused."""


async def _lock_free(outgoing_id: int, states: tuple[str, ...]) -> Row:
    """Lock a mail that is in one of these states and that nobody is sending. Raises Conflict otherwise."""
    record = await fetch_row(
        "SELECT *, coalesce(claimed_until > clock_timestamp(), false) AS claimed FROM outgoing "
        "WHERE id = $1 FOR UPDATE",
        outgoing_id,
    )
    if record is None:
        raise NotFound("There is no such mail in the outbox.", "It may have been taken back meanwhile.")
    if record["state"] == "cancelled":
        raise Conflict("This mail was taken back already.", "Its text is among the drafts.")
    if record["state"] == "sending" or record["claimed"]:
        raise Conflict("This mail is being sent at this moment.", "Look again in a few seconds.")
    if record["state"] not in states or (record["state"] == "sent" and not record["reason"]):
        raise Conflict("This mail has left already.", "Write another one.")
    return record


async def _place_of(outgoing_id: int) -> tuple[int, int]:
    place = await fetch_row("SELECT conversation_id, mailbox_id FROM outgoing WHERE id = $1", outgoing_id)
    if place is None:
        raise NotFound("There is no such mail in the outbox.", "It may have been taken back meanwhile.")
    return place["conversation_id"], place["mailbox_id"]


async def _take_back(asker: Asker, outgoing_id: int, states: tuple[str, ...]) -> Draft:
    """Cancel a mail and give its text and files back as a draft, for those who do not have it yet."""
    conversation_id, mailbox_id = await _place_of(outgoing_id)
    async with action(asker.user_id) as act:
        await _lock_conversation(mailbox_id, conversation_id)
        record = await _lock_free(outgoing_id, states)
        beginning = await _beginning_from(record)
        if record["author_id"] == asker.user_id and await _is_all_there_is(record):
            written = await insert_draft(asker.user_id, beginning_alone(beginning))
            await _drop_conversation(act, mailbox_id, conversation_id)
            draft = await read_draft(written["id"])
            await tell_draft(act, written, DraftChanged(draft=draft))
            return draft
        async with changing(asker.user_id, conversation_id) as change:
            await _mark_cancelled(record)
            written = await insert_draft(record["author_id"], beginning)
            draft = await read_draft(written["id"])
            outgoing = await read_outgoing(outgoing_id)
            change.tell(lambda row: ConversationChanged(row=row))
            change.tell(lambda row: OutgoingChanged(row=row, outgoing=outgoing))
            change.tell(lambda row: DraftChanged(draft=draft))
    return draft


async def _lock_conversation(mailbox_id: int, conversation_id: int) -> None:
    await hold_membership(mailbox_id)
    await execute("SELECT 1 FROM conversations WHERE id = $1 FOR UPDATE", conversation_id)


async def _beginning_from(record: Row) -> Beginning:
    """The draft that the mail was: its text, its files, and those recipients that do not have it."""
    written = recipients_of(record)
    if record["sent_at"] is not None:
        left = {
            each["address"].lower()
            for each in await fetch(
                "SELECT address FROM outgoing_recipients WHERE outgoing_id = $1 AND state <> 'accepted'", record["id"]
            )
        }

        def still(people: list[MailAddress]) -> list[MailAddress]:
            return [person for person in people if person.address.lower() in left]

        written = WrittenRecipients(to=still(written.to), cc=still(written.cc), bcc=still(written.bcc))
    files = await fetch("SELECT * FROM composed_attachments WHERE outgoing_id = $1 ORDER BY id", record["id"])
    return Beginning(
        mailbox_id=record["mailbox_id"],
        conversation_id=record["conversation_id"],
        kind=record["kind"],
        recipients=written,
        subject=record["subject"],
        text=record["text"],
        answers_id=record["answers_id"],
        files=[
            CarriedFile(
                filename=each["filename"],
                content_type=each["content_type"],
                size=each["size"],
                digest=each["digest"],
            )
            for each in files
        ],
    )


async def _is_all_there_is(record: Row) -> bool:
    """Whether this mail began the conversation, nothing else is in it, and no word of the mail can still come."""
    if record["kind"] != "new" or record["state"] == "unknown" or record["sent_at"] is not None:
        return False
    if record["fence"] != record["attempts"]:
        return False  # a person decided about an earlier attempt, of which word may still come
    return bool(
        await fetch_value(
            "SELECT NOT EXISTS (SELECT 1 FROM messages WHERE conversation_id = $1) "
            "AND NOT EXISTS (SELECT 1 FROM comments WHERE conversation_id = $1) "
            "AND NOT EXISTS (SELECT 1 FROM drafts WHERE conversation_id = $1) "
            "AND NOT EXISTS (SELECT 1 FROM notifications WHERE conversation_id = $1) "
            "AND NOT EXISTS (SELECT 1 FROM outgoing WHERE conversation_id = $1 AND id <> $2)",
            record["conversation_id"],
            record["id"],
        )
    )


async def _drop_conversation(act: Action, mailbox_id: int, conversation_id: int) -> None:
    """Remove a locked conversation that holds nothing but a mail which never left, with that mail."""
    audience = await audience_of(conversation_id)
    await execute("DELETE FROM conversations WHERE id = $1", conversation_id)
    gone = ConversationGone(conversation_id=conversation_id)
    act.record(mailbox_stream(mailbox_id), gone, conversation_id=conversation_id, audience=audience)


async def _mark_cancelled(record: Row) -> None:
    """`cancelled`; or, when some have the mail already, `sent` without the others."""
    await execute(
        "UPDATE outgoing SET state = CASE WHEN sent_at IS NULL THEN 'cancelled' ELSE 'sent' END, fence = fence + 1, "
        "claimed_until = NULL, next_attempt_at = NULL, reason = '', remedy = '', server_words = '' WHERE id = $1",
        record["id"],
    )
    await execute(
        "UPDATE outgoing_recipients SET state = 'refused', reason = 'Taken back.' "
        "WHERE outgoing_id = $1 AND state = 'pending'",
        record["id"],
    )


async def _cancel(asker: Asker, outgoing_id: int) -> Outgoing:
    """Give the mail up, with its text."""
    conversation_id, mailbox_id = await _place_of(outgoing_id)
    async with action(asker.user_id) as act:
        await _lock_conversation(mailbox_id, conversation_id)
        record = await _lock_free(outgoing_id, WAITING)
        if await _is_all_there_is(record):
            await _mark_cancelled(record)
            outgoing = await read_outgoing(outgoing_id)
            await _drop_conversation(act, mailbox_id, conversation_id)
            return outgoing
        async with changing(asker.user_id, conversation_id) as change:
            await _mark_cancelled(record)
            outgoing = await read_outgoing(outgoing_id)
            change.tell(lambda row: OutgoingChanged(row=row, outgoing=outgoing))
    return outgoing


async def _send_again(asker: Asker, outgoing_id: int) -> Outgoing:
    """Back to the beginning of the queue, for everybody who does not have the mail, with all attempts before it."""
    conversation_id, mailbox_id = await _place_of(outgoing_id)
    await _check_account(mailbox_id)
    async with changing(asker.user_id, conversation_id) as change:
        record = await _lock_free(outgoing_id, WAITING)
        sees = await fetch_value("SELECT sees($1, $2)", record["author_id"], conversation_id)
        await execute(
            "UPDATE outgoing SET state = 'queued', attempts = 0, fence = fence + 1, claimed_until = NULL, "
            "next_attempt_at = now(), undo_until = NULL, reason = '', remedy = '', server_words = '', "
            "author_id = $2, seen_at = now(), seen_outgoing = $3 WHERE id = $1",
            outgoing_id,
            record["author_id"] if sees else asker.user_id,
            await newest_outgoing(conversation_id),
        )
        await execute(
            "UPDATE outgoing_recipients SET state = 'pending', reason = '' "
            "WHERE outgoing_id = $1 AND state = 'refused'",
            outgoing_id,
        )
        outgoing = await read_outgoing(outgoing_id)
        change.tell(lambda row: OutgoingChanged(row=row, outgoing=outgoing))
        await enqueue("send_outgoing", outgoing_id=outgoing_id)
    return outgoing


async def _declare_sent(outgoing_id: int) -> Outgoing:
    """A person knows that the mail arrived."""
    state = await fetch_value("SELECT state FROM outgoing WHERE id = $1", outgoing_id)
    pending = await fetch(
        "SELECT address FROM outgoing_recipients WHERE outgoing_id = $1 AND state = 'pending'", outgoing_id
    )
    if state != "unknown" or not await record_acceptance(outgoing_id, [each["address"] for each in pending], {}, {}):
        raise Conflict("Whether this mail was sent is known already.", "Look at the conversation again.")
    return await read_outgoing(outgoing_id)


def beginning_alone(beginning: Beginning) -> Beginning:
    """The same outside any conversation."""
    return replace(beginning, conversation_id=None)
