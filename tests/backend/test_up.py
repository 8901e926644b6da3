"""`tandem up`: serves, heals what crashes, and leaves no process behind however it ends."""

import http.client
import os
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import psutil
import pytest

from backend.database.embedded import running_dsn
from tests.servers.ports import free_port
from tests.servers.tandem import PROJECT, command, environment, tandem


def lives(process: int) -> bool:
    try:
        return psutil.Process(process).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def wait_until(fulfilled: Callable[[], bool], what: str, seconds: float = 30.0) -> None:
    deadline = time.monotonic() + seconds
    while not fulfilled():
        assert time.monotonic() < deadline, what
        time.sleep(0.02)


def hear_hang_up() -> None:
    """In the child: SIGHUP is obeyed, also where these tests run under nohup."""
    signal.signal(signal.SIGHUP, signal.SIG_DFL)


@dataclass
class Up:
    """A running `tandem up`."""

    process: subprocess.Popen[str]
    data: Path
    port: int
    family: set[int]
    """Every process that it was seen to have, itself included."""

    def wait_until_ready(self) -> None:
        assert self.process.stdout is not None
        said = ""
        for line in self.process.stdout:
            said += line
            if line.startswith("Tandem is ready: "):
                assert line.strip() == f"Tandem is ready: http://127.0.0.1:{self.port}/"
                self.look()
                return
        raise AssertionError(f"it ended: {said}")

    def look(self) -> None:
        """Take note of the processes there are now."""
        self.family.add(self.process.pid)
        for child in psutil.Process(self.process.pid).children(recursive=True):
            self.family.add(child.pid)

    def is_healthy(self) -> bool:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=5)
        try:
            connection.request("GET", "/api/v1/health")
            return connection.getresponse().status == 200
        except OSError:
            return False
        finally:
            connection.close()

    def child(self, command_name: str) -> psutil.Process:
        """Its child `tandem web` or `tandem worker`."""
        children = psutil.Process(self.process.pid).children()
        return next(child for child in children if child.cmdline()[-1:] == [command_name])

    def has(self, command_name: str) -> bool:
        """Whether that child is there now."""
        children = psutil.Process(self.process.pid).children()
        return any(child.cmdline()[-1:] == [command_name] for child in children)

    def server(self) -> psutil.Process:
        """Its PostgreSQL."""
        children = psutil.Process(self.process.pid).children()
        return next(child for child in children if child.name() == "postgres")


@pytest.fixture
def start_up(tmp_path: Path) -> Iterator[Callable[[], Up]]:
    """Starts `tandem up` on one data folder and port; a first start, unless the test uses `installed`."""
    started: list[Up] = []
    port = free_port()

    def start() -> Up:
        process = subprocess.Popen(
            command("up"),
            env=environment(tmp_path / "data", TANDEM_PORT=str(port)),
            cwd=PROJECT,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            preexec_fn=hear_hang_up,
        )
        started.append(Up(process, tmp_path / "data", port, {process.pid}))
        return started[-1]

    yield start
    for up in started:
        if up.process.poll() is None:
            up.look()
            up.process.terminate()
            up.process.wait(30)
        assert not [process for process in up.family if lives(process)]


@pytest.mark.usefixtures("installed")
@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_stops_everything(start_up: Callable[[], Up], how: signal.Signals) -> None:
    up = start_up()
    up.wait_until_ready()
    assert len(up.family) > 3
    up.process.send_signal(how)
    assert up.process.wait(30) == 0
    assert not [process for process in up.family if lives(process)]
    assert running_dsn(up.data) is None
    socket.create_server(("127.0.0.1", up.port)).close()


@pytest.mark.usefixtures("installed")
def test_a_killed_supervisor_takes_everything_along(start_up: Callable[[], Up]) -> None:
    up = start_up()
    up.wait_until_ready()
    up.process.kill()
    up.process.wait()
    wait_until(lambda: not [process for process in up.family if lives(process)], "a process lives on")
    again = start_up()
    again.wait_until_ready()
    assert again.is_healthy()


@pytest.mark.parametrize("moment", [0.1, 0.4, 0.8, 1.2, 2.0])
def test_a_signal_while_it_starts(start_up: Callable[[], Up], moment: float) -> None:
    up = start_up()
    deadline = time.monotonic() + moment
    while time.monotonic() < deadline:
        up.look()
        time.sleep(0.02)
    up.process.terminate()
    assert up.process.wait(30) in (0, -signal.SIGTERM)
    wait_until(lambda: not [process for process in up.family if lives(process)], "a process lives on", 5.0)


@pytest.mark.usefixtures("installed")
def test_killed_children_come_back(start_up: Callable[[], Up]) -> None:
    up = start_up()
    up.wait_until_ready()
    web, worker, server = up.child("web"), up.child("worker"), up.server()
    for process in (web, worker, server):
        process.kill()
    wait_until(lambda: not web.is_running() and not worker.is_running() and not server.is_running(), "not killed")
    wait_until(up.is_healthy, "the web process did not come back")
    wait_until(lambda: up.has("worker"), "the worker did not come back")
    up.look()
    assert up.child("web").pid != web.pid
    assert up.child("worker").pid != worker.pid
    assert up.server().pid != server.pid


@pytest.mark.usefixtures("installed")
def test_a_second_start_on_one_folder_names_the_first(start_up: Callable[[], Up]) -> None:
    up = start_up()
    up.wait_until_ready()
    second = tandem(up.data, "up", TANDEM_PORT=str(free_port()))
    assert second.returncode == 78
    assert f"already running on the data folder {up.data}: process {up.process.pid}" in second.stdout
    assert up.is_healthy()
    assert tandem(up.data, "migrate").returncode == 0  # single commands use the running database


def test_a_taken_port_is_said(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        outcome = tandem(tmp_path, "up", TANDEM_PORT=str(port))
    assert outcome.returncode == 78
    assert f"cannot listen on 127.0.0.1, port {port}" in outcome.stdout
    assert running_dsn(tmp_path) is None


def test_a_wrong_setting_is_said(tmp_path: Path) -> None:
    outcome = tandem(tmp_path, "up", TANDEM_PORT="web")
    assert outcome.returncode == 78
    assert outcome.stdout == "tandem: TANDEM_PORT is 'web'. Give a number from 1 to 65535.\n"


@pytest.mark.parametrize("alone", ["web", "worker"])
def test_a_single_process_without_a_database_says_so(tmp_path: Path, alone: str) -> None:
    outcome = tandem(tmp_path, alone, TANDEM_PORT=str(free_port()))
    assert outcome.returncode == 78
    assert "There is no database" in outcome.stdout


def test_every_command_is_in_the_manual() -> None:
    said = subprocess.run(command("--help"), cwd=PROJECT, env=os.environ, capture_output=True, text=True).stdout
    names = {line.split()[0] for line in said.splitlines() if line.startswith("    ") and line[4] != " "}
    running = {"up", "demo", "web", "worker", "migrate", "doctor"}
    assert names == running | {"backup", "restore", "import", "census", "reset-password"}
    manual = (PROJECT / "docs" / "operating.md").read_text(encoding="utf-8")
    for name in names:
        assert f"| `tandem {name}" in manual
