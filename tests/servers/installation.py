"""A data folder as `tandem migrate` leaves it, made once: for tests that begin where a first start has ended."""

import subprocess
from pathlib import Path

import pytest

from tests.servers.tandem import tandem


@pytest.fixture(scope="session")
def _migrated(tmp_path_factory: pytest.TempPathFactory) -> Path:
    data = tmp_path_factory.mktemp("installation") / "data"
    done = tandem(data, "migrate")
    assert done.returncode == 0, done.stdout
    return data


@pytest.fixture
def installed(_migrated: Path, tmp_path: Path) -> Path:
    """A data folder of the test's own, with a database that has all tables and does not run."""
    data = tmp_path / "data"
    subprocess.run(["cp", "-a", _migrated, data], check=True)  # PostgreSQL's files belong to another user
    return data
