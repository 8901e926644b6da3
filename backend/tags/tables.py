"""Tags: words with a colour that a team puts on conversations."""

from piccolo.columns import BigSerial, Integer, Text, Timestamptz
from piccolo.columns.defaults import TimestamptzNow
from piccolo.table import Table


class Tag(Table, tablename="tags"):
    """The organisation's. Conversations hold the ids (`Conversation.tag_ids`); one that is gone means nothing there."""

    id = BigSerial(primary_key=True)
    name = Text()
    colour = Integer(default=0)
    keyword = Text(help_text="What it is called on mail servers: an IMAP keyword (RFC 9051 section 2.3.2), or empty.")
    created_at = Timestamptz(default=TimestamptzNow())
