"""Finding what is unread of a conversation, and who follows what is open already."""

from pathlib import Path

from piccolo.apps.migrations.auto.migration_manager import MigrationManager

from backend.database.connection import execute

ID = "2026-11-30T14:41:00:000000"
VERSION = "1.38.0"
DESCRIPTION = "Followers of what is open"


async def forwards() -> MigrationManager:
    manager = MigrationManager(migration_id=ID, app_name="tandem", description=DESCRIPTION)

    async def build() -> None:
        await execute(Path(__file__).with_name("2026_11_30_following.sql").read_text(encoding="utf-8"))

    manager.add_raw(build)
    return manager
