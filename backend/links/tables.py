"""Saved links: addresses of the web that a team puts into its mails again and again."""

from piccolo.columns import BigInt, BigSerial, Text, Timestamptz
from piccolo.columns.defaults import TimestamptzNow
from piccolo.table import Table


class SavedLink(Table, tablename="saved_links"):
    id = BigSerial(primary_key=True)
    kind = Text(help_text="LinkKind of contracts.py.")
    name = Text()
    url = Text(help_text="With merge fields behind its host.")
    uses = BigInt(default=0)
    version = BigInt(default=1)
    updated_at = Timestamptz(default=TimestamptzNow())
