"""The meeting that a draft invites to; and drafts that change a meeting or call it off.

As with the choice of the sender, the draft's version stays: nothing of what is being typed changes, so that whoever
writes in it meanwhile, alone or with others, goes on.
"""

import datetime as dt
from zoneinfo import ZoneInfo

import msgspec

from backend.access.asker import Asker
from backend.compose.actions.drafts import changing_draft, insert_draft
from backend.compose.beginnings import Beginning, reply_subject
from backend.compose.contracts import Draft, DraftChanged
from backend.compose.queries import WrittenRecipients, read_draft
from backend.conversations.change import handling
from backend.conversations.contracts import ConversationChanged
from backend.database.connection import execute, fetch_row, fetch_value
from backend.errors import Conflict, Unacceptable
from backend.links.addresses import check_address
from backend.mail.contracts import MailAddress
from backend.meetings.contracts import BeginMeetingMail, Meeting, MeetingDetails
from backend.meetings.queries import meetings_of_drafts, read_meeting, span_of
from backend.people.checks import check_time_zone, refuse
from sync.mime.characters import clean_line, clean_text

LONGEST_LINE = 300
LONGEST_NOTES = 5_000
LONGEST_MINUTES = 7 * 24 * 60
LAST_YEAR = 2100


async def set_meeting(asker: Asker, draft_id: int, given: MeetingDetails) -> Draft:
    """Let the draft invite to this meeting; of one that it invites to already, this is what is new.

    Raises Unacceptable, field by field, for what is no meeting; Conflict where the draft calls one off.
    """
    details = check_details(given)
    async with changing_draft(asker.user_id, draft_id) as change:
        before = (await meetings_of_drafts([draft_id])).get(draft_id)
        if before is not None and before.method == "cancel":
            raise Conflict("This mail calls the meeting off.", "Discard it, then change the meeting.")
        stored = msgspec.json.encode(details).decode()
        if before is None:
            meeting_id = await fetch_value("INSERT INTO meetings (created_at) VALUES (now()) RETURNING id")
            await _attach(draft_id, meeting_id, "request", stored)
        else:
            await execute("UPDATE meeting_mails SET details = $2 WHERE draft_id = $1", draft_id, stored)
        await execute("UPDATE drafts SET updated_at = now() WHERE id = $1", draft_id)
        return await change.tell()


async def remove_meeting(asker: Asker, draft_id: int) -> Draft:
    """Take the meeting off the draft. A meeting that people were invited to before stays as it is."""
    async with changing_draft(asker.user_id, draft_id) as change:
        await execute("DELETE FROM meeting_mails WHERE draft_id = $1", draft_id)
        return await change.tell()


async def begin_meeting_mail(asker: Asker, conversation_id: int, meeting_id: int, given: BeginMeetingMail) -> Draft:
    """A mail to everybody who was invited: with another time or place, or that the meeting is called off.

    Who has begun such a mail already gets that. Raises NotFound, Conflict for what is called off already.
    """
    async with handling(asker, conversation_id) as change:
        meeting = await read_meeting(conversation_id, meeting_id)
        if meeting.cancelled:
            raise Conflict("This meeting is called off already.", "Invite to another one.")
        begun = await fetch_value(
            "SELECT d.id FROM drafts d JOIN meeting_mails l ON l.draft_id = d.id WHERE d.author_id = $1 "
            "AND d.conversation_id = $2 AND l.meeting_id = $3 AND l.method = $4 ORDER BY d.id DESC LIMIT 1",
            asker.user_id,
            conversation_id,
            meeting_id,
            given.method,
        )
        details = check_details(_proposed(meeting, given), ahead=given.method == "request")
        stored = msgspec.json.encode(details).decode()
        if begun is not None:
            await execute("UPDATE meeting_mails SET details = $2 WHERE draft_id = $1", begun, stored)
            async with changing_draft(asker.user_id, begun) as drafted:
                return await drafted.tell()
        record = await insert_draft(asker.user_id, await _beginning(conversation_id, meeting))
        await _attach(record["id"], meeting_id, given.method, stored)
        draft = await read_draft(record["id"])
        change.tell(lambda row: ConversationChanged(row=row))
        change.tell(lambda row: DraftChanged(draft=draft))
    return draft


async def _attach(draft_id: int, meeting_id: int, method: str, details: str) -> None:
    await execute(
        "INSERT INTO meeting_mails (meeting_id, draft_id, method, sequence, details) VALUES ($1, $2, $3, 0, $4)",
        meeting_id,
        draft_id,
        method,
        details,
    )


async def _beginning(conversation_id: int, meeting: Meeting) -> Beginning:
    """An answer to the newest mail that told of it, to everybody who was invited."""
    newest = await fetch_row(
        "SELECT o.mailbox_id, o.subject, (SELECT m.id FROM messages m WHERE m.message_id = o.message_id "
        "AND m.conversation_id = $2 LIMIT 1) AS message_id FROM meeting_mails l JOIN outgoing o "
        "ON o.id = l.outgoing_id WHERE l.meeting_id = $1 AND o.conversation_id = $2 AND o.state <> 'cancelled' "
        "ORDER BY l.sequence DESC, l.id DESC LIMIT 1",
        meeting.id,
        conversation_id,
    )
    assert newest is not None
    if newest["message_id"] is None:
        raise Conflict("The invitation has not left yet.", "Take it back, and change it.")
    return Beginning(
        mailbox_id=await fetch_value("SELECT mailbox_id FROM conversations WHERE id = $1", conversation_id),
        conversation_id=conversation_id,
        kind="reply_all",
        recipients=WrittenRecipients(
            to=[MailAddress(name=each.name, address=each.address) for each in meeting.attendees]
        ),
        subject=reply_subject(newest["subject"]),
        answers_id=newest["message_id"],
    )


def _proposed(meeting: Meeting, given: BeginMeetingMail) -> MeetingDetails:
    """The meeting as it is, at the time that somebody would rather have, if that is named."""
    if not given.proposal_of:
        return meeting.details
    wanted = given.proposal_of.lower()
    found = next((each for each in meeting.attendees if each.address.lower() == wanted), None)
    if found is None or found.proposed_start is None or found.proposed_end is None:
        raise Unacceptable("Nobody has proposed another time.", "Look at the conversation again.")
    local = found.proposed_start.astimezone(ZoneInfo(meeting.details.zone))
    return msgspec.structs.replace(
        meeting.details,
        day=local.date(),
        start=local.time(),
        minutes=max(1, int((found.proposed_end - found.proposed_start).total_seconds() // 60)),
    )


def check_details(given: MeetingDetails, *, ahead: bool = True) -> MeetingDetails:
    """The same, tidied. Raises Unacceptable for what is no meeting, and (`ahead`) for one that would be over."""
    title, place = clean_line(given.title).strip(), clean_line(given.place).strip()
    if not title or len(title) > LONGEST_LINE:
        raise refuse("title", "A meeting has a title.", f"Type one, of up to {LONGEST_LINE} characters.")
    if len(place) > LONGEST_LINE:
        raise refuse("place", f"A place has up to {LONGEST_LINE} characters.", "Put the rest into the notes.")
    if not 1 <= given.minutes <= LONGEST_MINUTES:
        raise refuse("minutes", "A meeting lasts a minute to a week.", "Choose another length.")
    if len(given.notes) > LONGEST_NOTES:
        raise refuse("notes", f"Notes have up to {LONGEST_NOTES} characters.", "Write the rest into the mail.")
    check_time_zone(given.zone)
    if not 2000 <= given.day.year <= LAST_YEAR or given.start.tzinfo is not None:
        raise refuse("day", "There is no such day and time.", "Choose a day, and a time without a zone.")
    details = msgspec.structs.replace(
        given,
        title=title,
        place=place,
        start=given.start.replace(second=0, microsecond=0),
        url=check_address(given.url) if given.url.strip() else "",
        notes=clean_text(given.notes).strip(),
    )
    if "{{" in details.url:
        raise refuse("url", "This link still has fields.", "Insert it from the saved links, which fills them in.")
    if ahead and span_of(details)[1] < dt.datetime.now(dt.UTC):
        raise refuse("day", "This meeting would be over already.", "Choose a later day or time.")
    return details
