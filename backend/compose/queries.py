"""Reading drafts and the outbox. What takes an id alone is unscoped: callers have passed backend/access first."""

from collections.abc import Collection, Sequence
from typing import NamedTuple

import msgspec

from backend.access.asker import Asker
from backend.access.fetch import SEES_AS_READER
from backend.compose.contracts import Draft, DraftAttachment, Outgoing, OutgoingRecipient
from backend.compose.meanwhile import came_to
from backend.database.connection import Row, fetch, fetch_row, fetch_value
from backend.errors import NotFound
from backend.identities.queries import sender_of
from backend.mail.contracts import MailAddress
from backend.meetings.queries import meetings_of_drafts
from backend.outgoing_servers.queries import server_for
from backend.settings import settings

LONGEST_LIST = 200


class WrittenRecipients(msgspec.Struct, frozen=True):
    """To, Cc and Bcc as they stand in the tables' `recipients`."""

    to: list[MailAddress] = []
    cc: list[MailAddress] = []
    bcc: list[MailAddress] = []


_recipients = msgspec.json.Decoder(WrittenRecipients)


class Key(NamedTuple):
    """Where a draft or an outgoing message belongs."""

    mailbox_id: int
    conversation_id: int | None


def recipients_of(record: Row) -> WrittenRecipients:
    """Of a record with the column `recipients`."""
    return _recipients.decode(record["recipients"])


async def read_draft(draft_id: int) -> Draft:
    """One draft. Raises NotFound when it was sent or thrown away meanwhile."""
    drafts = await _drafts(await fetch("SELECT * FROM drafts WHERE id = $1", draft_id))
    if not drafts:
        raise NotFound("There is no such draft.", "It may have been sent or thrown away meanwhile.")
    return drafts[0]


async def drafts_of(conversation_id: int) -> list[Draft]:
    """The drafts in a conversation, oldest first."""
    return await _drafts(await fetch("SELECT * FROM drafts WHERE conversation_id = $1 ORDER BY id", conversation_id))


async def own_drafts(asker: Asker) -> list[Draft]:
    """The person's own drafts that they can still open, last touched first."""
    return await _drafts(
        await fetch(
            "SELECT d.* FROM drafts d LEFT JOIN conversations c ON c.id = d.conversation_id "
            "WHERE d.author_id = $1 AND (d.conversation_id IS NULL OR (" + SEES_AS_READER.format(user="$1") + ")) "
            "ORDER BY d.updated_at DESC, d.id DESC LIMIT $2",
            asker.user_id,
            LONGEST_LIST,
        )
    )


async def read_outgoing(outgoing_id: int) -> Outgoing:
    """One mail of the outbox. Raises NotFound when it is gone."""
    found = await read_outgoings(await fetch("SELECT * FROM outgoing WHERE id = $1", outgoing_id))
    if not found:
        raise NotFound("There is no such mail in the outbox.", "It may have been taken back meanwhile.")
    return found[0]


OPEN = "(o.state NOT IN ('sent', 'cancelled') OR (o.state = 'sent' AND o.reason <> ''))"
"""SQL: the mail `o` has not left, or not to everybody."""


async def outgoing_of(conversation_id: int) -> list[Outgoing]:
    """The mails of a conversation that have not left, or not to everybody; oldest first."""
    return await read_outgoings(
        await fetch(
            f"SELECT o.* FROM outgoing o WHERE o.conversation_id = $1 AND {OPEN} ORDER BY o.id",
            conversation_id,
        )
    )


async def outbox(asker: Asker) -> list[Outgoing]:
    """Every mail that has not left, or not to everybody, in the conversations that the person handles; newest first."""
    return await read_outgoings(
        await fetch(
            "SELECT o.* FROM outgoing o JOIN conversations c ON c.id = o.conversation_id "
            f"WHERE {OPEN} AND {SEES_AS_READER.format(user='$1')} ORDER BY o.id DESC LIMIT $2",
            asker.user_id,
            LONGEST_LIST,
        )
    )


async def attachments_of_draft(draft_id: int) -> Sequence[Row]:
    """The records of the files attached to a draft, in the order of attaching."""
    return await fetch("SELECT * FROM composed_attachments WHERE draft_id = $1 ORDER BY id", draft_id)


ENCODED = 1.37
"""How much larger a file is in a mail: base64 in lines of 76 characters (RFC 2045)."""
MOST_TEXT = 256 * 1024
"""Bytes that are left for everything else in the mail."""


async def room_in(draft_id: int) -> tuple[int, int]:
    """How many bytes of files this mail takes, by the settings and by what its outgoing server has said; and how many
    of them are left."""
    mailbox_id = await fetch_value("SELECT mailbox_id FROM drafts WHERE id = $1", draft_id)
    server = await server_for(mailbox_id)
    most = settings().largest_attachments
    if server is not None and server["size_limit"]:
        most = min(most, max(0, int((server["size_limit"] - MOST_TEXT) / ENCODED)))
    taken = await fetch_value(
        "SELECT coalesce(sum(size), 0)::bigint FROM composed_attachments WHERE draft_id = $1", draft_id
    )
    return most, max(0, most - taken)


async def place_of_outgoing(outgoing_id: int) -> tuple[int, int] | None:
    """Its conversation, and the mailbox in which that stands now."""
    place = await fetch_row(
        "SELECT o.conversation_id, c.mailbox_id FROM outgoing o JOIN conversations c ON c.id = o.conversation_id "
        "WHERE o.id = $1",
        outgoing_id,
    )
    return (place["conversation_id"], place["mailbox_id"]) if place else None


async def picture_of_draft(draft_id: int, content_id: str) -> Row | None:
    """The record of a picture in a draft's text."""
    return await fetch_row(
        "SELECT * FROM composed_attachments WHERE draft_id = $1 AND content_id = $2 AND content_id <> '' LIMIT 1",
        draft_id,
        content_id,
    )


async def _drafts(records: Sequence[Row]) -> list[Draft]:
    ids = [record["id"] for record in records]
    files = await _attachments("draft_id", ids)
    meetings = await meetings_of_drafts(ids)
    drafts = []
    for record in records:
        written = recipients_of(record)
        drafts.append(
            Draft(
                id=record["id"],
                conversation_id=record["conversation_id"],
                mailbox_id=record["mailbox_id"],
                author_id=record["author_id"],
                kind=record["kind"],
                to=written.to,
                cc=written.cc,
                bcc=written.bcc,
                subject=record["subject"],
                text=record["text"],
                attachments=files.get(record["id"], []),
                html=record["html"],
                quoted=record["quoted"],
                signature=record["signature"],
                together=record["together"],
                sender=sender_of(record),
                writer_ids=record["writer_ids"],
                meeting=meetings.get(record["id"]),
                version=record["version"],
                updated_at=record["updated_at"],
            )
        )
    return drafts


async def read_outgoings(records: Sequence[Row]) -> list[Outgoing]:
    """Rows of the outbox as contracts."""
    ids = [record["id"] for record in records]
    files = await _attachments("outgoing_id", ids)
    came = await came_to([record for record in records if record["state"] == "held"])
    people: dict[int, list[OutgoingRecipient]] = {}
    for record in await fetch("SELECT * FROM outgoing_recipients WHERE outgoing_id = ANY($1) ORDER BY id", ids):
        people.setdefault(record["outgoing_id"], []).append(
            OutgoingRecipient(address=record["address"], state=record["state"], reason=record["reason"])
        )
    return [
        Outgoing(
            id=record["id"],
            conversation_id=record["conversation_id"],
            mailbox_id=record["mailbox_id"],
            author_id=record["author_id"],
            state=record["state"],
            subject=record["subject"],
            to=recipients_of(record).to,
            text=record["text"],
            message_id=record["message_id"],
            created_at=record["created_at"],
            undo_until=record["undo_until"],
            attempts=record["attempts"],
            next_attempt_at=record["next_attempt_at"],
            reason=record["reason"],
            remedy=record["remedy"],
            server_words=record["server_words"],
            recipients=people.get(record["id"], []),
            attachments=[each for each in files.get(record["id"], []) if not each.content_id],
            came=came.get(record["id"], []),
            send_at=record["next_attempt_at"] if record["state"] == "scheduled" else None,
            then_done=record["then_done"],
            then_remind_at=record["then_remind_at"],
            one_of=record["one_of"],
        )
        for record in records
    ]


async def _attachments(column: str, ids: Collection[int]) -> dict[int, list[DraftAttachment]]:
    records = await fetch(
        f"SELECT * FROM composed_attachments WHERE {column} = ANY($1) ORDER BY id",
        list(ids),
    )
    found: dict[int, list[DraftAttachment]] = {}
    for record in records:
        found.setdefault(record[column], []).append(
            DraftAttachment(
                id=record["id"],
                filename=record["filename"],
                content_type=record["content_type"],
                size=record["size"],
                content_id=record["content_id"],
            )
        )
    return found
