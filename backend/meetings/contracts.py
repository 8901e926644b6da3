"""Meetings as they cross the wire."""

import datetime as dt
from typing import Literal

from backend.contracts import Contract
from backend.mail.contracts import MailAddress

Method = Literal["request", "cancel"]
Answer = Literal["none", "accepted", "declined", "tentative"]


class MeetingDetails(Contract):
    """What is arranged. `day` and `start` are of the clocks in `zone`, a name of the IANA database. `url` is where one
    meets on the net, `place` where else."""

    title: str
    day: dt.date
    start: dt.time
    minutes: int
    zone: str
    place: str = ""
    url: str = ""
    notes: str = ""


class DraftMeeting(Contract):
    """That a draft invites to a meeting, or calls one off. `invited`: people know of it already."""

    meeting_id: int
    method: Method
    details: MeetingDetails
    invited: bool = False


class Attendee(Contract):
    """Somebody who was invited, in To or Cc. `answer` is to the newest mail that they got of it; `proposed_start` and
    `proposed_end`: when they would rather meet."""

    name: str
    address: str
    answer: Answer
    comment: str = ""
    proposed_start: dt.datetime | None = None
    proposed_end: dt.datetime | None = None


class Meeting(Contract):
    """A meeting as the newest mail that tells of it says. Which mails do: `MessageItem.meeting_id`."""

    id: int
    details: MeetingDetails
    starts_at: dt.datetime
    ends_at: dt.datetime
    sequence: int
    cancelled: bool
    organiser: MailAddress
    attendees: list[Attendee]


class BeginMeetingMail(Contract):
    """With a new time or place (`request`), or that it is called off (`cancel`). `proposal_of` is the address of
    somebody whose proposed time it is to have."""

    method: Method
    proposal_of: str = ""
