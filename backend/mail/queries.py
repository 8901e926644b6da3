"""Reading messages: their items, their bodies, what a person may fetch of them. Unscoped but for `read_*`."""

import asyncio
from collections.abc import Collection

import msgspec

from backend.access.asker import Asker
from backend.access.fetch import access_message
from backend.database.connection import Row, fetch
from backend.errors import NotFound
from backend.mail.contracts import AttachmentItem, MailAddress, MessageBody, MessageItem
from backend.mail.html import prepare_html
from backend.mail.raw import load_raw
from sync.mime.message import Attachment
from sync.mime.parse import parse_message
from sync.mime.quotes import split_quoted_text


class _Recipients(msgspec.Struct):
    to: list[MailAddress] = []
    cc: list[MailAddress] = []
    reply_to: list[MailAddress] = []


_recipients = msgspec.json.Decoder(_Recipients)
_attachments = msgspec.json.Decoder(list[AttachmentItem])
_sender = msgspec.json.Decoder(MailAddress)
_strings = msgspec.json.Decoder(list[str])

ITEM_COLUMNS = (
    "id, conversation_id, direction, sender, recipients, date, subject, snippet, has_html, attachments, problems, "
    "arrival, author_id, CASE WHEN direction = 'outgoing' THEN (SELECT l.meeting_id FROM meeting_mails l "
    "JOIN outgoing o ON o.id = l.outgoing_id WHERE o.message_id = messages.message_id) END AS meeting_id"
)
"""Of the table `messages` by that name."""


def message_of(record: Row) -> MessageItem:
    """A record that holds ITEM_COLUMNS, as a contract."""
    recipients = _recipients.decode(record["recipients"])
    return MessageItem(
        id=record["id"],
        conversation_id=record["conversation_id"],
        direction=record["direction"],
        sender=_sender.decode(record["sender"]) if record["sender"] else None,
        to=recipients.to,
        cc=recipients.cc,
        reply_to=recipients.reply_to,
        date=record["date"],
        subject=record["subject"],
        snippet=record["snippet"],
        has_html=record["has_html"],
        attachments=_attachments.decode(record["attachments"]),
        problems=_strings.decode(record["problems"]),
        arrival=record["arrival"],
        author_id=record["author_id"],
        meeting_id=record["meeting_id"],
    )


async def messages_of(conversation_id: int) -> list[MessageItem]:
    """The messages of a conversation, oldest first."""
    records = await fetch(
        f"SELECT {ITEM_COLUMNS} FROM messages WHERE conversation_id = $1 AND gone_at IS NULL AND NOT hidden "
        "ORDER BY date, id",
        conversation_id,
    )
    return [message_of(record) for record in records]


async def bodies_of(message_ids: Collection[int]) -> list[MessageBody]:
    """What a person reads of these messages, oldest first."""
    records = await fetch(
        "SELECT m.id, m.body_text, m.has_html, m.raw_digest, r.size FROM messages m "
        "JOIN raw_messages r ON r.digest = m.raw_digest WHERE m.id = ANY($1) ORDER BY m.date, m.id",
        list(message_ids),
    )
    return [await _body_of(record) for record in records]


async def _body_of(record: Row) -> MessageBody:
    visible, quoted = split_quoted_text(record["body_text"])
    html = await prepare_html(record["raw_digest"], record["id"], show_remote=False) if record["has_html"] else None
    if html is not None and html.blank:
        html = None
    return MessageBody(
        message_id=record["id"],
        text=visible,
        quoted_text=quoted,
        html_url=f"/api/v1/messages/{record['id']}/html" if html else None,
        has_quoted_html=bool(html and html.quoted),
        blocked_remote=html.blocked_remote if html else 0,
        cut=len(record["body_text"]) >= 200_000,
    )


async def read_body(asker: Asker, message_id: int) -> MessageBody:
    record = await access_message(asker, message_id)
    return (await bodies_of([record["id"]]))[0]


async def read_attachment(asker: Asker, message_id: int, position: int) -> Attachment:
    """One attachment's bytes, read from the raw message. Raises NotFound for a position that is not there."""
    record = await access_message(asker, message_id)
    parsed = await asyncio.to_thread(parse_message, await load_raw(record["raw_digest"]))
    for attachment in parsed.attachments:
        if attachment.position == position:
            return attachment
    raise NotFound("There is no such attachment.", "Open the raw source to see what the message holds.")


async def read_raw(asker: Asker, message_id: int) -> bytes:
    record = await access_message(asker, message_id)
    return await load_raw(record["raw_digest"])
