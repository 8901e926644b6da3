"""How a worker signs in for a mail account, and at the server that a mail leaves through."""

from typing import cast

from backend.accounts.credentials import open_passwords
from backend.database.connection import Row, fetch_row
from backend.errors import NotFound
from backend.outgoing_servers.queries import server_for, server_record
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


async def server_login(server_id: int) -> SmtpLogin:
    """The sign-in at an outgoing server. Raises NotFound; Unavailable when the key is another one."""
    return _at(await server_record(server_id))


async def sending_login(mailbox_id: int, chosen_id: int | None = None) -> tuple[int, SmtpLogin]:
    """What a mail of the mailbox leaves through, unless a server was chosen for it: the server's id and the sign-in.
    Raises like `server_login`."""
    record = await server_for(mailbox_id, chosen_id)
    return record["id"] if record else 0, _at(record)


def _at(record: Row | None) -> SmtpLogin:
    if record is None:
        raise NotFound("There is no outgoing server for this mail.", "Choose one in the settings of outgoing mail.")
    passwords = open_passwords(settings(), record["credentials"])
    return SmtpLogin(
        host=record["host"],
        port=record["port"],
        security=cast(Security, record["security"]),
        username=record["username"],
        password=passwords.smtp or passwords.imap,
        private_network=settings().allow_private_servers,
        tokens=AccountTokens(record["account_id"]) if passwords.grant is not None else None,
    )


async def account_of_mailbox(mailbox_id: int) -> int | None:
    """The mail account whose Sent folder keeps what a mailbox sends: its own, or that of the intake."""
    row = await fetch_row(
        "SELECT a.id FROM mail_accounts a JOIN mailboxes m ON m.id = a.mailbox_id "
        "WHERE a.mailbox_id = $1 OR m.kind = 'intake' ORDER BY m.kind = 'intake' LIMIT 1",
        mailbox_id,
    )
    return row["id"] if row else None
