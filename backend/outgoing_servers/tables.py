"""Outgoing servers: what mail leaves through."""

from piccolo.columns import JSONB, BigInt, BigSerial, Boolean, Bytea, ForeignKey, Integer, Text, Timestamptz
from piccolo.columns.base import OnDelete
from piccolo.columns.defaults import TimestamptzNow
from piccolo.table import Table

from backend.accounts.tables import MailAccount


class OutgoingServer(Table, tablename="outgoing_servers"):
    """A submission server. With `account_id` it is that mail account's own SMTP: where it is and how one signs in
    there stands with the account, and a trigger of the database gives every account such a row.
    """

    id = BigSerial(primary_key=True)
    account_id = ForeignKey(MailAccount, null=True, default=None, on_delete=OnDelete.cascade, unique=True)
    name = Text()
    host = Text()
    port = Integer(default=587)
    security = Text(default="starttls")
    username = Text()
    credentials = Bytea(help_text="Encrypted with the key outside the database.")
    for_all = Boolean(default=False, help_text="Mailboxes without an account of their own send through it.")
    state = JSONB(default="{}", help_text="ServerHealth of contracts.py: what was last heard of it.")
    size_limit = BigInt(null=True, default=None, help_text="Bytes of a mail that it takes, as it last said (RFC 1870).")
    per_minute = Integer(default=0, help_text="Mails that may leave through it in a minute; 0: as fast as it goes.")
    paced_until = Timestamptz(null=True, default=None, help_text="When the next one may, where that is limited.")
    created_at = Timestamptz(default=TimestamptzNow())


class ServerTest(Table, tablename="outgoing_server_tests"):
    """A test mail that an admin waits for. Deleted with the answer."""

    id = BigSerial(primary_key=True)
    server_id = ForeignKey(OutgoingServer, null=False, on_delete=OnDelete.cascade)
    asked_by = BigInt()
    outcome = JSONB(null=True, default=None)
    created_at = Timestamptz(default=TimestamptzNow())
