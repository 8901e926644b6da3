"""The quick look at the schema agrees with what `tandem migrate` does."""

import asyncpg

from backend.database.schema import is_current, migrations


async def test_an_empty_database_is_not_current(empty_database: str) -> None:
    assert not await is_current(empty_database)


async def test_a_migrated_database_is_current(database_url: str) -> None:
    assert await is_current(database_url)


async def test_a_database_that_lacks_the_last_migration_is_not(database_url: str) -> None:
    connection = await asyncpg.connect(database_url)
    await connection.execute("DELETE FROM migration WHERE name = $1", max(migrations()))
    await connection.close()
    assert not await is_current(database_url)


async def test_a_later_release_s_database_still_serves(database_url: str) -> None:
    connection = await asyncpg.connect(database_url)
    await connection.execute("INSERT INTO migration (name, app_name) VALUES ('2999-01-01T00:00:00:000000', 'tandem')")
    await connection.close()
    assert await is_current(database_url)
