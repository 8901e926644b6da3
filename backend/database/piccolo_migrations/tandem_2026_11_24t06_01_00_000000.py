"""The paths that reminders are found by."""

from piccolo.apps.migrations.auto.migration_manager import MigrationManager

from backend.database.connection import execute

ID = "2026-11-24T06:01:00:000000"
VERSION = "1.38.0"
DESCRIPTION = "Finding reminders"


async def forwards() -> MigrationManager:
    manager = MigrationManager(migration_id=ID, app_name="tandem", description=DESCRIPTION)

    async def build() -> None:
        await execute(
            "CREATE INDEX read_marks_waiting ON read_marks (remind_at) WHERE remind_at IS NOT NULL AND NOT remind_due"
        )
        await execute("CREATE INDEX read_marks_reminders ON read_marks (user_id) WHERE remind_at IS NOT NULL")

    manager.add_raw(build)
    return manager
