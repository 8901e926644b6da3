"""Domains that mail is from, and what their DNS was last found to say of that."""

from piccolo.columns import JSONB, BigSerial, Text, Timestamptz
from piccolo.table import Table


class SendingDomain(Table, tablename="sending_domains"):
    """A domain of a mailbox's or an identity's address. Workers look it up once a day, and when an admin asks."""

    id = BigSerial(primary_key=True)
    name = Text(unique=True, help_text="Lower case.")
    found = JSONB(default="[]", help_text="A list of DomainRecord of contracts.py.")
    asked_at = Timestamptz(null=True, default=None, help_text="When an admin last wanted to know.")
    looked_at = Timestamptz(null=True, default=None, help_text="When it was last looked up, whatever came of it.")
