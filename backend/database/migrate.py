"""Bring the database to this release's schema.

Several processes may try at once: an advisory lock lets one do it, the others wait and find nothing to do. A
migration that cannot get its locks gives up after a while rather than hold up a serving release.
"""

import contextlib
import io

import asyncpg
from piccolo.apps.migrations.commands.forwards import ForwardsMigrationManager

from backend.database.connection import connect, disconnect, engine

MIGRATION_LOCK = 7_264_336
"""Key of the advisory lock; any number that nothing else uses."""


async def migrate(dsn: str) -> None:
    """Run every migration that the database at `dsn` lacks.

    Raises `asyncpg.PostgresError` when one fails: its transaction is rolled back, the earlier ones stay.
    """
    lock = await asyncpg.connect(dsn)
    try:
        await lock.execute("SELECT pg_advisory_lock($1)", MIGRATION_LOCK)
        connected_here = engine.pool is None
        if connected_here:
            await connect(dsn, pool_size=2)
        try:
            said = io.StringIO()  # Piccolo prints its progress; it is worth reading only when something failed
            with contextlib.redirect_stdout(said):
                result = await ForwardsMigrationManager(app_name="tandem").run()
            if not result.success:
                raise RuntimeError(f"A migration failed: {result.message}\n{said.getvalue()}")
        finally:
            if connected_here:
                await disconnect()
    finally:
        await lock.close()
