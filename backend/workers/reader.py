"""Reading many messages in a process of its own, so that a first sync does not hold up the worker's loop.

One process, started when batches follow each other and ended when none came for a while. It is told messages and
answers what is stored of them, both as MessagePack behind a length of four bytes; it ends with its standard input, so
it never outlives the worker. Not `concurrent.futures`: its children import the parent's main module, which is most of
Tandem.

Run as `python -m backend.workers.reader` it is that process.
"""

import asyncio
import logging
import os
import struct
import sys
import time
from asyncio.subprocess import PIPE, Process
from collections.abc import Sequence

import msgspec

from backend.mail.reading import Prepared, read_message

log = logging.getLogger(__name__)

MANY = 20
"""Fewer messages than this are read here: they are done before a process has been asked."""
WORTH_STARTING = 140
"""Messages within `IDLE_SECONDS` for which a process is started: starting it takes as long as reading these."""
WORTH_WAITING = 80
"""Fewer than these are read here when the process is reading others."""
IDLE_SECONDS = 20.0
PATIENCE_SECONDS = 120.0
"""For one batch; then it is read here, and the process is started anew."""

NICENESS = 10
"""Of the process: old mail can wait, new mail and clicks cannot."""

_LENGTH = struct.Struct(">I")
_answers = msgspec.msgpack.Decoder(list[Prepared])
_questions = msgspec.msgpack.Decoder(list[bytes])


class Reader:
    """Reads messages. One for all accounts of a worker, which ask in turn, and read small batches themselves."""

    def __init__(self) -> None:
        self._process: Process | None = None
        self._lock = asyncio.Lock()
        self._closing: asyncio.TimerHandle | None = None
        self._began = 0.0
        self._counted = 0

    async def read(self, raws: Sequence[bytes]) -> list[Prepared]:
        """What is stored of each message, in order."""
        if self._are_few(len(raws)):
            return await asyncio.to_thread(read_all, raws)
        async with self._lock:
            self._keep()
            try:
                async with asyncio.timeout(PATIENCE_SECONDS):
                    return await self._ask(raws)
            except (OSError, TimeoutError, asyncio.IncompleteReadError, msgspec.DecodeError) as fault:
                log.warning("A batch is read in the worker itself: %s.", type(fault).__name__)
                await self._end()
            except BaseException:
                await self._end()  # its answer would be taken for the next one
                raise
            finally:
                self._close_later()
        return await asyncio.to_thread(read_all, raws)

    def _are_few(self, count: int) -> bool:
        """Whether these are done sooner here."""
        if count < MANY or (count < WORTH_WAITING and self._lock.locked()):
            return True
        return self._process is None and not self._is_worth_it(count)

    def _is_worth_it(self, count: int) -> bool:
        now = time.monotonic()
        if now - self._began > IDLE_SECONDS:
            self._began, self._counted = now, 0
        self._counted += count
        return self._counted > WORTH_STARTING

    async def close(self) -> None:
        """End the process."""
        self._keep()
        async with self._lock:
            await self._end()

    async def _ask(self, raws: Sequence[bytes]) -> list[Prepared]:
        process = self._process
        if process is None or process.returncode is not None:
            program = (sys.executable, "-m", "backend.workers.reader")
            process = self._process = await asyncio.create_subprocess_exec(*program, stdin=PIPE, stdout=PIPE)
        assert process.stdin is not None
        assert process.stdout is not None
        question = msgspec.msgpack.encode(raws)
        process.stdin.write(_LENGTH.pack(len(question)))
        process.stdin.write(question)
        await process.stdin.drain()
        (length,) = _LENGTH.unpack(await process.stdout.readexactly(_LENGTH.size))
        read = _answers.decode(await process.stdout.readexactly(length))
        if len(read) != len(raws):
            raise msgspec.DecodeError("another number of answers than of questions")
        return read

    def _keep(self) -> None:
        if self._closing is not None:
            self._closing.cancel()
            self._closing = None

    def _close_later(self) -> None:
        def close() -> None:
            self._closing = None
            if self._process is not None and not self._lock.locked() and self._process.stdin is not None:
                self._process.stdin.close()  # it ends with its input
                self._process = None

        self._keep()
        self._closing = asyncio.get_running_loop().call_later(IDLE_SECONDS, close)

    async def _end(self) -> None:
        process, self._process = self._process, None
        if process is not None and process.returncode is None:
            process.kill()
            await process.wait()


def read_all(raws: Sequence[bytes]) -> list[Prepared]:
    """The same in this process. Takes about half a millisecond a message."""
    return [read_message(raw) for raw in raws]


def main() -> None:
    """Answer until the input ends, behind everything that a person waits for."""
    os.nice(NICENESS)
    questions, answers = sys.stdin.buffer, sys.stdout.buffer
    while len(head := questions.read(_LENGTH.size)) == _LENGTH.size:
        (length,) = _LENGTH.unpack(head)
        read = msgspec.msgpack.encode(read_all(_questions.decode(questions.read(length))))
        answers.write(_LENGTH.pack(len(read)))
        answers.write(read)
        answers.flush()


if __name__ == "__main__":
    main()
