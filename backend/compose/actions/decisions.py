"""What people decide about a mail in the outbox: take it back, edit it, send it again, say that it was sent.

The states are those of transitions.py; these are the arrows that people draw in it.
"""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime

import msgspec

from backend.access.asker import Asker
from backend.access.fetch import HANDLES
from backend.compose.actions.drafts import insert_draft, newest_outgoing, tell_draft
from backend.compose.actions.results import record_acceptance
from backend.compose.actions.schedule import check_moments, redate
from backend.compose.actions.send import check_account
from backend.compose.beginnings import Beginning, CarriedFile
from backend.compose.contracts import Draft, DraftChanged, Outgoing, RescheduleOutgoing, ResolveOutgoing
from backend.compose.queries import (
    WrittenRecipients,
    place_of_outgoing,
    read_draft,
    read_outgoing,
    recipients_of,
)
from backend.conversations.change import audience_of, handling, hold_membership, tell
from backend.conversations.contracts import (
    ConversationChanged,
    ConversationGone,
    OutgoingChanged,
)
from backend.database.connection import Row, execute, fetch, fetch_row, fetch_value
from backend.documents.sharing import release_links, release_links_of_each
from backend.errors import Conflict, NotFound
from backend.events.record import Action, action
from backend.identities.queries import sender_of
from backend.jobs import enqueue_or_hasten
from backend.mail.contracts import MailAddress
from backend.meetings.mails import release_meeting


async def undo_sending(asker: Asker, outgoing_id: int) -> Draft:
    """Take a mail back before anything was tried: it is a draft again. Raises Conflict when it is too late."""
    first_id = await fetch_value("SELECT one_of FROM outgoing WHERE id = $1", outgoing_id)
    if first_id is not None:
        return await _take_all_back(asker, first_id)
    return await _take_back(asker, outgoing_id, ("scheduled", "queued"))


async def _take_all_back(asker: Asker, first_id: int) -> Draft:
    """Of mails that were written as one for one person each, those that have not left are one draft again, as it was
    written. Raises Conflict when all are gone."""
    conversation_id, mailbox_id = await _place_of(first_id)
    async with action(asker.user_id) as act:
        await _lock_conversation(mailbox_id, conversation_id)
        records = await fetch(
            "SELECT *, state IN ('scheduled', 'queued') AND sent_at IS NULL "
            "AND coalesce(claimed_until < clock_timestamp(), true) AS waits FROM outgoing "
            "WHERE one_of = $1 AND conversation_id = $2 ORDER BY id FOR UPDATE",
            first_id,
            conversation_id,
        )
        waiting = [record for record in records if record["waits"]]
        first = next((record for record in records if record["written"]), None)
        if not waiting or first is None:
            raise Conflict("These mails have left already.", "Write another one.")
        beginning = _as_written(await _beginning_from(first, mailbox_id), first["written"], waiting)
        numbers = [record["id"] for record in waiting]
        if first["author_id"] == asker.user_id and all([await _is_all_there_is(each, numbers) for each in waiting]):
            written = await insert_draft(asker.user_id, replace(beginning, conversation_id=None))
            await release_links_of_each(first_id, written["id"], None)
            await release_meeting(first_id, written["id"], None)
            await _drop_conversation(act, mailbox_id, conversation_id)
            draft = await read_draft(written["id"])
            await tell_draft(act, written, DraftChanged(draft=draft))
            return draft
        async with handling(asker, conversation_id) as change:
            for record in waiting:
                await _mark_cancelled(record)
            written = await insert_draft(first["author_id"], beginning)
            await release_links_of_each(first_id, written["id"], change)
            await release_meeting(first_id, written["id"], change)
            draft = await read_draft(written["id"])
            change.tell(lambda row: ConversationChanged(row=row))
            for outgoing in [await read_outgoing(record["id"]) for record in waiting]:
                change.tell(lambda row, told=outgoing: OutgoingChanged(row=row, outgoing=told))
            change.tell(lambda row: DraftChanged(draft=draft))
    return draft


class _Written(msgspec.Struct):
    recipients: WrittenRecipients
    subject: str
    text: str
    html: str | None


def _as_written(beginning: Beginning, stored: str, waiting: Sequence[Row]) -> Beginning:
    """What was written for all, to those whose mails wait."""
    written = msgspec.json.decode(stored, type=_Written)
    left = {person.address.lower() for record in waiting for person in recipients_of(record).to}

    def still(people: list[MailAddress]) -> list[MailAddress]:
        return [person for person in people if person.address.lower() in left]

    people = written.recipients
    recipients = WrittenRecipients(to=still(people.to), cc=still(people.cc), bcc=still(people.bcc))
    return replace(beginning, recipients=recipients, subject=written.subject, text=written.text, html=written.html)


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


async def reschedule(asker: Asker, outgoing_id: int, given: RescheduleOutgoing) -> Outgoing:
    """Another moment for a scheduled mail. Raises Conflict for any other, Unacceptable for a moment that is past."""
    check_moments(given.send_at, None)
    conversation_id, _ = await _place_of(outgoing_id)
    async with handling(asker, conversation_id) as change:
        await _lock_free(outgoing_id, ("scheduled",))
        await redate(outgoing_id, given.send_at)
        await execute("UPDATE outgoing SET next_attempt_at = $2 WHERE id = $1", outgoing_id, given.send_at)
        outgoing = await read_outgoing(outgoing_id)
        change.tell(lambda row: OutgoingChanged(row=row, outgoing=outgoing))
    return outgoing


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
    place = await place_of_outgoing(outgoing_id)
    if place is None:
        raise NotFound("There is no such mail in the outbox.", "It may have been taken back meanwhile.")
    return place


async def _take_back(asker: Asker, outgoing_id: int, states: tuple[str, ...]) -> Draft:
    """Cancel a mail and give its text and files back as a draft, for those who do not have it yet."""
    conversation_id, mailbox_id = await _place_of(outgoing_id)
    async with action(asker.user_id) as act:
        await _lock_conversation(mailbox_id, conversation_id)
        record = await _lock_free(outgoing_id, states)
        beginning = await _beginning_from(record, mailbox_id)
        if record["author_id"] == asker.user_id and await _is_all_there_is(record):
            written = await insert_draft(asker.user_id, replace(beginning, conversation_id=None))
            await release_links(outgoing_id, written["id"], None)
            await release_meeting(outgoing_id, written["id"], None)
            await _drop_conversation(act, mailbox_id, conversation_id)
            draft = await read_draft(written["id"])
            await tell_draft(act, written, DraftChanged(draft=draft))
            return draft
        async with handling(asker, conversation_id) as change:
            await _mark_cancelled(record)
            written = await insert_draft(record["author_id"], beginning)
            if record["sent_at"] is None:
                await release_links(outgoing_id, written["id"], change)
            await release_meeting(outgoing_id, written["id"], change)
            draft = await read_draft(written["id"])
            outgoing = await read_outgoing(outgoing_id)
            change.tell(lambda row: ConversationChanged(row=row))
            change.tell(lambda row: OutgoingChanged(row=row, outgoing=outgoing))
            change.tell(lambda row: DraftChanged(draft=draft))
    return draft


async def _lock_conversation(mailbox_id: int, conversation_id: int) -> None:
    await hold_membership(mailbox_id)
    await execute("SELECT 1 FROM conversations WHERE id = $1 FOR UPDATE", conversation_id)


async def _beginning_from(record: Row, mailbox_id: int) -> Beginning:
    """The draft that the mail was: its text, its files, and those recipients that do not have it. It goes out as the
    mailbox that its conversation is in by now."""
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
        mailbox_id=mailbox_id,
        conversation_id=record["conversation_id"],
        kind=record["kind"],
        recipients=written,
        subject=record["subject"],
        text=record["text"],
        html=record["html"],
        quoted=record["quoted"],
        signature=record["signature"],
        answers_id=record["answers_id"],
        sender=sender_of(record),
        files=[
            CarriedFile(
                filename=each["filename"],
                content_type=each["content_type"],
                size=each["size"],
                digest=each["digest"],
                content_id=each["content_id"],
            )
            for each in files
        ],
    )


async def _is_all_there_is(record: Row, others: Sequence[int] = ()) -> bool:
    """Whether this mail began the conversation, nothing else is in it but these `others`, and no word of the mail can
    still come."""
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
            "AND NOT EXISTS (SELECT 1 FROM outgoing WHERE conversation_id = $1 AND id <> ALL($2))",
            record["conversation_id"],
            [record["id"], *others],
        )
    )


async def _drop_conversation(act: Action, mailbox_id: int, conversation_id: int) -> None:
    """Remove a locked conversation that holds nothing but a mail which never left, with that mail."""
    audience = await audience_of(conversation_id)
    version = await fetch_value("DELETE FROM conversations WHERE id = $1 RETURNING version", conversation_id)
    gone = ConversationGone(conversation_id=conversation_id, version=version)
    tell(act, (conversation_id, mailbox_id), gone, audience)


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
        async with handling(asker, conversation_id) as change:
            await _mark_cancelled(record)
            if record["sent_at"] is None:
                await release_links(outgoing_id, None, change)
            await release_meeting(outgoing_id, None, change)
            outgoing = await read_outgoing(outgoing_id)
            change.tell(lambda row: OutgoingChanged(row=row, outgoing=outgoing))
    return outgoing


async def _send_again(asker: Asker, outgoing_id: int) -> Outgoing:
    """Back to the beginning of the queue, for everybody who does not have the mail, with all attempts before it."""
    conversation_id, _ = await _place_of(outgoing_id)
    await check_account(await fetch_value("SELECT mailbox_id FROM outgoing WHERE id = $1", outgoing_id))
    async with handling(asker, conversation_id) as change:
        record = await _lock_free(outgoing_id, WAITING)
        if record["state"] == "sent" and not await _lacked(outgoing_id):
            raise Conflict("Everybody has this mail.", "Write another one, or dismiss this.")
        if record["state"] == "scheduled":
            await redate(outgoing_id, datetime.now(UTC))
        sees = await fetch_value(HANDLES, record["author_id"], conversation_id)
        await execute(
            "UPDATE outgoing SET state = 'queued', attempts = 0, fence = fence + 1, claimed_until = NULL, "
            "next_attempt_at = now(), undo_until = NULL, reason = '', remedy = '', server_words = '', "
            "author_id = $2, seen_at = now(), seen_outgoing = $3, came = '[]', "
            "seen_arrival = (SELECT last_arrival FROM conversations c WHERE c.id = conversation_id) WHERE id = $1",
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
        await enqueue_or_hasten("send_outgoing")
    return outgoing


async def _lacked(outgoing_id: int) -> bool:
    """Whether somebody does not have the mail."""
    return await fetch_value(
        "SELECT EXISTS (SELECT 1 FROM outgoing_recipients WHERE outgoing_id = $1 AND state = 'refused')", outgoing_id
    )


async def _declare_sent(outgoing_id: int) -> Outgoing:
    """A person knows that the mail arrived."""
    state = await fetch_value("SELECT state FROM outgoing WHERE id = $1", outgoing_id)
    pending = await fetch(
        "SELECT address FROM outgoing_recipients WHERE outgoing_id = $1 AND state = 'pending'", outgoing_id
    )
    if state != "unknown" or not await record_acceptance(outgoing_id, [each["address"] for each in pending], {}, {}):
        raise Conflict("Whether this mail was sent is known already.", "Look at the conversation again.")
    return await read_outgoing(outgoing_id)
