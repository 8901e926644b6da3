"""Where tests put their files: in memory, where there is plenty, for PostgreSQL alone makes some ten thousand of them.

Nothing that a test shows depends on a disk: a process that is killed loses nothing that it has written, wherever that
is. Benchmarks that are run by themselves keep to the disk. With TMPDIR set, that is taken.
"""

import os
import shutil
import tempfile
from pathlib import Path

import psutil
import pytest

MEMORY = Path("/dev/shm")
ENOUGH = 6 * 10**9
"""Bytes that must be free in it, and twice that in the machine. A whole run needs less than two."""


def _make() -> Path | None:
    """The folder, from now on that of all temporary files of this process and those it starts."""
    if "TMPDIR" in os.environ or not os.access(MEMORY, os.W_OK):
        return None
    if shutil.disk_usage(MEMORY).free < ENOUGH or psutil.virtual_memory().available < 2 * ENOUGH:
        return None
    made = Path(tempfile.mkdtemp(prefix="tandem-tests-", dir=MEMORY))
    made.chmod(0o1777)  # as /tmp: some tests work as another user
    os.environ["TMPDIR"] = str(made)
    tempfile.tempdir = None
    return made


FOLDER = _make()
"""Of the process that made it; pytest-xdist's others inherit it."""


@pytest.hookimpl(trylast=True)
def pytest_unconfigure() -> None:
    if FOLDER is not None:
        shutil.rmtree(FOLDER, ignore_errors=True)
