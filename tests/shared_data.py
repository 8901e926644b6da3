"""One set of the shared test data: mail, markup and lists that we did not write."""

from pathlib import Path

import pytest

from tests.shared import ABSENT, SHARED


def shared_data(name: str) -> Path:
    """The folder of a set, for example `shared_data("mime-stalwart")`. Skips the test when ../shared is absent."""
    if not SHARED.is_dir():
        pytest.skip(ABSENT)
    folder = SHARED / "testdata" / name
    assert folder.is_dir(), f"no set {name} in ../shared/testdata"
    return folder
