"""The job by which an account's Drafts folder follows our drafts: what was written is put there, the rest taken away.

It may die anywhere and run again. A version is noted before it is put into the folder, and looked for by its Message-ID
before it is put there again; a copy is forgotten only when the server has it no more. What happens in the folder
otherwise is the watcher's to tell (backend/compose/actions/elsewhere.py).
"""

import asyncio
from datetime import timedelta

from backend.compose.copies import Copy, note_copy, superseded_copies, wanted_copies, write_copy
from backend.database.connection import execute, fetch_row, fetch_value
from backend.errors import NotFound
from backend.events.record import action
from backend.jobs import TryAgain, enqueue_or_hasten
from backend.workers.visits import alone, signed_in
from sync.errors import CommandRefused, FolderChanged
from sync.imap.connection import Connection
from sync.imap.pushback import append_once, expunge, find_message_id
from sync.mime.parse import parse_message
from sync.types import DRAFT, SEEN

DRAFTS_LOCK = 7_264_342
"""First key of the advisory lock under which one worker at a time keeps an account's drafts; the second is its id."""


async def keep_drafts(account_id: int) -> None:
    """Put drafts that have rested into the account's Drafts folder, in the place of what stood there for them."""
    account = await fetch_row("SELECT paused_at FROM mail_accounts WHERE id = $1", account_id)
    if account is None or account["paused_at"] is not None:
        return  # begun again when the account is watched again
    wanted = await wanted_copies(account_id)
    rested = [each.draft_id for each in wanted if each.waits <= 0]
    if rested or await superseded_copies(account_id):
        async with alone(DRAFTS_LOCK, account_id), signed_in(account_id) as server:
            folder = await _drafts_folder(server, account_id)
            if folder is not None:
                try:
                    await _keep(server, account_id, folder, rested)
                except FolderChanged as fault:
                    raise TryAgain("The server gave the messages of the Drafts folder new numbers.") from fault
    if waiting := [each.waits for each in wanted if each.waits > 0]:
        async with action(None):
            await enqueue_or_hasten("keep_drafts", after=timedelta(seconds=min(waiting) + 0.1), account_id=account_id)


async def _keep(server: Connection, account_id: int, folder: str, draft_ids: list[int]) -> None:
    for draft_id in draft_ids:
        try:
            copy = await write_copy(account_id, draft_id)
        except NotFound:
            continue  # it was sent or thrown away at this moment
        parsed = await asyncio.to_thread(parse_message, copy.raw)
        async with action(None):
            await note_copy(account_id, draft_id, copy, parsed.digest)
        await _put(server, account_id, folder, copy)
    for record in await superseded_copies(account_id):
        await _take_away(server, folder, record["id"], record["uid_validity"], record["uid"], record["message_id"])


async def _put(server: Connection, account_id: int, folder: str, copy: Copy) -> None:
    named = f"<{copy.message_id}>"
    appended = await append_once(server, folder, copy.raw, named, flags=(DRAFT, SEEN))
    uid = appended.uid or await find_message_id(server, folder, named)
    opened = await server.open_folder(folder)
    await execute(
        "UPDATE draft_copies SET uid = $3, uid_validity = $4 WHERE account_id = $1 AND message_id = $2 AND uid IS NULL",
        account_id,
        copy.message_id,
        uid,
        opened.uid_validity,
    )


async def _take_away(
    server: Connection, folder: str, copy_id: int, uid_validity: int, uid: int | None, message_id: str
) -> None:
    named = f"<{message_id}>"
    if uid is None:  # noted, and perhaps put there
        try:
            uid, uid_validity = await find_message_id(server, folder, named), 0
        except CommandRefused as refusal:
            if refusal.code != "no_such_folder":
                raise
    if uid is None or uid in await expunge(server, folder, uid_validity, {uid: named}):
        await execute("DELETE FROM draft_copies WHERE id = $1", copy_id)


async def _drafts_folder(server: Connection, account_id: int) -> str | None:
    """The server's own name of the folder; a folder "Drafts", which is made, where it names none.

    None on Gmail: there a draft is a message of All Mail as well, which would bring it back as mail.
    """
    if server.offers("X-GM-EXT-1"):
        return None
    known = await fetch_value(
        "SELECT name FROM folders WHERE account_id = $1 AND role = 'drafts' AND chosen ORDER BY id LIMIT 1", account_id
    )
    if known is not None:
        return known
    listed = [folder.name for folder in await server.list_folders() if folder.role == "drafts" and folder.selectable]
    return listed[0] if listed else "Drafts"
