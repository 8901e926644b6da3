"""The words that `sync` shares with those who use it: logins, folders, messages, cursors, states.

Everything here is frozen, knows no database and no driver, and can be logged: passwords have no repr.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

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


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerLogin:
    """Where a mail server is and how to sign in there.

    `private_network` permits addresses that are not public (loopback, 10/8, link-local...); without it such a
    name is refused, so that a name typed by a user cannot reach into the network of the installation.
    `authority_pem` is a certificate authority to trust besides the public ones.
    """

    host: str
    port: int
    security: Security
    username: str
    password: str = field(repr=False)
    private_network: bool = False
    authority_pem: str | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class ImapLogin(ServerLogin):
    """A sign-in at an IMAP server (RFC 9051, RFC 3501)."""


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
    """

    name: str
    title: str
    delimiter: str | None
    role: FolderRole | None
    selectable: bool = True


@dataclass(frozen=True, slots=True)
class FetchedMessage:
    """One message as the server gave it: the bytes are exactly those of BODY[]."""

    uid: int
    flags: frozenset[str]
    internal_date: datetime
    size: int
    raw: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class FolderCursor:
    """How far a folder has been brought over; stored in the same transaction as the messages it speaks of.

    Every message with `lowest_uid` <= UID <= `highest_uid` is in the store, or was gone when it was asked
    for; the backfill goes on below `lowest_uid`. Messages below `history_below` (the UIDNEXT when the folder
    was first seen) were there before the account was connected. `highest_modseq` is 0 where CONDSTORE (RFC
    7162) is not offered.
    """

    uid_validity: int
    history_below: int
    highest_uid: int
    lowest_uid: int
    highest_modseq: int = 0
    backfill_done: bool = False


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
