"""The embedded server, started in every way that has gone wrong for somebody."""

import os
import pwd
import signal
import stat
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import asyncpg
import psutil
import pytest

from backend.database import embedded
from backend.database.embedded import EmbeddedPostgres, EmbeddedServerError, running_dsn
from backend.database.postgres_binaries import account_for, binaries_for

AS_ROOT = os.geteuid() == 0
PROJECT = Path(__file__).resolve().parents[3]

# A process that starts a server, says where it is, and waits to be killed.
PARENT = """
import sys, time
from pathlib import Path
from urllib.parse import parse_qs, urlsplit
from backend.database.embedded import EmbeddedPostgres
server = EmbeddedPostgres(Path(sys.argv[1]))
server.start()
print(server.process_id, server.dsn, flush=True)
time.sleep(600)
"""


@pytest.fixture
def start_parent() -> Iterator[Callable[[Path], tuple[subprocess.Popen[str], int, str]]]:
    """Starts `PARENT` on a data folder; gives the process, the server's number and its DSN."""
    parents: list[tuple[subprocess.Popen[str], int, str]] = []

    def start(data: Path) -> tuple[subprocess.Popen[str], int, str]:
        parent = subprocess.Popen(
            [sys.executable, "-c", PARENT, str(data)], cwd=PROJECT, stdout=subprocess.PIPE, text=True
        )
        assert parent.stdout is not None
        number, dsn = parent.stdout.readline().split()
        parents.append((parent, int(number), dsn))
        return parents[-1]

    yield start
    for parent, number, dsn in parents:
        parent.kill()
        parent.wait()
        wait_for_end(number)
        if socket_folder(dsn).exists():
            socket_folder(dsn).rmdir()


async def value(dsn: str, query: str) -> object:
    connection = await asyncpg.connect(dsn)
    try:
        return await connection.fetchval(query)
    finally:
        await connection.close()


def socket_folder(dsn: str) -> Path:
    return Path(parse_qs(urlsplit(dsn).query)["host"][0])


def lives(process: int) -> bool:
    """Whether it runs. A zombie has ended; its parent, or the system, has only not taken note yet."""
    try:
        return psutil.Process(process).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def wait_for_end(process: int, seconds: float = 20.0) -> None:
    deadline = time.monotonic() + seconds
    while lives(process):
        assert time.monotonic() < deadline, f"process {process} still lives"
        time.sleep(0.01)


async def test_everything_is_on_that_keeps_a_commit(postgres: EmbeddedPostgres) -> None:
    for setting in ("fsync", "synchronous_commit", "full_page_writes"):
        assert await value(postgres.dsn, f"SHOW {setting}") == "on"


async def test_its_log_holds_nothing_of_what_is_stored(postgres: EmbeddedPostgres) -> None:
    for setting in ("log_parameter_max_length", "log_parameter_max_length_on_error"):
        assert await value(postgres.dsn, f"SHOW {setting}") == "0"


async def test_only_the_private_socket_is_open(postgres: EmbeddedPostgres) -> None:
    assert await value(postgres.dsn, "SHOW listen_addresses") == ""
    folder = socket_folder(postgres.dsn)
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700


async def test_tandem_works_as_an_ordinary_role_in_a_unicode_database(postgres: EmbeddedPostgres) -> None:
    assert await value(postgres.dsn, "SELECT rolsuper FROM pg_roles WHERE rolname = current_user") is False
    assert await value(postgres.dsn, "SELECT lower('ÄÉΣЖ')") == "äéσж"
    words = await value(postgres.dsn, "SELECT to_tsvector('simple', 'Größe—Ödland')::text")
    assert words == "'größe':1 'ödland':2"


async def test_the_extensions_are_there_in_every_database(empty_database: str) -> None:
    found = await value(empty_database, "SELECT array_agg(extname::text ORDER BY extname) FROM pg_extension")
    assert found == ["citext", "pg_trgm", "plpgsql", "unaccent", "vector"]


async def test_a_second_start_finds_what_the_first_one_stored(tmp_path: Path) -> None:
    with EmbeddedPostgres(tmp_path / "data") as server:
        await value(server.dsn, "CREATE TABLE kept AS SELECT 42 AS answer")
    assert stat.S_IMODE((tmp_path / "data").stat().st_mode) == 0o700
    before = time.monotonic()
    with EmbeddedPostgres(tmp_path / "data") as server:
        assert time.monotonic() - before < 2.0
        assert await value(server.dsn, "SELECT answer FROM kept") == 42


async def test_stop_leaves_no_process_and_no_socket(tmp_path: Path) -> None:
    with EmbeddedPostgres(tmp_path) as server:
        number = server.process_id
        family = [number, *(child.pid for child in psutil.Process(number).children(recursive=True))]
        folder = socket_folder(server.dsn)
    assert not [process for process in family if lives(process)]
    assert not folder.exists()
    assert running_dsn(tmp_path) is None


async def test_stop_does_not_wait_for_connections(tmp_path: Path) -> None:
    server = EmbeddedPostgres(tmp_path)
    connection = await asyncpg.connect(server.start())
    before = time.monotonic()
    server.stop()
    assert time.monotonic() - before < 5.0
    connection.terminate()


async def test_unreadable_folders_above_stay_unreadable(tmp_path: Path) -> None:
    above = tmp_path / "private"
    data = above / "further in" / "data"
    data.mkdir(parents=True)
    for folder in (above, data.parent, data):
        folder.chmod(0o700)
    with EmbeddedPostgres(data) as server:
        assert await value(server.dsn, "SELECT 1") == 1
        if AS_ROOT:
            assert psutil.Process(server.process_id).uids().effective != 0
    for folder in (above, data.parent, data):
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700
        assert folder.stat().st_uid == os.geteuid()


async def test_a_long_path_with_blanks(tmp_path: Path) -> None:
    data = tmp_path / "a folder whose name's long" / ("ä" * 60) / ("b" * 60)
    assert len(str(data).encode()) > 107
    with EmbeddedPostgres(data) as server:
        assert await value(server.dsn, "SELECT 1") == 1


async def test_odd_surroundings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    long = tmp_path / ("t" * 100)
    long.mkdir()
    for name, setting in {
        "LANG": "xx_YY.nonsense",
        "LC_ALL": "tlh_QO.UTF-8",
        "PGDATA": "/nonexistent",
        "PGPORT": "1",
        "PGHOST": "nowhere.example",
        "TZ": "Nowhere/At_All",
        "TMPDIR": str(long),
    }.items():
        monkeypatch.setenv(name, setting)
    monkeypatch.setattr("tempfile.tempdir", None)  # read TMPDIR again
    with EmbeddedPostgres(tmp_path / "data") as server:
        assert await value(server.dsn, "SHOW timezone") == "UTC"


@pytest.mark.parametrize("left_by", ["another program", "a half-written file", "this very process"])
async def test_a_process_number_left_behind(tmp_path: Path, left_by: str) -> None:
    data = tmp_path / "data"
    with EmbeddedPostgres(data):
        pass
    bystander = subprocess.Popen(["sleep", "60"])
    numbers = {"another program": bystander.pid, "a half-written file": "", "this very process": os.getpid()}
    (data / "postgres" / "cluster" / "postmaster.pid").write_text(f"{numbers[left_by]}")
    try:
        with EmbeddedPostgres(data) as server:
            assert await value(server.dsn, "SELECT 1") == 1
        assert bystander.poll() is None
    finally:
        bystander.kill()
        bystander.wait()


async def test_a_second_start_on_one_folder_names_the_first(
    tmp_path: Path, start_parent: Callable[[Path], tuple[subprocess.Popen[str], int, str]]
) -> None:
    parent, _, dsn = start_parent(tmp_path)
    with pytest.raises(EmbeddedServerError, match=f"already running.*process {parent.pid}"):
        EmbeddedPostgres(tmp_path).start()
    assert await value(dsn, "SELECT 1") == 1
    assert running_dsn(tmp_path) == dsn


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGTERM])
async def test_the_server_ends_in_order_when_its_parent_is_killed(
    tmp_path: Path,
    how: signal.Signals,
    start_parent: Callable[[Path], tuple[subprocess.Popen[str], int, str]],
) -> None:
    parent, number, dsn = start_parent(tmp_path)
    await value(dsn, "CREATE TABLE kept AS SELECT 42 AS answer")
    old_socket = socket_folder(dsn)
    parent.send_signal(how)
    parent.wait()
    with EmbeddedPostgres(tmp_path) as server:  # at once: it waits for the old one's end
        assert server.process_id != number
        assert await value(server.dsn, "SELECT answer FROM kept") == 42
    wait_for_end(number)
    assert not old_socket.exists()
    logs = "".join(log.read_text() for log in (tmp_path / "postgres" / "cluster" / "log").iterdir())
    assert "database system was shut down at" in logs
    assert "not properly shut down" not in logs


async def test_a_killed_server_comes_back_at_the_same_address(tmp_path: Path) -> None:
    with EmbeddedPostgres(tmp_path) as server:
        await value(server.dsn, "CREATE TABLE kept AS SELECT 42 AS answer")
        before, number = server.dsn, server.process_id
        server.restart_if_ended()
        assert server.process_id == number
        os.kill(number, signal.SIGKILL)
        os.waitid(os.P_PID, number, os.WEXITED | os.WNOWAIT)
        server.restart_if_ended()
        assert server.process_id != number
        assert server.dsn == before
        assert await value(server.dsn, "SELECT answer FROM kept") == 42


@pytest.mark.parametrize("moment", [0.25, 0.35, 0.45, 0.55, 0.65, 0.75, 0.9])
async def test_a_first_start_that_was_killed_is_made_up_for(tmp_path: Path, moment: float) -> None:
    parent = subprocess.Popen(
        [sys.executable, "-c", PARENT, str(tmp_path)], cwd=PROJECT, stdout=subprocess.DEVNULL, process_group=0
    )
    time.sleep(moment)
    parent.kill()
    parent.wait()
    with EmbeddedPostgres(tmp_path) as server:
        assert await value(server.dsn, "SELECT count(*) FROM pg_extension") == 5
    assert not (tmp_path / "postgres" / "cluster.unfinished").exists()


async def test_files_left_half_made_are_made_again(tmp_path: Path) -> None:
    unfinished = tmp_path / "postgres" / "cluster.unfinished"
    unfinished.mkdir(parents=True)
    (unfinished / "PG_VERSION").write_text("18\n")
    with EmbeddedPostgres(tmp_path) as server:
        assert await value(server.dsn, "SELECT 1") == 1
    assert not unfinished.exists()


def test_files_of_another_release_are_refused_in_the_servers_words(tmp_path: Path) -> None:
    with EmbeddedPostgres(tmp_path):
        pass
    (tmp_path / "postgres" / "cluster" / "PG_VERSION").write_text("12\n")
    with pytest.raises(EmbeddedServerError, match=r"did not start(.|\n)*version 12"):
        EmbeddedPostgres(tmp_path).start()
    (tmp_path / "postgres" / "cluster" / "PG_VERSION").write_text("18\n")
    with EmbeddedPostgres(tmp_path):
        pass  # the failed start holds nothing


def test_only_the_main_thread_may_start_it(tmp_path: Path) -> None:
    faults: list[BaseException] = []

    def start() -> None:
        try:
            EmbeddedPostgres(tmp_path).start()
        except RuntimeError as fault:
            faults.append(fault)

    thread = threading.Thread(target=start)
    thread.start()
    thread.join()
    assert "main thread" in str(faults[0])


def test_as_another_user(monkeypatch: pytest.MonkeyPatch) -> None:
    """The server of an ordinary user is that user's; root's folder is refused to it with the remedy."""
    monkeypatch.setattr(embedded, "OWNER_SECONDS", 0.1)
    nobody = pwd.getpwnam("nobody")
    base = Path("/tmp") / f"tandem-test-{os.getpid()}"
    base.mkdir(mode=0o755)
    outcome = base / "outcome"
    try:
        with EmbeddedPostgres(base / "first"):
            pass
        (base / "data").mkdir()
        if AS_ROOT:
            os.chown(base / "data", nobody.pw_uid, nobody.pw_gid)
            os.chown(base, nobody.pw_uid, nobody.pw_gid)
            # Where root's Python lies, `nobody` may be unable to read: take the programs it can.
            reachable = binaries_for((nobody.pw_uid, nobody.pw_gid))
            monkeypatch.setattr(embedded, "binaries_for", lambda user: reachable)
        child = os.fork()  # not a new interpreter: root's may be unreadable for others
        if child == 0:
            try:
                if AS_ROOT:
                    os.setgroups([])
                    os.setgid(nobody.pw_gid)
                    os.setuid(nobody.pw_uid)
                with EmbeddedPostgres(base / "data") as server:
                    owner = os.stat(f"/proc/{server.process_id}").st_uid
                    outcome.write_text(f"{owner == os.getuid()}\n")
                try:
                    EmbeddedPostgres(base / "first").start()
                except EmbeddedServerError as fault:
                    outcome.write_text(outcome.read_text() + str(fault))
            finally:
                os._exit(0)
        os.waitpid(child, 0)
        said = outcome.read_text()
        assert said.startswith("True\n")
        if AS_ROOT:
            assert "cannot be used" in said
            assert "Start Tandem as the user it belongs to" in said
            assert account_for(base / "data" / "postgres" / "cluster") == (nobody.pw_uid, nobody.pw_gid)
            with EmbeddedPostgres(base / "data") as server:  # root goes on as the owner of the files
                assert psutil.Process(server.process_id).uids().effective == nobody.pw_uid
    finally:
        subprocess.run(["rm", "-rf", str(base)], check=True)
