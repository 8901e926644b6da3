"""What comes from a folder of a mail server, and the right to store it."""

from dataclasses import dataclass, replace
from datetime import datetime

from backend.database.connection import fetch_value
from backend.mail.reading import Prepared, prepare
from sync.mime.message import ParsedMessage
from sync.mime.parse import parse_message


class StaleFence(Exception):
    """Another worker holds the account's lease now: nothing was written."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Fetched:
    """A message as it lies in a folder of the server, read: parsed here, or prepared in another process.

    `email_id` is the server's word for the same message in whatever folder (RFC 8474, X-GM-MSGID), or empty.
    """

    uid: int
    flags: frozenset[str]
    received_at: datetime
    raw: bytes
    parsed: ParsedMessage | Prepared
    email_id: str = ""

    @property
    def prepared(self) -> Prepared:
        """What is stored of it. Worked out each time unless it came so."""
        return self.parsed if isinstance(self.parsed, Prepared) else prepare(self.raw, self.parsed)

    @property
    def whole(self) -> ParsedMessage:
        """All that can be read in it. Read again if it came prepared."""
        return parse_message(self.raw) if isinstance(self.parsed, Prepared) else self.parsed

    def ready(self) -> "Fetched":
        """The same with `parsed` prepared."""
        return replace(self, parsed=self.prepared)


@dataclass(frozen=True, slots=True, kw_only=True)
class FolderKey:
    """The folder that a batch comes from, and the lease under which it was fetched."""

    folder_id: int
    role: str
    account_id: int
    mailbox_id: int
    fence: int


async def check_fence(account_id: int, fence: int) -> None:
    """Hold the account's lease for this transaction, or raise StaleFence."""
    held = await fetch_value("SELECT fence FROM mail_accounts WHERE id = $1 FOR SHARE", account_id)
    if held != fence:
        raise StaleFence
