"""Send: a draft becomes a frozen mail in the outbox. From here on its recipients, bytes and Message-ID stay."""

from datetime import timedelta

import msgspec

from backend.access.asker import Asker
from backend.access.fetch import access_mailbox
from backend.compose.actions.drafts import newest_outgoing, prepare, remove_draft, write_draft
from backend.compose.actions.schedule import check_moments
from backend.compose.actions.sender import note_sender, remember_sender
from backend.compose.contracts import Draft, Outgoing, SaveDraft, SendDraft
from backend.compose.freeze import Frozen, freeze
from backend.compose.inviting import check_still_ahead
from backend.compose.meanwhile import arrived_since, came_of, replies_since, sentence_of
from backend.compose.one_each import letters_of, with_own_links, written_in
from backend.compose.queries import (
    WrittenRecipients,
    attachments_of_draft,
    read_draft,
    read_outgoing,
)
from backend.conversations.change import changing, hold_membership
from backend.conversations.contracts import (
    ConversationAdded,
    OutgoingChanged,
)
from backend.conversations.threads import begin_conversation
from backend.database.connection import Row, execute, fetch_row, fetch_value
from backend.documents.sharing import bind_links, keys_in, own_keys
from backend.errors import Conflict, NotFound, Unacceptable
from backend.events.record import action
from backend.identities.queries import sender_of
from backend.jobs import enqueue_or_hasten
from backend.mail.raw import store_raw
from backend.mail.reading import mail_address
from backend.mail.store import addressed_in, hold_threading, leave_keys
from backend.meetings.mails import bind_meeting
from backend.meetings.queries import planned_in
from backend.outgoing_servers.queries import can_send, server_for
from backend.sizes import size_words

LONGEST_UNDO = 30
"""Seconds."""


class AnsweredMeanwhile(Conflict):
    """Somebody answered, or the customer wrote again, since the draft was begun. `details` say what came."""

    code = "answered_meanwhile"


async def send_draft(asker: Asker, draft_id: int, given: SendDraft) -> Outgoing:
    """Hand a draft to the outbox. It leaves after `undo_seconds` or at `send_at`, and until then can be taken back.

    Raises Unacceptable for wrong recipients, a moment that is past or a mailbox without an account, Conflict for a
    stale version, AnsweredMeanwhile unless `even_if_answered`.
    """
    check_moments(given.send_at, given.then_remind_at)
    draft = await read_draft(draft_id)
    seen = await _seen(draft, given)
    if seen is not None:
        draft = msgspec.structs.replace(draft, **msgspec.structs.asdict(seen) | {"version": given.version})
    files = await attachments_of_draft(draft_id)
    record = await fetch_row("SELECT * FROM drafts WHERE id = $1", draft_id)
    await access_mailbox(asker, draft.mailbox_id)
    mailbox = await fetch_row("SELECT * FROM mailboxes WHERE id = $1", draft.mailbox_id)
    if record is None or mailbox is None:
        raise NotFound("There is no such draft.", "It may have been sent or thrown away meanwhile.")
    _check_version(draft, given)
    await check_account(draft.mailbox_id)
    # Built before anything is locked: it takes as long as the attachments are large.
    letters = await letters_of(asker, draft) if given.one_each else [draft]
    text = draft.text if draft.html is None else draft.html
    keys = await keys_in(draft_id, text) if len(letters) > 1 else []
    own = [own_keys(keys) for _ in letters] if keys else []
    if own:
        letters = with_own_links(letters, own)
    plan = await planned_in(draft_id)
    if plan is not None:
        check_still_ahead(plan, given.send_at)
    frozen: list[Frozen] = []
    for each in letters:
        frozen.append(
            await freeze(
                each,
                record["answers_id"],
                mailbox,
                files,
                writer_id=asker.user_id,
                send_at=given.send_at,
                meeting=plan,
                meeting_uid=(plan.uid if plan else None) or (frozen[0].message_id if frozen else None),
            )
        )
    await _check_size(draft.mailbox_id, max(len(each.raw) for each in frozen))
    async with action(asker.user_id) as act:
        await hold_membership(draft.mailbox_id)
        await hold_threading(draft.mailbox_id)
        begun = draft.conversation_id is None
        conversation_id = draft.conversation_id or await _begin(draft, frozen[0])
        async with changing(asker.user_id, conversation_id) as change:
            locked = await fetch_row("SELECT * FROM drafts WHERE id = $1 FOR UPDATE", draft_id)
            if locked is None:
                raise NotFound("There is no such draft.", "It may have been sent or thrown away meanwhile.")
            if (locked["mailbox_id"], sender_of(locked)) != (draft.mailbox_id, draft.sender):
                raise Conflict("As whom it is sent was changed at this moment.", "Look at it, and send again.")
            if seen is None:
                _check_version(await read_draft(draft_id), given)
            elif await write_draft(await read_draft(draft_id), seen):
                locked = await fetch_row("SELECT * FROM drafts WHERE id = $1", draft_id)
                assert locked is not None
            if [f["id"] for f in files] != [f["id"] for f in await attachments_of_draft(draft_id)]:
                raise Conflict("The attachments changed at this moment.", "Look at them, and send again.")
            if not given.even_if_answered:
                await _check_unanswered(asker, locked, given)
            numbers = []
            for letter, each in zip(letters, frozen, strict=True):
                outgoing_id = await _hand_over(asker, letter, locked, each, conversation_id, given)
                numbers.append(outgoing_id)
                await note_sender(asker, draft, each, outgoing_id)
                await leave_keys(draft.mailbox_id, conversation_id, each.parsed)
            await _give_files(draft_id, numbers)
            if len(numbers) > 1:
                await _bind(numbers, written_in(draft))
            await bind_links(change, draft_id, text, numbers, own)
            await bind_meeting(change, draft_id, plan, frozen[0].message_id, numbers)
            if begun:
                change.tell(lambda row: ConversationAdded(row=row))
            sent = [await read_outgoing(number) for number in numbers]
            for told in sent:
                change.tell(lambda row, told=told: OutgoingChanged(row=row, outgoing=told))
            await remove_draft(act, locked)
        if given.send_at is None:  # what is scheduled is found by the sender's rounds
            await enqueue_or_hasten("send_outgoing", after=_undo_window(given))
    await remember_sender(asker, draft, one_each=given.one_each)
    return sent[0]


async def _give_files(draft_id: int, outgoing_ids: list[int]) -> None:
    """The draft's files are those of each of these mails."""
    first, *others = outgoing_ids
    await execute("UPDATE composed_attachments SET outgoing_id = $2 WHERE draft_id = $1", draft_id, first)
    await execute(
        "INSERT INTO composed_attachments (outgoing_id, filename, content_type, size, digest, content_id) "
        "SELECT t.id, a.filename, a.content_type, a.size, a.digest, a.content_id FROM unnest($2::bigint[]) AS t(id) "
        "CROSS JOIN composed_attachments a WHERE a.outgoing_id = $1 ORDER BY t.id, a.id",
        first,
        others,
    )


async def _bind(outgoing_ids: list[int], written: str) -> None:
    """They were written as one, and are taken back as one."""
    await execute(
        "UPDATE outgoing SET one_of = $2, written = CASE WHEN id = $2 THEN $3::jsonb END WHERE id = ANY($1)",
        outgoing_ids,
        outgoing_ids[0],
        written,
    )


async def _seen(draft: Draft, given: SendDraft) -> SaveDraft | None:
    """Of a draft that is written together: what its sender saw, and nothing that somebody typed since."""
    if given.seen is None:
        return None
    if not draft.together:
        raise Unacceptable("Only a draft that is written together is sent as seen.", "Save it, then send it.")
    return await prepare(given.seen)


def _undo_window(given: SendDraft) -> timedelta:
    return timedelta(seconds=max(0, min(given.undo_seconds, LONGEST_UNDO)))


def _check_version(draft: Draft, given: SendDraft) -> None:
    if draft.version != given.version:
        raise Conflict(
            "This draft was changed meanwhile.",
            "Read the newer text, then send it.",
            stored=msgspec.to_builtins(draft),
        )


async def check_account(mailbox_id: int) -> None:
    """Raises Unacceptable for a mailbox that has nothing to send through (`server_of` in the migrations)."""
    if not await can_send(mailbox_id):
        raise Unacceptable(
            "This mailbox cannot send yet: it is not connected to a mail account.",
            "Connect an account in the mailbox's settings. The draft is kept.",
        )


async def _check_size(mailbox_id: int, size: int) -> None:
    """Raises Unacceptable for a mail that is larger than its server takes, as far as that has said so before."""
    server = await server_for(mailbox_id)
    limit = server["size_limit"] if server is not None else None
    if limit is not None and size > limit:
        raise Unacceptable(
            f"This mail has {size_words(size)}, and its outgoing server takes {size_words(limit)}.",
            "Take a file out, or send a link to it. Files take a third more in a mail.",
        )


async def _check_unanswered(asker: Asker, record: Row, given: SendDraft) -> None:
    if record["conversation_id"] is None or record["kind"] == "forward":
        return
    arrived = await arrived_since(record["conversation_id"], max(record["seen_arrival"], given.seen_arrival or 0))
    replies = await replies_since(
        record["conversation_id"],
        asker.user_id,
        record["seen_outgoing"],
        record["seen_at"],
        ("scheduled", "queued", "sending", "sent", "unknown"),
    )
    if arrived or replies:
        raise AnsweredMeanwhile(
            await sentence_of(replies, arrived, "meanwhile"),
            "Read what came, then send your mail anyway or change it.",
            arrived=[msgspec.to_builtins(came_of(each)) for each in arrived],
            replies=[msgspec.to_builtins(came_of(each)) for each in replies],
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
) -> int:
    """Write the rows of the outgoing message; answers its id."""
    outgoing_id: int = await fetch_value(
        "INSERT INTO outgoing (mailbox_id, conversation_id, author_id, state, message_id, envelope_from, raw_digest, "
        "recipients, subject, text, kind, answers_id, seen_arrival, seen_outgoing, seen_at, then_done, created_at, "
        "undo_until, next_attempt_at, then_remind_at, then_remind_if_silent, attempts, fence, reason, remedy, "
        "server_words, sent_copy, html, quoted, signature) "
        "VALUES ($1, $2, $3, $15, $4, $5, $6, $7, $8, $9, $10, $11, "
        "(SELECT last_arrival FROM conversations WHERE id = $2), $12, now(), $13, now(), now() + $14::interval, "
        "$16, $17, $18, 0, 0, '', '', '', 'none', $19, $20, $21) RETURNING id",
        draft.mailbox_id,
        conversation_id,
        asker.user_id,
        frozen.message_id,
        frozen.sender,
        await store_raw(frozen.raw),
        msgspec.json.encode(WrittenRecipients(to=draft.to, cc=draft.cc, bcc=draft.bcc)).decode(),
        draft.subject,
        draft.text,
        draft.kind,
        record["answers_id"],
        await newest_outgoing(conversation_id),
        given.then_done,
        None if given.send_at else _undo_window(given),
        "scheduled" if given.send_at else "queued",
        given.send_at,
        given.then_remind_at,
        given.then_remind_if_silent,
        draft.html,
        draft.quoted,
        draft.signature,
    )
    for address in frozen.envelope:
        await execute(
            "INSERT INTO outgoing_recipients (outgoing_id, address, state, reason) VALUES ($1, $2, 'pending', '')",
            outgoing_id,
            address,
        )
    return outgoing_id
