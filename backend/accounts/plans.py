"""What of an account is brought over: which folders, and from when. Part of the actions."""

from datetime import UTC, datetime, timedelta

from msgspec import UNSET

from backend.access.asker import Asker
from backend.accounts.actions import hold_account, resume, tell_mailbox, wake_watchers
from backend.accounts.contracts import AccountPlan, HistoryChoice, SetPlan
from backend.accounts.queries import read_plan
from backend.database.connection import execute, execute_many, fetch
from backend.errors import NotFound, Unacceptable
from backend.events.record import action
from backend.jobs import enqueue
from backend.people.audit import audit

DAYS: dict[HistoryChoice, int] = {"week": 7, "month": 31, "three_months": 92, "year": 366}
"""How far back each choice reaches. Everything is no number."""


def history_begins(choice: HistoryChoice, now: datetime | None = None) -> datetime | None:
    """The day (in UTC, at midnight: servers search by days) from which a choice wants old mail; None: everything."""
    if choice == "everything":
        return None
    today = (now or datetime.now(UTC)).replace(hour=0, minute=0, second=0, microsecond=0)
    return today - timedelta(days=DAYS[choice])


async def set_plan(asker: Asker, mailbox_id: int, given: SetPlan) -> AccountPlan:
    """Change what is fetched; an account that waited for its plan begins.

    Widening fetches more. Narrowing hides what is here and deletes nothing, so that widening again shows it at once.
    Raises NotFound without an account, Unacceptable for a folder that is not there, or without the inbox.
    """
    async with action(asker.user_id) as act:
        account = await hold_account(asker, mailbox_id)
        if account is None:
            raise NotFound("This mailbox has no mail account.", "Connect one in the mailbox's settings.")
        changes: dict[str, object] = {}
        if given.history is not UNSET:
            changes["history"] = given.history
            begins = history_begins(given.history)
            await execute("UPDATE mail_accounts SET history_from = $2 WHERE id = $1", account["id"], begins)
        if given.folders is not UNSET and given.folders:
            changes["folders"] = given.folders
            await _choose(account["id"], given.folders)
        if given.done_to is not UNSET:
            changes["done_to"] = given.done_to
            await execute("UPDATE mail_accounts SET done_to = $2 WHERE id = $1", account["id"], given.done_to)
        if "history" in changes or "folders" in changes:
            await enqueue("hide_and_show", account_id=account["id"])
        if account["paused_at"] is not None and account["paused_at"] == account["connected_at"]:
            await resume(account)
            await tell_mailbox(act, mailbox_id)
        await wake_watchers(account["id"])
        if changes:
            await audit(asker.user_id, "account_plan_set", f"mailbox:{mailbox_id}", **changes)
    return await read_plan(mailbox_id)


async def _choose(account_id: int, folders: dict[str, bool]) -> None:
    known = {
        row["name"]: row["role"]
        for row in await fetch("SELECT name, role FROM folders WHERE account_id = $1 AND selectable", account_id)
    }
    for name, wanted in folders.items():
        if name not in known:
            sentence = "This folder is not there any more."
            raise Unacceptable(sentence, "Reload the page to see which are.", fields={"folders": sentence})
        if known[name] == "inbox" and not wanted:
            sentence = "The inbox is always fetched."
            raise Unacceptable(sentence, "Pause the account to fetch nothing.", fields={"folders": sentence})
    await execute_many(
        "UPDATE folders SET chosen = $3 WHERE account_id = $1 AND name = $2",
        [(account_id, name, wanted) for name, wanted in folders.items()],
    )
