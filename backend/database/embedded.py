"""The embedded PostgreSQL: one server, started and stopped with Tandem, its files in the data folder.

    data folder/postgres/cluster        PostgreSQL's own files
                        /owner.lock     held by the process that started the server
                        /server.lock    held by the server: inherited by each of its processes
                        /server.json    who started it, and the folder of its socket
                        /startup.log    what it said before its own log in cluster/log began

Locks, not process numbers, tell whether a server lives: a number is reused, a lock ends with the last process
that holds it. So whoever gets server.lock may throw away what a killed server left behind, and whoever does
not gets owner.lock meets a Tandem that is running. The server listens on no port, only on a socket in a
folder of mode 0700 with a short name (a socket's path may have 107 bytes; a data folder's may be longer).
It runs with that folder of files as its working folder and knows it as /proc/self/cwd, so that a server of
root, which has a user of its own, needs no way through root's folders.
"""

import fcntl
import json
import logging
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from types import TracebackType
from typing import IO
from urllib.parse import quote

from backend.child_process import start_child
from backend.database.postgres_binaries import account_for, binaries_for

logger = logging.getLogger(__name__)

DATABASE = "tandem"
ROLE = "tandem"
"""The role Tandem works as. It owns the database and is no superuser."""
SUPERUSER = "postgres"

PORT = 5432
"""Only the last part of the socket's name: there is no TCP port."""

START_SECONDS = 300.0
"""Long, because a server that was killed first recovers from its log."""
STOP_SECONDS = 60.0
OWNER_SECONDS = 0.5
"""How long owner.lock is tried: `running_dsn` of another process may hold it for an instant."""
LONGEST_SOCKET_FOLDER = 90

SERVER_SETTINGS = {
    "listen_addresses": "",
    "port": str(PORT),
    "unix_socket_permissions": "0700",
    "max_connections": "100",
    "shared_buffers": "128MB",
    "fsync": "on",
    "synchronous_commit": "on",
    "full_page_writes": "on",
    "wal_level": "replica",
    "max_wal_size": "1GB",
    "jit": "off",  # compiling a query costs more than any of ours takes
    "random_page_cost": "1.1",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "logging_collector": "on",
    "log_filename": "postgresql-%u.log",  # one for each day of the week, the oldest overwritten
    "log_rotation_age": "1d",
    "log_rotation_size": "0",
    "log_truncate_on_rotation": "on",
    "log_line_prefix": "%m [%p] ",
    "log_min_duration_statement": "2s",
    "log_parameter_max_length": "0",  # a slow statement is told without its values: they are people's mail
}

# Into template1 first, so that every database has the extensions: `vector` takes a superuser to create.
_CREATE_DATABASE = f"""\
CREATE EXTENSION pg_trgm;
CREATE EXTENSION unaccent;
CREATE EXTENSION citext;
CREATE EXTENSION vector;
CREATE ROLE {ROLE} LOGIN;
CREATE DATABASE {DATABASE} OWNER {ROLE};
"""


class EmbeddedServerError(Exception):
    """The embedded server cannot be used. The text says why, and what to do."""


class EmbeddedPostgres:
    """The server of one data folder. `start` and `stop`, or a `with` statement, from the main thread.

    It never outlives the process that started it: should that be killed, the kernel sends the server SIGINT,
    upon which it shuts down in order.
    """

    def __init__(self, data_folder: Path) -> None:
        self._home = data_folder / "postgres"
        self._cluster = self._home / "cluster"
        self._owner_lock: IO[str] | None = None
        self._socket_folder: Path | None = None
        self._server: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> "EmbeddedPostgres":
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, fault: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    @property
    def dsn(self) -> str:
        """Where Tandem's database is, for asyncpg and libpq; `EmbeddedServerError` before `start`."""
        return self._dsn(ROLE, DATABASE)

    @property
    def superuser_dsn(self) -> str:
        """The same server as its superuser, in the database `postgres`: for tests and repair."""
        return self._dsn(SUPERUSER, "postgres")

    @property
    def process_id(self) -> int:
        """The process number of the server itself."""
        if self._server is None:
            raise EmbeddedServerError("The embedded database is not running.")
        return self._server.pid

    def start(self) -> str:
        """Start the server, on first use making its files, and return `dsn`.

        Raises `EmbeddedServerError`, and `PostgresMissing` when there is nothing to start.
        """
        try:
            self._home.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._home.mkdir(mode=0o700, exist_ok=True)
            self._owner_lock = _take_owner_lock(self._home)
        except OSError as fault:
            raise EmbeddedServerError(
                f"The data folder {self._home.parent} cannot be used ({fault}). Start Tandem as the user it belongs "
                "to, or set TANDEM_DATA to a folder that this user may write."
            ) from fault
        try:
            self._start_owned()
        except BaseException:
            self.stop()
            raise
        return self.dsn

    def restart_if_ended(self) -> None:
        """Start the server again, on the same socket, if something killed it."""
        if self._server is None or self._server.poll() is None:
            return
        logger.error("The database ended with status %d; it starts again", self._server.returncode)
        self._server = None
        self._start_owned()

    def stop(self) -> None:
        """Shut the server down in order (connections closed, everything written) and wait for its end."""
        if self._server is not None:
            _end(self._server)
            self._server = None
            _take_server_lock(self._home).close()  # its log writer ends a moment after it
        if self._socket_folder is not None:
            shutil.rmtree(self._socket_folder, ignore_errors=True)
            self._socket_folder = None
        if self._owner_lock is not None:
            (self._home / "server.json").unlink(missing_ok=True)
            self._owner_lock.close()
            self._owner_lock = None

    def _start_owned(self) -> None:
        user = account_for(self._cluster)
        binaries = binaries_for(user)
        with _take_server_lock(self._home) as server_lock:
            if self._socket_folder is None:
                _remove_old_socket_folder(self._home)
            if not self._cluster.exists():
                _make_cluster(binaries, self._home, user, server_lock.fileno())
            _check_cluster(self._cluster, user)
            (self._cluster / "postmaster.pid").unlink(missing_ok=True)  # nobody else holds server.lock
            self._socket_folder = self._socket_folder or _make_socket_folder(user)
            _write_whole(
                self._home / "server.json",
                json.dumps({"owner": os.getpid(), "socket_folder": str(self._socket_folder)}),
            )
            settings = SERVER_SETTINGS | {"unix_socket_directories": str(self._socket_folder)}
            command = [str(binaries / "postgres"), "-D", _name_of(self._cluster)]
            command += [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]
            with (self._home / "startup.log").open("wb") as log:
                self._server = start_child(
                    command,
                    environment=_environment(),
                    death_signal=signal.SIGINT,
                    folder=self._cluster,
                    user=user,
                    inherited_files=(server_lock.fileno(),),
                    output=log,
                )
        self._wait_until_ready(self._server)

    def _wait_until_ready(self, server: subprocess.Popen[bytes]) -> None:
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline:
            if server.poll() is not None:
                raise EmbeddedServerError(
                    f"The embedded database did not start. {_last_words(self._home)}\nIts files and "
                    f"logs are in {self._cluster}; `tandem doctor` checks the usual reasons."
                )
            if _is_ready(self._cluster / "postmaster.pid", server.pid):
                return
            time.sleep(0.005)
        raise EmbeddedServerError(
            f"The embedded database was not ready after {START_SECONDS:.0f} seconds. {_last_words(self._home)}"
        )

    def _dsn(self, role: str, database: str) -> str:
        if self._socket_folder is None:
            raise EmbeddedServerError("The embedded database is not running.")
        return _dsn(self._socket_folder, role, database)


def running_dsn(data_folder: Path) -> str | None:
    """Where to reach the server that another Tandem runs in `data_folder`, or None if none does."""
    home = data_folder / "postgres"
    try:
        with (home / "owner.lock").open("r", encoding="utf-8") as file:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
        return None
    except (FileNotFoundError, PermissionError):
        return None  # none, or none for this user
    except BlockingIOError:
        pass
    try:
        socket_folder = Path(json.loads((home / "server.json").read_text(encoding="utf-8"))["socket_folder"])
    except FileNotFoundError:
        return None  # it is just starting or stopping
    return _dsn(socket_folder, ROLE, DATABASE)


def _dsn(socket_folder: Path, role: str, database: str) -> str:
    # The port is part of the socket's name; without it a client would believe a stray PGPORT.
    return f"postgresql://{role}@/{database}?host={quote(str(socket_folder), safe='')}&port={PORT}"


def _take_owner_lock(home: Path) -> IO[str]:
    file = (home / "owner.lock").open("a+", encoding="ascii")
    deadline = time.monotonic() + OWNER_SECONDS
    while True:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            break
        except BlockingIOError:
            if time.monotonic() > deadline:
                file.seek(0)
                owner = file.read().strip() or "unknown"
                file.close()
                raise EmbeddedServerError(
                    f"Tandem is already running on the data folder {home.parent}: process {owner}. "
                    "Stop that one first, or set TANDEM_DATA to another folder."
                ) from None
            time.sleep(0.02)
    file.truncate(0)
    file.write(f"{os.getpid()}\n")
    file.flush()
    return file


def _take_server_lock(home: Path) -> IO[str]:
    file = (home / "server.lock").open("a+", encoding="ascii")
    deadline = time.monotonic() + STOP_SECONDS
    while True:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return file
        except BlockingIOError:
            if time.monotonic() > deadline:
                file.close()
                raise EmbeddedServerError(
                    f"A database server of an earlier Tandem still runs on {home} and does not end. Find it "
                    f"with `fuser {home}/server.lock` and stop it with `kill -INT`."
                ) from None
            time.sleep(0.02)


def _make_cluster(binaries: Path, home: Path, user: tuple[int, int] | None, server_lock: int) -> None:
    """Make the files of a new server, whole or not at all: they get their name when they are complete.

    The programs inherit the lock: should this process be killed, the next start waits until they have ended.
    """
    unfinished = home / "cluster.unfinished"
    if unfinished.exists():
        shutil.rmtree(unfinished)
    unfinished.mkdir(mode=0o700)
    if user is not None:
        os.chown(unfinished, *user)
    # PostgreSQL's own C.UTF-8 sorts the same on every system; words are taken apart with the library's.
    locale = ["--locale-provider=builtin", "--builtin-locale=C.UTF-8", "--locale=C.UTF-8", "--lc-messages=C"]
    initdb = [str(binaries / "initdb"), "-D", _name_of(unfinished), "-U", SUPERUSER, "--encoding=UTF8"]
    # Whoever can open the socket is let in; its folder lets in nobody but this user (and root).
    initdb += [*locale, "--auth=trust", "--no-instructions"]
    single = [str(binaries / "postgres"), "--single", "-D", _name_of(unfinished), "template1"]
    for command, said in ((initdb, ""), (single, _CREATE_DATABASE)):
        outcome = subprocess.run(
            command,
            input=said,
            env=_environment(),
            cwd=unfinished,
            user=user[0] if user else None,
            group=user[1] if user else None,
            extra_groups=[] if user else None,
            pass_fds=(server_lock,),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        if outcome.returncode != 0 or "ERROR:" in outcome.stdout or "FATAL:" in outcome.stdout:
            raise EmbeddedServerError(
                f"The embedded database could not be made in {home}. Check that the disk has room and that "
                f"the folder may be written.\n{outcome.stdout.strip()}"
            )
    unfinished.rename(home / "cluster")


def _check_cluster(cluster: Path, user: tuple[int, int] | None) -> None:
    owner = cluster.stat().st_uid
    if user is None and owner != os.geteuid():
        raise EmbeddedServerError(
            f"The database files in {cluster} belong to user number {owner}. Start Tandem as the user "
            "that made them (root, for a folder made by root), or give them over: "
            f"chown -R USER '{cluster.parent.parent}'"
        )


def _make_socket_folder(user: tuple[int, int] | None) -> Path:
    usual = tempfile.gettempdir()
    # Root's server has another user, which must be able to get there; and the path must be short.
    parent = "/tmp" if user is not None or len(usual.encode()) > LONGEST_SOCKET_FOLDER - 20 else usual
    folder = Path(tempfile.mkdtemp(prefix="tandem-", dir=parent))
    if user is not None:
        os.chown(folder, *user)
    return folder


def _remove_old_socket_folder(home: Path) -> None:
    """Remove what a killed server left, if server.json names it and it is one of ours."""
    try:
        named = json.loads((home / "server.json").read_text(encoding="utf-8"))["socket_folder"]
    except (FileNotFoundError, ValueError, KeyError):
        return
    folder = Path(named)
    if folder.name.startswith("tandem-") and folder.is_dir() and not folder.is_symlink():
        for leftover in folder.glob(".s.PGSQL.*"):
            leftover.unlink()
        folder.rmdir()


def _name_of(cluster: Path) -> str:
    return "/proc/self/cwd" if sys.platform.startswith("linux") else str(cluster)


def _environment() -> dict[str, str]:
    # Nothing of the caller's: a LANG that is not installed or a stray PGDATA would reach the server.
    return {"PATH": "/usr/local/bin:/usr/bin:/bin", "LC_ALL": "C.UTF-8"}


def _is_ready(pid_file: Path, process: int) -> bool:
    """Whether the server has written its own number and, in the eighth line, that it takes connections."""
    try:
        lines = pid_file.read_text(encoding="utf-8", errors="replace").splitlines()
    except FileNotFoundError:
        return False
    return len(lines) >= 8 and lines[0].strip() == str(process) and lines[7].strip() == "ready"


def _last_words(home: Path) -> str:
    logs = [home / "startup.log", *sorted((home / "cluster" / "log").glob("*.log"), key=_changed)[-1:]]
    lines: list[str] = []
    for log in logs:
        if log.exists():
            lines += log.read_text(encoding="utf-8", errors="replace").splitlines()[-6:]
    return "Its last words:\n" + "\n".join(lines)


def _changed(path: Path) -> float:
    return path.stat().st_mtime


def _write_whole(path: Path, text: str) -> None:
    temporary = path.with_suffix(".new")
    temporary.write_text(text, encoding="utf-8")
    temporary.rename(path)


def _end(server: subprocess.Popen[bytes]) -> None:
    """SIGINT: close connections, write everything, end. Only if that takes too long, end at once (the next
    start then recovers from the log, without losing a commit)."""
    for how, seconds in ((signal.SIGINT, STOP_SECONDS), (signal.SIGQUIT, 10.0), (signal.SIGKILL, 10.0)):
        if server.poll() is None:
            server.send_signal(how)
        try:
            server.wait(seconds)
            return
        except subprocess.TimeoutExpired:
            continue
