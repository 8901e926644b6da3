"""Identities: as whom mail may be sent, beside each mailbox's own address."""

from piccolo.columns import BigSerial, ForeignKey, Text, Timestamptz
from piccolo.columns.base import OnDelete
from piccolo.columns.defaults import TimestamptzNow
from piccolo.table import Table

from backend.mailboxes.tables import Mailbox
from backend.outgoing_servers.tables import OutgoingServer


class Identity(Table, tablename="identities"):
    """A From name and address: of a group mailbox, or (no mailbox) of the organisation, for all group mailboxes."""

    id = BigSerial(primary_key=True)
    mailbox_id = ForeignKey(Mailbox, null=True, default=None, on_delete=OnDelete.cascade, index=True)
    server_id = ForeignKey(OutgoingServer, null=True, default=None, on_delete=OnDelete.set_null, index=True)
    name = Text()
    address = Text(help_text="Lower case.")
    reply_to = Text(help_text="Where answers go; empty: to the address itself.")
    created_at = Timestamptz(default=TimestamptzNow())
