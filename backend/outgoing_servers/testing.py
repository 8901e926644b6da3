"""A test mail through a server, for the admin who waits for how it went. Part of the actions.

As with connecting an account, only a worker talks to servers: the route leaves a row with a job, and looks until the
outcome stands in it.
"""

import asyncio

import msgspec

from backend.access.asker import Asker
from backend.database.connection import Row, execute, fetch_row, fetch_value
from backend.errors import TooManyAttempts, Unavailable
from backend.events.record import action
from backend.jobs import enqueue
from backend.outgoing_servers.contracts import ServerTest
from backend.outgoing_servers.queries import read_server

ANSWER_SECONDS = 75.0
"""How long a person is let wait: a server may think about a mail for a while."""
LOOK_SECONDS = 0.1
MOST_AT_ONCE = 2

_outcome = msgspec.json.Decoder(ServerTest)


async def test_server(asker: Asker, server_id: int) -> ServerTest:
    """Let a worker send a mail to the person who asks. Raises NotFound, TooManyAttempts, and Unavailable when no worker
    answers in time.
    """
    await read_server(server_id)
    async with action(asker.user_id):
        await execute("DELETE FROM outgoing_server_tests WHERE created_at < now() - interval '1 hour'")
        waiting = await fetch_value(
            "SELECT count(*) FROM outgoing_server_tests WHERE server_id = $1 AND outcome IS NULL", server_id
        )
        if waiting >= MOST_AT_ONCE:
            raise TooManyAttempts("This server is being tested already.", "Wait a minute for the outcome.")
        test_id = await fetch_value(
            "INSERT INTO outgoing_server_tests (server_id, asked_by, created_at) VALUES ($1, $2, now()) RETURNING id",
            server_id,
            asker.user_id,
        )
        await enqueue("test_server", test_id=test_id)
    try:
        async with asyncio.timeout(ANSWER_SECONDS):
            while True:
                outcome = await fetch_value("SELECT outcome FROM outgoing_server_tests WHERE id = $1", test_id)
                if outcome is not None:
                    return _outcome.decode(outcome)
                await asyncio.sleep(LOOK_SECONDS)
    except TimeoutError as fault:
        raise Unavailable(
            "The server could not be tested: nothing here is working on it.",
            "Try again in a minute. If it stays, look whether the worker is running.",
        ) from fault
    finally:
        await execute("DELETE FROM outgoing_server_tests WHERE id = $1", test_id)


async def take_test(test_id: int) -> Row | None:
    """For the worker: which server, from which address, to whom; None when nobody waits any more.

    The address is one that the server is there for: its mailbox's, else that of an identity or a mailbox that sends
    through it; else it is the user name, or the admin's own address.
    """
    return await fetch_row(
        "SELECT t.server_id, u.name AS asker_name, u.email AS recipient, coalesce("
        "(SELECT m.address FROM outgoing_servers s JOIN mail_accounts a ON a.id = s.account_id "
        "JOIN mailboxes m ON m.id = a.mailbox_id WHERE s.id = t.server_id), "
        "(SELECT i.address FROM identities i WHERE i.server_id = t.server_id ORDER BY i.id LIMIT 1), "
        "(SELECT m.address FROM mailboxes m WHERE m.kind = 'group' AND server_of(m.id) = t.server_id "
        "ORDER BY m.id LIMIT 1), "
        "(SELECT nullif(s.username, '') FROM outgoing_servers s WHERE s.id = t.server_id AND s.username LIKE '%_@_%'), "
        "u.email) AS sender FROM outgoing_server_tests t JOIN users u ON u.id = t.asked_by "
        "WHERE t.id = $1 AND t.outcome IS NULL",
        test_id,
    )


async def finish_test(test_id: int, outcome: ServerTest) -> None:
    """Write the outcome for the person who waits."""
    await execute(
        "UPDATE outgoing_server_tests SET outcome = $2 WHERE id = $1", test_id, msgspec.json.encode(outcome).decode()
    )
