"""Handing over mail of Tandem's own: how it is built, as whom, and through what."""

import html
import ipaddress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime, formataddr, make_msgid
from typing import Literal

from backend.database.connection import fetch_value
from backend.jobs import TryAgain
from backend.outgoing_servers.contracts import SystemSender
from backend.outgoing_servers.system import system_address, system_senders, system_server
from backend.settings import Settings, SmtpServer
from backend.workers.logins import server_login
from sync.errors import ServerProblem
from sync.smtp import Opened, Refused, SendResult, Sent, SmtpSession
from sync.types import Problem, Security, SmtpLogin


class CannotMail(Exception):
    """The server refused for good. Its text is what an admin reads among the failed jobs."""


@dataclass(frozen=True, slots=True)
class SystemMail:
    """A mail of Tandem's own, in plain words. `button` is a label and the link that it leads to, and stands at
    `{button}` in the text: as the address in plain text, as a button in HTML.
    """

    to_name: str
    to_address: str
    subject: str
    text: str = field(repr=False)
    button: tuple[str, str] | None = field(default=None, repr=False)
    audience: Literal["users", "customers"] = "users"


async def post(configured: Settings, mail: SystemMail) -> None:
    """Hand it over. Raises TryAgain for what may pass, CannotMail for the rest; neither names a secret."""
    try:
        result = await _hand_over(configured, mail)
    except ServerProblem as fault:
        raise _fault(fault.problem) from fault
    if isinstance(result, Refused):
        raise CannotMail(_words(result.problem))
    if not isinstance(result, Sent):
        # A second copy of such a mail harms nobody, so what may not have arrived is tried again.
        raise TryAgain(_words(result.problem))


def build(address: str, sender: SystemSender, mail: SystemMail) -> bytes:
    """The mail's bytes. It says of itself that no person wrote it (RFC 3834 section 5)."""
    message = EmailMessage(policy=SMTP)
    message["From"] = formataddr((sender.name, address))
    message["To"] = formataddr((mail.to_name, mail.to_address))
    if sender.reply_to:
        message["Reply-To"] = sender.reply_to
    message["Subject"] = mail.subject
    message["Date"] = format_datetime(datetime.now(UTC))
    message["Message-ID"] = make_msgid(domain=address.rpartition("@")[2])
    message["Auto-Submitted"] = "auto-generated"
    link = mail.button[1] if mail.button else ""
    message.set_content(mail.text.replace("{button}", link), cte="quoted-printable")
    if mail.button:
        message.add_alternative(_html(mail.text, *mail.button), subtype="html", cte="quoted-printable")
    return bytes(message)


def _html(text: str, label: str, link: str) -> str:
    """The same with a button, plain enough for every mail program."""
    button = (
        f'<a href="{html.escape(link)}" style="display:inline-block;padding:10px 18px;border-radius:8px;'
        f'background:#3450f0;color:#ffffff;text-decoration:none;font-weight:600">{html.escape(label)}</a>'
    )
    parts = (html.escape(part.strip()).replace("\n", "<br>") for part in text.strip().split("\n\n"))
    body = "".join(f'<p style="margin:0 0 16px">{part}</p>' for part in parts).replace("{button}", button)
    font = "font:15px/1.5 Inter,Arial,sans-serif;color:#1f1d1a"
    return f'<!doctype html><html lang="en"><body style="{font}">{body}</body></html>\n'


async def _hand_over(configured: Settings, mail: SystemMail) -> SendResult:
    """Through the server that the environment names, else the outgoing server for all."""
    if configured.smtp is not None:
        raw = build(configured.smtp.sender, await _sender(mail), mail)
        return await _through_environment(configured.smtp, mail.to_address, raw)
    record = await system_server()
    if record is None:
        raise CannotMail(
            "Tandem has nothing to send mail of its own through: TANDEM_SMTP_URL is not set for this worker, and no "
            "outgoing server with an address as its user name serves for all."
        )
    address = system_address(record)
    raw = build(address, await _sender(mail), mail)
    return await _transmit(await server_login(record["id"]), address, mail.to_address, raw)


async def _sender(mail: SystemMail) -> SystemSender:
    senders = await system_senders()
    sender = senders.users if mail.audience == "users" else senders.customers
    if sender.name:
        return sender
    name = "Tandem" if mail.audience == "users" else await fetch_value("SELECT name FROM organisation") or "Tandem"
    return SystemSender(name=name, reply_to=sender.reply_to)


async def _through_environment(server: SmtpServer, recipient: str, raw: bytes) -> SendResult:
    """Through a connection as well protected as the server offers; a password leaves this machine only under TLS."""
    if server.implicit_tls:
        return await _transmit(_login(server, "tls"), server.sender, recipient, raw)
    try:
        return await _transmit(_login(server, "starttls"), server.sender, recipient, raw)
    except ServerProblem as fault:
        if fault.code != "tls_not_offered" or (server.password and not _is_this_machine(server.host)):
            raise
        return await _transmit(_login(server, "none"), server.sender, recipient, raw)


def _login(server: SmtpServer, security: Security) -> SmtpLogin:
    return SmtpLogin(
        host=server.host,
        port=server.port,
        security=security,
        username=server.username or "",
        password=server.password or "",
        private_network=True,  # whoever runs the installation chose this server
    )


async def _transmit(login: SmtpLogin, sender: str, recipient: str, raw: bytes) -> SendResult:
    async with SmtpSession(login) as session:
        opened = await session.open_transaction(sender, [recipient], raw)
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
