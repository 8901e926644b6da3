"""`tandem census`: how complete the folders of a mail account are here, as a report."""

import asyncio
import time
from collections.abc import Sequence
from datetime import UTC, datetime

import msgspec

from backend.database.connection import Row, connect, disconnect, execute, fetch, fetch_row
from backend.workers.incoming import ACCOUNTS_CHANNEL, COUNT

PATIENCE_SECONDS = 120.0
"""How long `--now` waits for the worker."""


class NoSuchAccount(Exception):
    """There is no mail account of this address."""


def census(dsn: str, address: str, *, now: bool) -> int:
    """Print the report; with `now` after a worker has counted anew. Answers 0 when everything is here, else 1."""
    return asyncio.run(_census(dsn, address, now))


async def _census(dsn: str, address: str, now: bool) -> int:
    await connect(dsn, pool_size=1)
    try:
        account = await fetch_row(
            "SELECT a.id, a.address, a.paused_at, a.history_from, m.name FROM mail_accounts a "
            "JOIN mailboxes m ON m.id = a.mailbox_id WHERE lower(a.address) = lower($1)",
            address,
        )
        if account is None:
            raise NoSuchAccount(f"No mailbox here is connected to an account called {address}.")
        if now:
            await _count(account["id"])
        folders = await _folders(account["id"])
    finally:
        await disconnect()
    print("\n".join(report(account, folders)))
    return 0 if all(_complete(folder) for folder in folders) else 1


async def _count(account_id: int) -> None:
    """Ask the worker that holds the account, and wait until it has counted every folder, or for two minutes."""
    began, deadline = datetime.now(UTC), time.monotonic() + PATIENCE_SECONDS
    await execute("SELECT pg_notify($1, $2)", ACCOUNTS_CHANNEL, f"{COUNT}{account_id}")
    while time.monotonic() < deadline:
        counted = [_read(folder).get("checked_at", "") for folder in await _folders(account_id)]
        if all(at and datetime.fromisoformat(at) >= began for at in counted):
            return
        await asyncio.sleep(0.3)


async def _folders(account_id: int) -> Sequence[Row]:
    """Those that are followed."""
    return await fetch(
        "SELECT f.*, (SELECT count(*) FROM messages_set_aside s WHERE s.folder_id = f.id) AS aside FROM folders f "
        "WHERE account_id = $1 AND chosen AND selectable AND role <> 'drafts' AND uid_validity > 0 ORDER BY name",
        account_id,
    )


def report(account: Row, folders: Sequence[Row]) -> list[str]:
    """The report's lines."""
    since = f", mail since {account['history_from']:%Y-%m-%d}" if account["history_from"] else ""
    paused = ", paused" if account["paused_at"] else ""
    lines = [f"{account['name']}: {account['address']}{since}{paused}", ""]
    width = max([len("Folder"), *(len(folder["title"] or folder["name"]) for folder in folders)])
    lines.append(f"{'Folder':{width}}  {'on server':>10}  {'here':>10}  {'missing':>8}  {'set aside':>9}  counted")
    for folder in folders:
        found, name = _read(folder), folder["title"] or folder["name"]
        at = found.get("checked_at")
        when = f"{datetime.fromisoformat(at):%Y-%m-%d %H:%M:%S}" if at else "not yet"
        note = found.get("note", "")
        lines.append(
            f"{name:{width}}  {found.get('on_server', '-'):>10}  {found.get('stored', '-'):>10}  "
            f"{found.get('missing', '-'):>8}  {folder['aside']:>9}  {when}  {note}".rstrip()
        )
    lines.append("")
    done = sum(_complete(folder) for folder in folders)
    lines.append(f"{done} of {len(folders)} folders are complete.")
    return lines


def _read(folder: Row) -> dict:
    return msgspec.json.decode(folder["census"])


def _complete(folder: Row) -> bool:
    found = _read(folder)
    return bool(found.get("checked_at")) and found["stored"] == found["on_server"] and folder["backfill_done"]
