"""How a worker signs in for a mail account."""

from typing import cast

from backend.accounts.credentials import open_passwords
from backend.database.connection import fetch_row
from backend.errors import NotFound
from backend.settings import settings
from backend.workers.tokens import AccountTokens
from sync.types import ImapLogin, Security, SmtpLogin


async def mail_login(account_id: int) -> tuple[ImapLogin, SmtpLogin]:
    """Both sign-ins of an account, passwords opened; one that was signed in at its provider renews its tokens itself.

    Raises NotFound; Unavailable when the key is another one.
    """
    row = await fetch_row("SELECT * FROM mail_accounts WHERE id = $1", account_id)
    if row is None:
        raise NotFound("There is no such mail account.", "It may have been removed meanwhile.")
    passwords = open_passwords(settings(), row["credentials"])
    private = settings().allow_private_servers
    tokens = AccountTokens(account_id) if passwords.grant is not None else None
    imap = ImapLogin(
        host=row["imap_host"],
        port=row["imap_port"],
        security=cast(Security, row["imap_security"]),
        username=row["username"],
        password=passwords.imap,
        private_network=private,
        tokens=tokens,
    )
    smtp = SmtpLogin(
        host=row["smtp_host"],
        port=row["smtp_port"],
        security=cast(Security, row["smtp_security"]),
        username=row["smtp_username"] or row["username"],
        password=passwords.smtp or passwords.imap,
        private_network=private,
        tokens=tokens,
    )
    return imap, smtp


async def account_of_mailbox(mailbox_id: int) -> int | None:
    """The mail account through which a mailbox sends: its own, or that of the intake."""
    row = await fetch_row(
        "SELECT a.id FROM mail_accounts a JOIN mailboxes m ON m.id = a.mailbox_id "
        "WHERE a.mailbox_id = $1 OR m.kind = 'intake' ORDER BY m.kind = 'intake' LIMIT 1",
        mailbox_id,
    )
    return row["id"] if row else None
