"""What has not left Northwind: mails that go on Monday, one that was refused, and drafts that were begun. Once."""

from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta

from backend.compose.contracts import CreateDraft, Draft, Outgoing, SaveDraft, SendDraft
from backend.demo.api import Api
from backend.demo.memory import Memory
from backend.demo.people import LEFT
from backend.demo.teammates import Office
from backend.mail.contracts import MailAddress


@dataclass(frozen=True)
class Written:
    """A new mail. ``when``: what becomes of it."""

    by: str
    mailbox: str
    to: MailAddress
    subject: str
    text: str
    when: str = "never"

    @property
    def sent(self) -> bool:
        return self.when != "never"


MAILS = (
    Written(
        "samuel", "billing",
        MailAddress(name="Ingrid Solheim", address="ingrid.solheim@hjemmepleie-laksevag.example"),
        "Your invoices as one a month, from January",
        "Dear Ingrid,\n\nfrom January on you get one invoice a month for all eight bikes.\n\nSamuel\n",
        "monday",
    ),
    Written(
        "tom", "support",
        MailAddress(name="Rikard Lindqvist", address=LEFT),
        "Your loan bike is due back on Friday",
        "Dear Rikard,\n\nyour own bike is ready, and somebody waits for the loan bike. Friday is fine.\n\nTom\n",
        "now",
    ),
    Written(
        "ana", "sales",
        MailAddress(name="Eleni Vasilaki", address="eleni@vasilaki-design.example"),
        "The colour of your new Harbor",
        "Dear Eleni,\n\ntwo questions before we build it: ",
    ),
    Written(
        "jonas", "support",
        MailAddress(name="Lars-Erik Holm", address="lehm@holmkvist.example"),
        "What we heard in your motor",
        "Hej Lars-Erik,\n\nI rode it around the block this morning and ",
    ),
)  # fmt: skip


async def leave_waiting(apis: dict[str, Api], office: Office, memory: Memory) -> None:
    """Write all of them, going on where an earlier start was stopped. Raises `Refused`."""
    done = memory.table("waiting")
    for mail in MAILS:
        if mail.subject in done:
            continue
        api = apis[mail.by]
        draft = await api.post("/drafts", CreateDraft(kind="new", mailbox_id=office.mailboxes[mail.mailbox]), Draft)
        written = SaveDraft(version=draft.version, to=[mail.to], cc=[], bcc=[], subject=mail.subject, text=mail.text)
        saved = await api.put(f"/drafts/{draft.id}", written, Draft)
        if mail.sent:
            moment = monday() if mail.when == "monday" else None
            sending = SendDraft(version=saved.version, undo_seconds=0, send_at=moment)
            await api.post(f"/drafts/{draft.id}/send", sending, Outgoing)
        done[mail.subject] = True
        memory.save()


def monday() -> datetime:
    """Nine o'clock next Monday."""
    day = datetime.now(UTC).date()
    return datetime.combine(day + timedelta(days=7 - day.weekday()), time(9), UTC)
