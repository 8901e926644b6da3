"""Trying the servers that a person typed, for backend/accounts/attempts.py."""

import asyncio
import logging
from collections.abc import Awaitable
from dataclasses import replace
from typing import Literal

from backend.accounts.attempts import Attempt, Outcome, TriedFolder, finish_attempt, take_attempt
from backend.accounts.contracts import ServerCheck
from backend.errors import Unavailable
from backend.settings import settings
from backend.workers.tokens import OneToken
from sync.errors import CommandRefused, ServerProblem, server_problem
from sync.imap.connection import Connection, open_connection
from sync.smtp import check_smtp
from sync.types import FolderInfo, ImapLogin, SmtpLogin

log = logging.getLogger(__name__)

COUNT_SECONDS = 8.0
"""For counting what stands in each folder: a person waits for it."""
CHECK_SECONDS = 30.0
"""For one server; both are tried at once."""


async def check_servers(attempt_id: int) -> None:
    """The job: connect and sign in at both servers, list the folders, and write down how it went."""
    try:
        attempt = await take_attempt(attempt_id)
    except Unavailable as fault:
        checks = [ServerCheck(server=server, ok=False, reason=fault.message, remedy=fault.remedy) for server in SERVERS]
        await finish_attempt(attempt_id, Outcome(checks=checks))
        return
    if attempt is None:
        return
    imap, smtp = logins_of(attempt)
    folders: list[TriedFolder] = []
    checks = await asyncio.gather(
        _check("imap", imap, _read_folders(imap, folders)), _check("smtp", smtp, check_smtp(smtp))
    )
    await finish_attempt(attempt_id, Outcome(checks=list(checks), folders=folders))


SERVERS: tuple[Literal["imap", "smtp"], ...] = ("imap", "smtp")


def logins_of(attempt: Attempt) -> tuple[ImapLogin, SmtpLogin]:
    """Both sign-ins; SMTP takes those of IMAP where it has none of its own, as it will when mail is sent."""
    wanted = attempt.wanted
    private = settings().allow_private_servers
    tokens = OneToken(attempt.access_token) if attempt.access_token else None
    imap = ImapLogin(
        host=wanted.imap.host,
        port=wanted.imap.port,
        security=wanted.imap.security,
        username=wanted.username,
        password=wanted.password,
        private_network=private,
        tokens=tokens,
    )
    smtp = SmtpLogin(
        host=wanted.smtp.host,
        port=wanted.smtp.port,
        security=wanted.smtp.security,
        username=wanted.smtp_username or wanted.username,
        password=wanted.smtp_password or wanted.password,
        private_network=private,
        tokens=tokens,
    )
    return imap, smtp


async def _read_folders(login: ImapLogin, found: list[TriedFolder]) -> ServerProblem | None:
    """Sign in and list the folders, with their sizes where the server tells them."""
    try:
        server = await open_connection(login, timeout=20)
        try:
            listed, statuses = await server.list_with_status(sizes=True)
            if not statuses:
                listed = await _counted(server, listed)
        finally:
            await server.close()
    except ServerProblem as problem:
        return problem
    found += [
        TriedFolder(
            name=folder.name,
            title=folder.title,
            role=folder.role or "",
            selectable=folder.selectable,
            object_id=folder.object_id,
            messages=folder.messages,
            bytes=folder.size,
        )
        for folder in listed
    ]
    return None


async def _counted(server: Connection, folders: list[FolderInfo]) -> list[FolderInfo]:
    """Each folder with its number of messages, as far as there is time: a server without LIST-STATUS is asked one by
    one."""
    found = list(folders)
    try:
        async with asyncio.timeout(COUNT_SECONDS):
            for place, folder in enumerate(folders):
                if folder.selectable:
                    found[place] = await _with_count(server, folder)
    except TimeoutError:
        log.info("Not every folder was counted: the server took longer than %.0f s.", COUNT_SECONDS)
    return found


async def _with_count(server: Connection, folder: FolderInfo) -> FolderInfo:
    try:
        return replace(folder, messages=(await server.folder_status(folder.name)).messages)
    except CommandRefused as refusal:
        log.info("A folder was not counted: %s", refusal.code)
        return folder


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
