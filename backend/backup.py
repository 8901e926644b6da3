"""`tandem backup` and `tandem restore`: the whole of an installation in one file, and back.

The file is a tar: `manifest.json`, then `database.dump` (pg_dump's custom format), then `blobs/DIGEST`. The
database is dumped first, in one snapshot: whatever it refers to is still among the blobs afterwards, because a
blob is kept for 24 hours after nothing refers to it. The secret key is put in only when asked for: whoever has
backup and key has the team's mail passwords. The manifest tells which key is needed without giving it away.
"""

import asyncio
import contextlib
import hashlib
import io
import os
import shutil
import subprocess
import tarfile
import tempfile
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import asyncpg
import msgspec

from backend.database.connection import connect, disconnect
from backend.database.migrate import migrate
from backend.database.postgres_binaries import installed_binaries
from backend.errors import Unavailable
from backend.events.record import action
from backend.mail import blobs
from backend.people.audit import audit
from backend.secret_key import key_file, secret_key, store_key_file
from backend.settings import Settings

FORMAT = 1
LONGEST_BACKUP_SECONDS = 20 * 3600
"""Well below the 24 hours for which a blob outlives its last reference."""


class BackupError(Exception):
    """Nothing was written, or nothing was changed. The text says why, and what to do."""


class Manifest(msgspec.Struct, forbid_unknown_fields=True):
    """What a backup says about itself."""

    format: int
    made_at: datetime
    key_fingerprint: str
    """Of the secret key that the stored passwords were encrypted with."""
    holds_key: bool


def back_up(settings: Settings, dsn: str, file: Path, *, with_key: bool) -> None:
    """Write everything to `file`, which appears only when it is complete. Raises `BackupError`."""
    if file.exists():
        raise BackupError(f"{file} is already there. Choose another name, or remove it.")
    if not file.parent.is_dir():
        raise BackupError(f"The folder {file.parent} is not there. Make it first.")
    key = secret_key(settings)
    manifest = Manifest(FORMAT, datetime.now(UTC), key_fingerprint(key), with_key)
    asyncio.run(_note(dsn, made=True))  # before it is dumped, so that what is brought back knows of it
    with _work_folder(file.parent) as folder:
        unfinished, dump = folder / "backup", folder / "database.dump"
        started = time.monotonic()
        _run_tool("pg_dump", "--format=custom", "--no-owner", "--no-privileges", f"--file={dump}", f"--dbname={dsn}")
        with tarfile.open(unfinished, "w") as tar:
            _add(tar, "manifest.json", msgspec.json.encode(manifest))
            tar.add(dump, "database.dump", filter=_plain)
            stored, lost = asyncio.run(_add_blobs(tar))
            if with_key:
                _add(tar, "secret.key", key.hex().encode())
        if time.monotonic() - started > LONGEST_BACKUP_SECONDS:
            raise BackupError("The backup took so long that files may be missing from it. Copy the blobs apart.")
        _settle(unfinished, file)
    if lost:
        raise BackupError(f"{file} is written, but these stored files could not be read: {', '.join(lost)}")
    print(f"{file}: the database and {stored} stored files, {file.stat().st_size / 1e6:.1f} MB")
    if not with_key:
        where = "TANDEM_SECRET_KEY" if settings.secret_key else key_file(settings)
        print(f"Not in it: the secret key ({where}). Keep a copy elsewhere: stored mail passwords need it.")


def restore(settings: Settings, dsn: str, file: Path, *, force: bool) -> None:
    """Bring back what `back_up` wrote, then migrate it to this release. Raises `BackupError`.

    Only an empty database is filled; with `force` what is in it is replaced. The database changes in one
    transaction: a restore that fails leaves it as it was.
    """
    if not file.is_file():
        raise BackupError(f"There is no file {file}.")
    asyncio.run(_check_target(dsn, force=force))
    settings.data_folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    with _opened(file) as tar, _work_folder(settings.data_folder) as folder:
        manifest = _manifest(tar)
        key_there = _check_key(settings, manifest, force=force)
        tar.extract("database.dump", folder, filter="data")
        stored = asyncio.run(_restore_blobs(tar))
        _restore_database(dsn, folder, replace=force)
        if manifest.holds_key and not key_there:
            _restore_key(settings, bytes.fromhex(_read(tar, "secret.key").decode()))
    asyncio.run(migrate(dsn))
    asyncio.run(_note(dsn, made=False))
    print(f"Restored the database and {stored} stored files of {manifest.made_at:%Y-%m-%d %H:%M} UTC.")
    if not manifest.holds_key and not key_there:
        print(
            f"The secret key was not in the backup. Put your copy at {key_file(settings)} (mode 600) before the next "
            "start, or the passwords of all mail accounts have to be typed again."
        )


async def _note(dsn: str, *, made: bool) -> None:
    """In the audit log: whoever has a backup has everybody's mail."""
    await connect(dsn, pool_size=1)
    try:
        async with action(None):
            await audit(None, "backup_made" if made else "backup_restored", "installation")
    finally:
        await disconnect()


def key_fingerprint(key: bytes) -> str:
    """Tells whether two keys are the same, and nothing else about them."""
    return hashlib.sha256(b"tandem key fingerprint" + key).hexdigest()[:16]


async def _add_blobs(tar: tarfile.TarFile) -> tuple[int, list[str]]:
    """How many were added, and which could not be read: a damaged one must not cost all others their backup."""
    count, lost = 0, []
    async for digest in blobs.digests():
        try:
            content = await blobs.get(digest)
        except Unavailable:
            lost.append(digest)
        else:
            _add(tar, f"blobs/{digest}", content)
            count += 1
    return count, lost


async def _restore_blobs(tar: tarfile.TarFile) -> int:
    count = 0
    for member in tar:
        if not member.name.startswith("blobs/"):
            continue
        content = _read(tar, member.name)
        if hashlib.sha256(content).hexdigest() != member.name.removeprefix("blobs/"):
            raise BackupError(f"The backup is damaged: {member.name} is not what it was. Use another backup.")
        await blobs.put(content)
        count += 1
    return count


def _restore_database(dsn: str, folder: Path, *, replace: bool) -> None:
    """Extensions are left out: they are there already, and on many servers only an admin may make them."""
    contents = _run_tool("pg_restore", "--list", str(folder / "database.dump"))
    wanted = [line for line in contents.splitlines() if " EXTENSION " not in line]
    (folder / "contents").write_text("\n".join(wanted), encoding="utf-8")
    script = folder / "database.sql"
    _run_tool(
        "pg_restore",
        "--no-owner",
        "--no-privileges",
        f"--use-list={folder / 'contents'}",
        f"--file={script}",
        str(folder / "database.dump"),
    )
    # DROP OWNED removes this role's tables, types and functions, and leaves the server's extensions.
    before = ["--command=DROP OWNED BY CURRENT_USER CASCADE"] if replace else []
    _run_tool(
        "psql",
        "--no-psqlrc",
        "--quiet",
        "--single-transaction",
        "--set=ON_ERROR_STOP=1",
        *before,
        f"--file={script}",
        f"--dbname={dsn}",
    )


async def _check_target(dsn: str, *, force: bool) -> None:
    connection = await asyncpg.connect(dsn)
    try:
        others = await connection.fetchval(
            "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid() "
            "AND backend_type = 'client backend'"
        )
        tables = await connection.fetchval("SELECT count(*) FROM pg_tables WHERE schemaname = 'public'")
    finally:
        await connection.close()
    if others:
        raise BackupError("Tandem is running on this database. Stop it, then restore.")
    if tables and not force:
        raise BackupError(
            "The database is not empty. Restore into an empty data folder (TANDEM_DATA) or database, or add "
            "--force to replace everything that is in it."
        )


def _check_key(settings: Settings, manifest: Manifest, *, force: bool) -> bool:
    """Whether the key that the backup needs is here. Another key in its place is refused without `force`."""
    if settings.secret_key is None and not key_file(settings).exists():
        return False
    if key_fingerprint(secret_key(settings)) == manifest.key_fingerprint:
        return True
    if not force or settings.secret_key is not None:
        raise BackupError(
            "The secret key here is not the one that the backup was made with, so its mail passwords could not be "
            f"read. Put that key in its place (TANDEM_SECRET_KEY, or {key_file(settings)}), then restore."
        )
    return False


def _restore_key(settings: Settings, key: bytes) -> None:
    path = key_file(settings)
    if path.exists():
        path.rename(path.with_name(f"{path.name}.before-{datetime.now(UTC):%Y%m%dT%H%M%S}"))
    store_key_file(path, key)


def _manifest(tar: tarfile.TarFile) -> Manifest:
    try:
        manifest = msgspec.json.decode(_read(tar, "manifest.json"), type=Manifest)
    except (KeyError, msgspec.MsgspecError) as fault:
        raise BackupError("This file is not a backup of Tandem, or it was made by a later release.") from fault
    if manifest.format != FORMAT:
        raise BackupError("This backup was made by another release of Tandem. Restore it with that one.")
    return manifest


@contextlib.contextmanager
def _opened(file: Path) -> Iterator[tarfile.TarFile]:
    try:
        with tarfile.open(file, "r:") as tar:
            yield tar
    except (tarfile.TarError, EOFError) as fault:
        raise BackupError(f"{file} is damaged, or no backup of Tandem ({fault}).") from fault


def _read(tar: tarfile.TarFile, name: str) -> bytes:
    stored = tar.extractfile(name)
    return stored.read() if stored is not None else b""


def _add(tar: tarfile.TarFile, name: str, content: bytes) -> None:
    member = tarfile.TarInfo(name)
    member.size, member.mode, member.mtime = len(content), 0o600, int(time.time())
    tar.addfile(member, io.BytesIO(content))


def _plain(member: tarfile.TarInfo) -> tarfile.TarInfo:
    member.uid = member.gid = 0
    member.uname = member.gname = ""
    return member


@contextlib.contextmanager
def _work_folder(parent: Path) -> Iterator[Path]:
    """A folder of mode 0700 beside the result, so that the result needs only a new name."""
    folder = Path(tempfile.mkdtemp(prefix=".tandem-", dir=parent))
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _settle(unfinished: Path, file: Path) -> None:
    unfinished.chmod(0o600)
    with unfinished.open("rb") as written:
        os.fsync(written.fileno())
    unfinished.rename(file)
    folder = os.open(file.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def _run_tool(name: str, *arguments: str) -> str:
    outcome = subprocess.run([str(installed_binaries() / name), *arguments], capture_output=True, text=True)
    if outcome.returncode != 0:
        raise BackupError(f"{name} failed: {outcome.stderr.strip()}")
    return outcome.stdout
