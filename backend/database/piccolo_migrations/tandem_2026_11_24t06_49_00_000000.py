"""One tag of a name, and the path to what has a tag."""

from piccolo.apps.migrations.auto.migration_manager import MigrationManager

from backend.database.connection import execute

ID = "2026-11-24T06:49:00:000000"
VERSION = "1.38.0"
DESCRIPTION = "Finding tags"


async def forwards() -> MigrationManager:
    manager = MigrationManager(migration_id=ID, app_name="tandem", description=DESCRIPTION)

    async def build() -> None:
        await execute("CREATE UNIQUE INDEX tags_name ON tags (lower(name))")
        # Partial: most conversations have none, and their writes then cost nothing here.
        await execute("CREATE INDEX conversations_tags ON conversations USING gin (tag_ids) WHERE tag_ids <> '{}'")

    manager.add_raw(build)
    return manager
