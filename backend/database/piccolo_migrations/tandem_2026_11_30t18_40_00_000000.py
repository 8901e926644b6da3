from piccolo.apps.migrations.auto.migration_manager import MigrationManager
from piccolo.columns.column_types import Boolean
from piccolo.columns.column_types import Timestamptz
from piccolo.columns.indexes import IndexMethod

ID = "2026-11-30T18:40:00:000000"
VERSION = "1.38.0"
DESCRIPTION = "Reminders after sending"


async def forwards():
    manager = MigrationManager(migration_id=ID, app_name="tandem", description=DESCRIPTION)

    manager.add_column(
        table_class_name="Outgoing",
        tablename="outgoing",
        column_name="then_remind_at",
        db_column_name="then_remind_at",
        column_class_name="Timestamptz",
        column_class=Timestamptz,
        params={
            "default": None,
            "null": True,
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

    manager.add_column(
        table_class_name="Outgoing",
        tablename="outgoing",
        column_name="then_remind_if_silent",
        db_column_name="then_remind_if_silent",
        column_class_name="Boolean",
        column_class=Boolean,
        params={
            "default": True,
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
