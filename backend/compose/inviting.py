"""The calendar of a mail that invites to a meeting, worked out when the mail is frozen."""

from datetime import UTC, datetime

from backend.errors import Unacceptable
from backend.meetings.queries import Planned, span_of
from sync.mime.calendar import Invitation, build_calendar
from sync.mime.message import Address, Attachment

FILENAME = "invite.ics"


def check_still_ahead(plan: Planned, send_at: datetime | None) -> None:
    """Raises Unacceptable for an invitation to what is over when it leaves, now or later."""
    if plan.method == "request" and span_of(plan.details)[1] < (send_at or datetime.now(UTC)):
        raise Unacceptable("The meeting is over by then.", "Choose a later day, or take it off the mail.")


def calendar_of(plan: Planned, uid: str, organiser: Address, attendees: tuple[Address, ...]) -> str:
    details = plan.details
    return build_calendar(
        Invitation(
            method=plan.method,
            uid=uid,
            sequence=plan.sequence,
            title=details.title,
            starts_at=span_of(details)[0],
            minutes=details.minutes,
            organiser=organiser,
            attendees=attendees,
            stamped_at=datetime.now(UTC),
            place=details.place,
            url=details.url,
            notes=details.notes,
        )
    )


def as_file(calendar: str, position: int) -> Attachment:
    """The same as an attachment: some programs look for it there alone."""
    return Attachment(position, FILENAME, "application/ics", None, False, calendar.encode())
