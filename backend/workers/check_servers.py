"""Trying the servers that a person typed, for backend/accounts/attempts.py."""

import asyncio
from collections.abc import Awaitable
from typing import Literal

from backend.accounts.attempts import finish_attempt, take_attempt
from backend.accounts.contracts import ConnectAccount, ServerCheck
from backend.errors import Unavailable
from backend.settings import settings
from sync.errors import ServerProblem, server_problem
from sync.imap.connection import check_imap
from sync.smtp import check_smtp
from sync.types import ImapLogin, SmtpLogin

CHECK_SECONDS = 30.0
"""For one server; both are tried at once."""


async def check_servers(attempt_id: int) -> None:
    """The job: connect and sign in at both servers, and write down how it went."""
    try:
        wanted = await take_attempt(attempt_id)
    except Unavailable as fault:
        await finish_attempt(
            attempt_id,
            [ServerCheck(server=server, ok=False, reason=fault.message, remedy=fault.remedy) for server in SERVERS],
        )
        return
    if wanted is None:
        return
    imap, smtp = logins_of(wanted)
    checks = await asyncio.gather(_check("imap", imap, check_imap(imap)), _check("smtp", smtp, check_smtp(smtp)))
    await finish_attempt(attempt_id, checks)


SERVERS: tuple[Literal["imap", "smtp"], ...] = ("imap", "smtp")


def logins_of(wanted: ConnectAccount) -> tuple[ImapLogin, SmtpLogin]:
    """Both sign-ins; SMTP takes those of IMAP where it has none of its own, as it will when mail is sent."""
    private = settings().allow_private_servers
    imap = ImapLogin(
        host=wanted.imap.host,
        port=wanted.imap.port,
        security=wanted.imap.security,
        username=wanted.username,
        password=wanted.password,
        private_network=private,
    )
    smtp = SmtpLogin(
        host=wanted.smtp.host,
        port=wanted.smtp.port,
        security=wanted.smtp.security,
        username=wanted.smtp_username or wanted.username,
        password=wanted.smtp_password or wanted.password,
        private_network=private,
    )
    return imap, smtp


async def _check(
    server: Literal["imap", "smtp"], login: ImapLogin | SmtpLogin, trying: Awaitable[ServerProblem | None]
) -> ServerCheck:
    try:
        async with asyncio.timeout(CHECK_SECONDS):
            problem = await trying
    except TimeoutError:
        problem = server_problem("timeout", host=login.host, port=login.port, username=login.username)
    if problem is None:
        return ServerCheck(server=server, ok=True)
    return ServerCheck(
        server=server,
        ok=False,
        reason=problem.sentence,
        remedy=problem.remedy,
        server_words=problem.server_words[:1_000],
    )
