"""Addresses that mail is from, and whether somebody said that they are theirs."""

from piccolo.columns import BigInt, BigSerial, Text, Timestamptz
from piccolo.columns.defaults import TimestamptzNow
from piccolo.table import Table


class UsedAddress(Table, tablename="used_addresses"):
    """An address in use as From, Reply-to, SMTP user name or a person's own. Where it is used stands in the view
    `address_uses`; however often that is, it is asked about once.
    """

    id = BigSerial(primary_key=True)
    address = Text(unique=True, help_text="Lower case.")
    verified_at = Timestamptz(null=True, default=None)
    verified_by = Text(help_text="link: somebody followed it; account: its mailbox is read here.")
    asked_at = Timestamptz(null=True, default=None, help_text="When the link was last sent.")
    created_at = Timestamptz(default=TimestamptzNow())
    noted_by = BigInt(null=True, default=None, help_text="Whose single mail brought it into use, as its Reply-to.")
