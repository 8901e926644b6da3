"""Comments that are there already count as read; the path to the newest comment of a conversation."""

from piccolo.apps.migrations.auto.migration_manager import MigrationManager

from backend.database.connection import execute

ID = "2026-11-30T14:51:00:000000"
VERSION = "1.38.0"
DESCRIPTION = "Comments begin read"


async def forwards() -> MigrationManager:
    manager = MigrationManager(migration_id=ID, app_name="tandem", description=DESCRIPTION)

    async def build() -> None:
        await execute("CREATE INDEX comments_newest ON comments (conversation_id, id) WHERE deleted_at IS NULL")
        await execute(
            "INSERT INTO watermarks (mailbox_id, user_id, read_from, comments_read_from) "
            "SELECT mailbox_id, user_id, 0, (SELECT coalesce(max(id), 0) FROM comments) FROM mailbox_readers "
            "ON CONFLICT (mailbox_id, user_id) DO UPDATE SET comments_read_from = excluded.comments_read_from"
        )

    manager.add_raw(build)
    return manager
