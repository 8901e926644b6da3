"""A real PostgreSQL for the tests: the embedded server as it is shipped, a fresh database for each test."""

import asyncio
import itertools
import os
import sys
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import asyncpg
import pytest

from backend.database import connection
from backend.database.embedded import ROLE, EmbeddedPostgres

_TEMPLATE = "migrated_template"
_numbers = itertools.count(1)


@dataclass(frozen=True)
class Databases:
    """Makes and drops databases on one server."""

    server: EmbeddedPostgres

    def dsn(self, name: str) -> str:
        """The database `name`, as the role that Tandem works as."""
        return urlunsplit(urlsplit(self.server.dsn)._replace(path=f"/{name}"))

    async def create(self, template: str = "template1") -> str:
        """A new database with what is in `template`; its name."""
        name = f"test_{next(_numbers)}"
        await self.execute(f"CREATE DATABASE {name} TEMPLATE {template} OWNER {ROLE}")
        return name

    async def drop(self, name: str) -> None:
        await self.execute(f"DROP DATABASE {name} WITH (FORCE)")

    async def execute(self, statement: str) -> None:
        """Run a statement as the superuser, outside any transaction."""
        admin = await asyncpg.connect(self.server.superuser_dsn)
        try:
            await admin.execute(statement)
        finally:
            await admin.close()


@pytest.fixture(scope="session")
def postgres(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedPostgres]:
    """One embedded server for the whole run, with the settings that are shipped."""
    with EmbeddedPostgres(tmp_path_factory.mktemp("postgres")) as server:
        yield server


@pytest.fixture(scope="session")
async def databases(postgres: EmbeddedPostgres) -> Databases:
    return Databases(postgres)


@pytest.fixture(scope="session")
async def migrated_template(databases: Databases) -> str:
    """The name of a database that `tandem migrate` has brought up to date, to copy others from."""
    name = await databases.create()
    environment = os.environ | {"TANDEM_DATABASE_URL": databases.dsn(name)}
    migration = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "backend.cli", "migrate", env=environment, cwd=Path(__file__).parents[2]
    )
    assert await migration.wait() == 0
    await databases.execute(f"ALTER DATABASE {name} RENAME TO {_TEMPLATE}")
    return _TEMPLATE


@pytest.fixture
async def empty_database(databases: Databases) -> AsyncIterator[str]:
    """The DSN of a database without tables."""
    name = await databases.create()
    yield databases.dsn(name)
    await databases.drop(name)


@pytest.fixture
async def database_url(databases: Databases, migrated_template: str) -> AsyncIterator[str]:
    """The DSN of a fresh database with all tables, to which nothing is connected yet."""
    name = await databases.create(migrated_template)
    yield databases.dsn(name)
    await databases.drop(name)


@pytest.fixture
async def database(database_url: str) -> AsyncIterator[str]:
    """A fresh database with all tables, which this process' pool is connected to; its DSN."""
    await connection.connect(database_url)
    yield database_url
    await connection.disconnect()
