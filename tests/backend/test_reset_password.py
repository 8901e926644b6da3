"""`tandem reset-password`, for the owner who locked themselves out."""

import re
from pathlib import Path

import asyncpg

from backend.people.passwords import password_fits
from tests.servers.tandem import tandem


async def add_person(dsn: str, email: str) -> None:
    connection = await asyncpg.connect(dsn)
    await connection.execute(
        "INSERT INTO users (name, email, password_hash, role, active, colour, time_zone, locale, theme, created_at) "
        "VALUES ('Ana', $1, 'none', 'owner', true, 0, 'UTC', 'en', 'system', now())",
        email,
    )
    await connection.close()


async def test_the_printed_password_fits(tmp_path: Path, database_url: str) -> None:
    await add_person(database_url, "ana@example.org")
    outcome = tandem(tmp_path, "reset-password", "Ana@example.org", TANDEM_DATABASE_URL=database_url)
    assert outcome.returncode == 0, outcome.stdout
    found = re.search(r"^The new password of Ana@example.org is: (\S+)$", outcome.stdout, re.M)
    assert found is not None
    connection = await asyncpg.connect(database_url)
    stored = await connection.fetchval("SELECT password_hash FROM users")
    await connection.close()
    assert await password_fits(stored, found[1])
    assert not await password_fits(stored, found[1] + "x")


async def test_an_unknown_address_is_refused(tmp_path: Path, database_url: str) -> None:
    outcome = tandem(tmp_path, "reset-password", "nobody@example.org", TANDEM_DATABASE_URL=database_url)
    assert outcome.returncode == 1
    assert "tandem: Nobody here has the address nobody@example.org." in outcome.stdout
    assert "Traceback" not in outcome.stdout
