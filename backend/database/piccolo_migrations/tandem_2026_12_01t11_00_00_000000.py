"""Search looks into attachments, finds recipients and sizes by an index, and knows every word that mail holds."""

from pathlib import Path

from piccolo.apps.migrations.auto.migration_manager import MigrationManager

from backend.database.connection import connection

ID = "2026-12-01T11:00:00:000000"
VERSION = "1.38.0"
DESCRIPTION = "Search"

SQL = Path(__file__).with_name("2026_12_01_search.sql")


async def forwards() -> MigrationManager:
    manager = MigrationManager(migration_id=ID, app_name="tandem", description=DESCRIPTION)

    async def build() -> None:
        async with connection() as current:
            await current.execute(SQL.read_text(encoding="utf-8"))

    manager.add_raw(build)
    return manager
