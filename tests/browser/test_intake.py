"""The intake account by its page: connected, sorting what arrives, and mailboxes whose mail is forwarded to it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass

import pytest
from playwright.async_api import Page, expect

from backend.mailboxes.contracts import CreateMailbox, MailboxSettings
from tests.browser.test_accessibility import faults
from tests.servers.chromium import Seats
from tests.servers.delivery import write_mail
from tests.servers.dovecot import Dovecot
from tests.servers.product import Product, Visitor
from tests.servers.smtp import RecordingSmtp

pytestmark = pytest.mark.browser

INTAKE = "intake@northwind.example"


@dataclass
class Forwarded:
    """An installation whose mailbox Support has no account, and the mail servers of the intake account."""

    product: Product
    dovecot: Dovecot
    smtp: RecordingSmtp
    ana: Visitor
    support: MailboxSettings

    async def connect_intake(self) -> MailboxSettings:
        wanted = CreateMailbox(kind="intake", name="Intake", address=INTAKE)
        intake = await self.ana.post("/mailboxes", wanted, MailboxSettings)
        await self.product.connect_account(self.ana, intake, self.dovecot, self.smtp, user="intake")
        await self.product.synced(self.ana, intake)
        return intake


@pytest.fixture
async def forwarded() -> AsyncIterator[Forwarded]:
    with Dovecot() as dovecot, RecordingSmtp() as smtp:
        async with Product() as product:
            ana = await product.set_up()
            support = await product.group_mailbox(ana, "Support", "support@northwind.example", [ana])
            yield Forwarded(product, dovecot, smtp, ana, support)


async def fill_servers(page: Page, forwarded: Forwarded) -> None:
    await page.get_by_label("User name").fill("intake")
    await page.get_by_label("Password").fill(forwarded.dovecot.password)
    for server, port in (("Receiving (IMAP)", forwarded.dovecot.imap_port), ("Sending (SMTP)", forwarded.smtp.port)):
        await page.get_by_label(f"{server}: server").fill("127.0.0.1")
        await page.get_by_label(f"{server}: port").fill(str(port))
        await page.get_by_label(f"{server}: encryption").select_option("none")


async def test_the_intake_is_connected_and_what_fits_nowhere_is_sorted(forwarded: Forwarded, seats: Seats) -> None:
    seat = await seats.at(forwarded.product, forwarded.ana)
    page = await seat.open("/settings/intake/")
    await page.get_by_label("Address").fill(INTAKE)
    await page.get_by_role("button", name="Go on").click()
    await page.get_by_role("button", name="Connect an account").click()
    await fill_servers(page, forwarded)
    await page.get_by_role("button", name="Connect", exact=True).click()
    await page.get_by_role("button", name="Start fetching").click(timeout=60_000)
    await expect(page.get_by_text("Connected. New mail appears as it arrives.")).to_be_visible(timeout=60_000)
    await expect(page.get_by_text("Nothing waits")).to_be_visible()

    await forwarded.dovecot.deliver("intake", write_mail(subject="Known way", to="support@northwind.example"))
    await forwarded.dovecot.deliver("intake", write_mail(subject="Secret words", to="repairs@northwind.example"))
    waiting = page.get_by_role("listitem").filter(has_text="carla@customer.example")
    await expect(waiting).to_contain_text("repairs@northwind.example", timeout=30_000)
    await expect(page.get_by_text("Secret words")).to_have_count(0)
    assert await faults(page, "waiting mail") == []
    await waiting.get_by_label("Sort into").select_option(label="Support")
    await waiting.get_by_label("Remember an address").select_option(label="Always, for repairs@northwind.example")
    await waiting.get_by_role("button", name="Sort").click()
    await expect(page.get_by_text("Nothing waits")).to_be_visible()

    await page.goto("/")
    await expect(page.locator(".row", has_text="Secret words")).to_be_visible(timeout=20_000)
    await expect(page.locator(".row", has_text="Known way")).to_be_visible()
    await forwarded.dovecot.deliver("intake", write_mail(subject="Remembered", to="repairs@northwind.example"))
    await expect(page.locator(".row", has_text="Remembered")).to_be_visible(timeout=20_000)
    await expect(page.get_by_role("link", name="Intake")).to_have_count(0)
    assert seat.complaints == []


async def test_a_mailbox_says_where_to_forward_to_and_whether_it_works(forwarded: Forwarded, seats: Seats) -> None:
    seat = await seats.at(forwarded.product, forwarded.ana)
    page = await seat.open(f"/settings/mailboxes/?mailbox={forwarded.support.id}")
    await expect(page.get_by_role("link", name="Connect the intake account")).to_be_visible(timeout=20_000)
    await forwarded.connect_intake()
    await page.reload()
    await expect(page.get_by_text("intake+support@northwind.example")).to_be_visible(timeout=20_000)
    await page.get_by_role("button", name="Send a test mail").click()
    await expect(page.get_by_text("has not come through yet")).to_be_visible(timeout=20_000)
    [mail] = forwarded.smtp.messages
    assert mail.recipients == ("support@northwind.example",)
    # The mailbox's server forwards it, as it was told to.
    await forwarded.dovecot.deliver("intake", b"Delivered-To: intake+support@northwind.example\r\n" + mail.raw)
    await expect(page.get_by_text("Forwarding works")).to_be_visible(timeout=30_000)
    assert await faults(page, "forwarding") == []

    await page.get_by_label("Further addresses").fill("help@northwind.example")
    await page.get_by_role("button", name="Save addresses").click()
    await expect(page.get_by_text("Saved")).to_be_visible()
    await page.goto("/")
    await expect(page.locator(".row", has_text="Does forwarding work?")).to_have_count(0)
    assert seat.complaints == []
