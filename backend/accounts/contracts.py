"""Mail accounts: how a mailbox is connected to its servers, and how that connection is doing."""

from datetime import datetime
from typing import Literal

from backend.contracts import Contract

Security = Literal["tls", "starttls", "none"]
AccountStatus = Literal["connecting", "syncing", "up_to_date", "retrying", "needs_you", "paused"]


class ServerAddress(Contract):
    host: str
    port: int
    security: Security


class AccountState(Contract):
    """What a person reads about an account. `done` of `total` messages while it syncs; a `remedy` beside a reason."""

    mailbox_id: int
    status: AccountStatus
    done: int = 0
    total: int = 0
    checked_at: datetime | None = None
    reason: str = ""
    remedy: str = ""
    server_words: str = ""


class Discover(Contract):
    address: str


class FoundServers(Contract):
    """One guess at an address's servers, best first. `hint` is a sentence such as "Gmail needs an app password".

    `confirm`: somebody else's servers, as far as their names tell; a person must agree before a password goes there.
    """

    source: Literal["known", "srv", "autoconfig", "mx", "guess"]
    imap: ServerAddress
    smtp: ServerAddress
    username: str
    hint: str = ""
    smtp_username: str = ""
    provider: str = ""
    sign_in: Literal["password", "app_password", "oauth"] = "password"
    confirm: bool = False


class ConnectAccount(Contract):
    """Both servers are tried before anything is stored; a failure answers 422 with reason and remedy."""

    address: str
    username: str
    password: str
    imap: ServerAddress
    smtp: ServerAddress
    smtp_username: str = ""
    smtp_password: str = ""


class ServerCheck(Contract):
    """The outcome of trying one server."""

    server: Literal["imap", "smtp"]
    ok: bool
    reason: str = ""
    remedy: str = ""
    server_words: str = ""


class AccountSettings(Contract):
    """What is stored, without any password."""

    mailbox_id: int
    address: str
    username: str
    imap: ServerAddress
    smtp: ServerAddress
    state: AccountState
    smtp_username: str = ""


class AccountStateChanged(Contract, tag="account_state_changed"):
    state: AccountState
