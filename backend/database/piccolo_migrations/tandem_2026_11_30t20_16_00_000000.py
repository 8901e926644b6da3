"""What an account sends through, what a mailbox sends through, and where an address is in use."""

from pathlib import Path

from piccolo.apps.migrations.auto.migration_manager import MigrationManager

from backend.database.connection import execute

ID = "2026-11-30T20:16:00:000000"
VERSION = "1.38.0"
DESCRIPTION = "Accounts are outgoing servers; uses of addresses"

STATEMENTS = Path(__file__).with_name("2026_11_30_outgoing_servers.sql")


async def forwards() -> MigrationManager:
    manager = MigrationManager(migration_id=ID, app_name="tandem", description=DESCRIPTION)

    async def build() -> None:
        await execute(STATEMENTS.read_text(encoding="utf-8"))

    manager.add_raw(build)
    return manager
