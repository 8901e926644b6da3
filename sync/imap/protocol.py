"""The driver: aioimaplib's commands, with a reader of our own, and lost connections noticed by whoever waits.

The only module that knows aioimaplib. From it come tags, command states and time limits; its reader is replaced by
`sync.imap.reader`, because the original loses data (see there), and its handling of a lost connection by one that
ends the waiting command at once.
"""

import asyncio
import re
import ssl
import zlib
from collections import deque
from collections.abc import Iterable, Sequence
from typing import cast

import aioimaplib.aioimaplib as aioimaplib

from sync.dial import connect_problem
from sync.errors import ServerProblem, server_problem
from sync.imap import refusals
from sync.imap.answers import Changes, FolderNews, parse_status_line
from sync.imap.compression import DeflatingTransport, Inflater
from sync.imap.reader import Response, ResponseReader, Unreadable, parse_number_set
from sync.types import ImapLogin

NONAUTH, AUTH, SELECTED = aioimaplib.NONAUTH, aioimaplib.AUTH, aioimaplib.SELECTED
"""States of a connection (RFC 9051 section 3)."""

_ANY = (AUTH, SELECTED)
for _name in ("UNSELECT", "NOTIFY", "COMPRESS"):
    aioimaplib.Commands.setdefault(_name, aioimaplib.Cmd(_name, _ANY, aioimaplib.Exec.is_sync))
aioimaplib.Commands["IDLE"] = aioimaplib.Cmd(
    "IDLE", _ANY, aioimaplib.Exec.is_sync
)  # RFC 2177: also with no folder open

_NUMBERED = re.compile(rb"\* (\d+) (EXISTS|EXPUNGE|RECENT|FETCH)", re.IGNORECASE)
_CAPABILITIES = re.compile(rb"(?:\* |\S+ (?:OK|PREAUTH) \[)CAPABILITY ([^\]\r\n]*)", re.IGNORECASE)
_VANISHED = re.compile(rb"\* VANISHED ([\d:,]+)\s*\Z", re.IGNORECASE)


class Command(aioimaplib.Command):
    """A command that keeps whole responses, and the literals that it still has to send."""

    def __init__(self, name: str, tag: str, *args: str, literals: Iterable[bytes] = (), timeout: float) -> None:
        super().__init__(name, tag, *args, timeout=timeout)
        self._timeout: float | None = timeout
        self.literals = deque(literals)
        self.impatient = False
        """Whether its literals follow at once, without the server's leave (LITERAL+, RFC 7888)."""
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


class Protocol(aioimaplib.IMAP4ClientProtocol):
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
        self.news = FolderNews()
        self.told = asyncio.Event()
        self.capabilities: frozenset[str] | None = None
        """As last told, in passing or asked for."""
        self._reader = ResponseReader()
        self._inflater: Inflater | None = None

    @property
    def command(self) -> Command | None:
        """The one command under way."""
        return cast("Command | None", self.pending_sync_command) or next(
            iter(self.pending_async_commands.values()), None
        )

    @property
    def unread(self) -> bool:
        """Whether bytes came that no complete response explains (before TLS: somebody injected them)."""
        return not self._reader.empty

    def send(self, line: str, scrub: str | None = None) -> None:
        """Send one line. Unlike the original it is never logged: it may hold a password or a search."""
        if self.transport is None:
            return
        sent = line.encode() + b"\r\n"
        command = self.command
        if command is not None and command.impatient:
            sent += b"".join(command.literals)
            command.literals.clear()
        self.transport.write(sent)

    def data_received(self, d: bytes) -> None:
        if self.command is not None:
            self.command.heard()
        try:
            self._read(d)
        except (Unreadable, aioimaplib.Error, ValueError, zlib.error) as error:
            self.break_off(error)

    def _read(self, data: bytes) -> None:
        for piece in (data,) if self._inflater is None else self._inflater.feed(data):
            for response in self._reader.feed(piece):
                self._handle(response)

    def _compress(self) -> None:
        """From here on both directions are compressed (RFC 4978), what the server sent already included."""
        rest = self._reader.take_rest()
        self._inflater = Inflater()
        if self.transport is not None:
            self.transport = DeflatingTransport(self.transport)
        self._read(rest)

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
        offered = _CAPABILITIES.match(line)
        if offered is not None:
            self.capabilities = frozenset(offered.group(1).decode("ascii", "replace").upper().split())
        if not self.greeting.done():
            self.greeting.set_result(line)
        elif line.startswith(b"* "):
            self._untagged(response)
        elif line.startswith(b"+"):
            self._continuation(line)
        else:
            command = self.command
            self._response_done(line)
            if command is not None and command.name == "COMPRESS" and command.response.result == "OK":
                self._compress()

    def _untagged(self, response: Response) -> None:
        self._note(b"".join(response.texts))
        self._note_folder(response)
        if self.changes or self.news:
            self.told.set()
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
            self._vanished(line)
        elif line[:5].upper() == b"* BYE":
            self.goodbye = line[6:].decode("utf-8", "replace")

    def _vanished(self, line: bytes) -> None:
        """QRESYNC's EXPUNGE, by UID. `(EARLIER)` is an answer, and changes no numbers (RFC 7162 section 3.2.10)."""
        match = _VANISHED.match(line)
        if match is not None:
            uids = parse_number_set(match.group(1))
            self.changes.gone = True
            self.changes.vanished.update(uids)
            self.exists = max(0, self.exists - len(uids))

    def _note_folder(self, response: Response) -> None:
        """NOTIFY tells of folders that are not open by STATUS and LIST lines that nobody asked for."""
        start, asked = response.line[:9].upper(), self.command.name if self.command is not None else ""
        if start == b"* STATUS " and asked not in ("STATUS", "LIST"):
            self.news.changed.add(parse_status_line(response))
        elif start[:7] == b"* LIST " and asked != "LIST":
            self.news.renamed = True
        elif b"[NOTIFICATIONOVERFLOW" in response.line[:40].upper():
            self.news.overflow = True

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


async def execute(
    protocol: Protocol,
    login: ImapLogin,
    name: str,
    arguments: Sequence[str],
    literals: Iterable[bytes],
    timeout: float,
    *,
    impatient: bool = False,
) -> Command:
    command = Command(name, protocol.new_tag(), *arguments, literals=literals, timeout=timeout)
    command.impatient = impatient
    try:
        await protocol.execute(command)
    except asyncio.CancelledError:
        protocol.break_off(ConnectionAbortedError("cancelled in the middle of a command"))
        raise
    except Exception as error:
        protocol.break_off(error)
        raise lost_problem(error, protocol, login) from error
    return command


def lost_problem(error: Exception, protocol: Protocol, login: ImapLogin) -> ServerProblem:
    """Why a connection ended: the server's last words tell most, then what the network said."""
    if isinstance(error, ServerProblem):
        return error
    code, words = "connection_lost", str(error)
    if isinstance(error, aioimaplib.CommandTimeout):
        code, words = "timeout", f"no answer to {error.command.name}"
    elif isinstance(error, Unreadable | aioimaplib.Error | ValueError | zlib.error):
        code = "answer_not_understood"
    elif protocol.goodbye:
        code, words = refusals.goodbye(protocol.goodbye), protocol.goodbye
    elif isinstance(error, ssl.SSLError):
        return connect_problem(error, login)
    return server_problem(code, host=login.host, port=login.port, username=login.username, server_words=words)


def greeting_problem(error: Exception, login: ImapLogin) -> ServerProblem:
    """A port that accepts and then says nothing, or nonsense, usually speaks another protocol."""
    if isinstance(error, Unreadable) or (isinstance(error, TimeoutError) and login.security != "tls"):
        words = str(error) or "no greeting"
        return server_problem(
            "not_a_mail_server", host=login.host, port=login.port, username=login.username, server_words=words
        )
    return connect_problem(error, login)


def quoted(text: str) -> str:
    """A quoted string (RFC 9051 section 4.3)."""
    return aioimaplib.quoted(text)


def last_words(command: Command) -> str:
    """The tagged line that ended a command, without its tag."""
    lines = command.response.lines
    return bytes(lines[-1]).decode("utf-8", "replace") if lines else ""
