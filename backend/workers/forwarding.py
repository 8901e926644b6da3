"""The test mail to a mailbox whose mail is forwarded: sent from the intake account, to see whether it comes back."""

from datetime import UTC, datetime
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime, formataddr

from backend.database.connection import Row, execute, fetch_row
from backend.errors import TandemError
from backend.workers.logins import mail_login
from sync.errors import ServerProblem
from sync.smtp import Opened, SendResult, Sent, SmtpSession


async def check_forwarding(mailbox_id: int) -> None:
    """Send it, and write down that it was sent or why not. A person waits: it is not tried again by itself."""
    check = await fetch_row(
        "SELECT f.id, f.message_id, m.address, i.address AS intake_address, a.id AS account_id "
        "FROM forwarding_checks f JOIN mailboxes m ON m.id = f.mailbox_id JOIN mailboxes i ON i.kind = 'intake' "
        "JOIN mail_accounts a ON a.mailbox_id = i.id WHERE f.mailbox_id = $1 AND f.sent_at IS NULL AND f.problem = ''",
        mailbox_id,
    )
    if check is None:
        return
    try:
        problem = _problem(await _send(check))
    except ServerProblem as fault:
        problem = f"{fault.sentence} {fault.remedy}".strip()
    except TandemError as fault:
        problem = f"{fault.message} {fault.remedy}".strip()
    await execute(
        "UPDATE forwarding_checks SET problem = $3, sent_at = CASE WHEN $3 = '' THEN now() END "
        "WHERE id = $1 AND message_id = $2",
        check["id"],
        check["message_id"],
        problem,
    )


async def _send(check: Row) -> SendResult:
    _, smtp = await mail_login(check["account_id"])
    raw = build(check)
    async with SmtpSession(smtp) as session:
        opened = await session.open_transaction(check["intake_address"], [check["address"]], raw)
        return await session.transmit(raw) if isinstance(opened, Opened) else opened


def build(check: Row) -> bytes:
    """The mail. It says of itself that no person wrote it (RFC 3834), so that nobody's absence note answers it."""
    mail = EmailMessage(policy=SMTP)
    mail["From"] = formataddr(("Tandem", check["intake_address"]))
    mail["To"] = check["address"]
    mail["Subject"] = "Does forwarding work?"
    mail["Date"] = format_datetime(datetime.now(UTC))
    mail["Message-ID"] = f"<{check['message_id']}>"
    mail["Auto-Submitted"] = "auto-generated"
    mail.set_content(
        f"This test mail was sent to {check['address']}. Once it is forwarded to Tandem, the settings say so, and it "
        "appears nowhere else.\n"
    )
    return bytes(mail)


def _problem(result: SendResult) -> str:
    """What went wrong, with what to do; nothing when the server took the mail."""
    if isinstance(result, Sent):
        return ""
    return f"{result.problem.sentence} {result.problem.remedy}".strip()
