"""One IMAP connection: typed commands in, typed answers out, every failure as a `sync.errors.ServerProblem`.

Here it is opened: greeting, protection, signing in, what the server can do. Its commands stand in `folders`,
`messages` and `waiting`, how they are sent in `dialogue`, the driver in `protocol`.
"""

import asyncio
import base64
import logging
import ssl
from dataclasses import dataclass
from typing import cast

from sync.dial import connect_problem, dial, tls_context
from sync.errors import CommandRefused, ServerProblem
from sync.imap import refusals
from sync.imap.compression import worth_compressing
from sync.imap.folders import FolderCommands
from sync.imap.messages import MessageCommands
from sync.imap.protocol import AUTH, NONAUTH, Protocol, execute, greeting_problem, last_words, quoted
from sync.imap.reader import Unreadable
from sync.imap.waiting import WaitingCommands
from sync.types import AccessTokens, ImapLogin

log = logging.getLogger(__name__)

COMMAND_SECONDS = 60.0
"""How long a server may stay silent within a command. Data that keeps coming extends it."""


class Connection(FolderCommands, MessageCommands, WaitingCommands):
    """A signed-in connection. Made by `open_connection`; close it with `close()`."""

    async def close(self) -> None:
        """Say goodbye if that goes quickly, and close the socket. Never raises a ServerProblem."""
        if self._protocol.lost is None and not self._lock.locked():
            try:
                async with asyncio.timeout(2):
                    await self._run("LOGOUT")
            except (ServerProblem, TimeoutError):
                self._protocol.break_off(ConnectionAbortedError("closed without a goodbye"))
        self._protocol.break_off(ConnectionAbortedError("closed"))
        await asyncio.wait({self._protocol.closed}, timeout=2)


@dataclass(frozen=True, slots=True)
class Greeted:
    """A server that was reached and has greeted; nobody has signed in yet."""

    protocol: Protocol
    greeting: bytes

    async def break_off(self) -> None:
        self.protocol.break_off(ConnectionAbortedError("not signed in"))
        await asyncio.wait({self.protocol.closed}, timeout=2)


async def reach(login: ImapLogin, *, timeout: float = COMMAND_SECONDS) -> Greeted:
    """Connect, and wait for the greeting. Raises ServerProblem."""
    loop = asyncio.get_running_loop()
    protocol = Protocol(loop)
    sock = await dial(login)
    try:
        context = tls_context(login.authority_pem) if login.security == "tls" else None
        async with asyncio.timeout(timeout):
            await loop.create_connection(
                lambda: protocol,
                sock=sock,
                ssl=context,
                server_hostname=login.host if context is not None else None,
            )
            greeting = await protocol.greeting
    except (OSError, TimeoutError, ssl.SSLError, Unreadable, ValueError) as error:
        protocol.break_off(ConnectionAbortedError("no greeting"))
        if protocol.transport is None:
            sock.close()
        raise greeting_problem(error, login) from error
    except BaseException:
        protocol.break_off(ConnectionAbortedError("cancelled"))
        if protocol.transport is None:
            sock.close()
        raise
    return Greeted(protocol, greeting)


async def open_connection(
    login: ImapLogin, *, timeout: float = COMMAND_SECONDS, greeted: Greeted | None = None
) -> Connection:
    """Connect unless that was done, protect, sign in, switch CONDSTORE on where it is offered. Raises ServerProblem."""
    greeted = greeted or await reach(login, timeout=timeout)
    connection = Connection(login=login, capabilities=frozenset(), _protocol=greeted.protocol, _timeout=timeout)
    try:
        await _enter(connection, greeted.protocol, greeted.greeting)
    except BaseException:
        await greeted.break_off()
        raise
    return connection


async def _enter(connection: Connection, protocol: Protocol, greeting: bytes) -> None:
    """From the greeting to a signed-in connection that knows what the server can do."""
    login = connection.login
    words = greeting.decode("utf-8", "replace")
    if greeting[:5].upper() == b"* BYE":
        code = refusals.goodbye(words)
        raise connection._problem("server_unavailable" if code == "connection_lost" else code, words[6:])
    if greeting[:4].upper() not in (b"* OK", b"* PR"):
        raise connection._problem("not_a_mail_server", words)
    protocol.state = NONAUTH
    if login.security == "starttls":
        await _protect(connection, protocol)
    if greeting[:9].upper() == b"* PREAUTH":
        protocol.state = AUTH
    else:
        connection.capabilities = await _capabilities(connection)
        protocol.capabilities = None  # those of after signing in are others; most servers tell them by themselves
        await _sign_in(connection, protocol)
    connection.capabilities = await _capabilities(connection)
    extension = next((name for name in ("QRESYNC", "CONDSTORE") if connection.offers(name)), "")
    if connection.offers("ENABLE") and extension:
        await connection._run("ENABLE", extension)
        connection.resyncs = extension == "QRESYNC"
    if connection.offers("COMPRESS=DEFLATE") and _compresses(login, protocol):
        try:
            await connection._run("COMPRESS", "DEFLATE")
        except CommandRefused as refusal:
            log.debug("the conversation stays uncompressed: %s", refusal)


def _compresses(login: ImapLogin, protocol: Protocol) -> bool:
    if login.compress is not None or protocol.transport is None:
        return bool(login.compress)
    return worth_compressing(protocol.transport.get_extra_info("peername"))


async def _protect(connection: Connection, protocol: Protocol) -> None:
    """STARTTLS (RFC 9051 section 6.2.1). What came before it, capabilities included, is forgotten."""
    login = connection.login
    if "STARTTLS" not in await _capabilities(connection):
        raise connection._problem("tls_not_offered", "STARTTLS is not among the capabilities")
    command = await execute(protocol, login, "STARTTLS", (), (), connection._timeout)
    if command.response.result != "OK":
        raise connection._problem("tls_not_offered", last_words(command))
    if protocol.unread:
        raise connection._problem("tls_failed", "the server spoke before the connection was protected")
    protocol.capabilities = None
    loop = asyncio.get_running_loop()
    try:
        async with asyncio.timeout(connection._timeout):
            protected = await loop.start_tls(
                cast(asyncio.WriteTransport, protocol.transport),
                protocol,
                tls_context(login.authority_pem),
                server_hostname=login.host,
            )
            protocol.transport = cast(asyncio.Transport, protected)
    except (OSError, TimeoutError, ssl.SSLError) as error:
        raise connect_problem(error, login) from error


async def _capabilities(connection: Connection) -> frozenset[str]:
    """As the server told them last; asked for when it did not."""
    if connection._protocol.capabilities is None:
        await connection._run("CAPABILITY")
    return connection._protocol.capabilities or frozenset()


async def _sign_in(connection: Connection, protocol: Protocol) -> None:
    """LOGIN where it can carry the password, else AUTHENTICATE PLAIN (RFC 4616); XOAUTH2 where there are tokens."""
    login = connection.login
    if login.tokens is not None:
        await _sign_in_with_token(connection, protocol, login.tokens)
        return
    plain = connection.offers("AUTH=PLAIN")
    login_allowed = not connection.offers("LOGINDISABLED")
    offered = plain or login_allowed
    simple = login.username.isascii() and login.password.isascii()
    if not offered:
        if any(word in connection.capabilities for word in ("AUTH=XOAUTH2", "AUTH=OAUTHBEARER")):
            raise connection._problem("oauth_needed", " ".join(sorted(connection.capabilities)))
        code = "tls_needed" if login.security == "none" else "sign_in_not_offered"
        raise connection._problem(code, " ".join(sorted(connection.capabilities)))
    if _has_control_characters(login.username + login.password):
        raise connection._problem("wrong_password", "the user name or password contains a control character")
    literals: list[bytes] = []
    if login_allowed and (simple or not plain):
        name = "LOGIN"
        arguments = [quoted(login.username), quoted(login.password)]
        if not simple:
            user, password = login.username.encode(), login.password.encode()
            arguments = [f"{{{len(user)}}}"]
            literals = [user + f" {{{len(password)}}}\r\n".encode(), password + b"\r\n"]
    else:
        name = "AUTHENTICATE"
        token = base64.b64encode(f"\0{login.username}\0{login.password}".encode())
        arguments = ["PLAIN"]
        if connection.offers("SASL-IR"):
            arguments.append(token.decode())
        else:
            literals = [token + b"\r\n"]
    command = await execute(protocol, login, name, arguments, literals, connection._timeout)
    if command.response.result != "OK":
        words = last_words(command)
        raise connection._problem(refusals.sign_in_refusal(words, passwords_offered=offered), words)
    protocol.state = AUTH


async def _sign_in_with_token(connection: Connection, protocol: Protocol, tokens: AccessTokens) -> None:
    """AUTHENTICATE XOAUTH2. A token that is refused is renewed once: it may have been withdrawn before its time."""
    login = connection.login
    if not connection.offers("AUTH=XOAUTH2"):
        code = "tls_needed" if login.security == "none" else "sign_in_not_offered"
        raise connection._problem(code, " ".join(sorted(connection.capabilities)))
    token = await tokens.current()
    for last in (False, True):
        if _has_control_characters(login.username + token):
            raise connection._problem("oauth_refused", "the user name or the token contains a control character")
        told = base64.b64encode(f"user={login.username}\1auth=Bearer {token}\1\1".encode())
        arguments, literals = ["XOAUTH2"], [b"\r\n"]  # the empty line answers the challenge that holds the refusal
        if connection.offers("SASL-IR"):
            arguments.append(told.decode())
        else:
            literals.insert(0, told + b"\r\n")
        command = await execute(protocol, login, "AUTHENTICATE", arguments, literals, connection._timeout)
        if command.response.result == "OK":
            protocol.state = AUTH
            return
        words = last_words(command)
        code = refusals.sign_in_refusal(words)
        if code not in ("wrong_password", "oauth_needed", "app_password_needed"):
            raise connection._problem(code, words)
        if last:
            raise connection._problem("oauth_refused", words)
        token = await tokens.renew(token)


def _has_control_characters(text: str) -> bool:
    return any(character in text for character in "\0\r\n")
