"""What contacts and search look things up by."""

from pathlib import Path

from piccolo.apps.migrations.auto.migration_manager import MigrationManager

from backend.database.connection import execute

ID = "2026-11-23T19:45:00:000000"
VERSION = "1.38.0"
DESCRIPTION = "Look-ups of contacts and of search"

SQL = Path(__file__).with_name("2026_11_23_contacts_and_search.sql")


async def forwards() -> MigrationManager:
    manager = MigrationManager(migration_id=ID, app_name="tandem", description=DESCRIPTION)

    async def build() -> None:
        await execute(SQL.read_text(encoding="utf-8"))

    manager.add_raw(build)
    return manager
