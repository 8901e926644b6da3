"""The words that `sync` shares with those who use it: logins, folders, messages, cursors, states.

Everything here is frozen, knows no database and no driver, and can be logged: passwords have no repr.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal, Protocol

Security = Literal["tls", "starttls", "none"]
"""How a connection is protected: TLS from the first byte, TLS after STARTTLS (RFC 3207, RFC 9051), or not at
all.
"""

FolderRole = Literal["inbox", "sent", "drafts", "trash", "junk", "archive"]

SEEN = "\\Seen"
FLAGGED = "\\Flagged"
ANSWERED = "\\Answered"
DELETED = "\\Deleted"
DRAFT = "\\Draft"


class AccessTokens(Protocol):
    """OAuth 2 access tokens of one account. Both raise ServerProblem when there is none to be had."""

    async def current(self) -> str:
        """A token that has not run out."""
        ...

    async def renew(self, refused: str) -> str:
        """A newer token than the one that a server refused."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerLogin:
    """Where a mail server is and how to sign in there.

    `private_network` permits addresses that are not public (loopback, 10/8, link-local...); without it such a
    name is refused, so that a name typed by a user cannot reach into the network of the installation.
    `authority_pem` is a certificate authority to trust besides the public ones. With `tokens` the sign-in is XOAUTH2,
    and there is no password.
    """

    host: str
    port: int
    security: Security
    username: str
    password: str = field(repr=False)
    private_network: bool = False
    authority_pem: str | None = field(default=None, repr=False)
    tokens: AccessTokens | None = field(default=None, repr=False, compare=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class ImapLogin(ServerLogin):
    """A sign-in at an IMAP server (RFC 9051, RFC 3501).

    `compress`: whether the conversation is compressed where the server offers it (RFC 4978); None: if the server is
    neither on this machine nor in a private network.
    """

    compress: bool | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SmtpLogin(ServerLogin):
    """A sign-in at a submission server (RFC 6409). An empty username sends without authentication.

    `helo_name` is what we call ourselves in EHLO; None lets the machine's own name be used.
    """

    helo_name: str | None = None


@dataclass(frozen=True, slots=True)
class Problem:
    """What is wrong with a mail server, in words for the person who can mend it.

    `code` is stable and for programs; `permanent` means that trying again cannot help until somebody changes
    something; `server_words` is what the server itself said, shown folded.
    """

    code: str
    permanent: bool
    sentence: str
    remedy: str
    server_words: str = ""


@dataclass(frozen=True, slots=True)
class FolderInfo:
    """One folder of an account. `name` is the server's own spelling and the key everywhere; `title` is for
    people.

    `gathers` says what a folder shows that has no mail of its own: "all" (\\All) holds every message of the account,
    "some" (\\Flagged, \\Important) a choice of them. `object_id` is MAILBOXID (RFC 8474), the same after a renaming,
    or empty. `messages` and `size` (bytes) are what the server told with the list; None where it did not.
    """

    name: str
    title: str
    delimiter: str | None
    role: FolderRole | None
    selectable: bool = True
    gathers: Literal["", "all", "some"] = ""
    object_id: str = ""
    messages: int | None = None
    size: int | None = None


@dataclass(frozen=True, slots=True)
class SyncPlan:
    """What of an account is to be brought over. Asked for at each connection and each round over the folders.

    `history_from`: of the mail that was there before the account was connected, only what came (INTERNALDATE) since
    then; None: everything. `chosen`: by folder name, whether it is fetched; a folder not named is.
    """

    history_from: datetime | None = None
    chosen: Mapping[str, bool] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class ListedMessage:
    """A message whose body was not fetched: enough to recognise one that the mailbox has already.

    `size` is RFC822.SIZE in bytes. `email_id` is EMAILID (RFC 8474) or X-GM-MSGID, or empty; only where it is empty
    does `header` hold the exact bytes of BODY[HEADER].
    """

    uid: int
    flags: frozenset[str]
    internal_date: datetime
    size: int
    email_id: str = ""
    header: bytes = field(default=b"", repr=False)


@dataclass(frozen=True, slots=True)
class FetchedMessage:
    """One message as the server gave it: the bytes are exactly those of BODY[].

    `email_id` is the server's word for "the same message in whatever folder": EMAILID (RFC 8474), else X-GM-MSGID,
    else empty.
    """

    uid: int
    flags: frozenset[str]
    internal_date: datetime
    size: int
    raw: bytes = field(repr=False)
    email_id: str = ""


@dataclass(frozen=True, slots=True)
class FolderCursor:
    """How far a folder has been brought over; stored in the same transaction as the messages it speaks of.

    Every message with `lowest_uid` <= UID <= `highest_uid` that is wanted is in the store, was set aside, or was gone
    when it was asked for; the backfill goes on below `lowest_uid`. Messages below `history_below` (the UIDNEXT when
    the folder was first seen) were there before the account was connected. `highest_modseq` is 0 where CONDSTORE
    (RFC 7162) is not offered. `since` is the plan's `history_from` under which the history was listed: when the plan
    later reaches further back, what is missing is listed again.
    """

    uid_validity: int
    history_below: int
    highest_uid: int
    lowest_uid: int
    highest_modseq: int = 0
    backfill_done: bool = False
    since: datetime | None = None


@dataclass(frozen=True, slots=True)
class Census:
    """What a count of a folder on the server against the store found.

    `on_server` are the messages there that are wanted (`SyncPlan`), `stored` those of them that are here, `missing`
    those that could not be brought over by this count, `set_aside` those that were passed over with a reason, `waiting`
    older ones whose turn has not come.
    """

    checked_at: datetime
    on_server: int
    stored: int
    missing: int
    set_aside: int
    waiting: int = 0
    note: str = ""


@dataclass(frozen=True, slots=True)
class FolderRefusal:
    """A folder that the server does not let us read, as of `at`; tried again by itself at `again_at`."""

    at: datetime
    again_at: datetime
    problem: Problem


@dataclass(frozen=True, slots=True)
class FolderProgress:
    """Messages brought over, of those that the server has."""

    done: int
    total: int


@dataclass(frozen=True, slots=True)
class Connecting:
    """A connection is being opened."""


@dataclass(frozen=True, slots=True)
class Syncing:
    """Older mail is still arriving; by folder name. New mail already comes in as it happens."""

    folders: Mapping[str, FolderProgress]


@dataclass(frozen=True, slots=True)
class UpToDate:
    """Everything the server has was seen at `at`, and the server tells of changes from here on."""

    at: datetime


@dataclass(frozen=True, slots=True)
class Retrying:
    """The connection failed for a reason that may pass; it is tried again at `at`."""

    at: datetime
    problem: Problem


@dataclass(frozen=True, slots=True)
class NeedsYou:
    """Somebody must change something (`problem.remedy`); it is still tried again, slowly, at `at`."""

    at: datetime
    problem: Problem


AccountState = Connecting | Syncing | UpToDate | Retrying | NeedsYou
