"""Meetings over HTTP: of a draft, and of a conversation."""

from litestar import Router, delete, post, put

from backend.access.asker import Asker
from backend.access.classes import access
from backend.compose.actions import meeting
from backend.compose.contracts import Draft
from backend.meetings.contracts import BeginMeetingMail, MeetingDetails


@put("/drafts/{draft_id:int}/meeting", **access("handling"))
async def set_meeting(asker: Asker, draft_id: int, data: MeetingDetails) -> Draft:
    """Let the draft invite everybody in To and Cc to a meeting, or change what it invites to. The version stays."""
    return await meeting.set_meeting(asker, draft_id, data)


@delete("/drafts/{draft_id:int}/meeting", status_code=200, **access("handling"))
async def remove_meeting(asker: Asker, draft_id: int) -> Draft:
    """Take the meeting off the draft."""
    return await meeting.remove_meeting(asker, draft_id)


@post("/conversations/{conversation_id:int}/meetings/{meeting_id:int}/drafts", **access("handling"))
async def begin_meeting_mail(asker: Asker, conversation_id: int, meeting_id: int, data: BeginMeetingMail) -> Draft:
    """Begin a mail to everybody who was invited, which changes the meeting or calls it off."""
    return await meeting.begin_meeting_mail(asker, conversation_id, meeting_id, data)


router = Router(path="/", route_handlers=[set_meeting, remove_meeting, begin_meeting_mail], tags=["meetings"])
