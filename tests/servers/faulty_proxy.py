"""A line as bad as lines get: cuts, delays, truncates and corrupts what passes, at a place that is drawn.

    async with FaultyProxy(server.imaps_port) as proxy:
        proxy.expect(Fault("truncate", after=1200))     # strikes once 1,200 more bytes went to the client
        ...
        assert proxy.struck == 1

One fault waits at a time, and strikes once. Bytes are counted over all connections together, towards the client.
"""

import asyncio
from dataclasses import dataclass
from typing import Literal

from tests.servers.proxy import Proxy

FaultKind = Literal["cut", "close", "truncate", "delay", "stall", "corrupt", "drop", "refuse"]
FAULTS: tuple[FaultKind, ...] = FaultKind.__args__
"""
cut       all connections are reset
close     the connection ends in good order, in the middle of an answer
truncate  the rest of a chunk is lost, then the connection ends
delay     everything comes late, but comes
stall     nothing comes any more, and the connection stays open
corrupt   some bytes are others than were sent
drop      some bytes are left out, and the stream goes on
refuse    all connections are reset, and for a while new ones are
"""
LATE_SECONDS = 0.4
REFUSING_SECONDS = 0.5


@dataclass(frozen=True, slots=True)
class Fault:
    """`after`: bytes that still pass towards the client. `size`: how many bytes are hurt, where it hurts bytes."""

    kind: FaultKind
    after: int
    size: int = 8


class FaultyProxy(Proxy):
    """A proxy on which a fault can be expected."""

    def __init__(self, target_port: int) -> None:
        super().__init__(target_port)
        self.struck = 0
        self.passed = 0
        """Bytes that went to the client so far."""
        self._fault: Fault | None = None
        self._left = 0
        self._stalled: set[asyncio.StreamWriter] = set()
        self._later: asyncio.TimerHandle | None = None

    def expect(self, fault: Fault) -> None:
        """Let this fault strike next, in the place of one that still waits."""
        self._fault, self._left = fault, fault.after

    @property
    def waiting(self) -> bool:
        """Whether the fault has not struck yet."""
        return self._fault is not None

    def forget(self) -> None:
        """No fault from now on."""
        self._fault = None

    async def _pump(self, source: asyncio.StreamReader, target: asyncio.StreamWriter, to_client: bool) -> None:
        try:
            while data := await source.read(65536):
                if to_client:
                    self.passed += len(data)
                    data, over = await self._hurt(data, target)
                    target.write(data)
                    if over:
                        await target.drain()
                        return
                elif target not in self._stalled:
                    target.write(data)
                await target.drain()
        except (ConnectionError, OSError):
            return  # the other side is gone: closing below tells this one
        finally:
            self._stalled.discard(target)
            self._writers.discard(target)
            target.close()

    async def _hurt(self, data: bytes, target: asyncio.StreamWriter) -> tuple[bytes, bool]:
        """What of the data is forwarded, and whether the connection ends after it."""
        if target in self._stalled:
            return b"", False
        fault = self._fault
        if fault is None or len(data) <= self._left:
            self._left -= len(data)
            return data, False
        self._fault = None
        self.struck += 1
        at, end = self._left, self._left + fault.size
        match fault.kind:
            case "cut":
                self.cut()
                return b"", True
            case "refuse":
                self.refuse()
                self.cut()
                self._later = asyncio.get_running_loop().call_later(REFUSING_SECONDS, self.refuse, False)
                return b"", True
            case "close" | "truncate":
                return data[:at], True
            case "delay":
                await asyncio.sleep(LATE_SECONDS)
                return data, False
            case "stall":
                self._stalled.add(target)
                return data[:at], False
            case "corrupt":
                hurt = bytes(each ^ 0x55 for each in data[at:end])
                return data[:at] + hurt + data[end:], False
            case "drop":
                return data[:at] + data[end:], False
