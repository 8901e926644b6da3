"""A skipped test proves nothing, so it fails - unless ../shared is absent, and then it is counted.

The process that runs a test judges it; the one that writes the summary counts. With pytest-xdist these are different.
"""

from collections.abc import Generator

import pytest

from tests.shared import ABSENT

_absent: set[str] = set()


def _judge(report: pytest.TestReport | pytest.CollectReport) -> None:
    if report.outcome != "skipped":
        return
    reason = str(report.longrepr[2] if isinstance(report.longrepr, tuple) else report.longrepr)
    if reason.removeprefix("Skipped: ") == ABSENT:
        return
    report.outcome = "failed"
    report.longrepr = f"{report.nodeid} did not run: {reason}\nA test may skip only because {ABSENT}."


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    report = yield
    _judge(report)
    return report


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_make_collect_report() -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
    report = yield
    _judge(report)
    return report


def _count(report: pytest.TestReport | pytest.CollectReport) -> None:
    """What is still a skip after it was judged had the one good reason."""
    if report.outcome == "skipped":
        _absent.add(report.nodeid)


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    _count(report)


def pytest_collectreport(report: pytest.CollectReport) -> None:
    _count(report)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    terminalreporter.write_line(f"skipped because {ABSENT}: {len(_absent)}")
