"""The supervisor, with real processes that crash, hang and leave children behind."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from backend import processes
from backend.processes import WRONG_SETTINGS, StopSignals, Supervisor

PROJECT = Path(__file__).resolve().parents[2]
APPEND_AND_FAIL = "import sys; open(sys.argv[1], 'a').write('x'); sys.exit(3)"
SLEEP = "import time; time.sleep(600)"
DEAF = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('deaf', flush=True); time.sleep(600)"
WITH_GRANDCHILD = """
import subprocess, sys, time
grandchild = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
open(sys.argv[1] + ".new", "w").write(str(grandchild.pid))
import os; os.rename(sys.argv[1] + ".new", sys.argv[1])
time.sleep(600)
"""


def python(code: str, *arguments: str) -> list[str]:
    return [sys.executable, "-c", code, *arguments]


def lives(process: int) -> bool:
    try:
        return psutil.Process(process).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def stop_after(seconds: float) -> subprocess.Popen[bytes]:
    """Send this process SIGTERM after a while, from outside."""
    return subprocess.Popen(["sh", "-c", f"sleep {seconds}; kill -TERM {os.getpid()}"])


def test_a_crashed_child_comes_back_with_growing_pauses(tmp_path: Path) -> None:
    marks = tmp_path / "marks"
    with StopSignals() as signals, stop_after(2.0):
        supervisor = Supervisor(os.environ, signals)
        supervisor.add("crashing", python(APPEND_AND_FAIL, str(marks)))
        assert supervisor.watch(lambda: 60.0) == 0
        assert signals.received == signal.SIGTERM
        supervisor.stop()
    assert 2 <= len(marks.read_text()) <= 3  # at once, after 0.5 s, and after 1 s more


def children_now() -> set[psutil.Process]:
    """The processes that this one has started; the servers of other tests are among them."""
    return set(psutil.Process().children())


def test_a_child_that_cannot_work_ends_everything() -> None:
    others = children_now()
    with StopSignals() as signals:
        supervisor = Supervisor(os.environ, signals)
        supervisor.add("sound", python(SLEEP))
        supervisor.add("misconfigured", python(f"import sys; sys.exit({WRONG_SETTINGS})"))
        assert supervisor.watch(lambda: 60.0) == WRONG_SETTINGS
        supervisor.stop()
    assert not children_now() - others


def test_run_gives_the_exit_status() -> None:
    with StopSignals() as signals:
        supervisor = Supervisor(os.environ, signals)
        assert supervisor.run(python("import sys; sys.exit(7)")) == 7
        assert supervisor.run(python("")) == 0


def test_a_stop_signal_ends_a_long_run() -> None:
    before = time.monotonic()
    with StopSignals() as signals, stop_after(0.3):
        assert Supervisor(os.environ, signals).run(python(SLEEP)) == -signal.SIGKILL
    assert time.monotonic() - before < 10


def test_what_a_child_started_ends_with_it(tmp_path: Path) -> None:
    number = tmp_path / "grandchild"
    with StopSignals() as signals:
        supervisor = Supervisor(os.environ, signals)
        supervisor.add("parent", python(WITH_GRANDCHILD, str(number)))
        while not number.exists():
            time.sleep(0.01)
        assert lives(int(number.read_text()))
        supervisor.stop()
    deadline = time.monotonic() + 5
    while lives(int(number.read_text())):
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_a_child_that_does_not_listen_is_killed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(processes, "GRACE", 0.5)
    others = children_now()
    with StopSignals() as signals:
        supervisor = Supervisor(os.environ, signals)
        supervisor.add("deaf", python(DEAF))
        time.sleep(0.3)
        [child] = children_now() - others
        supervisor.stop()
    assert not lives(child.pid)


def test_children_end_with_a_killed_supervisor(tmp_path: Path) -> None:
    code = f"""
import os, sys
from backend.processes import StopSignals, Supervisor
with StopSignals() as signals:
    supervisor = Supervisor(os.environ, signals)
    supervisor.add("child", [sys.executable, "-c", {SLEEP!r}])
    import psutil
    print(psutil.Process().children()[0].pid, flush=True)
    supervisor.watch(lambda: 60.0)
"""
    parent = subprocess.Popen(python(code), cwd=PROJECT, stdout=subprocess.PIPE, text=True)
    assert parent.stdout is not None
    child = int(parent.stdout.readline())
    assert lives(child)
    parent.kill()
    parent.wait()
    deadline = time.monotonic() + 5
    while lives(child):
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_handlers_are_put_back() -> None:
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM, signal.SIGCHLD)}
    with StopSignals():
        assert signal.getsignal(signal.SIGTERM) != before[signal.SIGTERM]
    assert {number: signal.getsignal(number) for number in before} == before
