"""Meetings: invited to by mail, answered from calendars, changed and called off; seen by those who see the mail."""

import email
import email.policy
from datetime import UTC, date, datetime, time, timedelta
from email.message import EmailMessage
from email.utils import format_datetime
from typing import Any

import msgspec
import pytest
from icalendar import Calendar

from backend.compose.contracts import Draft, Outgoing, SendDraft
from backend.conversations.contracts import (
    SetReminder,
    SetStatus,
    SetVisibility,
)
from backend.database.connection import fetch
from backend.mail.contracts import MailAddress
from backend.meetings.answers import take_meeting_answer
from backend.meetings.contracts import BeginMeetingMail, Meeting, MeetingDetails
from backend.notifications.contracts import NotificationPage
from tests.servers.api import Member
from tests.servers.delivery import deliver
from tests.servers.sending import CUSTOMER, Desk

DAN = MailAddress(name="Dan", address="dan@customer.example")
DAY = datetime.now(UTC).date() + timedelta(days=30)
BIKE = MeetingDetails(
    title="A look at your bike",
    day=DAY,
    start=time(10),
    minutes=45,
    zone="Europe/Berlin",
    place="Workshop",
    url="https://meet.example/ana",
    notes="Bring the key.",
)


async def invited(desk: Desk, details: MeetingDetails = BIKE, *, leaves: bool = True, **fields: Any) -> Outgoing:
    """Ana invites the customer, and the mail leaves."""
    draft = await desk.new_draft(**fields)
    await desk.api.ana.put(f"/drafts/{draft.id}/meeting", details, Draft)
    outgoing = await desk.send(draft)
    if leaves:
        assert await desk.attempt(outgoing) == "sent"
    return outgoing


async def meeting_of(desk: Desk, outgoing: Outgoing, who: Member | None = None) -> Meeting:
    [meeting] = (await desk.detail(outgoing.conversation_id, who)).meetings
    return meeting


def calendar_in(raw: bytes) -> tuple[EmailMessage, Any]:
    """The calendar of a mail that was received, and its event."""
    message = email.message_from_bytes(raw, policy=email.policy.default)
    part = next(each for each in message.walk() if each.get_content_type() == "text/calendar")
    assert isinstance(part, EmailMessage)
    [event] = Calendar.from_ical(part.get_content()).walk("VEVENT")
    return part, event


def reply(
    uid: str,
    who: MailAddress = CUSTOMER,
    said: str = "ACCEPTED",
    *,
    sender: str = "",
    sequence: int = 0,
    minute: int = 0,
    more: str = "",
    method: str = "REPLY",
    start: str = "20270101T090000Z",
    end: str = "20270101T094500Z",
    headers: str = "",
) -> bytes:
    """An answer as a calendar sends it: with a text of its own, and without naming the mail that it answers."""
    moment = f"20261130T12{minute:02}00Z"
    return (
        f"From: {who.name} <{sender or who.address}>\r\nTo: support@northwind.example\r\n"
        f"Subject: {said}: A look at your bike\r\n"
        f"Date: {format_datetime(datetime.now(UTC))}\r\nMessage-ID: <{said}.{sequence}.{minute}.{who.address}>\r\n"
        f"{headers}MIME-Version: 1.0\r\n"
        'Content-Type: multipart/alternative; boundary="b"\r\n\r\n'
        f"--b\r\nContent-Type: text/plain\r\n\r\n{who.name} has answered this invitation.\r\n"
        f"--b\r\nContent-Type: text/calendar; charset=utf-8; method={method}\r\n\r\n"
        f"BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//a calendar//EN\r\nMETHOD:{method}\r\nBEGIN:VEVENT\r\n"
        f"UID:{uid}\r\nDTSTAMP:{moment}\r\nDTSTART:{start}\r\nDTEND:{end}\r\n"
        f"SEQUENCE:{sequence}\r\n{more}ATTENDEE;PARTSTAT={said}:mailto:{who.address}\r\n"
        "END:VEVENT\r\nEND:VCALENDAR\r\n--b--\r\n"
    ).encode()


async def answer_comes(desk: Desk, raw: bytes, mailbox_id: int | None = None) -> int:
    """It arrives, and the job that it makes runs; answers its conversation."""
    conversation_id = await deliver(mailbox_id or desk.api.support, raw)
    newest = await fetch("SELECT max(id) AS id FROM messages")
    await take_meeting_answer(newest[0]["id"])
    return conversation_id


# ---- inviting


async def test_the_mail_that_arrives_is_an_invitation(desk: Desk) -> None:
    outgoing = await invited(desk, cc=[DAN])
    part, event = calendar_in(desk.smtp.messages[-1].raw)
    assert part.get_param("method") == "REQUEST"
    assert (str(event["uid"]), event["sequence"]) == (outgoing.message_id, 0)
    assert str(event["organizer"]) == "mailto:support@northwind.example"
    assert [str(each) for each in event["attendee"]] == [f"mailto:{CUSTOMER.address}", f"mailto:{DAN.address}"]
    assert (str(event["summary"]), str(event["location"])) == (BIKE.title, "Workshop, https://meet.example/ana")
    assert event["dtstart"].dt.isoformat().startswith(f"{DAY}T10:00:00+0")
    assert event["dtend"].dt - event["dtstart"].dt == timedelta(minutes=45)
    message = email.message_from_bytes(desk.smtp.messages[-1].raw, policy=email.policy.default)
    assert [each.get_filename() for each in message.iter_attachments()] == ["invite.ics"]


async def test_who_sees_no_calendar_reads_it_in_the_text(desk: Desk) -> None:
    await invited(desk)
    message = email.message_from_bytes(desk.smtp.messages[-1].raw, policy=email.policy.default)
    body = message.get_body(("plain",))
    assert body is not None
    text = body.get_content().replace("\r\n", "\n")
    assert text.startswith("Hello Carla.\n\nA look at your bike\nWhen: ")
    assert "10:00 to 10:45 (Europe/Berlin)\nWhere: Workshop\nLink: https://meet.example/ana\n\nBring the key." in text


async def test_it_stays_in_the_draft_and_can_be_changed_and_taken_off(desk: Desk) -> None:
    draft = await desk.new_draft()
    path = f"/drafts/{draft.id}/meeting"
    stored = await desk.api.ana.put(path, BIKE, Draft)
    assert stored.meeting is not None and stored.meeting.details == BIKE and not stored.meeting.invited
    assert stored.version == draft.version  # who is typing goes on
    later = await desk.api.ana.put(path, msgspec.structs.replace(BIKE, minutes=60), Draft)
    assert later.meeting is not None and later.meeting.details.minutes == 60
    assert later.meeting.meeting_id == stored.meeting.meeting_id
    assert (await desk.api.ana.request("DELETE", path)).json()["meeting"] is None


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"title": " "}, "title"),
        ({"minutes": 0}, "minutes"),
        ({"zone": "Europe/Nowhere"}, "time_zone"),
        ({"url": "javascript:alert(1)"}, "url"),
        ({"url": "https://meet.example/{{ contact.name }}"}, "url"),
        ({"day": date(2020, 1, 1)}, "day"),
        ({"notes": "x" * 6_000}, "notes"),
    ],
)
async def test_what_is_no_meeting_is_refused_by_its_field(desk: Desk, wrong: dict[str, Any], field: str) -> None:
    draft = await desk.new_draft()
    given = msgspec.structs.replace(BIKE, **wrong)
    refused = await desk.api.ana.refused("PUT", f"/drafts/{draft.id}/meeting", given)
    assert refused.status == 422 and field in refused.details["fields"]


async def test_a_colleague_of_the_conversation_sees_it_in_the_draft_and_others_do_not(desk: Desk) -> None:
    conversation_id = await deliver(desk.api.support)
    draft = await desk.reply_draft(conversation_id)
    await desk.api.ana.put(f"/drafts/{draft.id}/meeting", BIKE, Draft)
    [seen] = (await desk.detail(conversation_id, desk.api.jonas)).drafts
    assert seen.meeting is not None and seen.meeting.details == BIKE
    assert (await desk.api.mallory.refused("PUT", f"/drafts/{draft.id}/meeting", BIKE)).status == 404


async def test_one_mail_to_each_invites_each_alone_to_the_same_meeting(desk: Desk) -> None:
    draft = await desk.new_draft(to=[CUSTOMER, DAN])
    await desk.api.ana.put(f"/drafts/{draft.id}/meeting", BIKE, Draft)
    first = await desk.send(draft, one_each=True)
    detail = await desk.detail(first.conversation_id)
    for each in detail.outgoing:
        await desk.attempt(each)
    events = [calendar_in(each.raw)[1] for each in desk.smtp.messages[-2:]]
    assert {str(each["uid"]) for each in events} == {first.message_id}
    assert sorted(str(each["attendee"]) for each in events) == [f"mailto:{p.address}" for p in (CUSTOMER, DAN)]
    await answer_comes(desk, reply(first.message_id, DAN, "DECLINED"))
    meeting = await meeting_of(desk, first)
    assert {each.address: each.answer for each in meeting.attendees} == {
        CUSTOMER.address: "none",
        DAN.address: "declined",
    }


async def test_taken_back_it_is_in_the_draft_again_and_nobody_was_invited(desk: Desk) -> None:
    conversation_id = await deliver(desk.api.support)
    draft = await desk.reply_draft(conversation_id)
    await desk.api.ana.put(f"/drafts/{draft.id}/meeting", BIKE, Draft)
    outgoing = await desk.send(draft, undo_seconds=30)
    assert [each.details for each in (await desk.detail(conversation_id)).meetings] == [BIKE]
    again = await desk.api.ana.post(f"/outbox/{outgoing.id}/undo", {}, Draft)
    assert again.meeting is not None and again.meeting.details == BIKE and not again.meeting.invited
    assert (await desk.detail(conversation_id)).meetings == []


async def test_a_new_mail_that_is_taken_back_keeps_its_meeting(desk: Desk) -> None:
    draft = await desk.new_draft()
    await desk.api.ana.put(f"/drafts/{draft.id}/meeting", BIKE, Draft)
    outgoing = await desk.send(draft, undo_seconds=30)
    again = await desk.api.ana.post(f"/outbox/{outgoing.id}/undo", {}, Draft)
    assert again.conversation_id is None and again.meeting is not None
    sent = await desk.send(again)
    assert await desk.attempt(sent) == "sent"
    conversation_id = await answer_comes(desk, reply(sent.message_id))
    assert conversation_id == sent.conversation_id


# ---- answers


async def test_an_answer_stands_on_the_meeting_in_the_conversation_of_the_invitation(desk: Desk) -> None:
    outgoing = await invited(desk)
    assert await answer_comes(desk, reply(outgoing.message_id)) == outgoing.conversation_id
    meeting = await meeting_of(desk, outgoing)
    assert [(each.address, each.answer) for each in meeting.attendees] == [(CUSTOMER.address, "accepted")]
    detail = await desk.detail(outgoing.conversation_id)
    assert [each.meeting_id for each in detail.messages] == [meeting.id, None]


async def test_a_plain_yes_makes_no_noise(desk: Desk) -> None:
    outgoing = await invited(desk)
    path = f"/conversations/{outgoing.conversation_id}"
    await desk.api.ana.put(f"{path}/status", SetStatus(status="done"))
    await answer_comes(desk, reply(outgoing.message_id))
    row = (await desk.detail(outgoing.conversation_id)).row
    assert (row.status, row.last_arrival, row.message_count) == ("done", 0, 2)
    assert (await desk.api.ana.get("/notifications", NotificationPage)).items == []


@pytest.mark.parametrize("how", [{"said": "DECLINED"}, {"said": "TENTATIVE"}, {"more": "COMMENT:But at noon?\r\n"}])
async def test_what_somebody_has_to_act_on_opens_the_conversation_again(desk: Desk, how: dict[str, Any]) -> None:
    outgoing = await invited(desk)
    await desk.api.ana.put(f"/conversations/{outgoing.conversation_id}/status", SetStatus(status="done"))
    await answer_comes(desk, reply(outgoing.message_id, **how))
    row = (await desk.detail(outgoing.conversation_id)).row
    assert row.status == "open" and row.last_arrival > 0


async def test_a_yes_from_somebody_who_was_not_invited_is_a_mail_like_others(desk: Desk) -> None:
    outgoing = await invited(desk)
    await desk.api.ana.put(f"/conversations/{outgoing.conversation_id}/status", SetStatus(status="done"))
    await answer_comes(desk, reply(outgoing.message_id, DAN))
    assert (await desk.detail(outgoing.conversation_id)).row.status == "open"


async def test_a_yes_ends_the_wait_for_an_answer(desk: Desk) -> None:
    outgoing = await invited(desk)
    path = f"/conversations/{outgoing.conversation_id}"
    soon = SetReminder(at=datetime.now(UTC) + timedelta(days=2), if_silent=True)
    await desk.api.ana.put(f"{path}/reminder", soon)
    await answer_comes(desk, reply(outgoing.message_id))
    assert (await desk.detail(outgoing.conversation_id)).mark.reminder is None


@pytest.mark.parametrize(
    "how",
    [
        {"who": DAN},
        {"sender": "mallory@evil.example"},
        {"headers": "Authentication-Results: mx.northwind.example; dmarc=fail header.from=customer.example\r\n"},
    ],
    ids=["not invited", "not the sender", "not really the sender"],
)
async def test_an_answer_that_cannot_be_believed_changes_nothing(desk: Desk, how: dict[str, Any]) -> None:
    outgoing = await invited(desk)
    await answer_comes(desk, reply(outgoing.message_id, **how))
    assert [each.answer for each in (await meeting_of(desk, outgoing)).attendees] == ["none"]


async def test_an_answer_to_another_mailbox_changes_nothing(desk: Desk) -> None:
    outgoing = await invited(desk)
    await answer_comes(desk, reply(outgoing.message_id), desk.api.toms_mailbox)
    assert [each.answer for each in (await meeting_of(desk, outgoing)).attendees] == ["none"]


async def test_the_newest_answer_counts_whatever_order_they_come_in(desk: Desk) -> None:
    outgoing = await invited(desk)
    await answer_comes(desk, reply(outgoing.message_id, said="DECLINED", minute=5))
    await answer_comes(desk, reply(outgoing.message_id, said="ACCEPTED", minute=1))
    assert [each.answer for each in (await meeting_of(desk, outgoing)).attendees] == ["declined"]


async def test_another_time_is_shown_as_proposed_and_can_be_taken(desk: Desk) -> None:
    outgoing = await invited(desk)
    start = datetime.combine(DAY, time(13), tzinfo=UTC)
    raw = reply(
        outgoing.message_id,
        said="TENTATIVE",
        method="COUNTER",
        start=f"{start:%Y%m%dT%H%M%SZ}",
        end=f"{start + timedelta(minutes=30):%Y%m%dT%H%M%SZ}",
    )
    await answer_comes(desk, raw)
    meeting = await meeting_of(desk, outgoing)
    [attendee] = meeting.attendees
    assert (attendee.answer, attendee.proposed_start) == ("tentative", start)
    given = BeginMeetingMail(method="request", proposal_of=CUSTOMER.address)
    path = f"/conversations/{outgoing.conversation_id}/meetings/{meeting.id}/drafts"
    draft = await desk.api.jonas.post(path, given, Draft)
    assert draft.meeting is not None and draft.meeting.invited
    assert (draft.meeting.details.start.hour - 13, draft.meeting.details.minutes) in ((1, 30), (2, 30))


# ---- changing, calling off


async def told_again(desk: Desk, outgoing: Outgoing, method: str, **changes: Any) -> Outgoing:
    meeting = await meeting_of(desk, outgoing)
    path = f"/conversations/{outgoing.conversation_id}/meetings/{meeting.id}/drafts"
    draft = await desk.api.ana.post(path, {"method": method}, Draft)
    assert draft.to == [CUSTOMER] and draft.conversation_id == outgoing.conversation_id
    if changes:
        changed = msgspec.structs.replace(meeting.details, **changes)
        await desk.api.ana.put(f"/drafts/{draft.id}/meeting", changed, Draft)
    sent = await desk.send(draft)
    assert await desk.attempt(sent) == "sent"
    return sent


async def test_a_change_is_the_same_meeting_and_is_answered_anew(desk: Desk) -> None:
    outgoing = await invited(desk)
    await answer_comes(desk, reply(outgoing.message_id))
    await told_again(desk, outgoing, "request", start=time(15))
    message = email.message_from_bytes(desk.smtp.messages[-1].raw, policy=email.policy.default)
    _, event = calendar_in(desk.smtp.messages[-1].raw)
    assert (str(event["uid"]), event["sequence"], event["dtstart"].dt.hour) == (outgoing.message_id, 1, 15)
    assert message["In-Reply-To"] == f"<{outgoing.message_id}>"
    meeting = await meeting_of(desk, outgoing)
    assert (meeting.details.start, [each.answer for each in meeting.attendees]) == (time(15), ["none"])
    await answer_comes(desk, reply(outgoing.message_id, sequence=1, minute=9))
    assert [each.answer for each in (await meeting_of(desk, outgoing)).attendees] == ["accepted"]


async def test_a_meeting_is_called_off_once(desk: Desk) -> None:
    outgoing = await invited(desk)
    await told_again(desk, outgoing, "cancel")
    part, event = calendar_in(desk.smtp.messages[-1].raw)
    assert part.get_param("method") == "CANCEL"
    assert (str(event["uid"]), event["sequence"], str(event["status"])) == (outgoing.message_id, 1, "CANCELLED")
    meeting = await meeting_of(desk, outgoing)
    assert meeting.cancelled
    path = f"/conversations/{outgoing.conversation_id}/meetings/{meeting.id}/drafts"
    assert (await desk.api.ana.refused("POST", path, {"method": "cancel"})).status == 409


async def test_who_has_begun_to_change_it_goes_on_with_that(desk: Desk) -> None:
    outgoing = await invited(desk)
    meeting = await meeting_of(desk, outgoing)
    path = f"/conversations/{outgoing.conversation_id}/meetings/{meeting.id}/drafts"
    first = await desk.api.ana.post(path, {"method": "request"}, Draft)
    assert (await desk.api.ana.post(path, {"method": "request"}, Draft)).id == first.id


async def test_of_two_who_change_it_the_later_one_is_the_newest(desk: Desk) -> None:
    outgoing = await invited(desk)
    meeting = await meeting_of(desk, outgoing)
    path = f"/conversations/{outgoing.conversation_id}/meetings/{meeting.id}/drafts"
    drafts = [await who.post(path, {"method": "request"}, Draft) for who in (desk.api.ana, desk.api.jonas)]
    await desk.send(drafts[0])
    given = SendDraft(version=drafts[1].version, undo_seconds=0, even_if_answered=True)
    second = await desk.api.jonas.post(f"/drafts/{drafts[1].id}/send", given, Outgoing)
    await desk.attempt(second)
    assert calendar_in(desk.smtp.messages[-1].raw)[1]["sequence"] == 2


async def test_an_invitation_to_what_is_over_when_it_leaves_is_refused(desk: Desk) -> None:
    draft = await desk.new_draft()
    await desk.api.ana.put(f"/drafts/{draft.id}/meeting", BIKE, Draft)
    late = {"version": draft.version, "send_at": (datetime.now(UTC) + timedelta(days=40)).isoformat()}
    refused = await desk.api.ana.refused("POST", f"/drafts/{draft.id}/send", late)
    assert (refused.status, refused.message) == (422, "The meeting is over by then.")


async def test_who_cannot_see_the_conversation_sees_no_meeting(desk: Desk) -> None:
    outgoing = await invited(desk)
    meeting = await meeting_of(desk, outgoing)
    await desk.api.ana.put(f"/conversations/{outgoing.conversation_id}/visibility", SetVisibility(visibility="private"))
    assert (await meeting_of(desk, outgoing, desk.api.jonas)).id == meeting.id
    path = f"/conversations/{outgoing.conversation_id}"
    assert (await desk.api.mallory.refused("GET", path)).status == 404
    refused = await desk.api.mallory.refused("POST", f"{path}/meetings/{meeting.id}/drafts", {"method": "cancel"})
    assert refused.status == 404
