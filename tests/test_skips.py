"""A skip fails the run, whether one process runs the tests or several (tests/skips.py)."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.servers.tandem import PROJECT

TESTS = """
import pytest
from tests.shared import ABSENT

def test_that_runs(): pass

@pytest.mark.skip(reason=ABSENT)
def test_of_shared_data(): pass

def test_that_sees_it_is_absent(): pytest.skip(ABSENT)

@pytest.mark.skip(reason="it is Tuesday")
def test_not_on_tuesdays(): pass

def test_that_gives_up(): pytest.skip("no server here")

@pytest.mark.xfail
def test_that_may_fail(): assert False
"""
SKIPPED_FOR_SHARED = """
import pytest
from tests.shared import ABSENT

pytest.skip(ABSENT, allow_module_level=True)
"""
SKIPPED_MODULE = "import pytest\npytest.importorskip('a_module_that_nobody_has')"
PROCESSES = [pytest.param((), id="one process"), pytest.param(("-n", "2", "--dist", "loadfile"), id="two processes")]


ABSENT_ALONE = """
import pytest
from tests.shared import ABSENT

def test_of_shared_data(): pytest.skip(ABSENT)

def test_that_runs(): pass
"""


def run(folder: Path, modules: dict[str, str], options: tuple[str, ...]) -> subprocess.CompletedProcess[str]:
    """pytest on these modules in a process of its own, with nothing of ours but tests/skips.py."""
    for name, text in modules.items():
        (folder / name).write_text(text)
    (folder / "pytest.ini").touch()
    kept = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST")}
    plugins = ("-p", "tests.skips", "-p", "xdist", "-p", "no:cacheprovider")
    return subprocess.run(
        [sys.executable, "-m", "pytest", *plugins, *options, "-c", "pytest.ini", "--rootdir", str(folder), str(folder)],
        cwd=folder,
        env=kept | {"PYTHONPATH": str(PROJECT), "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=100,
    )


@pytest.mark.parametrize("options", PROCESSES)
def test_a_skip_without_the_one_good_reason_fails(tmp_path: Path, options: tuple[str, ...]) -> None:
    done = run(tmp_path, {"test_several.py": TESTS, "test_all_absent.py": SKIPPED_FOR_SHARED}, options)
    assert done.returncode == 1, done.stdout
    assert "skipped because ../shared is absent: 3\n" in done.stdout
    assert "2 failed, 1 passed, 3 skipped, 1 error" in done.stdout.splitlines()[-1]
    assert "test_not_on_tuesdays did not run: Skipped: it is Tuesday" in done.stdout
    assert "test_that_gives_up did not run: Skipped: no server here" in done.stdout


@pytest.mark.parametrize("options", PROCESSES)
def test_a_module_that_skips_itself_ends_the_run(tmp_path: Path, options: tuple[str, ...]) -> None:
    done = run(tmp_path, {"test_itself.py": SKIPPED_MODULE, "test_other.py": "def test_that_runs(): pass"}, options)
    assert done.returncode != 0, done.stdout
    assert "test_itself.py did not run: " in done.stdout
    assert "skipped because ../shared is absent: 0\n" in done.stdout


def test_what_lacks_only_shared_data_passes(tmp_path: Path) -> None:
    done = run(tmp_path, {"test_mail.py": ABSENT_ALONE}, ("-n", "2", "--dist", "loadfile"))
    assert done.returncode == 0, done.stdout
    assert "skipped because ../shared is absent: 1\n" in done.stdout
