"""A private Cyrus for one test: the other great IMAP server, on free loopback ports.

    with Cyrus() as server, OtherClient(server, "ana") as phone:
        await phone.deliver(raw)
        login = server.login("ana")

It differs from Dovecot in much that a client may not rely on: MAILBOXID and EMAILID (RFC 8474), COMPRESS (RFC 4978),
special-use attributes in small letters, expunged messages that others are told of at once. Every user name exists, with
the password `server.password`, and is asked for at a socket of ours (saslauthd's protocol), so that no user data base
is needed. Works as root and unprivileged.
"""

import asyncio
import os
import pwd
import shutil
import signal
import socket
import struct
import subprocess
import tempfile
import threading
import time
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

from sync.types import ImapLogin
from tests.servers.ports import free_ports

PROGRAMS = Path("/usr/lib/cyrus/bin")
IMAPD = Path("/usr/local/lib/cyrus-imapd/usr/lib/cyrus/bin/imapd")
"""Unpacked there by scripts/system-packages: Debian installs one IMAP server at a time, and Dovecot is that one."""
FOLDERS = ("Sent", "Drafts", "Trash", "Junk", "Archive")


class Cyrus:
    """One Cyrus with its own folder and ports, from `start()` to `stop()`.

    `without` names capabilities that are not announced; their commands would still work. IDLE is switched off.
    """

    def __init__(self, *, without: Sequence[str] = (), password: str = "correct-horse") -> None:
        self.password = password
        self._without = tuple(without)
        self._process: subprocess.Popen[bytes] | None = None
        self._door: _PasswordDoor | None = None
        # The path of a Unix socket has room for about 100 characters.
        self.root = Path(tempfile.mkdtemp(prefix="cyrus-"))
        self.imap_port, self.lmtp_port = free_ports(2)

    def start(self) -> Self:
        """Start, and return once both ports answer. RuntimeError with what it printed when they do not."""
        for program in (IMAPD, PROGRAMS / "master"):
            if not program.exists():
                raise RuntimeError(f"{program} is missing: scripts/system-packages installs it")
        for name in ("conf", "spool", "sock", "proc", "lock"):
            (self.root / name).mkdir(exist_ok=True)
        (self.root / "imapd.conf").write_text(self._imapd_conf())
        (self.root / "cyrus.conf").write_text(self._cyrus_conf())
        self._door = _PasswordDoor(self.root / "sock" / "mux", self.password)
        owner = _owner()
        for path in (self.root, *self.root.rglob("*")):
            os.chown(path, owner.pw_uid, owner.pw_gid)
        with (self.root / "out").open("wb") as out:
            self._process = subprocess.Popen(
                [PROGRAMS / "master", "-D", *self._arguments()],
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=out,
                start_new_session=True,
            )
        deadline = time.monotonic() + 20
        for port in (self.imap_port, self.lmtp_port):
            while not _greets(port):
                if self._process.poll() is not None or time.monotonic() > deadline:
                    words = (self.root / "out").read_text(errors="replace")[-2000:]
                    self.stop()
                    raise RuntimeError(f"Cyrus did not start: {words}")
                time.sleep(0.02)
        return self

    def _arguments(self) -> list[str]:
        options = {"-C": "imapd.conf", "-M": "cyrus.conf", "-p": "master.pid"}
        return [word for option, name in options.items() for word in (option, str(self.root / name))]

    def stop(self) -> None:
        """End all its processes and remove its folder. Harmless when it is not running."""
        self.halt()
        shutil.rmtree(self.root, ignore_errors=True)

    def halt(self) -> None:
        """End all its processes, keeping the mail, so that `start()` brings it back on the same ports."""
        if self._process is not None:
            self._process.terminate()
            try:
                self._process.wait(2)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait(10)
            self._end_children(self._process.pid)
            self._process = None
        if self._door is not None:
            self._door.close()
            self._door = None

    def _end_children(self, group: int) -> None:
        try:
            os.killpg(group, signal.SIGKILL)
        except ProcessLookupError:  # all had ended
            return

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def login(self, user: str, *, port: int | None = None) -> ImapLogin:
        """How `sync` signs in as `user`, without TLS."""
        return ImapLogin(
            host="127.0.0.1",
            port=port or self.imap_port,
            security="none",
            username=user,
            password=self.password,
            private_network=True,
        )

    async def restart(self) -> None:
        """Down and up again, on the same ports with the same mail."""
        await asyncio.to_thread(self.halt)
        await asyncio.to_thread(self.start)

    def _imapd_conf(self) -> str:
        hidden = [name for name in self._without if name != "IDLE"]
        roles = "\n".join(f"xlist-{name.lower()}: {name}" for name in FOLDERS)
        return f"""
configdirectory: {self.root}/conf
defaultpartition: default
partition-default: {self.root}/spool
proc_path: {self.root}/proc
mboxname_lockpath: {self.root}/lock
cyrus_user: {_owner().pw_name}
admins: cyrus
servername: mail.example.org
autocreate_quota: 0
autocreate_post: yes
autocreate_inbox_folders: {"|".join(FOLDERS)}
autocreate_subscribe_folders: {"|".join(FOLDERS)}
{roles}
unixhierarchysep: yes
altnamespace: yes
virtdomains: off
sasl_pwcheck_method: saslauthd
sasl_saslauthd_path: {self.root}/sock/mux
sasl_mech_list: PLAIN LOGIN
allowplaintext: yes
lmtpsocket: {self.root}/sock/lmtp
idlesocket: {self.root}/sock/idle
notifysocket: {self.root}/sock/notify
imapidlepoll: {0 if "IDLE" in self._without else 1}
duplicatesuppression: no
delete_mode: immediate
expunge_mode: immediate
failedloginpause: 0
{f"suppress_capabilities: {' '.join(hidden)}" if hidden else ""}
"""

    def _cyrus_conf(self) -> str:
        def service(program: Path, arguments: str, port: int, children: int) -> str:
            return (
                f'cmd="{program} -C {self.root}/imapd.conf{arguments}" '
                f'listen="127.0.0.1:{port}" proto=tcp4 prefork={children} maxchild=100'
            )

        idled = "" if "IDLE" in self._without else f'idled cmd="{IMAPD.parent}/idled -C {self.root}/imapd.conf"'
        return f"""
START {{
  recover cmd="{PROGRAMS}/ctl_cyrusdb -C {self.root}/imapd.conf -r"
  {idled}
}}
SERVICES {{
  imap {service(IMAPD, "", self.imap_port, 1)}
  lmtp {service(PROGRAMS / "lmtpd", " -a", self.lmtp_port, 0)}
}}
EVENTS {{
}}
"""


class _PasswordDoor:
    """What saslauthd does: told user, password, service and realm, it says OK or NO. Any user, one password."""

    def __init__(self, path: Path, password: str) -> None:
        path.unlink(missing_ok=True)
        self._password = password
        self._listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self._listener.bind(os.fspath(path))
        self._listener.listen(50)
        path.chmod(0o777)
        self._thread = threading.Thread(target=self._serve, name="passwords", daemon=True)
        self._thread.start()

    def _serve(self) -> None:
        while True:
            try:
                asking, _ = self._listener.accept()
            except OSError:  # closed: that is the end
                return
            with asking, asking.makefile("rb") as words:
                _user, password, _service, _realm = [words.read(_length(words.read(2))) for _ in range(4)]
                answer = b"OK" if password.decode() == self._password else b"NO"
                asking.sendall(struct.pack(">H", len(answer)) + answer)

    def close(self) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._thread.join(5)


def _length(two: bytes) -> int:
    return struct.unpack(">H", two)[0] if len(two) == 2 else 0


def _owner() -> pwd.struct_passwd:
    """Whom the mail belongs to: Cyrus never runs as root."""
    return pwd.getpwnam("nobody") if os.geteuid() == 0 else pwd.getpwuid(os.geteuid())


def _greets(port: int) -> bool:
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=5) as client:
            return bool(client.recv(1))
    except OSError:
        return False
