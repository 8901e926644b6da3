"""Messages: raw bytes stored once, a row per mailbox, placements in folders."""

from piccolo.columns import (
    JSONB,
    BigInt,
    BigSerial,
    Boolean,
    Bytea,
    ForeignKey,
    Integer,
    Text,
    Timestamptz,
)
from piccolo.columns.base import OnDelete
from piccolo.columns.defaults import TimestamptzNow
from piccolo.table import Table

from backend.accounts.tables import Folder
from backend.conversations.tables import Conversation
from backend.mailboxes.tables import Mailbox


class RawMessage(Table, tablename="raw_messages"):
    """A message's bytes, shared by hash: in the row up to 256 KB, in the blob store above."""

    digest = Text(primary_key=True, help_text="SHA-256 of the bytes, hexadecimal.")
    size = BigInt()
    content = Bytea(null=True, default=None)


class Message(Table, tablename="messages"):
    id = BigSerial(primary_key=True)
    mailbox_id = ForeignKey(Mailbox, null=False, on_delete=OnDelete.cascade)
    conversation_id = ForeignKey(Conversation, null=False, on_delete=OnDelete.cascade, index=True)
    raw_digest = ForeignKey(RawMessage, null=False, on_delete=OnDelete.restrict, index=True)
    content_digest = Text(help_text="Of what the writer wrote: with the Message-ID, the identity.")
    message_id = Text()
    direction = Text()
    sender = JSONB(null=True, default=None)
    recipients = JSONB(default="{}", help_text="to, cc, reply_to")
    date = Timestamptz(default=TimestamptzNow())
    subject = Text()
    snippet = Text()
    body_text = Text(help_text="Plain text of the whole body, cut at 200,000 characters; what search reads.")
    has_html = Boolean(default=False)
    attachments = JSONB(default="[]")
    problems = JSONB(default="[]")
    arrival = BigInt(default=0, help_text="0 for history.")
    author_id = BigInt(null=True, default=None)
    automatic = Boolean(default=False)
    stored_at = Timestamptz(default=TimestamptzNow())
    gone_at = Timestamptz(null=True, default=None, help_text="Deleted on the server: shown no more.")


class Placement(Table, tablename="placements"):
    """Where a message stands on the server: in a folder under a UID."""

    id = BigSerial(primary_key=True)
    folder_id = ForeignKey(Folder, null=False, on_delete=OnDelete.cascade)
    uid = BigInt()
    message_id = ForeignKey(Message, null=False, on_delete=OnDelete.cascade, index=True)
    flags = JSONB(default="[]")
    seen = Boolean(default=False)
    size = Integer(default=0)


class SetAside(Table, tablename="messages_set_aside"):
    """A message that the server lists but does not hand over: passed over, and told."""

    id = BigSerial(primary_key=True)
    folder_id = ForeignKey(Folder, null=False, on_delete=OnDelete.cascade)
    uid = BigInt()
    server_words = Text()
    at = Timestamptz(default=TimestamptzNow())
