"""Sending commands on a signed-in connection, one at a time, and what becomes of their failures.

After a failure that leaves the conversation with the server unclear (time-out, cancellation, nonsense) the connection
is closed and every later call fails. `sync.imap.connection.Connection` is made of this and of the commands in
`folders`, `messages` and `waiting`.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field

from sync.errors import ServerProblem, server_problem
from sync.imap import refusals
from sync.imap.answers import Changes, FolderNews, Selected, parse_number
from sync.imap.protocol import Command, Protocol, execute, last_words, lost_problem
from sync.imap.reader import Response, Unreadable, Value, parse_fetch
from sync.types import ImapLogin

AT_ONCE_BYTES = 64 * 1024
"""A literal up to this size is sent without the server's leave where it understands LITERAL+."""
LITERAL_MINUS_BYTES = 4096
"""The same for LITERAL- (RFC 7888 section 5)."""


@dataclass
class Dialogue:
    """A connection to one account: its state, and how commands are run on it."""

    login: ImapLogin
    capabilities: frozenset[str]
    selected: Selected | None = field(default=None, init=False)
    resyncs: bool = field(default=False, init=False)
    """Whether QRESYNC (RFC 7162) is switched on."""
    _protocol: Protocol
    _timeout: float
    _lock: asyncio.Lock = field(default_factory=asyncio.Lock, init=False)

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

    def take_news(self) -> FolderNews:
        """What was told of folders that are not open (`watch_folders`), which is thereby forgotten."""
        news, self._protocol.news = self._protocol.news, FolderNews()
        if not self._protocol.changes:
            self._protocol.told.clear()
        return news

    # -- sending commands ------------------------------------------------------------------------------------

    async def _fetch(
        self, number_set: str, items: str, *tail: str, by_number: bool = False, wanted: str = "FLAGS"
    ) -> list[tuple[int, dict[str, Value]]]:
        """UID FETCH or FETCH: those responses that hold `wanted`. The others were told in passing, and are noted."""
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
            number, told = fetched
            if isinstance(told.get("UID"), bytes) and any(name.startswith(wanted) for name in told):
                found.append((parse_number(told["UID"]), told))
            elif "UID" in told and "FLAGS" in told:
                self._protocol.changes.flags.add(number)
                self._protocol.told.set()
        return found

    async def _run(self, name: str, *arguments: str, literal: bytes | None = None) -> list[Response]:
        return (await self._command(name, arguments, literal=literal)).responses

    async def _command(self, name: str, arguments: Sequence[str], *, literal: bytes | None = None) -> Command:
        """Run one command to its end, with a literal as its last argument. Raises ServerProblem when it is refused or
        the connection fails.

        A short literal follows at once where the server allows that (RFC 7888). A long one waits for the server's
        leave: a full mailbox is then told of before everything was sent.
        """
        at_once = False
        if literal is not None:
            most = AT_ONCE_BYTES if self.offers("LITERAL+") else LITERAL_MINUS_BYTES if self.offers("LITERAL-") else -1
            at_once = len(literal) <= most
            arguments = [*arguments, f"{{{len(literal)}{'+' if at_once else ''}}}"]
        literals = [literal + b"\r\n"] if literal is not None else []
        async with self._lock:
            self._check_alive()
            command = await execute(
                self._protocol, self.login, name, arguments, literals, self._timeout, impatient=at_once
            )
        self._check_result(command)
        return command

    def _check_alive(self) -> None:
        if self._protocol.lost is not None:
            raise self._translate(self._protocol.lost)

    def _check_result(self, command: Command) -> None:
        if command.response.result != "OK":
            words = last_words(command)
            code = refusals.command_refusal(words) if command.response.result == "NO" else "refused_by_server"
            raise self._problem(code, words)

    def _translate(self, error: Exception) -> ServerProblem:
        return lost_problem(error, self._protocol, self.login)

    def _problem(self, code: str, words: str) -> ServerProblem:
        return server_problem(
            code,
            host=self.login.host,
            port=self.login.port,
            username=self.login.username,
            server_words=words,
        )
