"""Whether a mail account can be read with a login, as a test wants to know it."""

from sync.errors import ServerProblem
from sync.imap.connection import open_connection
from sync.types import ImapLogin


async def check_imap(login: ImapLogin) -> ServerProblem | None:
    """Sign in and list the folders. None when all is well."""
    try:
        connection = await open_connection(login, timeout=20)
        try:
            await connection.list_folders()
        finally:
            await connection.close()
    except ServerProblem as problem:
        return problem
    return None
