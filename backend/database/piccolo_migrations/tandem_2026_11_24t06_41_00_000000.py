"""One reaction of a kind for each person."""

from piccolo.apps.migrations.auto.migration_manager import MigrationManager

from backend.database.connection import execute

ID = "2026-11-24T06:41:00:000000"
VERSION = "1.38.0"
DESCRIPTION = "One reaction of a kind"


async def forwards() -> MigrationManager:
    manager = MigrationManager(migration_id=ID, app_name="tandem", description=DESCRIPTION)

    async def build() -> None:
        await execute("CREATE UNIQUE INDEX comment_reactions_once ON comment_reactions (comment_id, user_id, emoji)")

    manager.add_raw(build)
    return manager
