"""Reading the attachments of a message in a process of its own, which a stranger's file may bring down.

The process is held to a time and to a size, ends with its standard input, and is begun anew where it failed. It is told
a message and answers what was read of its attachments, both behind a length of four bytes.

Run as `python -m backend.workers.file_reader` it is that process.
"""

import asyncio
import os
import resource
import signal
import struct
import sys
from asyncio.subprocess import PIPE, Process
from types import FrameType

import msgspec

from backend.mail.file_text import file_text
from sync.mime.parse import parse_message

PATIENCE_SECONDS = 60.0
"""For one message."""
FILE_SECONDS = 15
"""For one file; the others of the message are read all the same."""
MEMORY_BYTES = 1024**3
NICENESS = 15

_LENGTH = struct.Struct(">I")


class FileRead(msgspec.Struct, frozen=True):
    """A file of a message. `problem`: why it has no text, where it should have one."""

    position: int
    filename: str
    text: str
    problem: str


class Unread(Exception):
    """The process ended or was too slow: the message may be one that no process survives."""


class _TooSlow(BaseException):
    """No Exception, for what reads a file takes any of these for the file's fault."""


_answers = msgspec.msgpack.Decoder(list[FileRead])


class FileReader:
    """One process, begun with the first message."""

    def __init__(self) -> None:
        self._process: Process | None = None

    async def read(self, raw: bytes) -> list[FileRead]:
        """What stands in the attachments of a message, but for pictures in its text. Raises Unread."""
        try:
            async with asyncio.timeout(PATIENCE_SECONDS):
                return await self._ask(raw)
        except (OSError, TimeoutError, asyncio.IncompleteReadError, msgspec.DecodeError) as fault:
            await self.close()
            raise Unread(type(fault).__name__) from fault
        except BaseException:
            await self.close()  # its answer would be taken for the next one
            raise

    async def _ask(self, raw: bytes) -> list[FileRead]:
        process = self._process
        if process is None or process.returncode is not None:
            program = (sys.executable, "-m", "backend.workers.file_reader")
            process = self._process = await asyncio.create_subprocess_exec(*program, stdin=PIPE, stdout=PIPE)
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write(_LENGTH.pack(len(raw)))
        process.stdin.write(raw)
        await process.stdin.drain()
        (length,) = _LENGTH.unpack(await process.stdout.readexactly(_LENGTH.size))
        return _answers.decode(await process.stdout.readexactly(length))

    async def close(self) -> None:
        """End the process."""
        process, self._process = self._process, None
        if process is not None and process.returncode is None:
            process.kill()
            await process.wait()


def read_files(raw: bytes) -> list[FileRead]:
    """The same in this process, which needs a timer of its own (the main thread's)."""
    return [
        FileRead(each.position, each.filename, *_in_time(each.filename, each.content_type, each.content))
        for each in parse_message(raw).attachments
        if not each.inline
    ]


def _in_time(filename: str, content_type: str, content: bytes) -> tuple[str, str]:
    def late(number: int, frame: FrameType | None) -> None:
        raise _TooSlow

    before = signal.signal(signal.SIGALRM, late)
    signal.setitimer(signal.ITIMER_REAL, FILE_SECONDS)
    try:
        return file_text(filename, content_type, content)
    except _TooSlow:
        return "", "took too long"
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


def main() -> None:
    """Answer until the input ends."""
    os.nice(NICENESS)
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    questions, answers = sys.stdin.buffer, sys.stdout.buffer
    while len(head := questions.read(_LENGTH.size)) == _LENGTH.size:
        (length,) = _LENGTH.unpack(head)
        read = msgspec.msgpack.encode(read_files(questions.read(length)))
        answers.write(_LENGTH.pack(len(read)))
        answers.write(read)
        answers.flush()


if __name__ == "__main__":
    main()
