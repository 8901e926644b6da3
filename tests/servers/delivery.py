"""Mail that lies in a mailbox without a mail server: stored the way the watcher stores what it fetched."""

import itertools
from datetime import UTC, datetime
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime

from backend.database.connection import fetch_value
from backend.events.record import action
from backend.mail.actions import Fetched, FolderKey, store_fetched
from sync.mime.parse import parse_message

_numbers = itertools.count(1)


def write_mail(
    *,
    subject: str = "My bike squeaks",
    text: str = "It began yesterday.",
    sender: str = "Carla Customer <carla@customer.example>",
    to: str = "support@northwind.example",
    cc: str = "",
    answers: str = "",
    message_id: str = "",
    at: datetime | None = None,
    attachment: bytes | None = None,
    filename: str = "photo.png",
    content_type: str = "image/png",
) -> bytes:
    """One mail as a customer writes it. `answers` are the Message-IDs that it replies to."""
    mail = EmailMessage(policy=SMTP)
    mail["From"], mail["To"], mail["Subject"] = sender, to, subject
    if cc:
        mail["Cc"] = cc
    mail["Date"] = format_datetime(at or datetime.now(UTC))
    mail["Message-ID"] = message_id or f"<{next(_numbers)}.{datetime.now(UTC).timestamp()}@customer.example>"
    if answers:
        mail["In-Reply-To"] = mail["References"] = answers
    mail.set_content(text)
    if attachment is not None:
        mail.add_attachment(
            attachment,
            maintype=content_type.partition("/")[0],
            subtype=content_type.partition("/")[2],
            filename=filename,
        )
    return bytes(mail)


async def deliver(mailbox_id: int, raw: bytes | None = None, *, arrived: bool = True, role: str = "inbox") -> int:
    """Let a mail arrive in (or be history of) the mailbox; answers its conversation's id."""
    folder = await folder_of(mailbox_id, role)
    content = raw or write_mail()
    parsed = parse_message(content)
    uid = next(_numbers)
    message = Fetched(uid=uid, flags=frozenset(), received_at=datetime.now(UTC), raw=content, parsed=parsed)
    async with action(None):
        await store_fetched(folder, [message], arrived=arrived)
    return await fetch_value(
        "SELECT m.conversation_id FROM messages m JOIN placements p ON p.message_id = m.id "
        "WHERE p.folder_id = $1 AND p.uid = $2",
        folder.folder_id,
        uid,
    )


async def folder_of(mailbox_id: int, role: str) -> FolderKey:
    """The folder of that role, of an account that no worker watches."""
    account_id = await fetch_value(
        "INSERT INTO mail_accounts (mailbox_id, address, username, imap_host, imap_port, imap_security, smtp_host, "
        "smtp_port, smtp_security, smtp_username, credentials, state, lease_holder) "
        "SELECT id, address, address, 'imap.invalid', 993, 'tls', 'smtp.invalid', 465, 'tls', '', '', "
        "json_build_object('mailbox_id', id, 'status', 'paused')::jsonb, '' FROM mailboxes WHERE id = $1 "
        "ON CONFLICT (mailbox_id) DO UPDATE SET address = excluded.address RETURNING id",
        mailbox_id,
    )
    folder_id = await fetch_value(
        "INSERT INTO folders (account_id, name, role) VALUES ($1, $2, $2) "
        "ON CONFLICT (account_id, name) DO UPDATE SET role = excluded.role RETURNING id",
        account_id,
        role,
    )
    fence = await fetch_value("SELECT fence FROM mail_accounts WHERE id = $1", account_id)
    return FolderKey(folder_id=folder_id, role=role, account_id=account_id, mailbox_id=mailbox_id, fence=fence)
