"""The database of every finished issue can be brought up to date, and nothing in it is lost."""

import json
import os
import subprocess
from pathlib import Path

import pytest

from backend.database.migrate import migrate
from backend.database.postgres_binaries import installed_binaries
from tests.servers.postgres import Databases
from tests.upgrades.make_dump import count_rows

HERE = Path(__file__).parent
DUMPS = sorted(HERE.glob("*.dump"))


@pytest.mark.parametrize("dump", DUMPS, ids=[path.stem for path in DUMPS])
async def test_an_upgrade_loses_nothing(dump: Path, databases: Databases) -> None:
    name = await databases.create()
    restore = [os.fspath(installed_binaries() / "pg_restore"), "--no-owner", "--no-privileges", "--exit-on-error"]
    subprocess.run([*restore, f"--dbname={databases.dsn(name)}", os.fspath(dump)], check=True)
    await migrate(databases.dsn(name))
    counts = await count_rows(databases.dsn(name))
    before = json.loads(dump.with_suffix(".json").read_text(encoding="utf-8"))
    assert {table: counts.get(table) for table in before} == before
    await databases.drop(name)


def test_there_is_a_dump_to_upgrade_from() -> None:
    assert DUMPS
