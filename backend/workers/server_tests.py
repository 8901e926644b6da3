"""A real test mail through an outgoing server, for backend/outgoing_servers/testing.py."""

from datetime import UTC, datetime
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime, formataddr, make_msgid

from backend.database.connection import Row
from backend.errors import TandemError
from backend.outgoing_servers.actions import failing, report_health, well
from backend.outgoing_servers.contracts import ServerTest, TestStep
from backend.outgoing_servers.forcing import forced_from
from backend.outgoing_servers.testing import finish_test, take_test
from backend.workers.logins import server_login
from sync.errors import CannotSignIn, ServerProblem
from sync.smtp import Opened, Sent, SmtpSession
from sync.types import SmtpLogin


async def test_server(test_id: int) -> None:
    """The job. A person waits: it is not tried again by itself."""
    wanted = await take_test(test_id)
    if wanted is None:
        return
    outcome = await _outcome(wanted)
    health = well() if outcome.ok else failing(outcome.reason, outcome.remedy, outcome.server_words)
    await report_health(wanted["server_id"], health)
    await finish_test(test_id, outcome)


async def _outcome(wanted: Row) -> ServerTest:
    try:
        login = await server_login(wanted["server_id"])
    except TandemError as fault:  # another secret key
        return _test(wanted["sender"], wanted, [], fault.message, fault.remedy)
    sender = forced_from(login.host, login.username) or wanted["sender"]
    return await _send(login, sender, wanted)


async def _send(login: SmtpLogin, sender: str, wanted: Row) -> ServerTest:
    raw = build(sender, wanted["asker_name"], wanted["recipient"], login.host)
    connected, signed_in = TestStep(name="connect", ok=True), TestStep(name="sign_in", ok=True)
    try:
        async with SmtpSession(login) as session:
            opened = await session.open_transaction(sender, [wanted["recipient"]], raw)
            result = await session.transmit(raw) if isinstance(opened, Opened) else opened
    except CannotSignIn as fault:
        steps = [connected, TestStep(name="sign_in", ok=False)]
        return _test(sender, wanted, steps, fault.sentence, fault.remedy, fault.server_words)
    except ServerProblem as fault:
        steps = [TestStep(name="connect", ok=False)]
        return _test(sender, wanted, steps, fault.sentence, fault.remedy, fault.server_words)
    if isinstance(result, Sent):
        return _test(sender, wanted, [connected, signed_in, TestStep(name="accept", ok=True)])
    problem = result.problem
    steps = [connected, signed_in, TestStep(name="accept", ok=False)]
    return _test(sender, wanted, steps, problem.sentence, problem.remedy, problem.server_words)


def _test(
    sender: str, wanted: Row, steps: list[TestStep], reason: str = "", remedy: str = "", words: str = ""
) -> ServerTest:
    return ServerTest(
        ok=not reason,
        steps=steps,
        sender=sender,
        recipient=wanted["recipient"],
        reason=reason,
        remedy=remedy,
        server_words=words[:1_000],
    )


def build(sender: str, name: str, recipient: str, host: str) -> bytes:
    """The mail. It says of itself that no person wrote it (RFC 3834)."""
    mail = EmailMessage(policy=SMTP)
    mail["From"] = formataddr(("Tandem", sender))
    mail["To"] = formataddr((name, recipient))
    mail["Subject"] = "Test of an outgoing server"
    mail["Date"] = format_datetime(datetime.now(UTC))
    mail["Message-ID"] = make_msgid(domain=sender.rpartition("@")[2])
    mail["Auto-Submitted"] = "auto-generated"
    mail.set_content(
        f"Hello {name},\n\nthis mail left Tandem through {host}, from {sender}. "
        "If it stands in your inbox and not among the spam, everything is well.\n",
        cte="quoted-printable",
    )
    return bytes(mail)
