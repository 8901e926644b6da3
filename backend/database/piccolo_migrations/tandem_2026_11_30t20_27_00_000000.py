from piccolo.apps.migrations.auto.migration_manager import MigrationManager
from piccolo.columns.column_types import Array
from piccolo.columns.column_types import BigInt
from piccolo.columns.indexes import IndexMethod

ID = "2026-11-30T20:27:00:000000"
VERSION = "1.38.0"
DESCRIPTION = "Who joined in writing a draft"


async def forwards():
    manager = MigrationManager(migration_id=ID, app_name="tandem", description=DESCRIPTION)

    manager.add_column(
        table_class_name="Draft",
        tablename="drafts",
        column_name="writer_ids",
        db_column_name="writer_ids",
        column_class_name="Array",
        column_class=Array,
        params={
            "default": list,
            "base_column": BigInt(
                default=0,
                null=False,
                primary_key=False,
                unique=False,
                index=False,
                index_method=IndexMethod.btree,
                choices=None,
                db_column_name=None,
                secret=False,
            ),
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
