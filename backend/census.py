"""`tandem census`: how complete the folders of a mail account are here, as a report."""

import asyncio
import time
from datetime import UTC, datetime

from backend.accounts.contracts import AccountPlan, FolderPlan, FolderState, SetAsideMail
from backend.accounts.queries import read_plan
from backend.database.connection import Row, connect, disconnect, execute, fetch_row
from backend.workers.incoming import ACCOUNTS_CHANNEL, COUNT

PATIENCE_SECONDS = 120.0
"""How long `--now` waits for the worker."""
LEFT_OUT: tuple[FolderState, ...] = ("not_chosen", "gathers")
"""Nothing of these folders is to be here."""
COMPLETE: tuple[FolderState, ...] = ("complete", *LEFT_OUT)
NOT_COUNTED: tuple[FolderState, ...] = ("refused", *LEFT_OUT)
"""These are not waited for."""


class NoSuchAccount(Exception):
    """There is no mail account of this address."""


def census(dsn: str, address: str, *, now: bool) -> int:
    """Print the report; with `now` after a worker has counted anew. Answers 0 when everything is here, else 1."""
    return asyncio.run(_census(dsn, address, now))


async def _census(dsn: str, address: str, now: bool) -> int:
    await connect(dsn, pool_size=1)
    try:
        account = await fetch_row(
            "SELECT a.id, a.mailbox_id, a.address, a.paused_at, m.name FROM mail_accounts a "
            "JOIN mailboxes m ON m.id = a.mailbox_id WHERE lower(a.address) = lower($1)",
            address,
        )
        if account is None:
            raise NoSuchAccount(f"No mailbox here is connected to an account called {address}.")
        if now:
            await _count(account["id"], account["mailbox_id"])
        plan = await read_plan(account["mailbox_id"])
    finally:
        await disconnect()
    print("\n".join(report(account, plan)))
    return 0 if all(folder.state in COMPLETE for folder in plan.folders) else 1


async def _count(account_id: int, mailbox_id: int) -> None:
    """Ask the worker that holds the account, and wait until it has counted every folder, or for two minutes."""
    began, deadline = datetime.now(UTC), time.monotonic() + PATIENCE_SECONDS
    await execute("SELECT pg_notify($1, $2)", ACCOUNTS_CHANNEL, f"{COUNT}{account_id}")
    while time.monotonic() < deadline:
        followed = [folder for folder in (await read_plan(mailbox_id)).folders if folder.state not in NOT_COUNTED]
        if all(folder.complete_at is not None and folder.complete_at >= began for folder in followed):
            return
        await asyncio.sleep(0.3)


def report(account: Row, plan: AccountPlan) -> list[str]:
    """The report's lines. Times are those of whoever reads it: of this terminal's zone."""
    since = f", mail since {plan.history_from:%Y-%m-%d}" if plan.history_from else ""
    paused = ", paused" if account["paused_at"] else ""
    lines = [f"{account['name']}: {account['address']}{since}{paused}", ""]
    width = max([len("Folder"), *(len(folder.title) for folder in plan.folders)])
    lines.append(f"{'Folder':{width}}  {'on server':>10}  {'here':>10}  {'missing':>8}  {'set aside':>9}")
    for folder in plan.folders:
        counted = folder.complete_at is not None
        numbers = (folder.wanted, folder.stored, folder.missing) if counted else ("-", folder.here or "-", "-")
        columns = "  ".join(f"{_number(value):>{space}}" for value, space in zip(numbers, (10, 10, 8), strict=True))
        lines.append(f"{folder.title:{width}}  {columns}  {_number(folder.set_aside):>9}  {' '.join(words(folder))}")
    lines.append("")
    followed = [folder for folder in plan.folders if folder.state not in LEFT_OUT]
    done = sum(folder.state == "complete" for folder in followed)
    lines.append(f"{done} of {len(followed)} folders are complete.")
    lines += [f"{each.folder}: {_aside(each)}" for each in plan.set_aside]
    return lines


def words(folder: FolderPlan) -> list[str]:
    """How a folder is doing, and what to do: sentences."""
    at = _clock(folder.complete_at)
    match folder.state:
        case "not_chosen":
            return ["Not fetched: not chosen."]
        case "gathers":
            return ["Not fetched: it shows mail of other folders."]
        case "refused" if folder.refused is not None:
            refused = folder.refused
            told = [f"Refused since {_clock(refused.since)}.", refused.reason, refused.remedy]
            return [*told, f"Tried again at {_clock(refused.again_at)}. The server's words: {refused.server_words}"]
        case "waiting" | "refused":
            return ["Waiting for its turn."]
        case "arriving":
            return ["Older mail is still arriving."]
        case "counting":
            return ["Not counted yet."]
        case "partial":
            return [f"Not complete at {at}.", folder.note] if folder.note else [f"Not complete at {at}."]
        case "complete":
            return [f"Complete up to {at}.", folder.note] if folder.note else [f"Complete up to {at}."]


def _aside(aside: SetAsideMail) -> str:
    number = "1 message" if aside.messages == 1 else f"{aside.messages:,} messages"
    why = "not handed over by the server" if aside.reason == "refused" else "could not be stored here"
    return f"{number} set aside ({why}); tried again at {_clock(aside.next_try_at)}."


def _number(value: int | str) -> str:
    return value if isinstance(value, str) else f"{value:,}"


def _clock(at: datetime | None) -> str:
    """ "14:02" today, else with the day."""
    if at is None:
        return "-"
    here = at.astimezone()
    return f"{here:%H:%M}" if here.date() == datetime.now().astimezone().date() else f"{here:%Y-%m-%d %H:%M}"
