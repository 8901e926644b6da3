"""Messages read in another process come out as if read here, whatever becomes of that process."""

import asyncio
import os
import signal
from collections.abc import AsyncIterator

import psutil
import pytest

from backend.mail.reading import read_message
from backend.workers import reader as reader_module
from backend.workers.reader import Reader

MAILS = [f"From: a{n}@example.org\r\nSubject: Mail {n}\r\n\r\nHello {n}\r\n".encode() for n in range(200)]


@pytest.fixture
async def reader() -> AsyncIterator[Reader]:
    reader = Reader()
    yield reader
    await reader.close()


def children() -> list[psutil.Process]:
    mine = psutil.Process().children()
    return [each for each in mine if "backend.workers.reader" in " ".join(each.cmdline())]


async def test_read_there_as_here(reader: Reader) -> None:
    here = [read_message(raw) for raw in MAILS]
    assert await reader.read(MAILS) == here
    assert len(children()) == 1
    several = await asyncio.gather(*(reader.read(MAILS[start:]) for start in range(5)))
    assert several == [here[start:] for start in range(5)]
    assert len(children()) == 1


async def test_a_few_are_read_without_a_process(reader: Reader) -> None:
    assert await reader.read(MAILS[:3]) == [read_message(raw) for raw in MAILS[:3]]
    assert not children()


async def test_a_process_that_dies_loses_nothing(reader: Reader) -> None:
    here = [read_message(raw) for raw in MAILS]
    assert await reader.read(MAILS) == here
    os.kill(children()[0].pid, signal.SIGKILL)
    assert await reader.read(MAILS) == here
    assert await reader.read(MAILS) == here


async def test_who_stops_waiting_leaves_no_answer_to_the_next(reader: Reader) -> None:
    task = asyncio.create_task(reader.read(MAILS))
    await asyncio.sleep(0.05)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    other = list(reversed(MAILS))
    assert await reader.read(other) == [read_message(raw) for raw in other]


async def test_it_ends_when_nothing_comes(reader: Reader, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reader_module, "IDLE_SECONDS", 0.1)
    await reader.read(MAILS)
    deadline = asyncio.get_running_loop().time() + 10
    while children() and asyncio.get_running_loop().time() < deadline:  # noqa: ASYNC110 - a process ends silently
        await asyncio.sleep(0.05)
    assert not children()
    assert len(await reader.read(MAILS)) == len(MAILS)
