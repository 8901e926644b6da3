"""Mail that arrives, without a mail server: handed to the store as the IMAP engine hands it over.

For tests about what happens after a mail was fetched. Tests about fetching use a real Dovecot.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.message import EmailMessage
from email.utils import format_datetime, make_msgid

from backend.database.connection import execute, fetch_value
from backend.mail.actions import Fetched, FolderKey, apply_flags, remove_placements, store_fetched
from sync.mime.parse import parse_message


def written(
    *,
    sender: str = "Mateus Oliveira <mateus@vento.example>",
    to: str = "support@northwind.example",
    cc: str = "",
    subject: str = "Brake recall",
    text: str = "My front wheel cracked.",
    answers: str = "",
    message_id: str = "",
    at: datetime | None = None,
) -> bytes:
    """A plain mail. `answers` is the Message-ID it replies to."""
    mail = EmailMessage()
    mail["From"], mail["To"], mail["Subject"] = sender, to, subject
    if cc:
        mail["Cc"] = cc
    mail["Date"] = format_datetime(at or datetime.now(UTC))
    mail["Message-ID"] = message_id or make_msgid(domain="vento.example")
    if answers:
        mail["In-Reply-To"] = mail["References"] = answers
    mail.set_content(text)
    return mail.as_bytes()


def message_id_of(raw: bytes) -> str:
    """The Message-ID, with its brackets."""
    return f"<{parse_message(raw).message_id}>"


@dataclass
class Arriving:
    """The Inbox of one mailbox, as a watcher sees it."""

    folder: FolderKey
    _next_uid: int = field(default=1)

    @classmethod
    async def into(cls, mailbox_id: int, address: str = "support@northwind.example", role: str = "inbox") -> "Arriving":
        """Connect the mailbox to an account that nobody watches."""
        account_id = await fetch_value(
            "INSERT INTO mail_accounts (mailbox_id, address, username, imap_host, imap_port, imap_security, smtp_host, "
            "smtp_port, smtp_security, smtp_username, credentials, state, connected_at, lease_holder, lease_until, "
            "fence) "
            "VALUES ($1, $2, $2, '127.0.0.1', 1, 'none', '127.0.0.1', 1, 'none', '', '', '{}', now(), 'test', "
            "now() + interval '1 day', 1) ON CONFLICT (mailbox_id) DO UPDATE SET address = $2 RETURNING id",
            mailbox_id,
            address,
        )
        folder_id = await fetch_value(
            "INSERT INTO folders (account_id, name, role) VALUES ($1, $2, $2) RETURNING id", account_id, role
        )
        return cls(FolderKey(folder_id=folder_id, role=role, account_id=account_id, mailbox_id=mailbox_id, fence=1))

    async def deliver(
        self, *raws: bytes, arrived: bool = True, flags: Sequence[str] = (), received_at: datetime | None = None
    ) -> list[int]:
        """Store these messages in one batch; answers their UIDs."""
        batch = [
            Fetched(
                uid=self._next_uid + number,
                flags=frozenset(flags),
                received_at=received_at or datetime.now(UTC) + timedelta(milliseconds=number),
                raw=raw,
                parsed=parse_message(raw),
            )
            for number, raw in enumerate(raws)
        ]
        self._next_uid += len(batch)
        await store_fetched(self.folder, batch, arrived=arrived)
        return [each.uid for each in batch]

    async def flag(self, uid: int, *flags: str) -> None:
        """Another mail program set exactly these flags."""
        await apply_flags(self.folder, {uid: frozenset(flags)})

    async def expunge(self, *uids: int) -> None:
        """Another mail program deleted these messages."""
        await remove_placements(self.folder, uids)

    async def lose_lease(self) -> None:
        """Another worker took the account."""
        await execute("UPDATE mail_accounts SET fence = fence + 1 WHERE id = $1", self.folder.account_id)
