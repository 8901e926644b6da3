"""How mail is stored: an index, and bytes as they are."""

from pathlib import Path

from piccolo.apps.migrations.auto.migration_manager import MigrationManager

from backend.database.connection import connection

ID = "2026-11-23T23:01:00:000000"
VERSION = "1.38.0"
DESCRIPTION = "Storing mail"

SQL = Path(__file__).with_name("2026_11_23_storing.sql")


async def forwards() -> MigrationManager:
    manager = MigrationManager(migration_id=ID, app_name="tandem", description=DESCRIPTION)

    async def build() -> None:
        async with connection() as current:
            await current.execute(SQL.read_text(encoding="utf-8"))

    manager.add_raw(build)
    return manager
