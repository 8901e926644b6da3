"""Drafts and the outbox."""

from piccolo.columns import (
    JSONB,
    Array,
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

from backend.accounts.tables import MailAccount
from backend.conversations.tables import Conversation
from backend.mailboxes.tables import Mailbox
from backend.people.tables import User


class Draft(Table, tablename="drafts"):
    id = BigSerial(primary_key=True)
    mailbox_id = ForeignKey(Mailbox, null=False, on_delete=OnDelete.cascade)
    conversation_id = ForeignKey(Conversation, null=True, default=None, on_delete=OnDelete.cascade, index=True)
    author_id = ForeignKey(User, null=False, on_delete=OnDelete.restrict, index=True)
    kind = Text()
    answers_id = BigInt(null=True, default=None, help_text="The message answered or forwarded.")
    recipients = JSONB(default="{}", help_text="to, cc, bcc")
    subject = Text()
    text = Text()
    html = Text(null=True, default=None, help_text="None: plain text.")
    quoted = Boolean(default=False, help_text="The message answered follows the text when it is sent.")
    signature = Text(default="none", help_text="none, person or mailbox: whose stands below the text.")
    sender = JSONB(default="{}", help_text="DraftSender of contracts.py: as whom it is to be sent.")
    together = Boolean(default=False, help_text="Several write in it, live: what it says is taken from its document.")
    writer_ids = Array(base_column=BigInt(), default=list, help_text="Who joined its author in writing it.")
    version = BigInt(default=1)
    seen_arrival = BigInt(default=0, help_text="The conversation's newest arrival when the writer began.")
    seen_outgoing = BigInt(default=0, help_text="The newest mail of its outbox then.")
    seen_at = Timestamptz(default=TimestamptzNow())
    updated_at = Timestamptz(default=TimestamptzNow())


class DiscardedDraft(Table, tablename="discarded_drafts"):
    """A draft that somebody has thrown away, as it was, so that they can take that back for an hour."""

    id = BigSerial(primary_key=True)
    draft_id = BigInt(unique=True)
    user_id = ForeignKey(User, null=False, on_delete=OnDelete.cascade, help_text="Who has thrown it away.")
    mailbox_id = ForeignKey(Mailbox, null=False, on_delete=OnDelete.cascade)
    conversation_id = ForeignKey(Conversation, null=True, default=None, on_delete=OnDelete.cascade, index=True)
    kept = JSONB(help_text="The rows of the draft, its files, links and invitation.")
    at = Timestamptz(default=TimestamptzNow())


class DraftDocument(Table, tablename="draft_documents"):
    """The shared document of a draft that is written together: a Yjs document, as what it was and what changed since.

    `position` grows with each change that is stored, under a lock on this row: it has no gaps.
    """

    id = BigSerial(primary_key=True)
    draft_id = ForeignKey(Draft, null=False, on_delete=OnDelete.cascade, unique=True)
    begun = Bytea(null=True, default=None, help_text="The first change: the draft as it stood then.")
    whole = Bytea(default=b"", help_text="Everything up to whole_position, as one change.")
    whole_position = BigInt(default=0)
    position = BigInt(default=0)
    written_position = BigInt(default=0, help_text="How far the draft itself says what the document says.")
    size = BigInt(default=0, help_text="Bytes of all that is kept.")


class DraftDocumentChange(Table, tablename="draft_document_changes"):
    id = BigSerial(primary_key=True)
    document_id = ForeignKey(DraftDocument, null=False, on_delete=OnDelete.cascade)
    position = BigInt()
    change = Bytea()


class Outgoing(Table, tablename="outgoing"):
    """A mail handed to the outbox: frozen at Send.

    `fence` grows with each claim by a sender, and when a person decides. `seen_*` say what of the conversation its
    writer knew: what came later may make it outdated.
    """

    id = BigSerial(primary_key=True)
    mailbox_id = ForeignKey(Mailbox, null=False, on_delete=OnDelete.cascade)
    conversation_id = ForeignKey(Conversation, null=False, on_delete=OnDelete.cascade, index=True)
    author_id = ForeignKey(User, null=False, on_delete=OnDelete.restrict)
    state = Text(index=True)
    message_id = Text(unique=True)
    envelope_from = Text()
    raw_digest = Text(help_text="The frozen bytes, in raw_messages.")
    recipients = JSONB(default="{}", help_text="to, cc, bcc as written")
    subject = Text()
    text = Text()
    html = Text(null=True, default=None, help_text="As it was written; None: plain text.")
    quoted = Boolean(default=False, help_text="The message answered followed the text.")
    signature = Text(default="none", help_text="Whose signature stood below the text.")
    kind = Text()
    answers_id = BigInt(null=True, default=None)
    seen_arrival = BigInt(default=0)
    seen_outgoing = BigInt(default=0)
    seen_at = Timestamptz(default=TimestamptzNow())
    then_done = Boolean(default=False)
    then_remind_at = Timestamptz(null=True, default=None, help_text="When its author is reminded, once it was sent.")
    then_remind_if_silent = Boolean(default=True)
    created_at = Timestamptz(default=TimestamptzNow())
    undo_until = Timestamptz(null=True, default=None)
    attempts = Integer(default=0)
    next_attempt_at = Timestamptz(null=True, default=None)
    claimed_until = Timestamptz(null=True, default=None)
    fence = BigInt(default=0)
    reason = Text()
    remedy = Text()
    server_words = Text()
    came = JSONB(default="[]", help_text="Of a held mail: where what came before it is found.")
    one_of = BigInt(null=True, default=None, help_text="Of mails to one person each: the first that was sent so.")
    written = JSONB(null=True, default=None, help_text="Of that first one: what was written, for all, with its fields.")
    sent_at = Timestamptz(null=True, default=None)
    sender = JSONB(default="{}", help_text="As whom it was written; what became of that stands in the bytes.")
    server_id = BigInt(null=True, default=None, help_text="What it leaves through. Null: as its mailbox sends.")
    sent_copy = Text(default="none", help_text="none, waiting or stored")


class OutgoingRecipient(Table, tablename="outgoing_recipients"):
    id = BigSerial(primary_key=True)
    outgoing_id = ForeignKey(Outgoing, null=False, on_delete=OnDelete.cascade, index=True)
    address = Text()
    state = Text(default="pending")
    reason = Text()


class ComposedAttachment(Table, tablename="composed_attachments"):
    """A file attached to a draft, then to the outgoing message that it became."""

    id = BigSerial(primary_key=True)
    draft_id = ForeignKey(Draft, null=True, default=None, on_delete=OnDelete.set_null, index=True)
    outgoing_id = ForeignKey(Outgoing, null=True, default=None, on_delete=OnDelete.cascade, index=True)
    filename = Text()
    content_type = Text()
    size = BigInt()
    digest = Text(help_text="SHA-256: its key in the blob store.")
    content_id = Text(default="", help_text="Of a picture in the text; else empty.")


class DraftCopy(Table, tablename="draft_copies"):
    """A message in an account's Drafts folder: a version of one of our drafts, or one that was looked at and is none.

    Rows of a draft that is gone, or has a newer copy, stay until their message has left the server.
    """

    id = BigSerial(primary_key=True)
    account_id = ForeignKey(MailAccount, null=False, on_delete=OnDelete.cascade, index=True)
    draft_id = BigInt(null=True, default=None, help_text="None: what stands there is no draft.")
    version = BigInt(default=0, help_text="Of the draft, when it was as the message says.")
    message_id = Text()
    content_digest = Text(help_text="sync/mime/digest.py")
    uid_validity = BigInt(default=0)
    uid = BigInt(null=True, default=None, help_text="None until it was seen, or told when it was put there.")
