"""Changes of a draft's document stand in order, each once."""

from piccolo.apps.migrations.auto.migration_manager import MigrationManager

from backend.database.connection import execute

ID = "2026-11-30T20:26:00:000000"
VERSION = "1.38.0"
DESCRIPTION = "Index of the changes of a draft's document"


async def forwards() -> MigrationManager:
    manager = MigrationManager(migration_id=ID, app_name="tandem", description=DESCRIPTION)

    async def build() -> None:
        await execute(
            "CREATE UNIQUE INDEX draft_document_changes_position ON draft_document_changes (document_id, position)"
        )

    manager.add_raw(build)
    return manager
