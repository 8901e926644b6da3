"""What a test lets be done in a folder, by the function that carries changes to servers."""

from collections.abc import Collection, Mapping, Sequence

from sync.imap.connection import Connection
from sync.imap.pushback import FolderWork, work_in_folder


def work(
    uids: Sequence[int],
    *,
    flags: Mapping[tuple[str, bool], Collection[int]] | None = None,
    moves: Mapping[str, Collection[int]] | None = None,
    known_as: Mapping[int, str] | None = None,
) -> FolderWork:
    return FolderWork(look=uids, flags=flags or {}, moves=moves or {}, known_as=known_as or {})


async def set_flag(
    connection: Connection, folder: str, uid_validity: int, uids: Sequence[int], flag: str, *, on: bool = True
) -> None:
    await work_in_folder(connection, folder, uid_validity, work(uids, flags={(flag, on): uids}))


async def move(
    connection: Connection,
    folder: str,
    uid_validity: int,
    uids: Sequence[int],
    target: str,
    *,
    known_as: Mapping[int, str] | None = None,
) -> dict[int, int]:
    """The new UIDs by the old ones, where the server tells them."""
    wanted = work(uids, moves={target: uids}, known_as=known_as)
    outcome = await work_in_folder(connection, folder, uid_validity, wanted)
    return {old: new for old, (_, new) in outcome.moved.items()}
