"""Reading meetings. What takes an id alone is unscoped: callers have passed backend/access first."""

from collections.abc import Collection, Sequence
from datetime import UTC, datetime, timedelta
from typing import NamedTuple
from zoneinfo import ZoneInfo

import msgspec

from backend.database.connection import Row, fetch, fetch_row
from backend.errors import NotFound
from backend.mail.contracts import MailAddress
from backend.meetings.contracts import Attendee, DraftMeeting, Meeting, MeetingDetails, Method

details_of = msgspec.json.Decoder(MeetingDetails).decode


class Planned(NamedTuple):
    """What a draft is to tell of a meeting. `uid` is None until anybody was told."""

    meeting_id: int
    uid: str | None
    method: Method
    sequence: int
    details: MeetingDetails


class _Recipients(msgspec.Struct):
    to: list[MailAddress] = []
    cc: list[MailAddress] = []


_recipients = msgspec.json.Decoder(_Recipients)

STANDING = "o.state <> 'cancelled'"
"""SQL: the mail `o` was not taken back before anybody got it."""

_MAILS = (
    "SELECT l.meeting_id, l.method, l.sequence, l.details, o.recipients, o.conversation_id, o.envelope_from, "
    "o.message_id, o.id AS outgoing_id FROM meeting_mails l JOIN outgoing o ON o.id = l.outgoing_id "
    f"AND {STANDING} "
)


def span_of(details: MeetingDetails) -> tuple[datetime, datetime]:
    """When it begins, by the clocks of its zone, and when it ends. An hour that the clocks leave out is the next."""
    zone = ZoneInfo(details.zone)
    start = datetime.combine(details.day, details.start, tzinfo=zone).astimezone(UTC)
    return start.astimezone(zone), (start + timedelta(minutes=details.minutes)).astimezone(zone)


async def planned_in(draft_id: int) -> Planned | None:
    """What a draft tells of a meeting, with the number that it would get if it were sent now."""
    record = await fetch_row(
        "SELECT d.meeting_id, m.uid, d.method, d.details, (SELECT coalesce(max(l.sequence) + 1, 0) "
        "FROM meeting_mails l JOIN outgoing o ON o.id = l.outgoing_id "
        f"WHERE l.meeting_id = d.meeting_id AND {STANDING}) AS sequence "
        "FROM meeting_mails d JOIN meetings m ON m.id = d.meeting_id WHERE d.draft_id = $1",
        draft_id,
    )
    if record is None:
        return None
    return Planned(
        record["meeting_id"], record["uid"], record["method"], record["sequence"], details_of(record["details"])
    )


async def meetings_of_drafts(draft_ids: Collection[int]) -> dict[int, DraftMeeting]:
    """The meetings that these drafts tell of, by the draft."""
    records = await fetch(
        "SELECT d.draft_id, d.meeting_id, d.method, d.details, EXISTS (SELECT 1 FROM meeting_mails l "
        f"JOIN outgoing o ON o.id = l.outgoing_id WHERE l.meeting_id = d.meeting_id AND {STANDING}) AS invited "
        "FROM meeting_mails d WHERE d.draft_id = ANY($1)",
        list(draft_ids),
    )
    return {
        record["draft_id"]: DraftMeeting(
            meeting_id=record["meeting_id"],
            method=record["method"],
            details=details_of(record["details"]),
            invited=record["invited"],
        )
        for record in records
    }


async def meetings_of(conversation_id: int) -> list[Meeting]:
    """The meetings that mails of the conversation tell of, the oldest first."""
    mails = await fetch(
        f"{_MAILS} WHERE l.meeting_id IN (SELECT k.meeting_id FROM meeting_mails k JOIN outgoing s "
        "ON s.id = k.outgoing_id WHERE s.conversation_id = $1) ORDER BY l.meeting_id, l.sequence, l.id",
        conversation_id,
    )
    told = {record["meeting_id"] for record in mails if record["conversation_id"] == conversation_id}
    return await _meetings([record for record in mails if record["meeting_id"] in told])


async def find_meeting(conversation_id: int, meeting_id: int) -> Meeting | None:
    """The meeting, if a mail of the conversation tells of it and was not taken back."""
    return next((each for each in await meetings_of(conversation_id) if each.id == meeting_id), None)


async def read_meeting(conversation_id: int, meeting_id: int) -> Meeting:
    """The same. Raises NotFound."""
    found = await find_meeting(conversation_id, meeting_id)
    if found is None:
        raise NotFound("No mail of this conversation tells of such a meeting.", "Look at the conversation again.")
    return found


async def _meetings(mails: Sequence[Row]) -> list[Meeting]:
    """Out of all mails of each, in their order."""
    by_meeting: dict[int, list[Row]] = {}
    for record in mails:
        by_meeting.setdefault(record["meeting_id"], []).append(record)
    answers: dict[int, dict[str, Row]] = {}
    for record in await fetch("SELECT * FROM meeting_answers WHERE meeting_id = ANY($1)", list(by_meeting)):
        answers.setdefault(record["meeting_id"], {})[record["address"]] = record
    return [_meeting(number, told, answers.get(number, {})) for number, told in by_meeting.items()]


def _meeting(meeting_id: int, mails: Sequence[Row], answers: dict[str, Row]) -> Meeting:
    newest = mails[-1]
    details = details_of(newest["details"])
    start, end = span_of(details)
    return Meeting(
        id=meeting_id,
        details=details,
        starts_at=start.astimezone(UTC),
        ends_at=end.astimezone(UTC),
        sequence=newest["sequence"],
        cancelled=newest["method"] == "cancel",
        organiser=MailAddress(name="", address=newest["envelope_from"]),
        attendees=[
            _attendee(person, sequence, answers.get(person.address.lower()))
            for person, sequence in invited_by(mails).values()
        ],
    )


def invited_by(mails: Sequence[Row]) -> dict[str, tuple[MailAddress, int]]:
    """Whom these mails invite, by address in lower case, with the number of the newest that went to each."""
    found: dict[str, tuple[MailAddress, int]] = {}
    for record in mails:
        if record["method"] == "request":
            written = _recipients.decode(record["recipients"])
            found |= {person.address.lower(): (person, record["sequence"]) for person in (*written.to, *written.cc)}
    return found


def _attendee(person: MailAddress, sequence: int, answer: Row | None) -> Attendee:
    if answer is None or answer["sequence"] < sequence:
        return Attendee(name=person.name, address=person.address, answer="none")
    return Attendee(
        name=person.name,
        address=person.address,
        answer=answer["answer"],
        comment=answer["comment"],
        proposed_start=answer["proposed_start"],
        proposed_end=answer["proposed_end"],
    )


async def believed(mailbox_id: int, uids_and_senders: Collection[tuple[str, str]]) -> set[tuple[str, str]]:
    """Those of the pairs of a UID and an address where this mailbox has invited that person to that meeting."""
    uids = {uid for uid, _ in uids_and_senders}
    found: dict[str, list[Row]] = {}
    for record in await fetch(
        "SELECT m.uid, l.method, l.sequence, o.recipients FROM meetings m JOIN meeting_mails l ON l.meeting_id = m.id "
        f"JOIN outgoing o ON o.id = l.outgoing_id AND {STANDING} JOIN conversations c ON c.id = o.conversation_id "
        "WHERE m.uid = ANY($1) AND $2 IN (o.mailbox_id, c.mailbox_id)",
        list(uids),
        mailbox_id,
    ):
        found.setdefault(record["uid"], []).append(record)
    invited = {uid: invited_by(mails) for uid, mails in found.items()}
    return {(uid, sender) for uid, sender in uids_and_senders if sender in invited.get(uid, {})}
