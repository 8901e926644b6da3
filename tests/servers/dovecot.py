"""A private Dovecot for one test or benchmark: real IMAP and LMTP on free loopback ports.

    with Dovecot() as server:
        await server.deliver("ana", raw)          # as the internet would: LMTP
        await server.append("ana", "Sent", raw)   # as another mail program would: IMAP
        login = server.login("ana")

Every user name exists, with the password `server.password`. The other-client methods run imaplib in a thread,
so they owe nothing to the engine under test and do not block its loop. Works as root and unprivileged.
"""

import asyncio
import grp
import imaplib
import os
import pwd
import shutil
import signal
import smtplib
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from types import TracebackType
from typing import Self, TypeVar

from sync.types import ImapLogin
from tests.servers.certificate import Certificate
from tests.servers.ports import free_ports

T = TypeVar("T")

EVERYTHING = (  # noqa: SIM905 - as it stands in dovecot.conf
    "IMAP4rev1 SASL-IR LOGIN-REFERRALS ID ENABLE IDLE SORT SORT=DISPLAY THREAD=REFERENCES THREAD=REFS "
    "THREAD=ORDEREDSUBJECT MULTIAPPEND URL-PARTIAL CATENATE UNSELECT CHILDREN NAMESPACE UIDPLUS "
    "LIST-EXTENDED I18NLEVEL=1 "
    "CONDSTORE QRESYNC ESEARCH ESORT SEARCHRES WITHIN CONTEXT=SEARCH LIST-STATUS BINARY MOVE "
    "SNIPPET=FUZZY PREVIEW=FUZZY PREVIEW STATUS=SIZE SAVEDATE LITERAL+ NOTIFY SPECIAL-USE"
).split()
"""What Dovecot 2.3 announces after sign-in."""


class Dovecot:
    """One Dovecot with its own folder and ports, from `start()` to `stop()`.

    `without` names capabilities that are not announced (CONDSTORE, QRESYNC, IDLE, ...), `special_use` gives
    Sent, Drafts, Trash, Junk and Archive their roles (RFC 6154), else they are only created under these
    names.
    """

    def __init__(
        self,
        *,
        without: Sequence[str] = (),
        special_use: bool = True,
        certificate: Certificate | None = None,
        password: str = "correct-horse",
        max_connections: int = 100,
        folders: Sequence[str] = ("Sent", "Drafts", "Trash", "Junk", "Archive"),
        settings: str = "",
    ) -> None:
        self.password = password
        self.certificate = certificate
        self._without = set(without)
        self._special_use = special_use
        self._max_connections = max_connections
        self._folders = folders
        self._settings = settings
        self._process: subprocess.Popen[bytes] | None = None
        self.root = Path(tempfile.mkdtemp(prefix="dovecot-"))
        self.root.chmod(0o755)
        self.imap_port, self.lmtp_port, self.imaps_port = free_ports(3)

    def start(self) -> Self:
        """Start, and return once both ports answer. RuntimeError with the log when they do not."""
        program = shutil.which("dovecot", path=f"{os.environ.get('PATH', '')}:/usr/sbin:/usr/local/sbin")
        if program is None:
            raise RuntimeError("Dovecot is not installed: apt-get install dovecot-imapd dovecot-lmtpd")
        config = self.root / "dovecot.conf"
        config.write_text(self._config())
        if not (self.root / "home").exists():
            (self.root / "home").mkdir(mode=0o777)
            (self.root / "home").chmod(0o777)
        self._process = subprocess.Popen(
            [program, "-F", "-c", str(config)],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            start_new_session=True,
        )
        deadline = time.monotonic() + 15
        for port in (self.imap_port, self.lmtp_port):
            while not _answers(port):
                if self._process.poll() is not None or time.monotonic() > deadline:
                    raise RuntimeError(f"Dovecot did not start: {self._last_words()}")
                time.sleep(0.01)
        return self

    def stop(self) -> None:
        """End all its processes and remove its folder. Harmless when it is not running."""
        self.halt()
        shutil.rmtree(self.root, ignore_errors=True)

    def halt(self) -> None:
        """End all its processes, keeping the mail, so that `start()` brings it back on the same ports."""
        if self._process is not None:
            group = self._process.pid
            self._process.send_signal(signal.SIGTERM)
            with suppress(subprocess.TimeoutExpired):  # it would wait seconds for clients in IDLE
                self._process.wait(0.1)
            # Its children, too: what is left for a moment still answers, and the next server would not start.
            with suppress(ProcessLookupError):
                os.killpg(group, signal.SIGKILL)
            deadline = time.monotonic() + 2
            while any(map(_answers, (self.imap_port, self.lmtp_port))) and time.monotonic() < deadline:
                time.sleep(0.005)
            shutil.rmtree(self.root / "run", ignore_errors=True)
            self._process.communicate(timeout=20)
            self._process = None

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def login(self, user: str, *, password: str | None = None, port: int | None = None) -> ImapLogin:
        """How `sync` signs in as `user`, without TLS."""
        return ImapLogin(
            host="127.0.0.1",
            port=port or self.imap_port,
            security="none",
            username=user,
            password=self.password if password is None else password,
            private_network=True,
        )

    async def deliver(self, user: str, raw: bytes, sender: str = "customer@example.org") -> None:
        """Hand a message over by LMTP (RFC 2033), as a mail server in front would."""

        def work() -> None:
            with smtplib.LMTP("127.0.0.1", self.lmtp_port) as lmtp:
                lmtp.sendmail(sender, [user], raw)

        await asyncio.to_thread(work)

    async def append(
        self, user: str, folder: str, *messages: bytes, flags: str = "", date: float | None = None
    ) -> None:
        """Put messages into a folder as another program; `date` (epoch seconds) is the INTERNALDATE."""

        def work(client: imaplib.IMAP4) -> None:
            for raw in messages:
                when = imaplib.Time2Internaldate(date if date is not None else time.time())
                _check(client.append(_quoted(folder), flags, when, raw))

        await self._as_other_client(user, None, work)

    async def create(self, user: str, *folders: str) -> None:
        """Create folders; names are given as on the wire (modified UTF-7)."""

        def work(client: imaplib.IMAP4) -> None:
            for folder in folders:
                _check(client.create(_quoted(folder)))

        await self._as_other_client(user, None, work)

    async def delete_folder(self, user: str, folder: str) -> None:
        """Delete a folder with all its mail."""
        await self._as_other_client(user, None, lambda client: _check(client.delete(_quoted(folder))))

    async def set_flags(self, user: str, folder: str, uids: str, flags: str, *, add: bool = True) -> None:
        """Set or remove flags from another mail program; `uids` is an IMAP set such as `1:3,7`."""
        sign = "+" if add else "-"
        await self._as_other_client(
            user,
            folder,
            lambda client: _check(client.uid("STORE", uids, f"{sign}FLAGS.SILENT", f"({flags})")),
        )

    async def expunge(self, user: str, folder: str, uids: str) -> None:
        """Delete messages for good from another mail program."""

        def work(client: imaplib.IMAP4) -> None:
            _check(client.uid("STORE", uids, "+FLAGS.SILENT", "(\\Deleted)"))
            _check(client.uid("EXPUNGE", uids))

        await self._as_other_client(user, folder, work)

    async def move(self, user: str, folder: str, uids: str, target: str) -> None:
        """Move messages from another mail program."""
        await self._as_other_client(user, folder, lambda client: _check(client.uid("MOVE", uids, _quoted(target))))

    async def flags(self, user: str, folder: str = "INBOX") -> dict[int, frozenset[str]]:
        """The flags of every message, by UID, without \\Recent."""

        def work(client: imaplib.IMAP4) -> dict[int, frozenset[str]]:
            found: dict[int, frozenset[str]] = {}
            for line in client.uid("FETCH", "1:*", "(UID FLAGS)")[1]:
                if isinstance(line, bytes) and b"UID " in line:  # without one it was told in passing
                    uid = int(line.split(b"UID ")[1].split(b" ")[0].rstrip(b")"))
                    names = {flag.decode() for flag in imaplib.ParseFlags(line)}
                    found[uid] = frozenset(names - {"\\Recent"})
            return found

        return await self._as_other_client(user, folder, work)

    async def messages(self, user: str, folder: str = "INBOX") -> dict[int, bytes]:
        """The exact bytes of every message, by UID."""

        def work(client: imaplib.IMAP4) -> dict[int, bytes]:
            found: dict[int, bytes] = {}
            for item in client.uid("FETCH", "1:*", "(UID BODY.PEEK[])")[1]:
                if isinstance(item, tuple):
                    found[int(item[0].split(b"UID ")[1].split(b" ")[0])] = item[1]
            return found

        return await self._as_other_client(user, folder, work)

    def fill(self, user: str, folder: str, messages: Iterable[bytes], *, date: float | None = None) -> None:
        """Put many messages into a folder at once, as files, oldest first. For a user who has not signed in yet."""
        maildir = self.root / "home" / user / "Maildir"
        if folder != "INBOX":
            maildir = maildir / f".{folder}"
        for name in ("cur", "new", "tmp"):
            (maildir / name).mkdir(parents=True, exist_ok=True)
        for number, raw in enumerate(messages):
            path = maildir / "cur" / f"{1_000_000_000 + number}.M{number}P1.test,S={len(raw)},W={len(raw)}:2,"
            path.write_bytes(raw)
            os.utime(path, (date or 1_000_000_000 + number, date or 1_000_000_000 + number))
        owner = pwd.getpwnam("nobody") if os.geteuid() == 0 else pwd.getpwuid(os.geteuid())
        for path in (self.root / "home" / user, *(self.root / "home" / user).rglob("*")):
            os.chown(path, owner.pw_uid, owner.pw_gid)

    def change_uid_validity(self, user: str, folder: str = "INBOX") -> None:
        """Forget all UIDs of a folder, as a restored or converted mail store does. Only between halt and
        start.
        """
        assert self._process is None, "halt() first: a running server keeps its indexes in memory"
        maildir = self.root / "home" / user / "Maildir"
        if folder != "INBOX":
            maildir = maildir / f".{folder}"
        for path in maildir.glob("dovecot*"):
            # What counts UIDVALIDITYs stays: they run ahead of the clock, and none may be given twice.
            if path.is_file() and not path.name.startswith("dovecot-uidvalidity"):
                path.unlink()

    async def _as_other_client(self, user: str, folder: str | None, work: Callable[[imaplib.IMAP4], T]) -> T:
        def run() -> T:
            with self.other_client(user, folder) as client:
                return work(client)

        return await asyncio.to_thread(run)

    @contextmanager
    def other_client(self, user: str, folder: str | None = None) -> Iterator[imaplib.IMAP4]:
        """A signed-in connection of the standard library's client, in `folder` when given. Blocks."""
        client = imaplib.IMAP4("127.0.0.1", self.imap_port, timeout=30)
        try:
            client.login(user, self.password)
            if folder is not None:
                _check(client.select(_quoted(folder)))
            yield client
        finally:
            client.logout()

    def _last_words(self) -> str:
        log = self.root / "log"
        words = log.read_text(errors="replace")[-2000:] if log.exists() else ""
        if self._process is not None and self._process.poll() is not None:
            words += self._process.communicate()[1].decode(errors="replace")
        return words

    def _config(self) -> str:
        mail_owner = "nobody" if os.geteuid() == 0 else pwd.getpwuid(os.geteuid()).pw_name
        owner = pwd.getpwnam(mail_owner)
        capability = " ".join(word for word in EVERYTHING if word not in self._without)
        roles = {name: f"special_use = \\{name}" if self._special_use else "" for name in self._folders}
        folders = "\n".join(f'  mailbox "{n}" {{\n auto = create\n {role}\n }}' for n, role in roles.items())
        unprivileged = (
            ""
            if os.geteuid() == 0
            else f"""
default_internal_user = {mail_owner}
default_internal_group = {_group_name(owner.pw_gid)}
default_login_user = {mail_owner}
service anvil {{
  chroot =
}}
service imap-login {{
  chroot =
}}
"""
        )
        tls = "ssl = no"
        if self.certificate is not None:
            (self.root / "certificate.pem").write_text(self.certificate.certificate_pem)
            (self.root / "key.pem").write_text(self.certificate.key_pem)
            tls = f"ssl = yes\nssl_cert = <{self.root}/certificate.pem\nssl_key = <{self.root}/key.pem"
        imaps_port = self.imaps_port if self.certificate is not None else 0
        return f"""
base_dir = {self.root}/run
state_dir = {self.root}/run
log_path = {self.root}/log
listen = 127.0.0.1
protocols = imap lmtp
{tls}
disable_plaintext_auth = no
auth_failure_delay = 0
auth_mechanisms = plain login
mail_location = maildir:~/Maildir
first_valid_uid = 1
mail_max_userip_connections = {self._max_connections}
{unprivileged}
passdb {{
  driver = static
  args = password={self.password}
}}
userdb {{
  driver = static
  args = uid={owner.pw_uid} gid={owner.pw_gid} home={self.root}/home/%u
}}
service anvil {{
  unix_listener anvil-auth-penalty {{
    mode = 0
  }}
}}
service imap-login {{
  inet_listener imap {{
    port = {self.imap_port}
  }}
  inet_listener imaps {{
    port = {imaps_port}
    ssl = yes
  }}
}}
service lmtp {{
  inet_listener lmtp {{
    port = {self.lmtp_port}
  }}
}}
protocol imap {{
  imap_capability = {capability}
}}
namespace inbox {{
  inbox = yes
{folders}
}}
{self._settings}
"""


def _group_name(gid: int) -> str:
    return grp.getgrgid(gid).gr_name


def _answers(port: int) -> bool:
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=1):
            return True
    except OSError:
        return False


def _quoted(folder: str) -> str:
    escaped = folder.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def _check(answer: tuple[str, Sequence[object]]) -> None:
    if answer[0] != "OK":
        raise RuntimeError(f"Dovecot refused: {answer}")
