"""Invitations and their answers: iTIP (RFC 5546) carried by mail (RFC 6047), one meeting in each.

Who organises writes a `REQUEST` or a `CANCEL`, those who are invited a `REPLY`, or a `COUNTER` with another time. What
comes is written by strangers: only a small calendar with one meeting and one person who answers is read, and of that
only what an answer needs.
"""

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any, Literal
from zoneinfo import ZoneInfo

from icalendar import (
    Calendar,
    Event,
    Timezone,
    TimezoneDaylight,
    TimezoneStandard,
    vCalAddress,
    vText,
    vUri,
)

from sync.mime.characters import clean_line, clean_text
from sync.mime.message import Address, ParsedMessage

AnswerKind = Literal["accepted", "declined", "tentative"]

LARGEST_ANSWER = 60_000
"""Bytes. One with a long mail quoted in it has 10,000."""
MOST_LINES = 1_500
LONGEST_UID = 500
LONGEST_COMMENT = 2_000
_AROUND = timedelta(days=400)
"""So much of a zone's time before and after the meeting is written down: more than a year of its changes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Invitation:
    """What is told of a meeting. `starts_at` is aware, in a zone of the IANA database; `stamped_at` when it is told."""

    method: Literal["request", "cancel"]
    uid: str
    sequence: int
    title: str
    starts_at: datetime
    minutes: int
    organiser: Address
    attendees: tuple[Address, ...]
    stamped_at: datetime
    place: str = ""
    url: str = ""
    notes: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class CalendarAnswer:
    """What somebody answers. `attendee` is their address in lower case; the proposed time is in UTC."""

    uid: str
    sequence: int
    attendee: str
    answer: AnswerKind
    comment: str
    stamped_at: datetime
    proposed: tuple[datetime, datetime] | None = None

    @property
    def bare(self) -> bool:
        """Yes, and nothing that anybody would have to read."""
        return self.answer == "accepted" and not self.comment and self.proposed is None


def build_calendar(invitation: Invitation) -> str:
    """The calendar of an invitation or a cancellation, with the clock changes around it."""
    calendar = Calendar()
    calendar.add("prodid", "-//Tandem//Team inbox//EN")
    calendar.add("version", "2.0")
    calendar.add("calscale", "GREGORIAN")
    calendar.add("method", invitation.method.upper())
    zone = invitation.starts_at.tzinfo
    assert isinstance(zone, ZoneInfo)
    if zone.key != "UTC":
        calendar.add_component(_timezone(zone, invitation.starts_at))
    calendar.add_component(_event(invitation))
    return calendar.to_ical().decode("utf-8")


def _event(invitation: Invitation) -> Event:
    event = Event()
    event.add("uid", invitation.uid)
    event.add("sequence", invitation.sequence)
    event.add("dtstamp", invitation.stamped_at.astimezone(UTC))
    event.add("dtstart", invitation.starts_at)
    event.add("dtend", _end(invitation))
    event.add("summary", clean_line(invitation.title))
    event.add("organizer", _person(invitation.organiser))
    for each in invitation.attendees:
        person = _person(each)
        person.params["CUTYPE"] = vText("INDIVIDUAL")
        person.params["ROLE"] = vText("REQ-PARTICIPANT")
        person.params["PARTSTAT"] = vText("NEEDS-ACTION")
        person.params["RSVP"] = vText("TRUE")
        event.add("attendee", person)
    where = ", ".join(filter(None, (clean_line(invitation.place), invitation.url)))
    if where:
        event.add("location", where)
    if invitation.url:
        address = vUri(invitation.url)
        address.params["VALUE"] = "URI"
        address.params["FEATURE"] = "VIDEO"
        event.add("conference", address)
    notes = "\n\n".join(filter(None, (clean_text(invitation.notes), invitation.url)))
    if notes:
        event.add("description", notes)
    event.add("status", "CANCELLED" if invitation.method == "cancel" else "CONFIRMED")
    event.add("transp", "OPAQUE")
    return event


def _end(invitation: Invitation) -> datetime:
    """So many minutes later, as time passes, also over a change of the clocks."""
    zone = invitation.starts_at.tzinfo
    return (invitation.starts_at.astimezone(UTC) + timedelta(minutes=invitation.minutes)).astimezone(zone)


def _person(person: Address) -> vCalAddress:
    address = vCalAddress(f"mailto:{person.address}")
    address.params["CN"] = vText(clean_line(person.name) or person.address)
    return address


def _timezone(zone: ZoneInfo, around: datetime) -> Timezone:
    """The zone as it is around that moment: each change of its clocks by itself, for none of them comes again here."""
    component = Timezone()
    component.add("tzid", zone.key)
    at = around.astimezone(UTC) - _AROUND
    end = around.astimezone(UTC) + _AROUND
    component.add_component(_observance(zone, at, None))
    while (change := _next_change(zone, at, end)) is not None:
        component.add_component(_observance(zone, change, at))
        at = change
    return component


def _observance(zone: ZoneInfo, at: datetime, before: datetime | None) -> TimezoneStandard | TimezoneDaylight:
    """What holds from a moment on; it begins by the clocks as they went `before` (RFC 5545 section 3.6.5)."""
    local = at.astimezone(zone)
    offset = local.utcoffset()
    earlier = before.astimezone(zone).utcoffset() if before is not None else offset
    assert offset is not None
    assert earlier is not None
    part = TimezoneDaylight() if local.dst() else TimezoneStandard()
    part.add("dtstart", (at + earlier).replace(tzinfo=None) if before is not None else datetime(1970, 1, 1))
    part.add("tzoffsetfrom", earlier)
    part.add("tzoffsetto", offset)
    part.add("tzname", local.tzname() or zone.key)
    return part


def _next_change(zone: ZoneInfo, after: datetime, end: datetime) -> datetime | None:
    """The second from which on the clocks of the zone go otherwise than `after`, up to `end`."""

    def goes(at: datetime) -> tuple[timedelta | None, timedelta | None]:
        local = at.astimezone(zone)
        return local.utcoffset(), local.dst()

    was = goes(after)
    at = after.replace(microsecond=0)
    while at < end:
        later = at + timedelta(days=3)  # no zone changes twice within
        if goes(later) != was:
            low, high = at, later
            while high - low > timedelta(seconds=1):
                middle = low + timedelta(seconds=(high - low) // timedelta(seconds=2))
                low, high = (middle, high) if goes(middle) == was else (low, middle)
            return high
        at = later
    return None


# ---- answers

_METHOD = re.compile(rb"^METHOD[ \t]*:[ \t]*(REPLY|COUNTER)[ \t]*\r?$", re.IGNORECASE | re.MULTILINE)
_EVENTS = re.compile(rb"^BEGIN:VEVENT[ \t]*\r?$", re.IGNORECASE | re.MULTILINE)
_KINDS: dict[str, AnswerKind] = {"ACCEPTED": "accepted", "DECLINED": "declined", "TENTATIVE": "tentative"}
_ADDRESS = re.compile(r"mailto:([^\s<>,;:\"]{1,250}@[^\s<>,;:\"]{1,250})\Z", re.IGNORECASE)


def read_answer(message: ParsedMessage) -> CalendarAnswer | None:
    """What the message answers to an invitation; None for any other mail. Never raises."""
    for each in message.attachments:
        if each.content_type in ("text/calendar", "application/ics"):
            found = _METHOD.search(each.content[:LARGEST_ANSWER])
            if found is None or len(each.content) > LARGEST_ANSWER or each.content.count(b"\n") > MOST_LINES:
                continue
            if len(_EVENTS.findall(each.content)) == 1:
                return _read(each.content, found[1].upper() == b"COUNTER")
    return None


def _read(content: bytes, counters: bool) -> CalendarAnswer | None:
    try:
        calendar = Calendar.from_ical(content.decode("utf-8", "replace"))
        event = next(each for each in calendar.subcomponents if each.name == "VEVENT")
        return _answer_in(event, counters)
    except (ValueError, KeyError, IndexError, TypeError, AttributeError, OverflowError, StopIteration, RecursionError):
        return None  # not a calendar that can be read: it stays a file of its mail


def _answer_in(event: Any, counters: bool) -> CalendarAnswer | None:
    people = event.get("attendee", [])
    people = people if isinstance(people, list) else [people]
    uid = str(event.get("uid", "")).strip()
    if len(people) != 1 or not 0 < len(uid) <= LONGEST_UID or "rrule" in event or "recurrence-id" in event:
        return None
    address = _ADDRESS.match(str(people[0]).strip())
    said = str(people[0].params.get("PARTSTAT", "")).upper()
    kind = _KINDS.get(said)
    if kind is None and counters:
        kind = "tentative"
    if address is None or kind is None:
        return None
    stamped = event.get("dtstamp")
    start, end = _moment(event.get("dtstart")), _moment(event.get("dtend"))
    if end is None and start is not None and event.get("duration") is not None:
        end = start + event["duration"].dt
    proposed = (start, end) if counters and start is not None and end is not None and start < end else None
    if counters and proposed is None:
        return None
    comments = event.get("comment", "")
    comments = comments if isinstance(comments, list) else [comments]
    return CalendarAnswer(
        uid=clean_line(uid),
        sequence=max(0, min(int(event.get("sequence", 0)), 2**31 - 1)),
        attendee=clean_line(address[1]).lower(),
        answer=kind,
        comment=clean_text("\n".join(str(each) for each in comments)).strip()[:LONGEST_COMMENT],
        stamped_at=_moment(stamped) or datetime(1970, 1, 1, tzinfo=UTC),
        proposed=proposed,
    )


def _moment(value: Any) -> datetime | None:
    """In UTC. A time without a zone, or a whole day, is taken as one of UTC."""
    if value is None:
        return None
    given = value.dt
    if not isinstance(given, datetime):
        if not isinstance(given, date):
            return None
        given = datetime(given.year, given.month, given.day)
    moment = given if given.tzinfo is not None else given.replace(tzinfo=UTC)
    return moment.astimezone(UTC)
