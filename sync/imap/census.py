"""The census: counting a folder on the server against the store, and making up for every difference.

Cursors are right as long as every server tells the truth and no programmer errs; a census does not trust them. It
compares the UIDs that the server lists with those that are placed here, fetches what is missing, removes what is gone,
and notes the result, so that people can see of each folder whether it is complete.

A missing message whose date is long past comes as history: nobody is notified of what a bug kept back for weeks.
"""

from datetime import UTC, datetime

from sync.imap.folder import FolderSync
from sync.types import Census


async def take_census(folder: FolderSync) -> Census:
    """Count one folder that is open and caught up, mend it, and note the result in the store. Raises as FolderSync."""
    name = folder.folder.name
    await folder.retry_set_aside()
    there, wanted = await folder.wanted()
    here = set(await folder.store.known_uids(name))
    aside = set(await folder.store.uids_set_aside(name))
    highest = folder.cursor.highest_uid  # what came meanwhile is told in another way
    gone = {uid for uid in (here | aside) - there if uid <= highest}
    if gone:
        await folder.forget(sorted(gone))
    complete = folder.cursor.backfill_done
    lowest = 1 if complete else folder.cursor.lowest_uid
    missing = {uid for uid in wanted - here - aside if lowest <= uid <= highest}
    if missing:
        await folder.bring(sorted(missing))
        here = set(await folder.store.known_uids(name))
        aside = set(await folder.store.uids_set_aside(name))
    wanted = {uid for uid in wanted if uid <= highest}
    left = wanted - here - aside
    census = Census(
        checked_at=datetime.now(UTC),
        on_server=len(wanted),
        stored=len(wanted & here),
        missing=len(left),
        set_aside=len(wanted & aside),
        note=_note(complete, len(missing), len(gone)),
    )
    await folder.store.census_taken(name, census)
    return census


def _note(complete: bool, missing: int, gone: int) -> str:
    if not complete:
        return "Older mail is still arriving."
    parts = [f"{missing} were missing and were fetched"] if missing else []
    parts += [f"{gone} were gone and were removed"] if gone else []
    return ("; ".join(parts) + ".") if parts else ""
