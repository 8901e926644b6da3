"""The demo's history, written once: most tests only need it to be there."""

import shutil
from pathlib import Path

import pytest

from tests.backend.demo.mail_servers import mail_servers


@pytest.fixture(scope="session")
def first_data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The data folder after the servers' first start and their end. To be copied, not used."""
    data = tmp_path_factory.mktemp("history")
    with mail_servers(data):
        pass
    return data


@pytest.fixture
def data_with_history(first_data: Path, tmp_path: Path) -> Path:
    """A data folder of the test's own, in which the servers find the history."""
    return shutil.copytree(first_data, tmp_path / "data")
