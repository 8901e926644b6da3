"""Mail accounts, their folders, and how far each has been fetched."""

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

from backend.mailboxes.tables import Mailbox


class MailAccount(Table, tablename="mail_accounts"):
    """Credentials at a mail server. `fence` grows with each new lease holder: older ones can write no more."""

    id = BigSerial(primary_key=True)
    mailbox_id = ForeignKey(Mailbox, null=False, on_delete=OnDelete.cascade, unique=True)
    address = Text()
    username = Text()
    imap_host = Text()
    imap_port = Integer()
    imap_security = Text()
    smtp_host = Text()
    smtp_port = Integer()
    smtp_security = Text()
    smtp_username = Text()
    credentials = Bytea(help_text="Encrypted with the key outside the database.")
    state = JSONB(default="{}")
    connected_at = Timestamptz(default=TimestamptzNow())
    sign_in = Text(default="password", help_text="password, oauth:google or oauth:microsoft")
    paused_at = Timestamptz(null=True, default=None, help_text="A person stopped it; nobody watches it.")
    history_from = Timestamptz(null=True, default=None, help_text="Older mail is not fetched. Null: everything is.")
    done_to = Text(default="archive", help_text="Where done mail goes on the server: archive, done or stay.")
    lease_holder = Text()
    lease_until = Timestamptz(default=TimestamptzNow())
    fence = BigInt(default=0)


class Folder(Table, tablename="folders"):
    id = BigSerial(primary_key=True)
    account_id = ForeignKey(MailAccount, null=False, on_delete=OnDelete.cascade)
    name = Text()
    role = Text()
    title = Text()
    selectable = Boolean(default=True)
    chosen = Boolean(default=True, help_text="Whether it is fetched.")
    object_id = Text(help_text="MAILBOXID (RFC 8474): the same folder under another name.")
    server_messages = Integer(default=0, help_text="Messages that the server last told of.")
    server_bytes = BigInt(default=0)
    census = JSONB(default="{}", help_text="What the last count of the server against the store found.")
    refused = JSONB(default="{}", help_text="Why the server does not let us read it, since when, and the next try.")
    gathers = Text(help_text="It shows mail of other folders: all, or some (then it is not fetched).")
    uid_validity = BigInt(default=0)
    highest_uid = BigInt(default=0)
    lowest_uid = BigInt(default=0)
    highest_modseq = BigInt(default=0)
    history_below = BigInt(default=0, help_text="UIDNEXT when connected: below it is history.")
    backfill_done = Boolean(default=False)
    since = Timestamptz(null=True, default=None, help_text="history_from under which its history was listed.")


class OAuthRequest(Table, tablename="oauth_requests"):
    """A person who went to their provider to agree, and is expected back. Deleted after an hour.

    `request` is encrypted like credentials: the PKCE verifier, the mailbox, and what is to be connected.
    """

    id = BigSerial(primary_key=True)
    state_digest = Text(unique=True, help_text="SHA-256 of the state that comes back.")
    user_id = BigInt()
    mailbox_id = ForeignKey(Mailbox, null=False, on_delete=OnDelete.cascade)
    request = Bytea()
    created_at = Timestamptz(default=TimestamptzNow())


class ConnectionAttempt(Table, tablename="connection_attempts"):
    """Servers that a worker is to try for a person who waits. Deleted after an hour.

    `request` is encrypted with the key outside the database, like the credentials that it holds, and emptied once
    it was tried; `outcome` is the list of checks.
    """

    id = BigSerial(primary_key=True)
    mailbox_id = ForeignKey(Mailbox, null=False, on_delete=OnDelete.cascade)
    request = Bytea()
    outcome = JSONB(null=True, default=None)
    created_at = Timestamptz(default=TimestamptzNow())
    finished_at = Timestamptz(null=True, default=None)
