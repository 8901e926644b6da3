"""A mailbox that can send: its account at real servers, and one attempt at sending when a test says so."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from backend.accounts.credentials import Passwords, seal_passwords
from backend.compose.contracts import CreateDraft, Draft, Outgoing, SaveDraft, SendDraft
from backend.conversations.contracts import ConversationDetail
from backend.database.connection import execute, fetch_value
from backend.mail.contracts import MailAddress
from backend.settings import settings
from backend.workers.outgoing import Sender
from tests.servers.api import Api, Member
from tests.servers.dovecot import Dovecot
from tests.servers.smtp import RecordingSmtp

CUSTOMER = MailAddress(name="Carla Customer", address="carla@customer.example")


async def connect_account(
    mailbox_id: int, smtp: RecordingSmtp, dovecot: Dovecot | None = None, user: str = "support"
) -> int:
    """Give the mailbox an account at these servers; answers its id. Replaces the one it has."""
    sealed = seal_passwords(settings(), Passwords(imap=dovecot.password if dovecot else "none", smtp=smtp.password))
    return await fetch_value(
        "INSERT INTO mail_accounts (mailbox_id, address, username, imap_host, imap_port, imap_security, smtp_host, "
        "smtp_port, smtp_security, smtp_username, credentials, state, lease_holder, lease_until) "
        "SELECT id, address, $2, '127.0.0.1', $3, 'none', '127.0.0.1', $4, 'none', address, $5, "
        "json_build_object('mailbox_id', id, 'status', 'paused')::jsonb, 'a test', now() + interval '1 day' "
        "FROM mailboxes WHERE id = $1 ON CONFLICT (mailbox_id) DO UPDATE SET username = excluded.username, "
        "imap_host = excluded.imap_host, imap_port = excluded.imap_port, imap_security = 'none', "
        "smtp_host = excluded.smtp_host, smtp_port = excluded.smtp_port, smtp_security = 'none', "
        "smtp_username = excluded.smtp_username, credentials = excluded.credentials RETURNING id",
        mailbox_id,
        user,
        dovecot.imap_port if dovecot else 1,
        smtp.port,
        sealed,
    )


@pytest.fixture
def private_servers(api: Api) -> Iterator[None]:
    """Servers on this machine may be used, as an admin can allow."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TANDEM_ALLOW_PRIVATE_SERVERS", "yes")
        settings.cache_clear()
        yield
    settings.cache_clear()


@dataclass
class Desk:
    """Ana and Jonas at Support, whose account is a recording SMTP server; nothing is sent until `attempt`."""

    api: Api
    smtp: RecordingSmtp
    sender: Sender

    async def new_draft(self, who: Member | None = None, *, text: str = "Hello Carla.", **fields: Any) -> Draft:
        """A new mail to the customer, saved."""
        who = who or self.api.ana
        draft = await who.post("/drafts", CreateDraft(kind="new", mailbox_id=self.api.support), Draft)
        return await self.save(who, draft, text=text, **({"to": [CUSTOMER], "subject": "Your bike"} | fields))

    async def reply_draft(
        self, conversation_id: int, who: Member | None = None, *, text: str = "We look into it."
    ) -> Draft:
        who = who or self.api.ana
        draft = await who.post("/drafts", CreateDraft(kind="reply", conversation_id=conversation_id), Draft)
        return await self.save(who, draft, text=text)

    async def save(self, who: Member, draft: Draft, **fields: Any) -> Draft:
        """Save these fields of the draft, and the others as they are."""
        names = ("version", "to", "cc", "bcc", "subject", "text")
        given = {name: getattr(draft, name) for name in names} | fields
        return await who.put(f"/drafts/{draft.id}", SaveDraft(**given), Draft)

    async def send(self, draft: Draft, who: Member | None = None, **fields: Any) -> Outgoing:
        """Press Send, without a window for taking it back unless `undo_seconds` says so."""
        options: dict[str, Any] = {"undo_seconds": 0, **fields}
        given = SendDraft(version=draft.version, **options)
        return await (who or self.api.ana).post(f"/drafts/{draft.id}/send", given, Outgoing)

    async def attempt(self, outgoing: Outgoing) -> str:
        """One attempt at sending, now, whatever the mail would wait for; answers the state afterwards."""
        await execute("UPDATE outgoing SET next_attempt_at = now() WHERE id = $1 AND attempts > 0", outgoing.id)
        await self.sender.send(outgoing.id)
        return await self.state(outgoing)

    async def state(self, outgoing: Outgoing) -> str:
        return await fetch_value("SELECT state FROM outgoing WHERE id = $1", outgoing.id)

    async def detail(self, conversation_id: int, who: Member | None = None) -> ConversationDetail:
        return await (who or self.api.ana).get(f"/conversations/{conversation_id}", ConversationDetail)

    async def shown(self, outgoing: Outgoing) -> Outgoing:
        """The mail as the conversation shows it."""
        detail = await self.detail(outgoing.conversation_id)
        return next(each for each in detail.outgoing if each.id == outgoing.id)


@pytest.fixture
async def desk(api: Api, smtp: RecordingSmtp, private_servers: None) -> Desk:
    """Support can send; see `Desk`."""
    await connect_account(api.support, smtp)
    return Desk(api, smtp, Sender())
