"""The product with its people and mail servers, once for all tests that use it as people do."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime
from email.message import EmailMessage
from email.utils import format_datetime, make_msgid

import pytest

from backend.mailboxes.contracts import MailboxSettings
from tests.servers.dovecot import Dovecot
from tests.servers.product import Product, Visitor
from tests.servers.smtp import RecordingSmtp


@dataclass
class Office:
    """Ana owns, Jonas shares Support with her, Mallory must see nothing of it."""

    product: Product
    dovecot: Dovecot
    smtp: RecordingSmtp
    ana: Visitor
    jonas: Visitor
    mallory: Visitor
    support: MailboxSettings

    async def receive(self, subject: str, text: str = "My front wheel cracked.", **fields: str) -> str:
        """A customer's mail reaches the account; answers its Message-ID."""
        mail = EmailMessage()
        mail["From"] = fields.get("sender", "Mateus Oliveira <mateus@vento.example>")
        mail["To"] = fields.get("to", "support@northwind.example")
        mail["Subject"] = subject
        mail["Date"] = format_datetime(datetime.now(UTC))
        mail["Message-ID"] = make_msgid(domain="vento.example")
        mail.set_content(text)
        if "html" in fields:
            mail.add_alternative(fields["html"], subtype="html")
        await self.dovecot.deliver("support", mail.as_bytes())
        return str(mail["Message-ID"])


@pytest.fixture(scope="session")
async def office() -> AsyncIterator[Office]:
    """The whole product on real mail servers."""
    with Dovecot() as dovecot, RecordingSmtp() as smtp:
        # So little, that a test of a large file needs none.
        async with Product(TANDEM_ATTACHMENTS_MB="2") as product:
            ana = await product.set_up()
            jonas = await product.invite(ana, "Jonas Dahl", "jonas@northwind.example")
            mallory = await product.invite(ana, "Mallory Quint", "mallory@northwind.example")
            support = await product.group_mailbox(ana, "Support", "support@northwind.example", [ana, jonas])
            await product.connect_account(ana, support, dovecot, smtp, user="support")
            await product.synced(ana, support)
            yield Office(product, dovecot, smtp, ana, jonas, mallory, support)
