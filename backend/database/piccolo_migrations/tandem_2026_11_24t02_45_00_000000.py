"""Messages keep the flags that they had in the files from which they were imported."""

from piccolo.apps.migrations.auto.migration_manager import MigrationManager
from piccolo.columns.column_types import JSONB
from piccolo.columns.indexes import IndexMethod

ID = "2026-11-24T02:45:00:000000"
VERSION = "1.38.0"
DESCRIPTION = "Flags of imported messages"


async def forwards() -> MigrationManager:
    manager = MigrationManager(migration_id=ID, app_name="tandem", description=DESCRIPTION)
    manager.add_column(
        table_class_name="Message",
        tablename="messages",
        column_name="kept_flags",
        db_column_name="kept_flags",
        column_class_name="JSONB",
        column_class=JSONB,
        params={
            "default": "[]",
            "null": False,
            "primary_key": False,
            "unique": False,
            "index": False,
            "index_method": IndexMethod.btree,
            "choices": None,
            "db_column_name": None,
            "secret": False,
        },
        schema=None,
    )
    return manager
