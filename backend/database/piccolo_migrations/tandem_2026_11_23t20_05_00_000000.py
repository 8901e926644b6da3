"""What the writer of a mail knew of the conversation: what came later may make the mail outdated."""

from piccolo.apps.migrations.auto.migration_manager import MigrationManager

from backend.database.connection import connection

ID = "2026-11-23T20:05:00:000000"
VERSION = "1.38.0"
DESCRIPTION = "What the writer of a mail has seen"

COLUMNS = (
    ("drafts", "seen_arrival", "bigint NOT NULL DEFAULT 0"),
    ("drafts", "seen_outgoing", "bigint NOT NULL DEFAULT 0"),
    ("drafts", "seen_at", "timestamptz NOT NULL DEFAULT now()"),
    ("outgoing", "seen_outgoing", "bigint NOT NULL DEFAULT 0"),
    ("outgoing", "seen_at", "timestamptz NOT NULL DEFAULT now()"),
)


async def forwards() -> MigrationManager:
    manager = MigrationManager(migration_id=ID, app_name="tandem", description=DESCRIPTION)

    async def add() -> None:
        async with connection() as current:
            for table, column, kind in COLUMNS:
                await current.execute(f"ALTER TABLE {table} ADD COLUMN IF NOT EXISTS {column} {kind}")

    manager.add_raw(add)
    return manager
