"""How a worker signs in for a mail account."""

from typing import cast

from backend.accounts.credentials import open_passwords
from backend.database.connection import fetch_row
from backend.errors import NotFound
from backend.settings import settings
from sync.types import ImapLogin, Security, SmtpLogin


async def mail_login(account_id: int) -> tuple[ImapLogin, SmtpLogin]:
    """Both sign-ins of an account, passwords opened. Raises NotFound; Unavailable when the key is another one."""
    row = await fetch_row("SELECT * FROM mail_accounts WHERE id = $1", account_id)
    if row is None:
        raise NotFound("There is no such mail account.", "It may have been removed meanwhile.")
    passwords = open_passwords(settings(), row["credentials"])
    private = settings().allow_private_servers
    imap = ImapLogin(
        host=row["imap_host"],
        port=row["imap_port"],
        security=cast(Security, row["imap_security"]),
        username=row["username"],
        password=passwords.imap,
        private_network=private,
    )
    smtp = SmtpLogin(
        host=row["smtp_host"],
        port=row["smtp_port"],
        security=cast(Security, row["smtp_security"]),
        username=row["smtp_username"] or row["username"],
        password=passwords.smtp or passwords.imap,
        private_network=private,
    )
    return imap, smtp


async def account_of_mailbox(mailbox_id: int) -> int | None:
    """The mail account of a mailbox, if it has one."""
    row = await fetch_row("SELECT id FROM mail_accounts WHERE mailbox_id = $1", mailbox_id)
    return row["id"] if row else None
