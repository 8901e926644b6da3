"""A meeting that mails of the conversation invite to: when, where, and what everybody has answered."""

from __future__ import annotations

from datetime import datetime
from typing import TypedDict
from zoneinfo import ZoneInfo

from backend.mail.contracts import MailAddress
from backend.meetings.contracts import Answer, Attendee, Meeting
from frontend.faces import Face, address_face, shown_name
from frontend.inbox.rows import Tag

ANSWERS: dict[Answer, tuple[str, str]] = {
    "accepted": ("accepted", "green"),
    "declined": ("declined", "red"),
    "tentative": ("perhaps", "amber"),
    "none": ("no answer yet", "grey"),
}


class AttendeeView(TypedDict):
    """`proposed`: when they would rather meet, in words."""

    face: Face
    who: str
    address: str
    answer: Tag
    comment: str
    proposed: str


class MeetingView(TypedDict):
    """`id` 0: there is none. `changeable`: the person may write to those who are invited."""

    id: int
    title: str
    when: str
    yours: str
    place: str
    url: str
    notes: str
    state: Tag
    attendees: list[AttendeeView]
    changeable: bool


NO_MEETING = MeetingView(
    id=0, title="", when="", yours="", place="", url="", notes="", state=Tag(text="", tone=""), attendees=[],
    changeable=False,
)  # fmt: skip


def span_words(start: datetime, end: datetime) -> str:
    """`Thu 3 December 2026, 10:00 to 10:45`, by the clocks of their zone."""
    until = f"{end:%H:%M}" if start.date() == end.date() else f"{_day(end)}, {end:%H:%M}"
    return f"{_day(start)}, {start:%H:%M} to {until}"


def _day(moment: datetime) -> str:
    return f"{moment:%a} {moment.day} {moment:%B %Y}"


def paint_meeting(meeting: Meeting, my_zone: str, *, changeable: bool) -> MeetingView:
    """Its times in its own zone, and in the person's where that shows others."""
    zone = ZoneInfo(meeting.details.zone)
    start, end = meeting.starts_at.astimezone(zone), meeting.ends_at.astimezone(zone)
    mine = meeting.starts_at.astimezone(ZoneInfo(my_zone))
    elsewhere = my_zone != "UTC" and mine.replace(tzinfo=None) != start.replace(tzinfo=None)
    return MeetingView(
        id=meeting.id,
        title=meeting.details.title,
        when=f"{span_words(start, end)} ({meeting.details.zone})",
        yours=f"{mine:%a} {mine:%H:%M} by your clock" if elsewhere else "",
        place=meeting.details.place,
        url=meeting.details.url,
        notes=meeting.details.notes,
        state=_state(meeting),
        attendees=[_attendee(each, zone) for each in meeting.attendees],
        changeable=changeable and not meeting.cancelled,
    )


def _state(meeting: Meeting) -> Tag:
    if meeting.cancelled:
        return Tag(text="Called off", tone="red")
    coming = sum(each.answer == "accepted" for each in meeting.attendees)
    if not coming:
        return Tag(text="Invited", tone="violet")
    everybody = len(meeting.attendees)
    return Tag(text="Accepted" if everybody == 1 else f"{coming} of {everybody} accepted", tone="green")


def _attendee(attendee: Attendee, zone: ZoneInfo) -> AttendeeView:
    person = MailAddress(name=attendee.name, address=attendee.address)
    words, tone = ANSWERS[attendee.answer]
    proposed = ""
    if attendee.proposed_start is not None and attendee.proposed_end is not None:
        proposed = span_words(attendee.proposed_start.astimezone(zone), attendee.proposed_end.astimezone(zone))
    return AttendeeView(
        face=address_face(person),
        who=shown_name(person),
        address=attendee.address,
        answer=Tag(text=words, tone=tone),
        comment=attendee.comment,
        proposed=proposed,
    )
