"""Carrying changes made here back to the server, so that doing one twice is the same as doing it once.

Each function opens the folder for writing, and first makes sure that UIDs still mean what they meant when they were
noted (`uid_validity`): otherwise FolderChanged, and the caller looks the message up again. They are run as jobs that
repeat after a crash, hence:

    flags    setting what is set and removing what is not there changes nothing
    move     a message that is no longer in the folder was moved (or deleted) before: passed over. A server with neither
             MOVE nor UIDPLUS leaves it behind, marked as deleted: then the target is looked through first
    expunge  what is gone is gone; where the server cannot expunge single messages it is only marked, as long as others
             are marked beside it
    append   looked for by its Message-ID first; only what is not there is added
"""

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field

from sync.errors import CommandRefused, FolderChanged
from sync.imap.connection import Connection
from sync.imap.reader import format_number_set
from sync.types import DELETED, SEEN

LOCATE_AMONG = 500
"""So many of a folder's newest messages are looked through for one that was moved there."""

_MESSAGE_ID = re.compile(rb"<[^<>\s]+>")


@dataclass(frozen=True, slots=True)
class Appended:
    """A message stands in a folder. `uid` is None where the server does not tell it."""

    uid: int | None
    already_there: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class FolderWork:
    """What is wanted of the messages of one folder, by UID."""

    look: Collection[int]
    """Every message that any of it is about."""
    flags: Mapping[tuple[str, bool], Collection[int]]
    """Which flag is to be on (True) or off, on which messages."""
    moves: Mapping[str, Collection[int]]
    """The messages that are to go, by the folder where they go."""
    known_as: Mapping[int, str]
    """Their Message-IDs in angle brackets, as far as they have one: what a UID means where no UIDVALIDITY says it."""


@dataclass(slots=True)
class FolderOutcome:
    """What came of it. A message that is neither in `there` nor in `moved` stood in the folder no more."""

    there: set[int] = field(default_factory=set)
    """Stood in the folder after the flags were set: they have them."""
    untaken: set[str] = field(default_factory=set)
    """Keywords that the folder does not keep."""
    moved: dict[int, tuple[str, int]] = field(default_factory=dict)
    """Where a message went, and its UID there, as far as the server told (UIDPLUS, RFC 4315)."""


async def work_in_folder(connection: Connection, folder: str, uid_validity: int, work: FolderWork) -> FolderOutcome:
    """Set flags, then move, with one command for each kind of change. Doing it again changes nothing.

    A UID is never given again, so a message that is there after the flags were set was there when they were. With a
    `uid_validity` of 0 (the folder was never read, only moved to) messages count as there if their Message-ID is the
    one that is known. Raises FolderChanged, also when the folder itself is gone; CommandRefused when the server refuses
    one of the changes.
    """
    outcome = FolderOutcome()
    try:
        await _open(connection, folder, uid_validity)
    except CommandRefused as refusal:
        if refusal.code == "no_such_folder":
            raise FolderChanged(f"{folder}: the folder is gone") from refusal
        raise
    sure = set(work.look) if uid_validity else await _same_messages(connection, work)
    for (flag, on), uids in sorted(work.flags.items()):
        if not sure.intersection(uids):
            continue
        if not await _mark(connection, sorted(sure.intersection(uids)), flag, on=on):
            outcome.untaken.add(flag)
    if sure:
        outcome.there = sure.intersection(await connection.search(f"UID {format_number_set(sure)}"))
    for target, uids in sorted(work.moves.items()):
        going = sorted(outcome.there.intersection(uids))
        if not going or target == folder:
            continue
        found: dict[int, int] = {}
        if connection.leaves_behind:
            left, found = await _left_behind(connection, going, target, work.known_as)
            await _open(connection, folder, uid_validity)
            going = [uid for uid in going if uid not in left]
        if going:
            found |= await _move(connection, going, target)
        outcome.moved |= {old: (target, new) for old, new in found.items()}
    return outcome


async def _mark(connection: Connection, uids: Sequence[int], flag: str, *, on: bool) -> bool:
    """Set or remove a flag in the open folder. False: a keyword that it does not keep. Raises CommandRefused."""
    keyword = not flag.startswith("\\")
    if keyword and connection.selected is not None and not connection.selected.keeps(flag):
        return False
    try:
        await connection.change_flags(uids, [flag], add=on)
    except CommandRefused:
        if not keyword or connection.lost:
            raise
        return False  # there may be a limit to how many it keeps
    return True


async def _left_behind(
    connection: Connection, going: Sequence[int], target: str, known_as: Mapping[int, str]
) -> tuple[set[int], dict[int, int]]:
    """Messages of the open folder that an earlier visit has moved, and the UIDs where they were found in the target.

    One without a Message-ID counts as moved when it is marked as deleted: it cannot be looked for.
    """
    marked = await connection.search(f"DELETED UID {format_number_set(going)}")
    named = [uid for uid in marked if uid in known_as]
    if not named:
        return set(marked), {}
    sizes = await connection.fetch_sizes(named)
    there = await locate(connection, target, {known_as[uid]: sizes[uid] for uid in named if uid in sizes})
    found = {uid: there[known_as[uid]] for uid in named if known_as[uid] in there}
    return set(marked) - set(named) | set(found), found


async def _same_messages(connection: Connection, work: FolderWork) -> set[int]:
    """The UIDs under which the open folder has the messages that are meant."""
    headers = await connection.fetch_header(format_number_set(work.look), "Message-ID")
    return {
        uid
        for uid, header in headers.items()
        if uid in work.known_as and work.known_as[uid].encode() in _MESSAGE_ID.findall(_unfolded(header))
    }


async def expunge(
    connection: Connection, folder: str, uid_validity: int, known_as: Mapping[int, str | None]
) -> set[int]:
    """Delete messages for good, known by UID with their Message-IDs (in angle brackets); answers those that are gone.

    Raises FolderChanged when the UIDs were given out anew, CommandRefused when the server does not let us.
    """
    try:
        await _open(connection, folder, uid_validity)
    except CommandRefused as refusal:
        if refusal.code == "no_such_folder":
            return set(known_as)
        raise
    wanted = set(known_as)
    if not uid_validity:
        named = {uid: name for uid, name in known_as.items() if name}
        wanted = await _same_messages(connection, FolderWork(look=named, flags={}, moves={}, known_as=named))
    there = wanted.intersection(await connection.search(f"UID {format_number_set(wanted)}")) if wanted else set()
    if there:
        await connection.change_flags(sorted(there), [DELETED], add=True)
        if connection.offers("UIDPLUS") or there.issuperset(await connection.search("DELETED")):
            await connection.expunge(sorted(there))
        there.intersection_update(await connection.search(f"UID {format_number_set(there)}"))
    return set(known_as) - there


async def locate(connection: Connection, folder: str, wanted: Mapping[str, int]) -> dict[str, int]:
    """The newest UIDs in a folder of messages known by Message-ID (in its angle brackets) and size in bytes.

    What a move left behind when nobody heard the server's answer. Messages that are not found are missing.
    """
    try:
        await connection.open_folder(folder)
    except CommandRefused as refusal:
        if refusal.code == "no_such_folder":
            return {}
        raise
    newest = (await connection.search("ALL"))[-len(wanted) - LOCATE_AMONG :]
    headers = await connection.fetch_header(format_number_set(newest), "Message-ID") if newest else {}
    by_id: dict[str, list[int]] = {}
    for uid, header in sorted(headers.items()):
        for each in _MESSAGE_ID.findall(_unfolded(header)):
            by_id.setdefault(each.decode("utf-8", "replace"), []).append(uid)
    candidates = [uid for message_id in wanted for uid in by_id.get(message_id, [])]
    sizes = await connection.fetch_sizes(sorted(candidates)) if candidates else {}
    found: dict[str, int] = {}
    for message_id, size in wanted.items():
        same = [uid for uid in by_id.get(message_id, []) if sizes.get(uid) == size]
        if same:
            found[message_id] = max(same)
    return found


async def still_there(connection: Connection, folder: str, uids: Collection[int]) -> list[int]:
    """Which of these UIDs a folder still has. None when the folder is gone."""
    try:
        await connection.open_folder(folder)
    except CommandRefused as refusal:
        if refusal.code == "no_such_folder":
            return []
        raise
    return await connection.search(f"UID {format_number_set(uids)}")


async def _move(connection: Connection, there: Sequence[int], target: str) -> dict[int, int]:
    """Move out of the open folder, making the target where it is missing."""
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
    if uid_validity and selected.uid_validity != uid_validity:
        raise FolderChanged(f"{folder}: UIDVALIDITY was {uid_validity}, is {selected.uid_validity}")


def _unfolded(header: bytes) -> bytes:
    return header.replace(b"\r\n", b"")
