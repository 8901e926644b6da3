"""The copy of a sent mail on the server, and what the server's Sent folder knows of a mail that may have left.

Each is the handler of a job, may run twice, and does nothing the second time (sync/imap/pushback.py). What is wanted is
read from the database when the job runs, not from its payload: of two jobs in the wrong order, both do the right thing.
"""

import logging
from datetime import UTC, datetime, timedelta

from backend.compose.actions.results import record_acceptance
from backend.database.connection import Row, execute, fetch, fetch_row, fetch_value
from backend.events.record import action
from backend.jobs import enqueue
from backend.mail.actions import store_sent_message
from backend.mail.raw import load_raw
from backend.workers.logins import account_of_mailbox
from backend.workers.visits import alone, signed_in
from sync.errors import CommandRefused
from sync.imap.connection import Connection
from sync.imap.pushback import append_once, find_message_id
from sync.providers import provider_of_server

log = logging.getLogger(__name__)

SENT_COPY_LOCK = 7_264_340
"""First key of the advisory lock under which one worker at a time stores a mail's copy; the second is its id."""
LOOKS = (timedelta(seconds=5), timedelta(seconds=30), timedelta(minutes=2), timedelta(minutes=10))
"""When the Sent folder is asked for a mail whose end is unknown: providers that store the copy take a moment."""


FILED_WITHIN = timedelta(minutes=2)
"""A provider that files what it sends is given so long before a copy is added after all."""
FILED_LOOK = timedelta(seconds=20)
"""How long it is waited between two looks for the provider's own copy."""


async def store_sent_copies(mailbox_id: int) -> None:
    """Append what a mailbox has sent to the account's Sent folder, unless it stands there; all on one visit.

    A provider that files what it sends does so a moment later: its copies are waited for, or there would be two.
    """
    waiting = await fetch(
        "SELECT id, EXISTS (SELECT 1 FROM messages m WHERE m.message_id = o.message_id) AS stands FROM outgoing o "
        "WHERE mailbox_id = $1 AND sent_copy = 'waiting' ORDER BY id",
        mailbox_id,
    )
    for record in waiting:
        if not record["stands"]:  # it could not be stored when it was accepted
            await store_sent_message(record["id"])
    account_id = await account_of_mailbox(mailbox_id)
    if account_id is None or not waiting:
        return  # the account was removed: there is no folder to put them into
    async with signed_in(account_id) as server:
        folder = await _sent_folder(server, account_id)
        filed = [await _file(server, folder, record["id"]) for record in waiting]
    if not all(filed):
        async with action(None):
            await enqueue("store_sent_copies", after=FILED_LOOK, mailbox_id=mailbox_id)


async def store_sent_copy(outgoing_id: int) -> None:
    """The same for the mailbox of one mail: a job of the release before."""
    mailbox_id = await fetch_value("SELECT mailbox_id FROM outgoing WHERE id = $1", outgoing_id)
    if mailbox_id is not None:
        await store_sent_copies(mailbox_id)


async def _file(server: Connection, folder: str, outgoing_id: int) -> bool:
    """Store one copy. False: it is to be looked for again."""
    async with alone(SENT_COPY_LOCK, outgoing_id):
        record = await fetch_row("SELECT * FROM outgoing WHERE id = $1", outgoing_id)
        if record is None or record["sent_copy"] != "waiting":
            return True
        if await _may_still_be_filed(server, folder, record):
            return False
        await append_once(server, folder, await load_raw(record["raw_digest"]), f"<{record['message_id']}>")
        await execute("UPDATE outgoing SET sent_copy = 'stored' WHERE id = $1", outgoing_id)
    return True


async def settle_unknown(outgoing_id: int, look: int) -> None:
    """Look into the Sent folder for a mail of which nobody knows whether it was sent; some servers keep a copy there.

    Found: it was sent. Not found proves nothing: it stays `unknown` for a person, and is looked for a few times more.
    """
    record = await fetch_row("SELECT * FROM outgoing WHERE id = $1", outgoing_id)
    if record is None or record["state"] != "unknown" or record["sent_at"] is not None:
        return  # once some recipients have it, a copy says nothing about the others
    account_id = await account_of_mailbox(record["mailbox_id"])
    if account_id is None:
        return
    async with signed_in(account_id) as server:
        folder = await _sent_folder(server, account_id)
        found = await find_message_id(server, folder, f"<{record['message_id']}>")
    if found is not None:
        pending = await fetch(
            "SELECT address FROM outgoing_recipients WHERE outgoing_id = $1 AND state = 'pending'", outgoing_id
        )
        await record_acceptance(outgoing_id, [each["address"] for each in pending], {}, {})
    elif look < len(LOOKS):
        async with action(None):
            await enqueue("settle_unknown", after=LOOKS[look], outgoing_id=outgoing_id, look=look + 1)


async def _may_still_be_filed(server: Connection, folder: str, outgoing: Row) -> bool:
    """Whether the provider files its own copy, and has not done so yet."""
    provider = provider_of_server(server.login.host)
    files = server.offers("X-GM-EXT-1") or (provider is not None and provider.files_sent)
    if not files or outgoing["sent_at"] is None or datetime.now(UTC) - outgoing["sent_at"] > FILED_WITHIN:
        return False
    try:
        return await find_message_id(server, folder, f"<{outgoing['message_id']}>") is None
    except CommandRefused as refusal:
        if refusal.code != "no_such_folder":
            raise
        return True  # it makes the folder with the first copy


async def _sent_folder(server: Connection, account_id: int) -> str:
    """The server's own name of the folder for sent mail; a folder "Sent" where it names none."""
    known = await fetch_value(
        "SELECT name FROM folders WHERE account_id = $1 AND role = 'sent' ORDER BY id LIMIT 1", account_id
    )
    if known is not None:
        return known
    listed = [folder.name for folder in await server.list_folders() if folder.role == "sent" and folder.selectable]
    return listed[0] if listed else "Sent"
