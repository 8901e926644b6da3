"""Keeping the processes of one installation alive, and leaving none behind.

Each child has a session of its own, so that Ctrl-C reaches only the supervisor, which then stops them in
the reverse order of their start. A child that ends is started again, after a pause that doubles from half a
second to 30 s and is forgotten once the child has lived for a minute. A child that ends with `WRONG_SETTINGS`
would fail again, so it ends everything. Whatever a child leaves in its process group is killed with it; and
should the supervisor itself be killed, the kernel sends every child SIGTERM.
"""

import contextlib
import logging
import os
import select
import signal
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from types import FrameType, TracebackType

from backend.child_process import start_child

logger = logging.getLogger(__name__)

WRONG_SETTINGS = 78
"""Exit status of a process that cannot work until a person changes something (EX_CONFIG of sysexits.h)."""

FIRST_PAUSE = 0.5
LONGEST_PAUSE = 30.0
STABLE_AFTER = 60.0
GRACE = 15.0
"""Seconds that a child has between SIGTERM and SIGKILL: a worker finishes the job it is in."""


class StopSignals:
    """In the `with` block, the signals that mean "stop" set `received`, and a child's end wakes `wait`."""

    def __init__(self) -> None:
        self.received: signal.Signals | None = None

    def __enter__(self) -> "StopSignals":
        self._reading, self._writing = os.pipe()
        os.set_blocking(self._reading, False)
        os.set_blocking(self._writing, False)
        self._wakeup_before = signal.set_wakeup_fd(self._writing, warn_on_full_buffer=False)
        self._before = {
            number: signal.signal(number, self._stop)
            for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
            # nohup asks for SIGHUP to be ignored. A shell does that to SIGINT for whatever it starts in the
            # background, where SIGINT can still be sent on purpose.
            if number != signal.SIGHUP or signal.getsignal(number) is not signal.SIG_IGN
        }
        self._before[signal.SIGCHLD] = signal.signal(signal.SIGCHLD, lambda number, frame: None)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, fault: BaseException | None, trace: TracebackType | None
    ) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)
        signal.set_wakeup_fd(self._wakeup_before)
        os.close(self._reading)
        os.close(self._writing)

    def wait(self, seconds: float) -> None:
        """Sleep until a signal comes, at most `seconds`."""
        select.select([self._reading], [], [], max(0.0, seconds))
        with contextlib.suppress(BlockingIOError):
            os.read(self._reading, 4096)

    def _stop(self, number: int, frame: FrameType | None) -> None:
        self.received = signal.Signals(number)


@dataclass(slots=True)
class _Child:
    name: str
    arguments: Sequence[str]
    process: subprocess.Popen[bytes] | None = None
    started_at: float = 0.0
    pause: float = FIRST_PAUSE
    start_at: float = 0.0


class Supervisor:
    """Starts, restarts and stops children that all get `environment`."""

    def __init__(self, environment: Mapping[str, str], signals: StopSignals) -> None:
        self._environment = environment
        self._signals = signals
        self._children: list[_Child] = []

    def run(self, arguments: Sequence[str]) -> int:
        """Run a command to its end and return its exit status; a stop signal ends it early."""
        process = self._start(arguments)
        while not _has_ended(process) and self._signals.received is None:
            self._signals.wait(1.0)
        return _finish(process)

    def add(self, name: str, arguments: Sequence[str]) -> None:
        """Start a child and keep it alive from now on."""
        child = _Child(name, arguments)
        self._children.append(child)
        self._start_child(child)

    def watch(self, each_round: Callable[[], float]) -> int:
        """Keep the children alive until a stop signal (returns 0) or wrong settings (`WRONG_SETTINGS`).

        `each_round` is called whenever something may have changed; it returns the seconds until it wants
        to be called again.
        """
        while self._signals.received is None:
            now = time.monotonic()
            for child in self._children:
                if child.process is not None and _has_ended(child.process):
                    status = _finish(child.process)
                    child.process = None
                    if status == WRONG_SETTINGS:
                        return WRONG_SETTINGS
                    self._plan_restart(child, status, now)
                if child.process is None and now >= child.start_at:
                    self._start_child(child)
            due = [child.start_at - now for child in self._children if child.process is None]
            self._signals.wait(min([each_round(), *due]))
        return 0

    def stop(self) -> None:
        """End all children, the last first, each with what it started."""
        running = [child.process for child in reversed(self._children) if child.process is not None]
        for process in running:
            process.send_signal(signal.SIGTERM)
        deadline = time.monotonic() + GRACE
        for process in running:
            while not _has_ended(process) and time.monotonic() < deadline:
                time.sleep(0.01)
            _finish(process)
        self._children.clear()

    def _start(self, arguments: Sequence[str]) -> subprocess.Popen[bytes]:
        return start_child(arguments, environment=self._environment, death_signal=signal.SIGTERM)

    def _start_child(self, child: _Child) -> None:
        child.process, child.started_at = self._start(child.arguments), time.monotonic()

    def _plan_restart(self, child: _Child, status: int, now: float) -> None:
        if now - child.started_at > STABLE_AFTER:
            child.pause = FIRST_PAUSE
        logger.error("The %s process ended with status %d; it starts again in %.1f s", child.name, status, child.pause)
        child.start_at = now + child.pause
        child.pause = min(2 * child.pause, LONGEST_PAUSE)


def _has_ended(process: subprocess.Popen[bytes]) -> bool:
    """Whether it has ended. It is not reaped yet, so that its number stays its own until `_finish`."""
    return os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is not None


def _finish(process: subprocess.Popen[bytes]) -> int:
    """Kill whatever is left of the process and its group; its exit status."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    return process.wait()
