"""Meetings, the mails that tell of them, and what was answered."""

from piccolo.columns import JSONB, BigSerial, ForeignKey, Integer, Text, Timestamptz
from piccolo.columns.base import OnDelete
from piccolo.columns.defaults import TimestamptzNow
from piccolo.table import Table

from backend.compose.tables import Draft, Outgoing


class Meeting(Table, tablename="meetings"):
    """`uid` is fixed when the first invitation is sent: it is the Message-ID of that mail, so that answers, which name
    the one, find the conversation of the other."""

    id = BigSerial(primary_key=True)
    uid = Text(null=True, default=None, unique=True)
    created_at = Timestamptz(default=TimestamptzNow())


class MeetingMail(Table, tablename="meeting_mails"):
    """An invitation, a change or a cancellation: in a draft, then in the mail or the mails that this became."""

    id = BigSerial(primary_key=True)
    meeting_id = ForeignKey(Meeting, null=False, on_delete=OnDelete.cascade, index=True)
    draft_id = ForeignKey(Draft, null=True, default=None, on_delete=OnDelete.cascade, unique=True)
    outgoing_id = ForeignKey(Outgoing, null=True, default=None, on_delete=OnDelete.cascade, unique=True)
    method = Text(help_text="request or cancel")
    sequence = Integer(default=0, help_text="Of a mail; a draft gets its number at Send.")
    details = JSONB(help_text="MeetingDetails of contracts.py")


class MeetingAnswer(Table, tablename="meeting_answers"):
    """The newest answer of one person to one meeting; (meeting, address) is unique, in SQL."""

    id = BigSerial(primary_key=True)
    meeting_id = ForeignKey(Meeting, null=False, on_delete=OnDelete.cascade)
    address = Text(help_text="In lower case.")
    answer = Text(help_text="accepted, declined or tentative")
    comment = Text()
    sequence = Integer(default=0, help_text="To which of its mails they answered.")
    stamped_at = Timestamptz(help_text="When they answered, by their own clock: the later one counts.")
    proposed_start = Timestamptz(null=True, default=None)
    proposed_end = Timestamptz(null=True, default=None)
