"""A mailbox's account as its settings show it: never a password."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, cast

import msgspec

from backend.accounts.contracts import (
    AccountPlan,
    AccountSettings,
    AccountState,
    DoneTo,
    FolderPlan,
    FolderRefusal,
    FolderState,
    Security,
    ServerAddress,
    SetAsideMail,
    SignIn,
)
from backend.database.connection import Row, fetch, fetch_row
from backend.errors import NotFound

NOT_BEGUN = AccountState(
    mailbox_id=0,
    status="paused",
    reason="Nothing is fetched yet.",
    remedy="Choose which folders, and from when.",
)
PAUSED = AccountState(mailbox_id=0, status="paused")
"""What the state says of accounts that nobody watches; `mailbox_id` is filled in."""

_read = msgspec.json.Decoder(dict[str, Any])
_state = msgspec.json.Decoder(AccountState)


def state_of(record: Row) -> AccountState:
    """The state in a row of `mail_accounts`."""
    if record["state"] == "{}":
        return AccountState(mailbox_id=record["mailbox_id"], status="connecting")
    return _state.decode(record["state"])


async def account_state(mailbox_id: int) -> AccountState | None:
    """How the mailbox's account is doing; None when it has none. Callers have passed backend/access."""
    record = await fetch_row("SELECT mailbox_id, state FROM mail_accounts WHERE mailbox_id = $1", mailbox_id)
    return state_of(record) if record else None


async def read_account(mailbox_id: int) -> AccountSettings:
    """The account of a mailbox. Callers have passed `access_mailbox_settings`. Raises NotFound when it has none."""
    record = await fetch_row("SELECT * FROM mail_accounts WHERE mailbox_id = $1", mailbox_id)
    if record is None:
        raise NotFound("This mailbox has no mail account.", "Connect one in the mailbox's settings.")
    return AccountSettings(
        mailbox_id=mailbox_id,
        address=record["address"],
        username=record["username"],
        smtp_username=record["smtp_username"],
        imap=_server(record, "imap"),
        smtp=_server(record, "smtp"),
        state=state_of(record),
        sign_in=cast(SignIn, record["sign_in"]),
        begun=record["paused_at"] is None or record["paused_at"] != record["connected_at"],
    )


async def read_plan(mailbox_id: int) -> AccountPlan:
    """What of the mailbox's account is brought over, and how complete it is. Callers have passed
    `access_mailbox_settings`. Raises NotFound when it has none."""
    account = await fetch_row("SELECT * FROM mail_accounts WHERE mailbox_id = $1", mailbox_id)
    if account is None:
        raise NotFound("This mailbox has no mail account.", "Connect one in the mailbox's settings.")
    folders = await fetch(
        # How many are here is counted only while they are still coming.
        "SELECT f.*, CASE WHEN uid_validity > 0 AND NOT backfill_done THEN "
        "(SELECT count(*) FROM placements p WHERE p.folder_id = f.id) ELSE 0 END AS here, "
        "(SELECT count(*) FROM messages_set_aside s WHERE s.folder_id = f.id) AS aside "
        "FROM folders f WHERE account_id = $1 AND selectable AND role <> 'drafts' "  # drafts are written here
        "ORDER BY array_position(ARRAY['inbox','sent','archive','junk','trash'], role) NULLS LAST, "
        "lower(title), name",
        account["id"],
    )
    aside = await fetch(
        "SELECT f.title, f.name, s.reason, count(*) AS messages, min(s.next_try_at) AS next_try_at "
        "FROM messages_set_aside s JOIN folders f ON f.id = s.folder_id WHERE f.account_id = $1 "
        "GROUP BY f.id, s.reason ORDER BY f.id, s.reason",
        account["id"],
    )
    return AccountPlan(
        history_from=account["history_from"],
        done_to=cast(DoneTo, account["done_to"]),
        folders=[_folder(record) for record in folders],
        set_aside=[
            SetAsideMail(
                folder=record["title"] or record["name"],
                reason="unstorable" if record["reason"] == "unstorable" else "refused",
                messages=record["messages"],
                next_try_at=record["next_try_at"],
            )
            for record in aside
        ],
    )


def _folder(record: Row) -> FolderPlan:
    census = _read.decode(record["census"])
    told = record["server_messages"] or record["server_bytes"]
    checked_at = census.get("checked_at")
    return FolderPlan(
        name=record["name"],
        title=record["title"] or record["name"],
        role=record["role"],
        chosen=record["chosen"],
        state=_standing(record, census),
        messages=record["server_messages"] if told else None,
        bytes=record["server_bytes"] or None,
        complete_at=msgspec.convert(checked_at, datetime) if checked_at else None,
        wanted=census.get("on_server", 0),
        stored=census.get("stored", 0),
        missing=census.get("missing", 0),
        set_aside=record["aside"],
        here=record["here"],
        refused=_refusal(record),
        note=census.get("note", ""),
    )


def _standing(record: Row, census: dict[str, Any]) -> FolderState:
    """The first that is true, of what keeps a folder from being complete."""
    found: tuple[tuple[object, FolderState], ...] = (
        (not record["chosen"], "not_chosen"),
        (record["gathers"] == "some", "gathers"),
        (record["refused"] != "{}", "refused"),
        (not record["uid_validity"], "waiting"),
        (not record["backfill_done"], "arriving"),
        (not census.get("checked_at"), "counting"),
        (record["aside"] or census.get("stored") != census.get("on_server"), "partial"),
    )
    for true, state in found:
        if true:
            return state
    return "complete"


def _refusal(record: Row) -> FolderRefusal | None:
    told = _read.decode(record["refused"])
    if not told:
        return None
    problem = told["problem"]
    return FolderRefusal(
        since=msgspec.convert(told["since"], datetime),
        again_at=msgspec.convert(told["again_at"], datetime),
        reason=problem["sentence"],
        remedy=problem["remedy"],
        server_words=problem["server_words"],
    )


def _server(record: Row, kind: str) -> ServerAddress:
    return ServerAddress(
        host=record[f"{kind}_host"],
        port=record[f"{kind}_port"],
        security=cast(Security, record[f"{kind}_security"]),
    )


async def unchosen_folders(mailbox_id: int, most: int) -> Sequence[Row]:
    """The folders of a mailbox's account that can be read and are not fetched: id, name, account_id. Not the trash,
    where mail is deleted, nor drafts; none of an account that is paused."""
    return await fetch(
        "SELECT f.id, f.name, f.account_id FROM folders f JOIN mail_accounts a ON a.id = f.account_id "
        "WHERE a.mailbox_id = $1 AND a.paused_at IS NULL AND NOT f.chosen AND f.selectable AND f.gathers <> 'some' "
        "AND f.role NOT IN ('trash', 'drafts') ORDER BY f.role = '', f.name LIMIT $2",
        mailbox_id,
        most,
    )
