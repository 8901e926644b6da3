"""One IMAP connection: typed commands in, typed answers out, every failure as a `sync.errors.ServerProblem`.

The only module that knows aioimaplib. From it come tags, command states and time limits; its reader is
replaced by `sync.imap.reader`, because the original loses data (see there), and its handling of a lost
connection by one that ends the waiting command at once. Commands are sent one at a time. After a failure that
leaves the conversation with the server unclear (time-out, cancellation, nonsense) the connection is closed
and every later call fails.
"""

import asyncio
import base64
import logging
import re
import ssl
from collections import deque
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, cast

import aioimaplib.aioimaplib as aioimaplib

from sync.dial import connect_problem, dial, tls_context
from sync.errors import CommandRefused, ServerProblem, server_problem
from sync.imap import refusals
from sync.imap.answers import (
    Changes,
    Flags,
    FolderStatus,
    Selected,
    format_date,
    parse_copyuid,
    parse_date,
    parse_flags,
    parse_list,
    parse_modseq,
    parse_number,
    parse_selected,
    parse_status,
    with_roles_by_name,
)
from sync.imap.reader import (
    Response,
    ResponseReader,
    Unreadable,
    Value,
    format_number_set,
    parse_fetch,
    parse_number_set,
)
from sync.types import AccessTokens, FetchedMessage, FolderInfo, ImapLogin

log = logging.getLogger(__name__)

COMMAND_SECONDS = 60.0
"""How long a server may stay silent within a command. Data that keeps coming extends it."""

aioimaplib.Commands.setdefault("UNSELECT", aioimaplib.Cmd("UNSELECT", (aioimaplib.SELECTED,), aioimaplib.Exec.is_sync))

_NUMBERED = re.compile(rb"\* (\d+) (EXISTS|EXPUNGE|RECENT|FETCH)", re.IGNORECASE)


class _Command(aioimaplib.Command):
    """A command that keeps whole responses, and the literals that it still has to send."""

    def __init__(self, name: str, tag: str, *args: str, literals: Iterable[bytes] = (), timeout: float) -> None:
        super().__init__(name, tag, *args, timeout=timeout)
        self._timeout: float | None = timeout
        self.literals = deque(literals)
        self.responses: list[Response] = []

    @property
    def wants_fetch(self) -> bool:
        """Whether FETCH responses are its answer; else they tell of flags that somebody changed."""
        return "FETCH" in (self.name, *self.args[:1]) or "STORE" in self.args[:1]

    def heard(self) -> None:
        """The server is alive: start the time limit again."""
        self._reset_timer()

    def wait_for_ever(self) -> None:
        """No time limit from now on: IDLE is meant to last."""
        self._timer.cancel()
        self._timeout = None

    def answer_within(self, seconds: float) -> None:
        """A time limit again."""
        self._timeout = seconds
        self._set_timer()

    def fail(self, error: BaseException) -> None:
        """End the waiting for it with an error."""
        self._timer.cancel()
        self._exception = error
        self._event.set()


class _Protocol(aioimaplib.IMAP4ClientProtocol):
    """aioimaplib's protocol with our reader, and with lost connections noticed by whoever waits."""

    transport: asyncio.Transport | None

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        super().__init__(loop)
        self.greeting: asyncio.Future[bytes] = loop.create_future()
        self.closed: asyncio.Future[None] = loop.create_future()
        self.goodbye = ""
        self.lost: Exception | None = None
        self.exists = 0
        self.changes = Changes()
        self.told = asyncio.Event()
        self._reader = ResponseReader()

    @property
    def command(self) -> _Command | None:
        """The one command under way."""
        return cast("_Command | None", self.pending_sync_command) or next(
            iter(self.pending_async_commands.values()), None
        )

    @property
    def unread(self) -> bool:
        """Whether bytes came that no complete response explains (before TLS: somebody injected them)."""
        return not self._reader.empty

    def send(self, line: str, scrub: str | None = None) -> None:
        """Send one line. Unlike the original it is never logged: it may hold a password or a search."""
        if self.transport is not None:
            self.transport.write(line.encode() + b"\r\n")

    def data_received(self, d: bytes) -> None:
        if self.command is not None:
            self.command.heard()
        try:
            for response in self._reader.feed(d):
                self._handle(response)
        except (Unreadable, aioimaplib.Error, ValueError) as error:
            self.break_off(error)

    def connection_lost(self, exc: Exception | None) -> None:
        self.break_off(exc or ConnectionResetError("the server closed the connection"))
        if not self.closed.done():
            self.closed.set_result(None)

    def break_off(self, error: Exception) -> None:
        """End everything that waits for this connection, and close it. The first reason stays."""
        self.lost = self.lost or error
        self.told.set()
        if not self.greeting.done():
            self.greeting.set_exception(self.lost)
            self.greeting.exception()  # whoever waits is told; nobody waiting is no fault
        if self.command is not None:
            self.command.fail(self.lost)
        if self.transport is not None:
            self.transport.abort()

    def _handle(self, response: Response) -> None:
        line = response.line
        if not self.greeting.done():
            self.greeting.set_result(line)
        elif line.startswith(b"* "):
            self._untagged(response)
        elif line.startswith(b"+"):
            self._continuation(line)
        else:
            self._response_done(line)

    def _untagged(self, response: Response) -> None:
        self._note(b"".join(response.texts))
        if self.command is not None:
            self.command.responses.append(response)

    def _note(self, line: bytes) -> None:
        numbered = _NUMBERED.match(line)
        if numbered is not None:
            number, kind = int(numbered.group(1)), numbered.group(2).upper()
            if kind == b"EXISTS":
                self.changes.new += max(0, number - self.exists)
                self.exists = number
            elif kind == b"EXPUNGE":
                self.changes.expunged(number)
                self.exists -= 1
            elif kind == b"FETCH" and not self._is_answer(line):
                self.changes.flags.add(number)
        elif line[:11].upper() == b"* VANISHED ":
            self.changes.gone = True
        elif line[:5].upper() == b"* BYE":
            self.goodbye = line[6:].decode("utf-8", "replace")
        if self.changes:
            self.told.set()

    def _is_answer(self, fetch: bytes) -> bool:
        """Whether a FETCH response was asked for. All that are asked for name a UID; those told in passing do not."""
        return self.command is not None and self.command.wants_fetch and b"UID" in fetch.upper()

    def _continuation(self, line: bytes) -> None:
        command = self.command
        if command is None:
            return  # a server may chatter between commands; nothing waits for it
        if command.name == "IDLE":
            self._idle_event.set()
        elif command.literals and self.transport is not None:
            self.transport.write(command.literals.popleft())
        elif self.transport is not None:
            self.transport.write(b"*\r\n")  # a challenge that was not expected: RFC 9051 section 6.2.2


@dataclass
class Connection:
    """A signed-in connection. Made by `open_connection`; close it with `close()`."""

    login: ImapLogin
    capabilities: frozenset[str]
    selected: Selected | None = field(default=None, init=False)
    _protocol: _Protocol
    _timeout: float
    _lock: asyncio.Lock = field(default_factory=asyncio.Lock, init=False)

    # -- what is open ----------------------------------------------------------------------------------------

    def offers(self, capability: str) -> bool:
        """Whether the server announces a capability, e.g. `CONDSTORE`."""
        return capability in self.capabilities

    @property
    def exists(self) -> int:
        """The number of messages in the open folder, as last told."""
        return self._protocol.exists

    @property
    def lost(self) -> bool:
        """Whether the connection is gone."""
        return self._protocol.lost is not None

    @property
    def has_changes(self) -> bool:
        """Whether something was told since the changes were last taken."""
        return bool(self._protocol.changes)

    def take_changes(self) -> Changes:
        """What was told since the last time, which is thereby forgotten."""
        changes, self._protocol.changes = self._protocol.changes, Changes()
        self._protocol.told.clear()
        return changes

    # -- folders ---------------------------------------------------------------------------------------------

    async def list_folders(self) -> list[FolderInfo]:
        """All folders, with their roles from SPECIAL-USE (RFC 6154) or else from their names."""
        extended = self.offers("SPECIAL-USE") and self.offers("LIST-EXTENDED")
        tail = ("RETURN", "(SPECIAL-USE)") if extended else ()
        responses = await self._run("LIST", '""', '"*"', *tail)
        folders = [folder for response in responses if (folder := parse_list(response)) is not None]
        return with_roles_by_name(folders)

    async def open_folder(self, folder: str, *, read_only: bool = True) -> Selected:
        """EXAMINE or SELECT a folder. Raises CommandRefused (no_such_folder) when it is not there."""
        self._protocol.changes = Changes()
        self._protocol.told.clear()
        self._protocol.exists = 0
        self.selected = None
        arguments = (_quoted(folder), "(CONDSTORE)") if self.offers("CONDSTORE") else (_quoted(folder),)
        command = await self._command("EXAMINE" if read_only else "SELECT", arguments)
        self._protocol.state = aioimaplib.SELECTED
        final = bytes(command.response.lines[-1])
        self.selected = parse_selected(folder, command.responses, final, read_only=read_only)
        self._protocol.changes = Changes()
        self._protocol.told.clear()
        return self.selected

    async def close_folder(self) -> None:
        """Leave a folder that was opened read-only, so that STATUS may be asked for it. Nothing is expunged.

        Some servers refuse CLOSE there. Then the folder stays open, and they answer STATUS all the same.
        """
        if self.selected is None or not self.selected.read_only:
            return
        try:
            await self._run("UNSELECT" if self.offers("UNSELECT") else "CLOSE")
        except CommandRefused as refusal:
            log.debug("the folder stays open: %s", refusal)
            return
        self._protocol.state = aioimaplib.AUTH
        self.selected = None

    async def folder_status(self, folder: str) -> FolderStatus:
        """STATUS of a folder that is not the open one."""
        wanted = "MESSAGES UIDNEXT UIDVALIDITY UNSEEN"
        if self.offers("CONDSTORE"):
            wanted += " HIGHESTMODSEQ"
        status = parse_status(await self._run("STATUS", _quoted(folder), f"({wanted})"))
        if status is not None:
            return status
        raise self._problem("answer_not_understood", "STATUS was answered without a STATUS line")

    async def create_folder(self, folder: str) -> None:
        """Create a folder; `folder` is the server's spelling (`sync.imap.names.wire_name`)."""
        await self._run("CREATE", _quoted(folder))

    # -- messages --------------------------------------------------------------------------------------------

    async def search(self, criteria: str, *, literal: bytes | None = None) -> list[int]:
        """UIDs that match, ascending. A `literal` (text that cannot be quoted) is appended to them."""
        compact = self.offers("ESEARCH")
        arguments = ["SEARCH", *(("RETURN", "(ALL)") if compact else ()), criteria]
        literals = []
        if literal is not None:
            arguments.append(f"{{{len(literal)}}}")
            literals = [literal + b"\r\n"]
        uids: set[int] = set()
        for response in await self._run("UID", *arguments, literals=literals):
            line = response.line
            if line[:9].upper() == b"* SEARCH " or line.upper() == b"* SEARCH":
                uids.update(int(word) for word in line[9:].split() if word.isdigit())
            elif line[:10].upper() == b"* ESEARCH ":
                words = line[10:].split()
                if b"ALL" in words:
                    uids.update(parse_number_set(words[words.index(b"ALL") + 1]))
        return sorted(uids)

    async def fetch_sizes(self, uids: Sequence[int]) -> dict[int, int]:
        """RFC822.SIZE in bytes, by UID. Messages that are gone are missing."""
        found = await self._fetch(format_number_set(uids), "(UID RFC822.SIZE)")
        return {uid: parse_number(items.get("RFC822.SIZE")) for uid, items in found if "RFC822.SIZE" in items}

    async def fetch_flags(self, uid_set: str, *, changed_since: int = 0) -> list[Flags]:
        """The flags of messages; with `changed_since` only of those changed after that modseq (RFC 7162)."""
        tail = (f"(CHANGEDSINCE {changed_since})",) if changed_since else ()
        found = await self._fetch(uid_set, "(UID FLAGS)", *tail)
        return [
            Flags(uid, parse_flags(items.get("FLAGS")), parse_modseq(items.get("MODSEQ")))
            for uid, items in found
            if "FLAGS" in items
        ]

    async def fetch_flags_by_number(self, numbers: Collection[int]) -> list[Flags]:
        """The flags of messages that the server named by their numbers. Numbers beyond the end are passed over."""
        there = [number for number in numbers if number <= self.exists]
        if not there:
            return []
        found = await self._fetch(format_number_set(there), "(UID FLAGS)", by_number=True)
        return [Flags(uid, parse_flags(items.get("FLAGS")), 0) for uid, items in found if "FLAGS" in items]

    async def fetch_messages(self, uid_set: str) -> list[FetchedMessage]:
        """Whole messages, ascending by UID, without setting \\Seen. Messages that are gone are missing."""
        found = await self._fetch(uid_set, "(UID FLAGS INTERNALDATE RFC822.SIZE BODY.PEEK[])")
        flags = {uid: parse_flags(items["FLAGS"]) for uid, items in found if "FLAGS" in items}
        messages: dict[int, FetchedMessage] = {}
        for uid, items in found:
            raw = items.get("BODY[]")
            if isinstance(raw, bytes):
                messages[uid] = FetchedMessage(
                    uid=uid,
                    flags=flags.get(uid, frozenset()),
                    internal_date=parse_date(items.get("INTERNALDATE")),
                    size=len(raw),
                    raw=raw,
                )
        return [messages[uid] for uid in sorted(messages)]

    async def fetch_header(self, uid_set: str, name: str) -> dict[int, bytes]:
        """One header field, unfolded only by the server, by UID."""
        found = await self._fetch(uid_set, f"(UID BODY.PEEK[HEADER.FIELDS ({name})])")
        fields: dict[int, bytes] = {}
        for uid, items in found:
            for key, value in items.items():
                if key.startswith("BODY[") and isinstance(value, bytes):
                    fields[uid] = value
        return fields

    async def change_flags(self, uids: Sequence[int], flags: Collection[str], *, add: bool) -> None:
        """Set or remove flags. UIDs that are gone are passed over by the server."""
        action = "+FLAGS.SILENT" if add else "-FLAGS.SILENT"
        words = " ".join(sorted(flags))
        await self._run("UID", "STORE", format_number_set(uids), action, f"({words})")

    async def move(self, uids: Sequence[int], target: str) -> dict[int, int]:
        """Move messages; the new UIDs by the old ones where the server tells them (UIDPLUS, RFC 4315)."""
        uid_set = format_number_set(uids)
        if self.offers("MOVE"):
            return _copied(await self._command("UID", ("MOVE", uid_set, _quoted(target))))
        copied = _copied(await self._command("UID", ("COPY", uid_set, _quoted(target))))
        await self._run("UID", "STORE", uid_set, "+FLAGS.SILENT", "(\\Deleted)")
        if self.offers("UIDPLUS"):
            await self._run("UID", "EXPUNGE", uid_set)
        return copied

    async def append(
        self, folder: str, raw: bytes, *, flags: Collection[str] = (), date: datetime | None = None
    ) -> int | None:
        """Add a message to a folder; its UID where the server tells it (UIDPLUS)."""
        arguments = [_quoted(folder)]
        if flags:
            arguments.append("(" + " ".join(sorted(flags)) + ")")
        if date is not None:
            arguments.append(format_date(date))
        arguments.append(f"{{{len(raw)}}}")
        command = await self._command("APPEND", arguments, literals=[raw + b"\r\n"])
        match = re.search(rb"\[APPENDUID \d+ (\d+)\]", bytes(command.response.lines[-1]))
        return int(match.group(1)) if match else None

    # -- waiting ---------------------------------------------------------------------------------------------

    async def ask_for_changes(self) -> None:
        """NOOP: let the server tell what happened to the open folder."""
        await self._run("NOOP")

    async def wait_for_changes(self, seconds: float, wake: asyncio.Event) -> None:
        """IDLE (RFC 2177) until the server tells something, `wake` is set, or `seconds` are over.

        Returns with IDLE ended; `take_changes` then says what was told. A peer that died in silence shows as
        a time-out of the ending.
        """
        protocol = self._protocol
        async with self._lock:
            self._check_alive()
            if protocol.changes or wake.is_set():
                return
            protocol._idle_event.clear()
            command = _Command("IDLE", protocol.new_tag(), timeout=self._timeout)
            running = asyncio.ensure_future(protocol.execute(command))
            try:
                await self._idle_until(command, running, seconds, wake)
                await running
            except BaseException as error:
                running.cancel()
                protocol.break_off(ConnectionAbortedError("IDLE was interrupted"))
                await asyncio.gather(running, return_exceptions=True)
                if isinstance(error, Exception):
                    raise self._translate(error) from error
                raise
            self._check_result(command)

    async def _idle_until(
        self, command: _Command, running: "asyncio.Future[Any]", seconds: float, wake: asyncio.Event
    ) -> None:
        """From IDLE sent to DONE sent."""
        protocol = self._protocol
        begun = asyncio.ensure_future(protocol._idle_event.wait())
        told = asyncio.ensure_future(protocol.told.wait())
        woken = asyncio.ensure_future(wake.wait())
        try:
            await asyncio.wait({begun, running}, return_when=asyncio.FIRST_COMPLETED)
            if running.done():
                return  # refused, or the connection is gone: the caller looks at it
            command.wait_for_ever()
            await asyncio.wait({told, woken, running}, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
            if not running.done():
                command.answer_within(self._timeout)
                protocol.idle_done()
        finally:
            for waiting in (begun, told, woken):
                waiting.cancel()
            await asyncio.gather(begun, told, woken, return_exceptions=True)

    # -- the end ---------------------------------------------------------------------------------------------

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

    # -- sending commands ------------------------------------------------------------------------------------

    async def _fetch(
        self, number_set: str, items: str, *tail: str, by_number: bool = False
    ) -> list[tuple[int, dict[str, Value]]]:
        """UID FETCH or FETCH. A line without UID was told in passing, and is already noted as such."""
        found: list[tuple[int, dict[str, Value]]] = []
        command = ("FETCH",) if by_number else ("UID", "FETCH")
        for response in await self._run(*command, number_set, items, *tail):
            try:
                fetched = parse_fetch(response)
            except Unreadable as error:
                self._protocol.break_off(error)
                raise self._problem("answer_not_understood", str(error)) from error
            if fetched is None:
                continue
            if isinstance(fetched[1].get("UID"), bytes):
                found.append((parse_number(fetched[1]["UID"]), fetched[1]))
        return found

    async def _run(self, name: str, *arguments: str, literals: Iterable[bytes] = ()) -> list[Response]:
        return (await self._command(name, arguments, literals=literals)).responses

    async def _command(self, name: str, arguments: Sequence[str], *, literals: Iterable[bytes] = ()) -> _Command:
        """Run one command to its end. Raises ServerProblem when it is refused or the connection fails."""
        async with self._lock:
            self._check_alive()
            command = await _execute(self._protocol, self.login, name, arguments, literals, self._timeout)
        self._check_result(command)
        return command

    def _check_alive(self) -> None:
        if self._protocol.lost is not None:
            raise self._translate(self._protocol.lost)

    def _check_result(self, command: _Command) -> None:
        if command.response.result != "OK":
            words = _words(command)
            code = refusals.command_refusal(words) if command.response.result == "NO" else "refused_by_server"
            raise self._problem(code, words)

    def _translate(self, error: Exception) -> ServerProblem:
        return _lost_problem(error, self._protocol, self.login)

    def _problem(self, code: str, words: str) -> ServerProblem:
        return server_problem(
            code,
            host=self.login.host,
            port=self.login.port,
            username=self.login.username,
            server_words=words,
        )


async def open_connection(login: ImapLogin, *, timeout: float = COMMAND_SECONDS) -> Connection:
    """Connect, protect, sign in, and switch CONDSTORE on where it is offered. Raises ServerProblem."""
    loop = asyncio.get_running_loop()
    protocol = _Protocol(loop)
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
        raise _greeting_problem(error, login) from error
    except BaseException:
        protocol.break_off(ConnectionAbortedError("cancelled"))
        if protocol.transport is None:
            sock.close()
        raise
    connection = Connection(login=login, capabilities=frozenset(), _protocol=protocol, _timeout=timeout)
    try:
        await _enter(connection, protocol, greeting)
    except BaseException:
        protocol.break_off(ConnectionAbortedError("not signed in"))
        await asyncio.wait({protocol.closed}, timeout=2)
        raise
    return connection


async def check_imap(login: ImapLogin) -> ServerProblem | None:
    """Whether the account can be read: signs in and lists its folders. None when all is well."""
    try:
        connection = await open_connection(login, timeout=20)
        try:
            await connection.list_folders()
        finally:
            await connection.close()
    except ServerProblem as problem:
        return problem
    return None


async def _enter(connection: Connection, protocol: _Protocol, greeting: bytes) -> None:
    """From the greeting to a signed-in connection that knows what the server can do."""
    login = connection.login
    words = greeting.decode("utf-8", "replace")
    if greeting[:5].upper() == b"* BYE":
        code = refusals.goodbye(words)
        raise connection._problem("server_unavailable" if code == "connection_lost" else code, words[6:])
    if greeting[:4].upper() not in (b"* OK", b"* PR"):
        raise connection._problem("not_a_mail_server", words)
    protocol.state = aioimaplib.NONAUTH
    if login.security == "starttls":
        await _protect(connection, protocol)
    if greeting[:9].upper() == b"* PREAUTH":
        protocol.state = aioimaplib.AUTH
    else:
        connection.capabilities = await _capabilities(connection)
        await _sign_in(connection, protocol)
    connection.capabilities = await _capabilities(connection)
    if connection.offers("ENABLE") and connection.offers("CONDSTORE"):
        await connection._run("ENABLE", "CONDSTORE")


async def _protect(connection: Connection, protocol: _Protocol) -> None:
    """STARTTLS (RFC 9051 section 6.2.1). What came before it, capabilities included, is forgotten."""
    login = connection.login
    if "STARTTLS" not in await _capabilities(connection):
        raise connection._problem("tls_not_offered", "STARTTLS is not among the capabilities")
    command = await _execute(protocol, login, "STARTTLS", (), (), connection._timeout)
    if command.response.result != "OK":
        raise connection._problem("tls_not_offered", _words(command))
    if protocol.unread:
        raise connection._problem("tls_failed", "the server spoke before the connection was protected")
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
    for response in await connection._run("CAPABILITY"):
        if response.line[:13].upper() == b"* CAPABILITY ":
            return frozenset(response.line[13:].decode("ascii", "replace").upper().split())
    return frozenset()


async def _sign_in(connection: Connection, protocol: _Protocol) -> None:
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
        arguments = [_quoted(login.username), _quoted(login.password)]
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
    command = await _execute(protocol, login, name, arguments, literals, connection._timeout)
    if command.response.result != "OK":
        words = _words(command)
        raise connection._problem(refusals.sign_in_refusal(words, passwords_offered=offered), words)
    protocol.state = aioimaplib.AUTH


async def _sign_in_with_token(connection: Connection, protocol: _Protocol, tokens: AccessTokens) -> None:
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
        command = await _execute(protocol, login, "AUTHENTICATE", arguments, literals, connection._timeout)
        if command.response.result == "OK":
            protocol.state = aioimaplib.AUTH
            return
        words = _words(command)
        code = refusals.sign_in_refusal(words)
        if code not in ("wrong_password", "oauth_needed", "app_password_needed"):
            raise connection._problem(code, words)
        if last:
            raise connection._problem("oauth_refused", words)
        token = await tokens.renew(token)


async def _execute(
    protocol: _Protocol,
    login: ImapLogin,
    name: str,
    arguments: Sequence[str],
    literals: Iterable[bytes],
    timeout: float,
) -> _Command:
    command = _Command(name, protocol.new_tag(), *arguments, literals=literals, timeout=timeout)
    try:
        await protocol.execute(command)
    except asyncio.CancelledError:
        protocol.break_off(ConnectionAbortedError("cancelled in the middle of a command"))
        raise
    except Exception as error:
        protocol.break_off(error)
        raise _lost_problem(error, protocol, login) from error
    return command


def _lost_problem(error: Exception, protocol: _Protocol, login: ImapLogin) -> ServerProblem:
    """Why a connection ended: the server's last words tell most, then what the network said."""
    if isinstance(error, ServerProblem):
        return error
    code, words = "connection_lost", str(error)
    if isinstance(error, aioimaplib.CommandTimeout):
        code, words = "timeout", f"no answer to {error.command.name}"
    elif isinstance(error, Unreadable | aioimaplib.Error | ValueError):
        code = "answer_not_understood"
    elif protocol.goodbye:
        code, words = refusals.goodbye(protocol.goodbye), protocol.goodbye
    elif isinstance(error, ssl.SSLError):
        return connect_problem(error, login)
    return server_problem(code, host=login.host, port=login.port, username=login.username, server_words=words)


def _greeting_problem(error: Exception, login: ImapLogin) -> ServerProblem:
    """A port that accepts and then says nothing, or nonsense, usually speaks another protocol."""
    if isinstance(error, Unreadable) or (isinstance(error, TimeoutError) and login.security != "tls"):
        words = str(error) or "no greeting"
        return server_problem(
            "not_a_mail_server", host=login.host, port=login.port, username=login.username, server_words=words
        )
    return connect_problem(error, login)


def _quoted(text: str) -> str:
    return aioimaplib.quoted(text)


def _has_control_characters(text: str) -> bool:
    return any(character in text for character in "\0\r\n")


def _words(command: _Command) -> str:
    lines = command.response.lines
    return bytes(lines[-1]).decode("utf-8", "replace") if lines else ""


def _copied(command: _Command) -> dict[int, int]:
    lines = [response.line for response in command.responses]
    return parse_copyuid([*lines, *(bytes(line) for line in command.response.lines)])
