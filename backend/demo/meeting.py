"""One meeting: Mei invites a customer of Sales, with a link to a contract. Whoever is invited accepts by calendar."""

from datetime import UTC, datetime, time, timedelta
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime, formataddr, make_msgid
from typing import Any

from icalendar import Calendar

from backend.compose.contracts import CreateDraft, Draft, Outgoing, SaveDraft, SendDraft
from backend.demo.api import Api
from backend.demo.customers import Incoming
from backend.demo.documents import CONTRACT
from backend.demo.memory import Memory
from backend.demo.teammates import Office
from backend.documents.contracts import Document, LinkDocument, MadeLink
from backend.mail.contracts import MailAddress
from backend.meetings.contracts import MeetingDetails

GUEST = MailAddress(name="Ingrid Solheim", address="ingrid.solheim@hjemmepleie-laksevag.example")
TEXT = (
    "<p>Dear Ingrid,</p><p><br></p><p>the eight bikes stand ready. Shall we go through the service contract once "
    "before you fetch them? Half an hour is enough. Here it is, to be read before: {link}</p><p><br></p><p>Mei</p>"
)


async def invite_once(api: Api, office: Office, memory: Memory) -> None:
    """Mei's invitation, unless it was sent on an earlier start. Raises `Refused`."""
    if memory.get("invited"):
        return
    day = (datetime.now(UTC) + timedelta(days=4)).date()
    day += timedelta(days=(7 - day.weekday()) % 7 if day.weekday() > 4 else 0)
    details = MeetingDetails(
        title="Service contract for eight bikes",
        day=day,
        start=time(10),
        minutes=30,
        zone="Europe/Oslo",
        place="Workshop, by the stairs",
        url="https://meet.northwind.example/workshop",
    )
    draft = await api.post("/drafts", CreateDraft(kind="new", mailbox_id=office.mailboxes["sales"]), Draft)
    document = next(each for each in await api.get("/documents", list[Document]) if each.name == CONTRACT)
    made = await api.post(f"/drafts/{draft.id}/documents/{document.id}/link", LinkDocument(days=90), MadeLink)
    html = TEXT.format(link=made.html)
    written = SaveDraft(version=draft.version, to=[GUEST], cc=[], bcc=[], subject=details.title, text="", html=html)
    saved = await api.put(f"/drafts/{draft.id}", written, Draft)
    await api.put(f"/drafts/{draft.id}/meeting", details, Draft)
    await api.post(f"/drafts/{draft.id}/send", SendDraft(version=saved.version, undo_seconds=0), Outgoing)
    memory.set("invited", True)


def acceptance(incoming: Incoming, now: datetime) -> bytes | None:
    """What the recipient's calendar answers to an invitation; None for any other mail."""
    if not incoming.invitation:
        return None
    asked: Any = Calendar.from_ical(incoming.invitation).walk("VEVENT")[0]
    people = asked["attendee"] if isinstance(asked["attendee"], list) else [asked["attendee"]]
    names = {str(each).partition(":")[2].lower(): str(each.params.get("CN", "")) for each in people}
    name = names.get(incoming.recipient) or incoming.recipient
    mail = EmailMessage(policy=SMTP)
    mail["From"], mail["To"] = formataddr((name, incoming.recipient)), incoming.sender_address
    mail["Subject"] = f"Accepted: {asked['summary']}"
    mail["Date"], mail["Message-ID"] = format_datetime(now), make_msgid(domain=incoming.recipient.rpartition("@")[2])
    mail.set_content(f"{name} has accepted this invitation.\n")
    lines = [
        "BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//Northwind demo//a calendar//EN", "METHOD:REPLY", "BEGIN:VEVENT",
        f"UID:{asked['uid']}", f"SEQUENCE:{asked['sequence']}", f"DTSTAMP:{now:%Y%m%dT%H%M%SZ}",
        f"DTSTART:{asked['dtstart'].dt.astimezone(UTC):%Y%m%dT%H%M%SZ}", f"ORGANIZER:{asked['organizer']}",
        f"ATTENDEE;PARTSTAT=ACCEPTED:mailto:{incoming.recipient}", "END:VEVENT", "END:VCALENDAR", "",
    ]  # fmt: skip
    mail.add_alternative(
        "\r\n".join(lines).encode(), "text", "calendar", cte="base64", params={"method": "REPLY", "charset": "utf-8"}
    )
    return mail.as_bytes()
