"""Mail accounts: how a mailbox is connected to its servers, and how that connection is doing."""

from datetime import datetime
from typing import Literal

from msgspec import UNSET, UnsetType

from backend.contracts import Change, Contract

Security = Literal["tls", "starttls", "none"]
SignIn = Literal["password", "oauth:google", "oauth:microsoft"]
OAuthProvider = Literal["google", "microsoft"]
HistoryChoice = Literal["week", "month", "three_months", "year", "everything"]
DoneTo = Literal["archive", "done", "stay"]
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
    `oauth`: the provider at which a person can sign in instead of giving a password here, where that is set up.
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
    oauth: OAuthProvider | None = None


class ConnectAccount(Contract):
    """Both servers are tried before anything is stored; a failure answers 422 with reason and remedy.

    With `begin` false nothing is fetched until `PUT .../account/plan` says what.
    """

    address: str
    username: str
    password: str
    imap: ServerAddress
    smtp: ServerAddress
    smtp_username: str = ""
    smtp_password: str = ""
    begin: bool = True


class StartSignIn(Contract):
    """Connect by signing in at the provider: answers where the browser goes."""

    provider: OAuthProvider
    address: str
    username: str
    imap: ServerAddress
    smtp: ServerAddress
    smtp_username: str = ""
    begin: bool = True


class SignInStarted(Contract):
    url: str


class ServerCheck(Contract):
    """The outcome of trying one server."""

    server: Literal["imap", "smtp"]
    ok: bool
    reason: str = ""
    remedy: str = ""
    server_words: str = ""


class AccountSettings(Contract):
    """What is stored, without any password. `begun`: whether anything has been asked to be fetched yet."""

    mailbox_id: int
    address: str
    username: str
    imap: ServerAddress
    smtp: ServerAddress
    state: AccountState
    smtp_username: str = ""
    sign_in: SignIn = "password"
    begun: bool = True


class FolderRefusal(Contract):
    """Why the server does not let us read a folder, what to do about it, and when it is tried again by itself."""

    since: datetime
    again_at: datetime
    reason: str
    remedy: str
    server_words: str


FolderState = Literal["not_chosen", "gathers", "refused", "waiting", "arriving", "counting", "partial", "complete"]
"""How a folder is doing.

not_chosen: a person chose not to fetch it; gathers: it shows mail of other folders and has none of its own (\\Flagged);
refused: the server does not let us read it; waiting: its turn has not come; arriving: older mail is on its way;
counting: brought over, and not counted yet; partial: at the last count something was missing or set aside; complete:
at the last count everything was here.
"""


class FolderPlan(Contract):
    """A folder of the account, whether it is fetched, and how complete it is here.

    `messages` and `bytes` are what the server last told of it; None where it did not. `complete_at`: when server and
    store were last counted against each other; then `stored` of `wanted` messages were here. `here` is told while the
    folder is arriving. `set_aside` messages could not be taken, and are tried again by themselves.
    """

    name: str
    title: str
    role: str
    chosen: bool
    state: FolderState
    messages: int | None = None
    bytes: int | None = None
    complete_at: datetime | None = None
    wanted: int = 0
    stored: int = 0
    missing: int = 0
    set_aside: int = 0
    here: int = 0
    refused: FolderRefusal | None = None
    note: str = ""


class SetAsideMail(Contract):
    """Messages of one folder that could not be taken, counted. They are tried again by themselves."""

    folder: str
    reason: Literal["refused", "unstorable"]
    messages: int
    next_try_at: datetime


class AccountPlan(Contract):
    """What of an account is brought over. `history_from` null: everything."""

    history_from: datetime | None
    done_to: DoneTo
    folders: list[FolderPlan]
    set_aside: list[SetAsideMail]


class SetPlan(Change):
    """Change what is given. `folders` names those whose choice changes. Widening fetches more; narrowing hides."""

    history: HistoryChoice | UnsetType = UNSET
    folders: dict[str, bool] | UnsetType = UNSET
    done_to: DoneTo | UnsetType = UNSET


class AccountStateChanged(Contract, tag="account_state_changed"):
    state: AccountState
