"""Mails that have left take their places in their conversations, many in one transaction."""

from collections.abc import Sequence
from datetime import UTC, datetime

from backend.contacts.correspondents import note_correspondents
from backend.conversations.threads import sum_up_all
from backend.database.connection import Row, copy_rows, fetch
from backend.events.record import Action
from backend.mail.batches import MESSAGE_COLUMNS, numbers_of
from backend.mail.queries import ITEM_COLUMNS, message_of
from backend.mail.raw import load_raws
from backend.mail.reading import Prepared, read_message
from backend.mail.store import leave_all_keys


async def store_sent_messages(act: Action, outgoing: Sequence[Row]) -> dict[int, Row]:
    """Store the messages of these mails, each in the mailbox that it was sent from, whose threading the caller holds.

    Answers the records, with ITEM_COLUMNS, by the outgoing mail; without those whose message is there already.
    """
    raws = await load_raws([each["raw_digest"] for each in outgoing])
    read = {each["id"]: read_message(raws[each["raw_digest"]]) for each in outgoing}
    known = {
        (record["mailbox_id"], record["message_id"], record["content_digest"])
        for record in await fetch(
            "SELECT coalesce(moved_from, mailbox_id) AS mailbox_id, message_id, content_digest FROM messages "
            "WHERE message_id = ANY($1)",
            [prepared.message_id for prepared in read.values()],
        )
    }
    new = [
        each
        for each in outgoing
        if (each["mailbox_id"], read[each["id"]].message_id, read[each["id"]].content_digest) not in known
    ]
    ids = dict(zip((each["id"] for each in new), await numbers_of("messages", len(new)), strict=True))
    now = datetime.now(UTC)
    rows = [_row(ids[each["id"]], each, read[each["id"]], now) for each in new]
    await copy_rows("messages", MESSAGE_COLUMNS, rows)
    await leave_all_keys([(each["mailbox_id"], each["conversation_id"], read[each["id"]]) for each in new])
    await sum_up_all([each["conversation_id"] for each in new])
    records = await fetch(f"SELECT mailbox_id, {ITEM_COLUMNS} FROM messages WHERE id = ANY($1)", list(ids.values()))
    await _note_recipients(act, records, now)
    found = {record["id"]: record for record in records}
    return {outgoing_id: found[number] for outgoing_id, number in ids.items()}


def _row(number: int, outgoing: Row, prepared: Prepared, now: datetime) -> tuple[object, ...]:
    """Values for MESSAGE_COLUMNS."""
    ids = (number, outgoing["mailbox_id"], outgoing["conversation_id"])
    identity = (outgoing["raw_digest"], prepared.content_digest, prepared.message_id, "", "outgoing")
    head = (prepared.sender, prepared.recipients, prepared.written or now, prepared.subject, prepared.snippet)
    body = (prepared.text, prepared.has_html, prepared.attachments, prepared.problems)
    rest = (0, outgoing["author_id"], prepared.automatic, now, False, "", None)
    return (*ids, *identity, *head, *body, *rest)


async def _note_recipients(act: Action, messages: Sequence[Row], now: datetime) -> None:
    """Whom they were written to are contacts. By mailbox, in the order of the ids."""
    for mailbox_id in sorted({each["mailbox_id"] for each in messages}):
        written = [message_of(each) for each in messages if each["mailbox_id"] == mailbox_id]
        people = [
            (p.name, p.address.lower(), None) for each in written for p in [*each.to, *each.cc][:100] if p.address
        ]
        await note_correspondents(act, mailbox_id, people, now)
