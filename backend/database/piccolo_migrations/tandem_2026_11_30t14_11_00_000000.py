"""Finding what was deleted for good, and the events of a conversation."""

from piccolo.apps.migrations.auto.migration_manager import MigrationManager

from backend.database.connection import execute

ID = "2026-11-30T14:11:00:000000"
VERSION = "1.38.0"
DESCRIPTION = "Paths of deleting for good"

STATEMENTS = (
    "CREATE INDEX deleted_messages_identity ON deleted_messages (mailbox_id, message_id, content_digest)",
    "CREATE INDEX deleted_messages_email_id ON deleted_messages (mailbox_id, email_id) WHERE email_id <> ''",
    "CREATE INDEX placements_deleted ON placements (deleted_id) WHERE deleted_id IS NOT NULL",
    # Not looked at in what is there: before this, every placement was a message's.
    "ALTER TABLE placements ADD CONSTRAINT placements_of_one CHECK (message_id IS NULL <> (deleted_id IS NULL)) "
    "NOT VALID",
    "CREATE INDEX events_conversation ON events (conversation_id) WHERE conversation_id IS NOT NULL",
)


async def forwards() -> MigrationManager:
    manager = MigrationManager(migration_id=ID, app_name="tandem", description=DESCRIPTION)

    async def build() -> None:
        for statement in STATEMENTS:
            await execute(statement)

    manager.add_raw(build)
    return manager
