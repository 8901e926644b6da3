"""A mailbox's account as its settings show it: never a password."""

from typing import cast

import msgspec

from backend.accounts.contracts import AccountSettings, AccountState, Security, ServerAddress
from backend.database.connection import Row, fetch_row
from backend.errors import NotFound

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
    )


def _server(record: Row, kind: str) -> ServerAddress:
    return ServerAddress(
        host=record[f"{kind}_host"],
        port=record[f"{kind}_port"],
        security=cast(Security, record[f"{kind}_security"]),
    )
