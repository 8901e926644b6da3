"""Carrying what was done here back to the mail server: the copy in Sent, read marks, and what the Sent folder knows.

Each is the handler of a job, may run twice, and does nothing the second time (sync/imap/pushback.py). What is wanted is
read from the database when the job runs, not from its payload: of two jobs in the wrong order, both do the right thing.
"""

import logging
from collections import defaultdict
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta

from backend.compose.actions.results import record_acceptance
from backend.database.connection import Row, connection, execute, fetch, fetch_row, fetch_value
from backend.errors import NotFound
from backend.events.record import action
from backend.jobs import TryAgain, enqueue
from backend.mail.actions import store_sent_message
from backend.mail.raw import load_raw
from backend.workers.logins import account_of_mailbox, mail_login
from sync.errors import FolderChanged, ServerProblem
from sync.imap.connection import Connection, open_connection
from sync.imap.pushback import append_once, change_flags, find_message_id
from sync.types import SEEN

log = logging.getLogger(__name__)

SENT_COPY_LOCK = 7_264_340
"""First key of the advisory lock under which one worker at a time stores a mail's copy; the second is its id."""
LOOKS = (timedelta(seconds=5), timedelta(seconds=30), timedelta(minutes=2), timedelta(minutes=10))
"""When the Sent folder is asked for a mail whose end is unknown: providers that store the copy take a moment."""


async def store_sent_copy(outgoing_id: int) -> None:
    """Append a mail that has left to the account's Sent folder, unless it stands there."""
    record = await fetch_row("SELECT * FROM outgoing WHERE id = $1", outgoing_id)
    if record is None or record["sent_copy"] != "waiting":
        return
    await store_sent_message(outgoing_id)
    account_id = await account_of_mailbox(record["mailbox_id"])
    if account_id is None:
        return  # the account was removed: there is no folder to put it into
    async with _alone(outgoing_id), _signed_in(account_id) as server:
        folder = await _sent_folder(server, account_id)
        raw = await load_raw(record["raw_digest"])
        await append_once(server, folder, raw, f"<{record['message_id']}>")
    await execute("UPDATE outgoing SET sent_copy = 'stored' WHERE id = $1", outgoing_id)


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
    async with _signed_in(account_id) as server:
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


async def push_seen(conversation_id: int, seen: bool, user_id: int) -> None:
    """Tell the server what was read: in a group mailbox once somebody has, in a personal one both ways."""
    mailbox = await fetch_row(
        "SELECT m.id, m.kind, m.owner_id FROM conversations c JOIN mailboxes m ON m.id = c.mailbox_id "
        "WHERE c.id = coalesce((SELECT joined_into FROM conversations WHERE id = $1), $1)",
        conversation_id,
    )
    if mailbox is None:
        return
    account_id = await account_of_mailbox(mailbox["id"])
    personal = mailbox["kind"] == "personal"
    if account_id is None or (personal and mailbox["owner_id"] != user_id) or not (personal or seen):
        return
    wanted = await _is_read(conversation_id, user_id) if personal else True
    places = await _places(conversation_id, account_id, seen=not wanted)
    if not wanted:
        places = places[:1]  # one unread message makes a conversation unread in any mail program
    if not places:
        return
    by_folder: dict[tuple[str, int], list[Row]] = defaultdict(list)
    for place in places:
        by_folder[(place["name"], place["uid_validity"])].append(place)
    async with _signed_in(account_id) as server:
        for (folder, uid_validity), there in by_folder.items():
            try:
                await change_flags(
                    server,
                    folder,
                    uid_validity,
                    [place["uid"] for place in there],
                    add=[SEEN] if wanted else [],
                    remove=[] if wanted else [SEEN],
                )
            except FolderChanged as fault:
                raise TryAgain("The folder was numbered anew; its messages are being met again.") from fault
            await execute(
                "UPDATE placements SET seen = $2 WHERE id = ANY($1)", [place["id"] for place in there], wanted
            )


async def _is_read(conversation_id: int, user_id: int) -> bool:
    """Whether the person has read the conversation, as things stand now."""
    return bool(
        await fetch_value(
            "SELECT NOT coalesce(r.forced_unread, false) "
            "AND c.last_arrival <= greatest(coalesce(r.read_up_to, 0), coalesce(w.read_from, 0)) "
            "FROM conversations c "
            "LEFT JOIN read_marks r ON r.conversation_id = c.id AND r.user_id = $2 "
            "LEFT JOIN watermarks w ON w.mailbox_id = c.mailbox_id AND w.user_id = $2 WHERE c.id = $1",
            conversation_id,
            user_id,
        )
    )


async def _places(conversation_id: int, account_id: int, *, seen: bool) -> list[Row]:
    """Where the conversation's incoming messages stand on the server with this Seen flag, newest first."""
    return [
        *await fetch(
            "SELECT p.id, p.uid, f.name, f.uid_validity FROM placements p JOIN folders f ON f.id = p.folder_id "
            "JOIN messages m ON m.id = p.message_id WHERE m.conversation_id = $1 AND f.account_id = $2 "
            "AND m.direction = 'incoming' AND p.seen = $3 ORDER BY m.date DESC, p.id DESC",
            conversation_id,
            account_id,
            seen,
        )
    ]


async def _sent_folder(server: Connection, account_id: int) -> str:
    """The server's own name of the folder for sent mail; a folder "Sent" where it names none."""
    known = await fetch_value(
        "SELECT name FROM folders WHERE account_id = $1 AND role = 'sent' ORDER BY id LIMIT 1", account_id
    )
    if known is not None:
        return known
    listed = [folder.name for folder in await server.list_folders() if folder.role == "sent" and folder.selectable]
    return listed[0] if listed else "Sent"


@asynccontextmanager
async def _signed_in(account_id: int) -> AsyncIterator[Connection]:
    """A connection to the account's server; its problems become TryAgain, with the sentence an admin reads."""
    try:
        imap, _ = await mail_login(account_id)
        server = await open_connection(imap)
        try:
            yield server
        finally:
            await server.close()
    except ServerProblem as fault:
        raise TryAgain(f"{fault.sentence} {fault.remedy} [{fault.server_words}]") from fault
    except NotFound as fault:
        raise TryAgain(fault.message) from fault


@asynccontextmanager
async def _alone(outgoing_id: int) -> AsyncIterator[None]:
    """One worker at a time appends: looking and adding are two steps. A worker that dies frees the lock by dying."""
    async with connection() as current:
        if not await current.fetchval("SELECT pg_try_advisory_lock($1::int, $2::int)", SENT_COPY_LOCK, outgoing_id):
            raise TryAgain("Another worker stores this copy at this moment.")
        try:
            yield
        finally:
            await current.execute("SELECT pg_advisory_unlock($1::int, $2::int)", SENT_COPY_LOCK, outgoing_id)
