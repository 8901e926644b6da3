"""Backup and restore through the command, from one data folder into another."""

import hashlib
import os
import subprocess
import sys
import tarfile
from collections.abc import Iterator
from pathlib import Path

import asyncpg
import pytest

from backend.database.embedded import EmbeddedPostgres
from backend.secret_key import key_file, secret_key
from backend.settings import read_settings
from tests.servers.tandem import PROJECT, environment, tandem

LARGE = os.urandom(400_000)
STORE_BLOB = "import asyncio, sys; from backend.mail.blobs import put; print(asyncio.run(put(sys.stdin.buffer.read())))"
FETCH_BLOB = (
    "import asyncio, sys; from backend.mail.blobs import get; sys.stdout.buffer.write(asyncio.run(get(sys.argv[1])))"
)


def in_data_folder(data: Path, code: str, *arguments: str, given: bytes = b"") -> bytes:
    outcome = subprocess.run(
        [sys.executable, "-c", code, *arguments],
        env=environment(data),
        cwd=PROJECT,
        input=given,
        stdout=subprocess.PIPE,
        check=True,
    )
    return outcome.stdout


async def deeds(dsn: str) -> list[str]:
    """What the audit log tells, the oldest first."""
    connection = await asyncpg.connect(dsn)
    try:
        return [row["action"] for row in await connection.fetch("SELECT action FROM audit_entries ORDER BY id")]
    finally:
        await connection.close()


async def rows_of_all_tables(dsn: str) -> dict[str, list[str]]:
    """But for the audit log, which tells of backups too."""
    connection = await asyncpg.connect(dsn)
    try:
        tables = await connection.fetch(
            "SELECT tablename FROM pg_tables WHERE schemaname = 'public' AND tablename <> 'audit_entries' ORDER BY 1"
        )
        return {
            table["tablename"]: [
                row["row"]
                for row in await connection.fetch(f'SELECT t::text AS row FROM "{table["tablename"]}" t ORDER BY 1')
            ]
            for table in tables
        }
    finally:
        await connection.close()


async def execute(dsn: str, statement: str, *values: object) -> None:
    connection = await asyncpg.connect(dsn)
    try:
        await connection.execute(statement, *values)
    finally:
        await connection.close()


@pytest.fixture
def data(installed: Path) -> Path:
    return installed


@pytest.fixture
def server(data: Path) -> Iterator[EmbeddedPostgres]:
    """A running Tandem's database, with all tables."""
    with EmbeddedPostgres(data) as server:
        yield server


async def fill(server: EmbeddedPostgres, data: Path) -> str:
    """Store mail in the database and a large body beside it; the large one's digest."""
    small = "Grüße \N{SNOWMAN}".encode() + bytes(range(256))
    insert = "INSERT INTO raw_messages (digest, size, content) VALUES ($1, $2, $3)"
    await execute(server.dsn, insert, hashlib.sha256(small).hexdigest(), len(small), small)
    digest = in_data_folder(data, STORE_BLOB, given=LARGE).decode().strip()
    await execute(server.dsn, insert, digest, len(LARGE), None)
    return digest


@pytest.mark.parametrize("with_key", [True, False])
async def test_everything_comes_back_in_an_empty_folder(
    server: EmbeddedPostgres, data: Path, tmp_path: Path, with_key: bool
) -> None:
    digest = await fill(server, data)
    key = secret_key(read_settings({"TANDEM_DATA": str(data)}))
    before = await rows_of_all_tables(server.dsn)
    backup = tmp_path / "monday.tandem-backup"

    made = tandem(data, "backup", str(backup), *(["--with-key"] if with_key else []))  # while it is running
    assert made.returncode == 0, made.stdout
    assert "1 stored files" in made.stdout
    assert (key.hex().encode() in backup.read_bytes()) is with_key
    assert backup.stat().st_mode & 0o077 == 0
    assert [file.name for file in tmp_path.iterdir() if file.name.startswith(".")] == []

    new = tmp_path / "new"
    restored = tandem(new, "restore", str(backup))
    assert restored.returncode == 0, restored.stdout
    assert ("secret key was not in the backup" in restored.stdout) is not with_key
    with EmbeddedPostgres(new) as other:
        assert await rows_of_all_tables(other.dsn) == before
        assert (await deeds(other.dsn))[-2:] == ["backup_made", "backup_restored"]
    assert in_data_folder(new, FETCH_BLOB, digest) == LARGE
    there = read_settings({"TANDEM_DATA": str(new)})
    assert (key_file(there).exists() and secret_key(there) == key) is with_key


async def test_what_is_there_is_replaced_only_by_force(server: EmbeddedPostgres, data: Path, tmp_path: Path) -> None:
    await fill(server, data)
    before = await rows_of_all_tables(server.dsn)
    backup = tmp_path / "monday.tandem-backup"
    assert tandem(data, "backup", str(backup)).returncode == 0
    await execute(server.dsn, "DELETE FROM raw_messages")
    await execute(server.dsn, "CREATE TABLE of_a_later_release (id int)")
    changed = await rows_of_all_tables(server.dsn)

    refused = tandem(data, "restore", str(backup))
    assert refused.returncode == 1
    assert "not empty" in refused.stdout
    assert await rows_of_all_tables(server.dsn) == changed

    forced = tandem(data, "restore", str(backup), "--force")
    assert forced.returncode == 0, forced.stdout
    assert await rows_of_all_tables(server.dsn) == before


async def test_a_database_in_use_is_not_replaced(server: EmbeddedPostgres, data: Path, tmp_path: Path) -> None:
    backup = tmp_path / "monday.tandem-backup"
    assert tandem(data, "backup", str(backup)).returncode == 0
    user = await asyncpg.connect(server.dsn)
    refused = tandem(data, "restore", str(backup), "--force")
    await user.close()
    assert refused.returncode == 1
    assert "is running" in refused.stdout


async def test_a_damaged_backup_changes_nothing(server: EmbeddedPostgres, data: Path, tmp_path: Path) -> None:
    await fill(server, data)
    before = await rows_of_all_tables(server.dsn)
    backup = tmp_path / "monday.tandem-backup"
    assert tandem(data, "backup", str(backup)).returncode == 0
    whole = bytearray(backup.read_bytes())
    with tarfile.open(backup) as tar:
        blob = next(member for member in tar if member.name.startswith("blobs/"))
        dump = tar.getmember("database.dump")

    def refused(content: bytes) -> str:
        backup.write_bytes(content)
        outcome = tandem(data, "restore", str(backup), "--force")
        assert outcome.returncode == 1, outcome.stdout
        assert "Traceback" not in outcome.stdout
        return outcome.stdout

    assert "damaged" in refused(bytes(whole[: len(whole) // 2]))
    assert "damaged" in refused(b"no backup at all")
    flipped = whole.copy()
    flipped[blob.offset_data + 1000] ^= 1
    assert "damaged" in refused(bytes(flipped))
    flipped = whole.copy()
    flipped[dump.offset_data : dump.offset_data + 100] = b"\0" * 100
    assert "pg_restore failed" in refused(bytes(flipped))
    assert await rows_of_all_tables(server.dsn) == before


async def test_another_key_in_its_place_is_refused(server: EmbeddedPostgres, data: Path, tmp_path: Path) -> None:
    backup = tmp_path / "monday.tandem-backup"
    assert tandem(data, "backup", str(backup)).returncode == 0
    new = tmp_path / "new"
    refused = tandem(new, "restore", str(backup), TANDEM_SECRET_KEY="ab" * 32)
    assert refused.returncode == 1
    assert "not the one" in refused.stdout


async def test_a_backup_never_overwrites(server: EmbeddedPostgres, data: Path, tmp_path: Path) -> None:
    there = tmp_path / "there"
    there.write_text("precious")
    refused = tandem(data, "backup", str(there))
    assert refused.returncode == 1
    assert "already there" in refused.stdout
    assert there.read_text() == "precious"


async def test_a_lost_blob_does_not_cost_the_rest(server: EmbeddedPostgres, data: Path, tmp_path: Path) -> None:
    digest = await fill(server, data)
    kept = in_data_folder(data, STORE_BLOB, given=b"another").decode().strip()
    (data / "blobs" / digest[:2] / digest).write_bytes(b"")
    backup = tmp_path / "monday.tandem-backup"
    made = tandem(data, "backup", str(backup))
    assert made.returncode == 1
    assert digest in made.stdout
    with tarfile.open(backup) as tar:
        assert f"blobs/{kept}" in tar.getnames()
