"""What the worker that watches an account is told by others."""

from collections.abc import Callable
from pathlib import Path

from backend.database.connection import execute, fetch_value
from backend.workers.incoming import Watchers, look_again
from tests.backend.workers.test_many_accounts import connect_accounts, until, up_to_date
from tests.servers.api import Template, environment, fresh_copy
from tests.servers.delivery import write_mail
from tests.servers.dovecot import Dovecot
from tests.servers.postgres import Databases


async def placed(folder: str) -> int:
    return await fetch_value(
        "SELECT count(*) FROM placements p JOIN folders f ON f.id = p.folder_id WHERE f.name = $1", folder
    )


async def test_where_a_job_moved_mail_to_is_looked_at_once_more(
    cast: Template, databases: Databases, tmp_path: Path, make_dovecot: Callable[..., Dovecot]
) -> None:
    """A move that a job wrote down, of a mail that another program had moved on by then: nobody tells of it."""
    dovecot = make_dovecot()
    await dovecot.append("team0", "INBOX", write_mail())
    async with fresh_copy(cast, databases, tmp_path):
        with environment(tmp_path, TANDEM_ALLOW_PRIVATE_SERVERS="yes"):
            await connect_accounts(dovecot, 1)
            watchers = Watchers()
            await watchers.start()
            try:

                async def is_here() -> bool:
                    return await up_to_date() == 1 and await placed("INBOX") == 1

                await until(is_here, 20)
                await execute(
                    "INSERT INTO placements (folder_id, uid, message_id, flags, seen, size) "
                    "SELECT f.id, 7, m.id, '[]', false, 1 FROM folders f, messages m WHERE f.name = 'Archive'"
                )
                account_id = await fetch_value("SELECT id FROM mail_accounts WHERE username = 'team0'")
                await look_again(account_id, {"Archive": [7]})

                async def is_gone() -> bool:
                    return not await placed("Archive")

                await until(is_gone, 20)
                assert await placed("INBOX") == 1
            finally:
                await watchers.stop()
