"""The demo's SMTP server: aiosmtpd as submission server and as the MX of northwind.example, on one port.

Whoever signs in may write to anybody. Whoever does not may write to Northwind, but not as Northwind and not
to others. Mail to Northwind lands in the account's INBOX; mail to the rest of the world in the account that
the simulated customers read, one copy for each recipient.
"""

import asyncio
import logging
import secrets
from contextlib import AsyncExitStack
from datetime import UTC, datetime
from email.utils import format_datetime

from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword
from aiosmtpd.smtp import Session as SmtpSession

from backend.demo.imap import DemoLogin
from backend.demo.people import DOMAIN, LEFT, OUTSIDE, PASSWORD

ABSENT = "nobody"
"""Every address that begins so is refused for good, to see what a refusal looks like."""
LATER = "later"
"""Every address that begins so is refused for now the first time, to see a retry."""


class Delivery:
    """What the server does with each command (aiosmtpd's handler)."""

    def __init__(self, login: DemoLogin) -> None:
        self._login = login
        self._put_off: set[str] = set()

    def authenticate(
        self, server: SMTP, session: SmtpSession, envelope: Envelope, mechanism: str, data: LoginPassword
    ) -> AuthResult:
        account = data.login.decode("utf-8", "replace").lower()
        known = account in self._login.folders and account != OUTSIDE
        right = known and secrets.compare_digest(data.password, PASSWORD.encode())
        return AuthResult(success=right, handled=False, auth_data=account if right else None)

    async def handle_MAIL(
        self, server: SMTP, session: SmtpSession, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        if _domain(address) == DOMAIN and not session.authenticated:
            return "530 5.7.0 Sign in first: only Northwind's people write as Northwind"
        envelope.mail_from = address
        envelope.mail_options.extend(options)
        return "250 2.1.0 OK"

    async def handle_RCPT(
        self, server: SMTP, session: SmtpSession, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        ours = _domain(address) == DOMAIN
        if not ours and not session.authenticated:
            return "550 5.7.1 Relaying denied: sign in to write to others"
        if (ours and address.lower() not in self._login.folders) or address.lower().startswith((ABSENT, LEFT)):
            return f"550 5.1.1 <{address}>: no such person here"
        if address.lower().startswith(LATER) and address.lower() not in self._put_off:
            self._put_off.add(address.lower())
            return "451 4.7.1 Greylisted, try again in a minute"
        envelope.rcpt_tos.append(address)
        return "250 2.1.5 OK"

    async def handle_DATA(self, server: SMTP, session: SmtpSession, envelope: Envelope) -> str:
        content = envelope.original_content
        if content is None:
            return "451 4.3.0 Nothing arrived"
        now = datetime.now(UTC)
        mark = secrets.token_hex(6)
        for recipient in dict.fromkeys(address.lower() for address in envelope.rcpt_tos):
            protocol = "ESMTPA" if session.authenticated else "ESMTP"
            trace = (
                f"Return-Path: <{envelope.mail_from}>\r\n"
                f"Delivered-To: {recipient}\r\n"
                f"Received: from {session.host_name or 'unknown'} by mx.{DOMAIN} with {protocol}"
                f" id {mark}\r\n\tfor <{recipient}>; {format_datetime(now)}\r\n"
            )
            account = recipient if _domain(recipient) == DOMAIN else OUTSIDE
            self._login.folders[account].inbox.deliver(trace.encode("utf-8", "replace") + content, now)
        return f"250 2.0.0 Accepted as {mark}"


def _domain(address: str) -> str:
    return address.rpartition("@")[2].lower()


async def serve_smtp(login: DemoLogin, host: str, port: int, stack: AsyncExitStack) -> int:
    """Serves until the stack is closed; returns the port. Raises OSError when it is taken."""
    logging.getLogger("mail.log").setLevel(logging.ERROR)  # aiosmtpd warns of a property that only it uses
    loop = asyncio.get_running_loop()
    delivery = Delivery(login)

    def connection() -> SMTP:
        return SMTP(
            delivery, hostname=f"mx.{DOMAIN}", ident="Northwind demo", authenticator=delivery.authenticate,
            auth_require_tls=False, enable_SMTPUTF8=True, loop=loop,
        )  # fmt: skip

    server = await loop.create_server(connection, host, port)
    stack.callback(server.close)
    return server.sockets[0].getsockname()[1]
