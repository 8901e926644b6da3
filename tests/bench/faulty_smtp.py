"""An SMTP server that is slow, refuses and hangs up, by chance and at every stage, and remembers all that it took.

It listens in a thread of its own. Of each mail it knows how often it answered 250 to the text, and whether the
connection ended while nobody could know: it hung up itself from DATA on (`cut`), or the other side was gone with a mail
under way (`dropped`). Mails are told apart by their first recipient and by Message-ID.
"""

import asyncio
import random
import re
import threading
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import TracebackType
from typing import Literal, Self

Stage = Literal["connect", "ehlo", "auth", "mail", "rcpt", "data", "body", "message"]
STAGES: tuple[Stage, ...] = ("connect", "ehlo", "auth", "mail", "rcpt", "data", "body", "message")
Fault = Literal["later", "never", "hang up", "hang up after taking it"]
_MESSAGE_ID = re.compile(rb"(?im)^message-id:\s*<([^>\r\n]+)>")
_ADDRESS = re.compile(rb"<([^>]*)>")


@dataclass(frozen=True)
class Odds:
    """How likely each thing is at each stage. A 5yz is final for a mail from MAIL on, so it is kept rare."""

    later: float = 0.02
    never: float = 0.004
    hang_up: float = 0.02
    slow: float = 0.05
    delay: float = 0.004
    """Mean seconds that every answer takes; a slow one takes `long`."""
    long: float = 0.4


@dataclass
class FaultySmtp:
    seed: int
    odds: Odds = field(default_factory=Odds)
    accepted: Counter[str] = field(default_factory=Counter)
    """By Message-ID: how often the server took the mail, whether or not it could say so."""
    cut: set[str] = field(default_factory=set)
    """First recipients of mails during whose DATA the server hung up."""
    dropped: set[str] = field(default_factory=set)
    """First recipients of the mail that a connection carried last, when the other side was gone without QUIT."""
    done: Counter[str] = field(default_factory=Counter)
    """How often each fault was played, as `stage fault`."""
    port: int = 0

    def __post_init__(self) -> None:
        self._randomness = random.Random(self.seed)
        self._loop = asyncio.new_event_loop()
        self._ready = threading.Event()
        self._thread = threading.Thread(target=self._run, name="faulty-smtp", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        if not self._ready.wait(10):
            raise RuntimeError("the SMTP server did not start")
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        server = self._loop.run_until_complete(
            asyncio.start_server(self._serve, "127.0.0.1", 0, limit=1 << 26, backlog=500)
        )
        self.port = int(server.sockets[0].getsockname()[1])
        self._ready.set()
        self._loop.run_forever()
        for task in asyncio.all_tasks(self._loop):
            task.cancel()
        self._loop.run_until_complete(asyncio.sleep(0))

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        connection = _Connection(self, reader, writer)
        try:
            await connection.run()
        except (ConnectionError, asyncio.IncompleteReadError):
            connection.lost()
        finally:
            writer.close()

    def chance(self, stage: Stage) -> tuple[float, Fault | None]:
        """How long to wait at this stage, and what to do then instead of what is asked."""
        odds, draw = self.odds, self._randomness
        delay = odds.long if draw.random() < odds.slow else draw.expovariate(1 / odds.delay)
        shares: Mapping[Fault, float] = {
            "later": odds.later,
            "never": odds.never,
            "hang up": odds.hang_up / 2 if stage == "message" else odds.hang_up,
            "hang up after taking it": odds.hang_up / 2 if stage == "message" else 0.0,
        }
        position = draw.random()
        for fault, share in shares.items():
            if position < share:
                self.done[f"{stage} {fault}"] += 1
                return delay, fault
            position -= share
        return delay, None


class _HungUp(Exception):
    """The server itself ended the connection."""


class _Connection:
    """One client's dialogue."""

    def __init__(self, owner: FaultySmtp, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._owner = owner
        self._reader = reader
        self._writer = writer
        self._carries = ""
        """The first recipient of the last transaction."""

    def lost(self) -> None:
        if self._carries:
            self._owner.dropped.add(self._carries)

    async def run(self) -> None:
        try:
            if await self._stage("connect", b"220 faulty ESMTP"):
                while await self._command():
                    pass
        except _HungUp:
            return

    async def _command(self) -> bool:
        line = await self._reader.readuntil(b"\n")
        verb = line[:4].upper()
        match verb:
            case b"EHLO":
                await self._stage("ehlo", b"250-faulty\r\n250-8BITMIME\r\n250-SIZE 50000000\r\n250 AUTH PLAIN")
            case b"AUTH":
                await self._stage("auth", b"235 2.7.0 welcome")
            case b"MAIL":
                self._carries = ""
                await self._stage("mail", b"250 2.1.0 go on")
            case b"RCPT":
                found = _ADDRESS.search(line)
                if await self._stage("rcpt", b"250 2.1.5 go on") and found:
                    self._carries = self._carries or found[1].decode()
            case b"DATA":
                await self._data()
            case b"RSET":  # a refused DATA is followed by it; until its refusal is on record, a kill makes it unknown
                await self._say(b"250 2.0.0 forgotten")
            case b"QUIT":
                await self._say(b"221 2.0.0 bye")
                self._carries = ""
                return False
            case _:
                await self._say(b"502 5.5.1 what")
        return True

    async def _data(self) -> None:
        if not await self._stage("data", b"354 send it", in_data=True):
            return
        delay, fault = self._owner.chance("body")
        if fault is not None and fault.startswith("hang up"):
            await self._reader.read(100)
            self._hang_up(in_data=True)
        text = await self._reader.readuntil(b"\r\n.\r\n")
        found = _MESSAGE_ID.search(text)
        message_id = found[1].decode() if found else "none"
        delay, fault = self._owner.chance("message")
        if fault in (None, "hang up after taking it"):
            self._owner.accepted[message_id] += 1
        await asyncio.sleep(delay)
        if fault is not None and fault.startswith("hang up"):
            self._hang_up(in_data=True)
        await self._say(_REFUSALS.get(fault or "", b"250 2.0.0 kept"))

    async def _stage(self, stage: Stage, answer: bytes, *, in_data: bool = False) -> bool:
        """Answer a command, or misbehave; whether it was answered as asked."""
        delay, fault = self._owner.chance(stage)
        await asyncio.sleep(delay)
        if fault is not None and fault.startswith("hang up"):
            self._hang_up(in_data=in_data)
        await self._say(_REFUSALS.get(fault or "", answer))
        return fault is None

    def _hang_up(self, *, in_data: bool) -> None:
        if in_data:
            self._owner.cut.add(self._carries)
        self._writer.transport.abort()
        raise _HungUp

    async def _say(self, line: bytes) -> None:
        self._writer.write(line + b"\r\n")
        await self._writer.drain()


_REFUSALS = {"later": b"451 4.3.0 come back later", "never": b"550 5.7.0 not with us"}
