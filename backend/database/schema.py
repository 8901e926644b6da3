"""Whether the database has this release's schema, asked without loading what would change it.

`tandem up` asks at every start: Piccolo's migrations take a second to load, and mostly there is nothing to do.
"""

import re
from pathlib import Path

import asyncpg

_MIGRATIONS = Path(__file__).with_name("piccolo_migrations")
_ID = re.compile(r'^ID = "(?P<id>[^"]+)"$', re.MULTILINE)


def migrations() -> set[str]:
    """The ids of all migrations of this release."""
    files = [file for file in _MIGRATIONS.glob("*.py") if file.name != "__init__.py"]
    found = {file: _ID.search(file.read_text(encoding="utf-8")) for file in files}
    if unnamed := [file.name for file, match in found.items() if match is None]:
        raise RuntimeError(f'these migrations have no line ID = "...": {", ".join(unnamed)}')
    return {match["id"] for match in found.values() if match is not None}


async def is_current(dsn: str) -> bool:
    """Whether every migration of this release has been run on the database at `dsn`."""
    connection = await asyncpg.connect(dsn)
    try:
        rows = await connection.fetch("SELECT name FROM migration WHERE app_name = 'tandem'")
    except asyncpg.UndefinedTableError:
        return False
    finally:
        await connection.close()
    return migrations() <= {row["name"] for row in rows}
