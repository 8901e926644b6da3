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

from backend.accounts.tables import Folder, MailAccount
from backend.conversations.tables import Conversation
from backend.mailboxes.tables import Mailbox


class RawMessage(Table, tablename="raw_messages"):
    """A message's bytes, shared by hash: in the row up to 256 KB, in the blob store above."""

    digest = Text(primary_key=True, help_text="SHA-256 of the bytes, hexadecimal.")
    size = BigInt()
    content = Bytea(null=True, default=None)
    unreferenced_since = Timestamptz(null=True, default=None, help_text="When it was first seen that nothing needs it.")


class StoredBlob(Table, tablename="stored_blobs"):
    """What lies in the blob store: written, or found there, at `put_at`."""

    digest = Text(primary_key=True)
    put_at = Timestamptz(default=TimestamptzNow())
    unreferenced_since = Timestamptz(null=True, default=None)


class Message(Table, tablename="messages"):
    id = BigSerial(primary_key=True)
    mailbox_id = ForeignKey(Mailbox, null=False, on_delete=OnDelete.cascade)
    conversation_id = ForeignKey(Conversation, null=False, on_delete=OnDelete.cascade, index=True)
    raw_digest = ForeignKey(RawMessage, null=False, on_delete=OnDelete.restrict, index=True)
    content_digest = Text(help_text="Of what the writer wrote: with the Message-ID, the identity.")
    message_id = Text()
    email_id = Text(help_text="EMAILID (RFC 8474) or X-GM-MSGID: the server says that two are the same.")
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
    hidden = Boolean(default=False, help_text="Before history_from, or in no chosen folder: kept, not shown.")
    kept_flags = JSONB(
        default="[]", help_text="Flagged, Answered: in the file it was imported from, or while it stands in no folder."
    )
    stood_in = Text(help_text="Standing in no folder: where it stood last (a word of backend.mail.places).")
    moved_from = BigInt(
        null=True, default=None, help_text="The mailbox whose account holds it, after its conversation was moved."
    )
    unplaced_at = Timestamptz(null=True, default=None, help_text="Since when it may be on its way to another folder.")


class DeletedMessage(Table, tablename="deleted_messages"):
    """A message that was deleted for good: enough to recognise it, should the server list it again."""

    id = BigInt(primary_key=True, help_text="The number that the message had.")
    mailbox_id = ForeignKey(Mailbox, null=False, on_delete=OnDelete.cascade)
    message_id = Text()
    content_digest = Text()
    email_id = Text()
    at = Timestamptz(default=TimestamptzNow())


class Placement(Table, tablename="placements"):
    """Where a message stands on the server: in a folder under a UID. Or one that was deleted for good (`deleted_id`),
    until it is expunged there."""

    id = BigSerial(primary_key=True)
    folder_id = ForeignKey(Folder, null=False, on_delete=OnDelete.cascade)
    uid = BigInt()
    message_id = ForeignKey(Message, null=True, default=None, on_delete=OnDelete.cascade, index=True)
    deleted_id = ForeignKey(DeletedMessage, null=True, default=None, on_delete=OnDelete.cascade)
    flags = JSONB(default="[]")
    seen = Boolean(default=False)
    size = Integer(default=0)


class SetAside(Table, tablename="messages_set_aside"):
    """A message that the server lists but does not hand over: passed over, and told."""

    id = BigSerial(primary_key=True)
    folder_id = ForeignKey(Folder, null=False, on_delete=OnDelete.cascade)
    uid = BigInt()
    server_words = Text()
    reason = Text(help_text="refused: the server does not hand it over; unstorable: it could not be stored.")
    tries = Integer(default=1)
    next_try_at = Timestamptz(default=TimestamptzNow())
    at = Timestamptz(default=TimestamptzNow())


class ServerIntent(Table, tablename="server_intents"):
    """What was done here and is to be so on the server: recorded with the act, carried over by a job.

    While it is open the local wish wins over what the server tells; once confirmed the server is right.
    """

    id = BigSerial(primary_key=True)
    account_id = ForeignKey(MailAccount, null=False, on_delete=OnDelete.cascade, index=True)
    message_id = ForeignKey(Message, null=False, on_delete=OnDelete.cascade)
    kind = Text(help_text="seen, flagged, answered, place, or keyword:NAME")
    value = Text(help_text="yes or no; of place: inbox, done, trash or junk")
    created_at = Timestamptz(default=TimestamptzNow())
    confirmed_at = Timestamptz(null=True, default=None)


class BlockedSender(Table, tablename="blocked_senders"):
    """Mail of this address goes to spam in this mailbox."""

    id = BigSerial(primary_key=True)
    mailbox_id = ForeignKey(Mailbox, null=False, on_delete=OnDelete.cascade)
    address = Text(help_text="Lower case.")
    blocked_by = BigInt()
    created_at = Timestamptz(default=TimestamptzNow())
