"""Notifications of a conversation are told, when a stream is read again, to those who still see it."""

from piccolo.apps.migrations.auto.migration_manager import MigrationManager

from backend.database.connection import execute

ID = "2026-11-24T05:55:00:000000"
VERSION = "1.38.0"
DESCRIPTION = "Notifications told before name their conversation"


async def forwards() -> MigrationManager:
    manager = MigrationManager(migration_id=ID, app_name="tandem", description=DESCRIPTION)

    async def name_conversations() -> None:
        await execute(
            "UPDATE events SET conversation_id = (body -> 'notification' ->> 'conversation_id')::bigint "
            "WHERE conversation_id IS NULL AND body ->> 'type' = 'notification_added'"
        )

    manager.add_raw(name_conversations)
    return manager
