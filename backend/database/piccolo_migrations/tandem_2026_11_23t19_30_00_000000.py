"""Indexes, the search column, the job queue, and the two functions that say who sees what."""

from pathlib import Path
from typing import cast

from asyncpg import Connection
from piccolo.apps.migrations.auto.migration_manager import MigrationManager
from pgqueuer import Queries
from pgqueuer.db import AsyncpgDriver

from backend.database.connection import connection

ID = "2026-11-23T19:30:00:000000"
VERSION = "1.38.0"
DESCRIPTION = "Indexes, search, jobs, and who sees what"

SQL = Path(__file__).with_name("2026_11_23_access_and_search.sql")


async def forwards() -> MigrationManager:
    manager = MigrationManager(migration_id=ID, app_name="tandem", description=DESCRIPTION)

    async def build() -> None:
        async with connection() as current:
            await current.execute(SQL.read_text(encoding="utf-8"))
            await Queries(AsyncpgDriver(cast(Connection, current))).install()

    manager.add_raw(build)
    return manager
