"""Invitations that every calendar reads as they were meant, and answers as calendars of the world write them."""

import email
import email.policy
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from email.message import EmailMessage
from typing import Any
from zoneinfo import ZoneInfo, available_timezones

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from icalendar import Calendar

from sync.mime.build import Composition, build_message
from sync.mime.calendar import LARGEST_ANSWER, CalendarAnswer, Invitation, build_calendar, read_answer
from sync.mime.message import Address, Attachment
from sync.mime.parse import parse_message

ANA = Address("Ana Ruiz", "ana@northwind.example")
LENA = Address("Lena Köhler", "lena@customer.example")
BERLIN = ZoneInfo("Europe/Berlin")
DEMO = Invitation(
    method="request",
    uid="m1@northwind.example",
    sequence=0,
    title="A look at your gear hub",
    starts_at=datetime(2026, 12, 3, 10, tzinfo=BERLIN),
    minutes=45,
    organiser=ANA,
    attendees=(LENA,),
    stamped_at=datetime(2026, 11, 30, 12, tzinfo=UTC),
    url="https://meet.example/ana?room=1,2;3",
)
NAMES = st.text(st.characters(exclude_categories=("Cs", "Cc")), max_size=60)
ZONES = sorted(each for each in available_timezones() if "/" in each and not each.startswith(("Etc/", "posix")))


def event_in(content: str) -> Any:
    [event] = Calendar.from_ical(content).walk("VEVENT")
    return event


def test_the_mail_says_it_as_text_as_html_and_as_a_calendar_and_carries_it_as_a_file() -> None:
    written = build_calendar(DEMO)
    raw = build_message(
        Composition(
            message_id="m1@northwind.example",
            from_=ANA,
            to=(LENA,),
            subject="Your gear hub",
            date=datetime(2026, 11, 30, 12, tzinfo=UTC),
            text="Hello Lena",
            html="<p>Hello Lena</p>",
            calendar=("REQUEST", written),
            attachments=(Attachment(0, "invite.ics", "application/ics", None, False, written.encode()),),
        )
    )
    message = email.message_from_bytes(raw, policy=email.policy.default)
    assert [part.get_content_type() for part in message.walk()] == [
        "multipart/mixed",
        "multipart/alternative",
        "text/plain",
        "text/html",
        "text/calendar",
        "application/ics",
    ]
    *_, calendar, file = message.walk()
    assert (calendar.get_param("method"), calendar.get_content_charset()) == ("REQUEST", "utf-8")
    assert calendar.get_content_disposition() is None and file.get_filename() == "invite.ics"
    assert isinstance(calendar, EmailMessage) and isinstance(file, EmailMessage)
    assert calendar.get_content().split() == file.get_content().decode().split() == written.split()
    assert max(map(len, raw.split(b"\r\n"))) <= 998


def test_it_names_who_invites_and_who_is_invited() -> None:
    event = event_in(build_calendar(DEMO))
    assert str(event["organizer"]) == "mailto:ana@northwind.example"
    attendee = event["attendee"]
    assert str(attendee) == "mailto:lena@customer.example"
    assert attendee.params["CN"] == "Lena Köhler"
    assert attendee.params["PARTSTAT"] == "NEEDS-ACTION"
    assert attendee.params["RSVP"] == "TRUE"
    assert (str(event["uid"]), event["sequence"], str(event["status"])) == ("m1@northwind.example", 0, "CONFIRMED")
    assert str(event["location"]) == str(event["conference"]) == "https://meet.example/ana?room=1,2;3"


def test_calling_off_names_the_same_meeting() -> None:
    written = build_calendar(replace(DEMO, method="cancel", sequence=2))
    assert "\r\nMETHOD:CANCEL\r\n" in written
    event = event_in(written)
    assert (str(event["uid"]), event["sequence"], str(event["status"])) == ("m1@northwind.example", 2, "CANCELLED")


def offset_by(content: str, local: datetime) -> timedelta:
    """The offset at a local time as RFC 5545 section 3.6.5 has it read: the last observance that has begun."""
    zone: Any = Calendar.from_ical(content).walk("VTIMEZONE")[0]
    begun: list[Any] = [part for part in zone.subcomponents if part["dtstart"].dt <= local]
    return max(begun, key=lambda part: part["dtstart"].dt)["tzoffsetto"].td


@settings(max_examples=50)
@given(
    zone=st.sampled_from(ZONES),
    moment=st.datetimes(datetime(2026, 1, 1), datetime(2035, 12, 31)),
    minutes=st.integers(1, 10_000),
    title=NAMES,
    name=NAMES,
)
def test_any_time_in_any_zone_is_read_back(zone: str, moment: datetime, minutes: int, title: str, name: str) -> None:
    start = moment.replace(microsecond=0, tzinfo=UTC).astimezone(ZoneInfo(zone))
    invitation = replace(DEMO, title=title, starts_at=start, minutes=minutes, attendees=(Address(name, "a@b.example"),))
    written = build_calendar(invitation)
    event = event_in(written)
    assert all(len(line.encode()) <= 75 for line in written.split("\r\n"))
    assert str(event["summary"]) == " ".join(title.split()) or str(event["summary"]).strip() == title.strip()
    if start.fold:  # the second time that the clocks show it cannot be said in local time
        return
    for name_, wanted in (("dtstart", start), ("dtend", start.astimezone(UTC) + timedelta(minutes=minutes))):
        local = event[name_].dt
        if wanted.astimezone(ZoneInfo(zone)).fold:
            continue
        assert local.astimezone(UTC) == wanted.astimezone(UTC)
        if "VTIMEZONE" in written:
            assert offset_by(written, local.replace(tzinfo=None)) == local.utcoffset()


def test_a_meeting_over_the_night_in_which_the_clocks_change_lasts_as_long_as_was_said() -> None:
    event = event_in(build_calendar(replace(DEMO, starts_at=datetime(2027, 3, 28, 1, 30, tzinfo=BERLIN), minutes=60)))
    assert event["dtend"].dt.replace(tzinfo=None) == datetime(2027, 3, 28, 3, 30)


def test_each_change_of_the_clocks_begins_by_the_clocks_before_it() -> None:
    written = build_calendar(DEMO)
    assert "BEGIN:DAYLIGHT\r\nDTSTART:20270328T020000\r\n" in written
    assert "BEGIN:STANDARD\r\nDTSTART:20261025T030000\r\n" in written


# ---- answers

GOOGLE = """BEGIN:VCALENDAR
PRODID:-//Google Inc//Google Calendar 70.9054//EN
VERSION:2.0
CALSCALE:GREGORIAN
METHOD:REPLY
BEGIN:VTIMEZONE
TZID:Europe/Berlin
BEGIN:STANDARD
TZOFFSETFROM:+0200
TZOFFSETTO:+0100
TZNAME:GMT+1
DTSTART:19701025T030000
RRULE:FREQ=YEARLY;BYMONTH=10;BYDAY=-1SU
END:STANDARD
END:VTIMEZONE
BEGIN:VEVENT
DTSTART;TZID=Europe/Berlin:20261203T100000
DTEND;TZID=Europe/Berlin:20261203T104500
DTSTAMP:20261130T130501Z
ORGANIZER;CN=Ana Ruiz:mailto:ana@northwind.example
UID:m1@northwind.example
ATTENDEE;CUTYPE=INDIVIDUAL;ROLE=REQ-PARTICIPANT;PARTSTAT=ACCEPTED;CN=lena@c
 ustomer.example;X-NUM-GUESTS=0:mailto:Lena@customer.example
CREATED:20261130T120000Z
LAST-MODIFIED:20261130T130500Z
LOCATION:
SEQUENCE:0
STATUS:CONFIRMED
SUMMARY:A look at your gear hub
TRANSP:OPAQUE
END:VEVENT
END:VCALENDAR
"""
OUTLOOK = """BEGIN:VCALENDAR
METHOD:REPLY
PRODID:Microsoft Exchange Server 2010
VERSION:2.0
BEGIN:VTIMEZONE
TZID:W. Europe Standard Time
BEGIN:STANDARD
DTSTART:16010101T030000
TZOFFSETFROM:+0200
TZOFFSETTO:+0100
RRULE:FREQ=YEARLY;INTERVAL=1;BYDAY=-1SU;BYMONTH=10
END:STANDARD
BEGIN:DAYLIGHT
DTSTART:16010101T020000
TZOFFSETFROM:+0100
TZOFFSETTO:+0200
RRULE:FREQ=YEARLY;INTERVAL=1;BYDAY=-1SU;BYMONTH=3
END:DAYLIGHT
END:VTIMEZONE
BEGIN:VEVENT
ATTENDEE;PARTSTAT=DECLINED;CN=Lena Köhler:mailto:lena@customer.example
COMMENT;LANGUAGE=de-DE:That day I am away\\, sorry.\\n
UID:m1@northwind.example
SUMMARY;LANGUAGE=de-DE:Abgelehnt: A look at your gear hub
DTSTART;TZID=W. Europe Standard Time:20261203T100000
DTEND;TZID=W. Europe Standard Time:20261203T104500
CLASS:PUBLIC
PRIORITY:5
DTSTAMP:20261130T140000Z
TRANSP:OPAQUE
STATUS:CONFIRMED
SEQUENCE:1
LOCATION;LANGUAGE=de-DE:
X-MICROSOFT-CDO-APPT-SEQUENCE:1
X-MICROSOFT-CDO-BUSYSTATUS:BUSY
X-MICROSOFT-DISALLOW-COUNTER:FALSE
END:VEVENT
END:VCALENDAR
"""
APPLE = """BEGIN:VCALENDAR
CALSCALE:GREGORIAN
METHOD:REPLY
PRODID:-//Apple Inc.//macOS 15.1//EN
VERSION:2.0
BEGIN:VEVENT
ATTENDEE;CN="Lena Köhler";CUTYPE=INDIVIDUAL;EMAIL="lena@customer.example";P
 ARTSTAT=TENTATIVE:mailto:lena@customer.example
DTEND:20261203T094500Z
DTSTAMP:20261130T150000Z
DTSTART:20261203T090000Z
ORGANIZER;CN="Ana Ruiz":mailto:ana@northwind.example
SEQUENCE:0
SUMMARY:A look at your gear hub
UID:m1@northwind.example
END:VEVENT
END:VCALENDAR
"""
COUNTER = (
    OUTLOOK.replace("METHOD:REPLY", "METHOD:COUNTER")
    .replace("PARTSTAT=DECLINED", "PARTSTAT=TENTATIVE")
    .replace("20261203T100000", "20261204T110000")
    .replace("20261203T104500", "20261204T114500")
)


def answered(calendar: str, *, sender: str = "Lena <lena@customer.example>", content_type: str = "") -> bytes:
    """A mail with this answer in it, as base64 and as an alternative, which is how most of them come."""
    mail = EmailMessage(policy=email.policy.SMTP)
    mail["From"], mail["To"], mail["Subject"] = sender, "ana@northwind.example", "Accepted: A look"
    mail["Message-ID"] = "<answer@customer.example>"
    mail.set_content("Lena has answered.")
    content = calendar.replace("\n", "\r\n").encode()
    if content_type:
        main, _, sub = content_type.partition("/")
        mail.add_attachment(content, maintype=main, subtype=sub, filename="invite.ics")
    else:
        mail.add_alternative(content, "text", "calendar", params={"method": "REPLY", "charset": "utf-8"})
    return bytes(mail)


def read(calendar: str, **how: str) -> CalendarAnswer | None:
    return read_answer(parse_message(answered(calendar, **how)))


@pytest.mark.parametrize(
    ("calendar", "answer", "comment", "sequence"),
    [
        (GOOGLE, "accepted", "", 0),
        (OUTLOOK, "declined", "That day I am away, sorry.", 1),
        (APPLE, "tentative", "", 0),
    ],
    ids=["google", "outlook", "apple"],
)
def test_answers_of_the_great_calendars(calendar: str, answer: str, comment: str, sequence: int) -> None:
    found = read(calendar)
    assert found is not None
    assert (found.uid, found.attendee) == ("m1@northwind.example", "lena@customer.example")
    assert (found.answer, found.comment, found.sequence) == (answer, comment, sequence)
    assert found.stamped_at.date() == datetime(2026, 11, 30).date() and found.proposed is None


def test_an_answer_that_comes_as_a_file_alone() -> None:
    found = read(GOOGLE, content_type="application/ics")
    assert found is not None and found.bare


def test_another_time_that_somebody_would_rather_have() -> None:
    found = read(COUNTER)
    assert found is not None and not found.bare
    assert found.proposed == (datetime(2026, 12, 4, 10, tzinfo=UTC), datetime(2026, 12, 4, 10, 45, tzinfo=UTC))


@pytest.mark.parametrize(
    "calendar",
    [
        GOOGLE.replace("METHOD:REPLY", "METHOD:REQUEST"),
        GOOGLE.replace("PARTSTAT=ACCEPTED", "PARTSTAT=NEEDS-ACTION"),
        GOOGLE.replace("UID:m1@northwind.example\n", ""),
        GOOGLE.replace("UID:m1", "UID:" + "m" * 600),
        GOOGLE.replace("mailto:Lena@customer.example", "tel:+491234"),
        GOOGLE.replace("SEQUENCE:0", "SEQUENCE:x"),
        GOOGLE.replace("SEQUENCE:0", "SEQUENCE:0\nRRULE:FREQ=SECONDLY"),
        GOOGLE.replace("BEGIN:VEVENT", "BEGIN:VEVENT\nBEGIN:VEVENT"),
        GOOGLE.replace("STATUS:CONFIRMED", "COMMENT:" + "x" * LARGEST_ANSWER),
        GOOGLE.replace("STATUS:CONFIRMED", "X-A:b\n" * 2_000 + "STATUS:CONFIRMED"),
        GOOGLE.replace("STATUS:CONFIRMED", "ATTENDEE;PARTSTAT=ACCEPTED:mailto:other@customer.example"),
        COUNTER.replace("20261204T114500", "20261204T104500"),
        "BEGIN:VCALENDAR\nMETHOD:REPLY\nBEGIN:VEVENT\n",
        "METHOD:REPLY\nBEGIN:VEVENT\nEND:VCALENDAR",
    ],
)
def test_what_is_no_answer_stays_a_file(calendar: str) -> None:
    assert read(calendar) is None


@given(st.text(st.sampled_from('BEGINVCALENDRTMHO:;="\r\n\\,PS20261203T é'), max_size=300), st.integers(0, 900))
def test_nothing_that_a_stranger_writes_breaks_the_reading(noise: str, at: int) -> None:
    read(GOOGLE[:at] + noise + GOOGLE[at:])
