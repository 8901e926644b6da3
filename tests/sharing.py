"""How processes share the tests (`pytest -n 2`): by whole files, those that use a browser together, long ones first.

A file's tests stay in one process, for they share what its fixtures started. All that drives Chromium is one piece of
work: two browsers, each with a product of its own, would slow each other down until waits run out, and what runs
beside it mostly waits. Nearly two thirds of the time are other files, so both processes are busy to the end.
docs/decisions/0011-tests-in-two-processes.md
"""

import pytest
from xdist.remote import Producer
from xdist.scheduler import LoadFileScheduling

BROWSER = "whatever drives Chromium"
WITH_BROWSER = (
    "tests/bench/",
    "tests/browser/",
    "tests/flows/test_kill_campaign.py",
    "tests/flows/test_main_job.py",
    "tests/flows/test_shared_mail.py",
    "tests/flows/test_two_way.py",
    "tests/sync/mime/test_sanitise_browser.py",
)
"""Files and folders of that piece of work: they use the fixture `office` or `chromium`, or benchmarks that do."""
FIRST = (
    BROWSER,
    "tests/backend/demo/test_demo.py",
    "tests/backend/database/test_embedded.py",
    "tests/backend/events/test_snapshots.py",
    "tests/flows/test_account_plan.py",
    "tests/backend/test_up.py",
    "tests/backend/demo/test_servers.py",
    "tests/sync/mime/test_torture.py",
    "tests/sync/imap/test_account.py",
    "tests/backend/workers/test_carrying.py",
    "tests/backend/workers/test_outgoing.py",
    "tests/backend/test_backup.py",
    "tests/backend/workers/test_many_accounts.py",
    "tests/sync/imap/test_other_server.py",
)
"""The longest pieces, longest first, as `--durations=0` tells. All others are shorter, and come as they are found."""


class Sharing(LoadFileScheduling):
    """Hands out files, and the browser's files as one."""

    def _split_scope(self, nodeid: str) -> str:
        return piece_of(nodeid)


def piece_of(nodeid: str) -> str:
    """The piece of work that a test belongs to."""
    return BROWSER if nodeid.startswith(WITH_BROWSER) else nodeid.split("::", 1)[0]


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> Sharing | None:
    """Ours for `--dist=loadfile`, which pyproject.toml asks for; another one when somebody asks for it."""
    return Sharing(config, log) if config.getoption("dist") == "loadfile" else None


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Long pieces come first where tests are shared; one process alone keeps the order of the files."""
    if not hasattr(config, "workerinput"):
        return
    places = {piece: place for place, piece in enumerate(FIRST)}
    items.sort(key=lambda item: places.get(piece_of(item.nodeid), len(FIRST)))


def pytest_configure(config: pytest.Config) -> None:
    """A file that was renamed is not forgotten here."""
    named = {*WITH_BROWSER, *FIRST} - {BROWSER}
    gone = sorted(name for name in named if not (config.rootpath / name).exists())
    if gone:
        raise pytest.UsageError(f"tests/sharing.py names what is not there: {', '.join(gone)}")
