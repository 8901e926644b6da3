"""What a plan says is what is fetched: the worker against a real Dovecot, folder by folder and day by day."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from datetime import UTC, datetime

import pytest

from backend.accounts.contracts import AccountPlan, AccountSettings, ConnectAccount, ServerAddress, SetPlan
from backend.conversations.contracts import ConversationPage
from tests.servers.delivery import write_mail
from tests.servers.dovecot import Dovecot
from tests.servers.product import Product, Visitor
from tests.servers.smtp import RecordingSmtp

pytestmark = pytest.mark.timeout(300)
DAY = 86_400


@pytest.fixture
async def running(dovecot: Dovecot, smtp: RecordingSmtp) -> AsyncIterator[Product]:
    async with Product() as product:
        yield product


async def old_mail(dovecot: Dovecot, folder: str, *mails: tuple[int, str]) -> None:
    """Mails that came some days ago, as their dates and the server's say."""
    for days, subject in mails:
        at = time.time() - days * DAY
        raw = write_mail(subject=subject, at=datetime.fromtimestamp(at, UTC))
        await dovecot.append("plan", folder, raw, date=at)


async def shown(ana: Visitor, mailbox_id: int) -> set[str]:
    page = await ana.get(f"/mailboxes/{mailbox_id}/conversations", ConversationPage, view="all")
    return {item.row.subject for item in page.items}


async def until(ana: Visitor, mailbox_id: int, wanted: set[str]) -> None:
    """The mailbox shows exactly these; AssertionError with what it shows after a minute."""
    deadline = time.monotonic() + 60
    while True:
        seen = await shown(ana, mailbox_id)
        if seen == wanted or time.monotonic() > deadline:
            break
        await asyncio.sleep(0.1)
    assert seen == wanted


async def test_a_plan_is_followed_widened_and_narrowed(running: Product, dovecot: Dovecot, smtp: RecordingSmtp) -> None:
    ana = await running.set_up()
    mailbox = await running.group_mailbox(ana, "Support", "support@northwind.example", [ana])
    path = f"/mailboxes/{mailbox.id}/account"
    await dovecot.create("plan", "Orders")
    await old_mail(dovecot, "INBOX", (400, "Ancient"), (60, "Spring"), (3, "Fresh"))
    await old_mail(dovecot, "Orders", (2, "Order 1"), (90, "Order 0"))
    wanted = ConnectAccount(
        address=mailbox.address,
        username="plan",
        password=dovecot.password,
        imap=ServerAddress(host="127.0.0.1", port=dovecot.imap_port, security="none"),
        smtp=ServerAddress(host="127.0.0.1", port=smtp.port, security="none"),
        begin=False,
    )
    assert not (await ana.put(path, wanted, AccountSettings)).begun
    listed = await ana.get(f"{path}/plan", AccountPlan)
    assert {each.title: each.messages for each in listed.folders}["Orders"] == 2
    await asyncio.sleep(1)
    assert await shown(ana, mailbox.id) == set(), "nothing before the plan"

    await ana.put(f"{path}/plan", SetPlan(history="month", folders={"Orders": False}), AccountPlan)
    await until(ana, mailbox.id, {"Fresh"})
    await running.synced(ana, mailbox)
    assert await shown(ana, mailbox.id) == {"Fresh"}

    await ana.put(f"{path}/plan", SetPlan(history="three_months"), AccountPlan)
    await until(ana, mailbox.id, {"Fresh", "Spring"})
    await ana.put(f"{path}/plan", SetPlan(history="everything", folders={"Orders": True}), AccountPlan)
    await until(ana, mailbox.id, {"Fresh", "Spring", "Ancient", "Order 1", "Order 0"})
    await ana.put(f"{path}/plan", SetPlan(history="month"), AccountPlan)
    await until(ana, mailbox.id, {"Fresh", "Order 1"})

    await ana.post(f"{path}/pause")
    await old_mail(dovecot, "INBOX", (0, "While paused"))
    await asyncio.sleep(2)
    assert "While paused" not in await shown(ana, mailbox.id)
    await ana.post(f"{path}/resume")
    await until(ana, mailbox.id, {"Fresh", "Order 1", "While paused"})

    await ana.delete(path, mail="remove", name="Support")
    await until(ana, mailbox.id, set())
