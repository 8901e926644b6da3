"""Tandem's own mail: invitations and forgotten passwords, through the server that the settings name.

The job carries a kind and an id; every secret is made here, or derived from what the database and the key hold.
"""

import ipaddress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime, formataddr, make_msgid

from backend.jobs import Handler, TryAgain
from backend.people.actions.invitations import read_invitation_to_mail
from backend.people.actions.passwords import start_reset, withdraw_reset
from backend.people.links import invitation_link, invitation_token, reset_link
from backend.people.sessions import hash_of
from backend.settings import Settings, SmtpServer
from sync.errors import ServerProblem
from sync.smtp import Opened, Refused, SendResult, Sent, SmtpSession
from sync.types import Problem, Security, SmtpLogin


class CannotMail(Exception):
    """The server refused for good. Its text is what an admin reads among the failed jobs."""


@dataclass(frozen=True, slots=True)
class SystemMail:
    """A mail of Tandem's own, in plain words."""

    to_name: str
    to_address: str
    subject: str
    text: str = field(repr=False)


def system_mail_for(configured: Settings) -> Handler:
    """The handler of the job `system_mail` with its payload `kind` and `id`."""

    async def system_mail(kind: str, id: int) -> None:
        if configured.smtp is None:
            raise CannotMail("TANDEM_SMTP_URL is not set for this worker, so Tandem cannot send mail of its own.")
        if kind == "invitation":
            await _mail_invitation(configured, configured.smtp, id)
        elif kind == "password_reset":
            await _mail_reset(configured, configured.smtp, id)
        else:
            raise CannotMail(f"There is no system mail of the kind {kind!r}.")

    return system_mail


async def _mail_invitation(configured: Settings, server: SmtpServer, invitation_id: int) -> None:
    """Nothing to do when it was accepted, withdrawn or replaced meanwhile."""
    record = await read_invitation_to_mail(invitation_id)
    if record is None:
        return
    token = invitation_token(configured, invitation_id, record["created_at"])
    if hash_of(token) != record["token_hash"]:
        raise CannotMail("This worker has another secret key than the web process: TANDEM_SECRET_KEY must be the same.")
    inviter, organisation = record["inviter"], record["organisation"]
    text = (
        f"Hello,\n\n{inviter} invites you to {organisation}'s team inbox on Tandem. To choose your name and password, "
        f"open this link:\n\n{invitation_link(configured, token)}\n\n"
        f"It works once, until {record['expires_at']:%d %B %Y, %H:%M} UTC. "
        f"If you do not know {inviter}, you can ignore this mail: nothing happens.\n"
    )
    await _send(server, SystemMail("", record["email"], f"{inviter} invites you to {organisation}", text))


async def _mail_reset(configured: Settings, server: SmtpServer, request_id: int) -> None:
    """Nothing to do when the address is nobody's: whoever asked is not told that."""
    begun = await start_reset(request_id)
    if begun is None:
        return
    name, address, token = begun
    text = (
        f"Hello {name},\n\nsomebody, probably you, asked for a new password for your account on Tandem. "
        f"To choose one, open this link:\n\n{reset_link(configured, token)}\n\n"
        "It works once, for an hour from when this mail was written. "
        "If it was not you, you can ignore this mail: your password stays as it is.\n"
    )
    try:
        await _send(server, SystemMail(name, address, "Choose a new password", text))
    except BaseException:
        # The next attempt makes a secret of its own.
        await withdraw_reset(token)
        raise


def build(server: SmtpServer, mail: SystemMail) -> bytes:
    """The mail's bytes. It says of itself that no person wrote it (RFC 3834 section 5)."""
    message = EmailMessage(policy=SMTP)
    message["From"] = formataddr(("Tandem", server.sender))
    message["To"] = formataddr((mail.to_name, mail.to_address))
    message["Subject"] = mail.subject
    message["Date"] = format_datetime(datetime.now(UTC))
    message["Message-ID"] = make_msgid(domain=server.sender.rpartition("@")[2])
    message["Auto-Submitted"] = "auto-generated"
    message.set_content(mail.text, cte="quoted-printable")
    return bytes(message)


async def _send(server: SmtpServer, mail: SystemMail) -> None:
    """Hand it over. Raises TryAgain for what may pass, CannotMail for the rest; neither names a secret."""
    raw = build(server, mail)
    try:
        result = await _hand_over(server, mail.to_address, raw)
    except ServerProblem as fault:
        raise _fault(fault.problem) from fault
    if isinstance(result, Refused):
        raise CannotMail(_words(result.problem))
    if not isinstance(result, Sent):
        # A second copy of such a mail harms nobody, so what may not have arrived is tried again.
        raise TryAgain(_words(result.problem))


async def _hand_over(server: SmtpServer, address: str, raw: bytes) -> SendResult:
    """Through a connection as well protected as the server offers; a password leaves this machine only under TLS."""
    if server.implicit_tls:
        return await _transmit(server, "tls", address, raw)
    try:
        return await _transmit(server, "starttls", address, raw)
    except ServerProblem as fault:
        if fault.code != "tls_not_offered" or (server.password and not _is_this_machine(server.host)):
            raise
        return await _transmit(server, "none", address, raw)


async def _transmit(server: SmtpServer, security: Security, address: str, raw: bytes) -> SendResult:
    login = SmtpLogin(
        host=server.host,
        port=server.port,
        security=security,
        username=server.username or "",
        password=server.password or "",
        private_network=True,  # whoever runs the installation chose this server
    )
    async with SmtpSession(login) as session:
        opened = await session.open_transaction(server.sender, [address], raw)
        return await session.transmit(raw) if isinstance(opened, Opened) else opened


def _is_this_machine(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _fault(problem: Problem) -> Exception:
    return CannotMail(_words(problem)) if problem.permanent else TryAgain(_words(problem))


def _words(problem: Problem) -> str:
    return " ".join(part for part in (problem.sentence, problem.remedy, problem.server_words) if part)
