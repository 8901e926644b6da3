"""Attachments are found by their names."""

from pathlib import Path

from piccolo.apps.migrations.auto.migration_manager import MigrationManager

from backend.database.connection import connection

ID = "2026-11-30T23:31:00:000000"
VERSION = "1.38.0"
DESCRIPTION = "Names of attachments"

SQL = Path(__file__).with_name("2026_11_30_attachment_names.sql")


async def forwards() -> MigrationManager:
    manager = MigrationManager(migration_id=ID, app_name="tandem", description=DESCRIPTION)

    async def build() -> None:
        async with connection() as current:
            await current.execute(SQL.read_text(encoding="utf-8"))

    manager.add_raw(build)
    return manager
