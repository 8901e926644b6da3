"""The blob store: content-addressed, on the disk before it is referred to, and honest about damage."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from backend.errors import Unavailable
from backend.mail import blobs
from tests.servers.api import environment
from tests.servers.tandem import PROJECT
from tests.servers.tandem import environment as process_environment

USE_AND_END = """
import asyncio, os
from backend.mail import blobs

async def use():
    await blobs.put(os.urandom(40))
    async for digest in blobs.digests():
        await blobs.get(digest)

asyncio.run(use())
"""
DIGEST_OF_ABC = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"


async def test_the_same_content_is_one_file_named_by_its_hash(tmp_path: Path) -> None:
    with environment(tmp_path / "with a space"):
        assert await blobs.put(b"abc") == DIGEST_OF_ABC == await blobs.put(b"abc")
        assert await blobs.get(DIGEST_OF_ABC) == b"abc"
        files = [path for path in (tmp_path / "with a space" / "blobs").rglob("*") if path.is_file()]
        assert [path.name for path in files] == [DIGEST_OF_ABC]


async def test_nobody_else_on_the_machine_can_look_into_the_folder(tmp_path: Path) -> None:
    with environment(tmp_path):
        await blobs.put(b"abc")
        assert (tmp_path / "blobs").stat().st_mode & 0o777 == 0o700


async def test_an_empty_file_is_a_file(tmp_path: Path) -> None:
    with environment(tmp_path):
        assert await blobs.get(await blobs.put(b"")) == b""


async def test_what_is_missing_or_damaged_is_told_and_writing_it_again_mends_it(tmp_path: Path) -> None:
    with environment(tmp_path):
        with pytest.raises(Unavailable, match="missing"):
            await blobs.get(DIGEST_OF_ABC)
        await blobs.put(b"abc")
        path = tmp_path / "blobs" / blobs.key_of(DIGEST_OF_ABC)
        path.write_bytes(b"")  # what a power loss leaves of a file that was renamed and not flushed
        with pytest.raises(Unavailable, match="damaged"):
            await blobs.get(DIGEST_OF_ABC)
        await blobs.put(b"abc")
        assert await blobs.get(DIGEST_OF_ABC) == b"abc"


async def test_a_store_that_takes_nothing_is_a_sentence(tmp_path: Path) -> None:
    with environment(tmp_path):
        await blobs.put(b"abc")
        folder = tmp_path / "blobs" / DIGEST_OF_ABC[:2]
        (folder / DIGEST_OF_ABC).unlink()
        folder.rmdir()
        folder.write_bytes(b"a file where a folder should be")
        with pytest.raises(Unavailable, match="could not be stored"):
            await blobs.put(b"abc")


def test_file_and_folders_are_flushed_before_put_returns(tmp_path: Path) -> None:
    """Seen from outside: which files the process has called fsync on."""
    program = """
import asyncio, os
flushed = []
real = os.fsync
def watched(handle):
    flushed.append(os.readlink(f"/proc/self/fd/{handle}"))
    real(handle)
os.fsync = watched
from backend.mail import blobs
asyncio.run(blobs.put(b"abc"))
print("\\n".join(flushed))
"""
    answer = subprocess.run(
        [sys.executable, "-c", program],
        env=process_environment(tmp_path),
        cwd=PROJECT,
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    folder = os.path.realpath(tmp_path / "blobs")
    short = f"{folder}/{DIGEST_OF_ABC[:2]}"
    assert answer.stdout.split() == [f"{short}/{DIGEST_OF_ABC}", short, folder]


@pytest.mark.long  # one process in thirty aborted, on two busy cores: a short run would not see it
def test_a_process_that_used_the_store_ends_well(tmp_path: Path) -> None:
    for _ in range(40):
        started = [
            subprocess.Popen([sys.executable, "-c", USE_AND_END], env=process_environment(tmp_path), cwd=PROJECT)
            for _ in range(5)
        ]
        assert [process.wait(timeout=60) for process in started] == [0] * 5
