"""The test data beside the repository, which not every copy has."""

from pathlib import Path

import pytest

SHARED = Path(__file__).resolve().parents[2] / "shared"
ABSENT = "../shared is absent"
"""The only reason for which a test may skip (tests/skips.py)."""

needs_shared = pytest.mark.skipif(not SHARED.is_dir(), reason=ABSENT)
