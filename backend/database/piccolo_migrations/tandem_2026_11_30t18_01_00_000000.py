"""What tags are called on mail servers: each something else, in whatever case."""

from piccolo.apps.migrations.auto.migration_manager import MigrationManager

from backend.database.connection import execute, fetch
from backend.tags.keywords import keyword_for

ID = "2026-11-30T18:01:00:000000"
VERSION = "1.38.0"
DESCRIPTION = "Keywords of the tags that there are"


async def forwards() -> MigrationManager:
    manager = MigrationManager(migration_id=ID, app_name="tandem", description=DESCRIPTION)

    async def build() -> None:
        taken: set[str] = set()
        for tag in await fetch("SELECT id, name FROM tags ORDER BY id"):
            keyword = keyword_for(tag["name"], tag["id"], taken)
            taken.add(keyword.lower())
            await execute("UPDATE tags SET keyword = $2 WHERE id = $1", tag["id"], keyword)
        await execute("CREATE UNIQUE INDEX tags_keyword ON tags (lower(keyword)) WHERE keyword <> ''")

    manager.add_raw(build)
    return manager
