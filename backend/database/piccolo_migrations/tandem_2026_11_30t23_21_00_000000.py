"""Everybody has one answer to a meeting: the newest."""

from piccolo.apps.migrations.auto.migration_manager import MigrationManager

from backend.database.connection import execute

ID = "2026-11-30T23:21:00:000000"
VERSION = "1.38.0"
DESCRIPTION = "Index of the answers to a meeting"


async def forwards() -> MigrationManager:
    manager = MigrationManager(migration_id=ID, app_name="tandem", description=DESCRIPTION)

    async def build() -> None:
        await execute("CREATE UNIQUE INDEX meeting_answers_person ON meeting_answers (meeting_id, address)")

    manager.add_raw(build)
    return manager
