"""A person's read mark of a conversation holds their reminder, too."""

from typing import Any

from piccolo.apps.migrations.auto.migration_manager import MigrationManager
from piccolo.columns.column_types import Boolean, Text, Timestamptz
from piccolo.columns.indexes import IndexMethod

ID = "2026-11-24T06:00:00:000000"
VERSION = "1.38.0"
DESCRIPTION = "Reminders"


async def forwards() -> MigrationManager:
    manager = MigrationManager(migration_id=ID, app_name="tandem", description=DESCRIPTION)

    def add(name: str, kind: Any, default: object, *, null: bool = False) -> None:
        manager.add_column(
            table_class_name="ReadMark",
            tablename="read_marks",
            column_name=name,
            db_column_name=name,
            column_class_name=kind.__name__,
            column_class=kind,
            params={
                "default": default,
                "null": null,
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

    add("remind_at", Timestamptz, None, null=True)
    add("remind_kind", Text, "")
    add("remind_if_silent", Boolean, False)
    add("remind_due", Boolean, False)
    return manager
