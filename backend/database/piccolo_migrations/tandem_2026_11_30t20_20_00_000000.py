from piccolo.apps.migrations.auto.migration_manager import MigrationManager
from piccolo.columns.column_types import BigInt
from piccolo.columns.column_types import Integer
from piccolo.columns.column_types import Timestamptz
from piccolo.columns.indexes import IndexMethod

from backend.database.connection import execute

ID = "2026-11-30T20:20:00:000000"
VERSION = "1.38.0"
DESCRIPTION = "Limits of outgoing servers; copies that wait"


async def forwards():
    manager = MigrationManager(migration_id=ID, app_name="tandem", description=DESCRIPTION)

    manager.add_column(
        table_class_name="OutgoingServer",
        tablename="outgoing_servers",
        column_name="paced_until",
        db_column_name="paced_until",
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
        table_class_name="OutgoingServer",
        tablename="outgoing_servers",
        column_name="per_minute",
        db_column_name="per_minute",
        column_class_name="Integer",
        column_class=Integer,
        params={
            "default": 0,
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

    manager.add_column(
        table_class_name="OutgoingServer",
        tablename="outgoing_servers",
        column_name="size_limit",
        db_column_name="size_limit",
        column_class_name="BigInt",
        column_class=BigInt,
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

    async def index() -> None:
        await execute("CREATE INDEX outgoing_copies ON outgoing (mailbox_id) WHERE sent_copy = 'waiting'")

    manager.add_raw(index)
    return manager
