"""Carrying changes made here back to the server, so that doing one twice is the same as doing it once.

Each function opens the folder for writing, and first makes sure that UIDs still mean what they meant when they were
noted (`uid_validity`): otherwise FolderChanged, and the caller looks the message up again. They are run as jobs that
repeat after a crash, hence:

    flags    setting what is set and removing what is not there changes nothing
    move     a message that is no longer in the folder was moved (or deleted) before: passed over
    append   looked for by its Message-ID first; only what is not there is added
"""

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass

from sync.errors import CommandRefused, FolderChanged
from sync.imap.connection import Connection
from sync.types import SEEN

_MESSAGE_ID = re.compile(rb"<[^<>\s]+>")


@dataclass(frozen=True, slots=True)
class Appended:
    """A message stands in a folder. `uid` is None where the server does not tell it."""

    uid: int | None
    already_there: bool


async def change_flags(
    connection: Connection,
    folder: str,
    uid_validity: int,
    uids: Sequence[int],
    *,
    add: Collection[str] = (),
    remove: Collection[str] = (),
) -> None:
    """Set and remove flags (`sync.types.SEEN`, `FLAGGED`, `ANSWERED`, or keywords). Raises FolderChanged."""
    if not uids:
        return
    await _open(connection, folder, uid_validity)
    if add:
        await connection.change_flags(uids, add, add=True)
    if remove:
        await connection.change_flags(uids, remove, add=False)


async def move_messages(
    connection: Connection, folder: str, uid_validity: int, uids: Sequence[int], target: str
) -> dict[int, int]:
    """Move messages to another folder, which is created when it is missing. Raises FolderChanged.

    Gives the new UIDs by the old ones, where the server tells them; those that were no longer there are missing.
    """
    await _open(connection, folder, uid_validity)
    there = await connection.search(f"UID {','.join(str(uid) for uid in sorted(uids))}") if uids else []
    if not there or target == folder:
        return {}
    try:
        return await connection.move(there, target)
    except CommandRefused as refusal:
        if refusal.code != "no_such_folder":
            raise
        await connection.create_folder(target)
        return await connection.move(there, target)


async def append_once(
    connection: Connection,
    folder: str,
    raw: bytes,
    message_id: str,
    *,
    flags: Collection[str] = (SEEN,),
) -> Appended:
    """Add a message to a folder unless one with its Message-ID stands there: the copy in Sent. Creates the folder.

    `message_id` is with its angle brackets, as in the header.
    """
    try:
        found = await find_message_id(connection, folder, message_id)
    except CommandRefused as refusal:
        if refusal.code != "no_such_folder":
            raise
        await connection.create_folder(folder)
        found = None
    if found is not None:
        return Appended(found, already_there=True)
    uid = await connection.append(folder, raw, flags=flags)
    return Appended(uid, already_there=False)


async def find_message_id(connection: Connection, folder: str, message_id: str) -> int | None:
    """The UID of the newest message with this Message-ID; None when there is none. Raises CommandRefused.

    Resolves sends whose end is unknown. The server's search only narrows down (it finds parts of words, and some
    servers search an index that ignores brackets): the headers found are compared exactly.
    """
    await connection.open_folder(folder)
    wanted = message_id.encode()
    quotable = message_id.isascii() and '"' not in message_id and "\\" not in message_id
    if quotable:
        candidates = await connection.search(f'HEADER Message-ID "{message_id}"')
    else:
        candidates = await connection.search("CHARSET UTF-8 HEADER Message-ID", literal=wanted)
    if not candidates:
        return None
    headers = await connection.fetch_header(",".join(str(uid) for uid in candidates[-50:]), "Message-ID")
    same = [uid for uid, header in headers.items() if wanted in _MESSAGE_ID.findall(_unfolded(header))]
    return max(same, default=None)


async def _open(connection: Connection, folder: str, uid_validity: int) -> None:
    """SELECT, unless it is open for writing already. FolderChanged when the UIDs were given out anew."""
    selected = connection.selected
    if selected is None or selected.folder != folder or selected.read_only:
        selected = await connection.open_folder(folder, read_only=False)
    if selected.uid_validity != uid_validity:
        raise FolderChanged(f"{folder}: UIDVALIDITY was {uid_validity}, is {selected.uid_validity}")


def _unfolded(header: bytes) -> bytes:
    return header.replace(b"\r\n", b"")
