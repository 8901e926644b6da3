"""A mailbox's account by its page: folders and from when, signing in at a provider, pausing, leaving."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from dataclasses import dataclass

import pytest
from playwright.async_api import Page, expect

from tests.browser.test_accessibility import faults
from tests.servers.authorisation import AuthorisationServer, TokenDovecot
from tests.servers.chromium import Seats
from tests.servers.delivery import write_mail
from tests.servers.product import Product, Visitor
from tests.servers.smtp import RecordingSmtp

pytestmark = pytest.mark.browser


@dataclass
class Registered:
    """An installation that a provider knows, with that provider's mail servers."""

    product: Product
    ana: Visitor
    provider: AuthorisationServer
    dovecot: TokenDovecot
    smtp: RecordingSmtp


@pytest.fixture
async def registered() -> AsyncIterator[Registered]:
    with (
        AuthorisationServer() as provider,
        TokenDovecot(provider) as dovecot,
        RecordingSmtp(token_ok=provider.accepts) as smtp,
    ):
        async with Product(None, **provider.settings()) as product:
            yield Registered(product, await product.set_up(), provider, dovecot, smtp)


async def fill_servers(page: Page, registered: Registered) -> None:
    for server, port in (("Receiving (IMAP)", registered.dovecot.imap_port), ("Sending (SMTP)", registered.smtp.port)):
        await page.get_by_label(f"{server}: server").fill("127.0.0.1")
        await page.get_by_label(f"{server}: port").fill(str(port))
        await page.get_by_label(f"{server}: encryption").select_option("none")


async def add_my_mailbox(page: Page, address: str, button: str = "Add my mailbox") -> None:
    await page.get_by_role("button", name=button).click()
    await page.get_by_label("Address", exact=True).fill(address)
    await page.get_by_role("button", name="Add mailbox").click()
    await expect(page.get_by_role("heading", name="Connect the mail account")).to_be_visible(timeout=30_000)


async def test_signing_in_at_the_provider_choosing_pausing_and_leaving(registered: Registered, seats: Seats) -> None:
    provider, dovecot = registered.provider, registered.dovecot
    await dovecot.create("support", "Orders")
    await dovecot.append("support", "INBOX", write_mail(subject="Lights"), write_mail(subject="Saddle"))
    await dovecot.append("support", "Orders", write_mail(subject="Order 4711"))
    seat = await seats.at(registered.product, registered.ana)
    page = await seat.open("/settings/mailboxes/")
    await add_my_mailbox(page, "ana@gmail.com")

    found = await faults(page, "connecting")

    # Refused at the provider first, then agreed.
    for answer in ("Refuse", "Allow"):
        await expect(page.get_by_label("Password")).to_have_count(0)
        await page.get_by_text("Servers: imap.gmail.com").click()
        await fill_servers(page, registered)
        await page.get_by_label("User name").fill("support")
        await page.get_by_role("button", name="Sign in with Google").click()
        await page.get_by_role("link", name=answer).click(timeout=20_000)
        if answer == "Refuse":
            await expect(page.get_by_role("alert")).to_contain_text("the permission was not given", timeout=20_000)
            await page.get_by_role("button", name="Connect an account").click()

    # What to bring over.
    inbox = page.locator(".folder-choice", has_text="Inbox")
    await expect(inbox).to_contain_text("2 messages", timeout=30_000)
    await expect(page.locator(".box-head .chip")).to_have_text("Not started")
    await expect(inbox.get_by_role("checkbox")).to_be_disabled()
    found += await faults(page, "choosing")
    await page.locator(".folder-choice", has_text="Orders").get_by_role("checkbox").uncheck()
    await page.get_by_label("From when").select_option("year")
    await page.get_by_role("button", name="Start fetching").click()
    await expect(page.get_by_text("Connected. New mail appears as it arrives.")).to_be_visible(timeout=60_000)
    await expect(page.get_by_text("Signed in at Google.")).to_be_visible()
    await expect(page.locator(".folder-lines li", has_text="Orders")).to_contain_text("Not fetched")
    await expect(page.locator(".folder-lines li", has_text="Inbox")).to_contain_text(
        re.compile(r"Complete up to .+, 2 messages"), timeout=60_000
    )

    found += await faults(page, "connected")

    # Pausing, and on.
    await page.get_by_role("button", name="Pause").click()
    await expect(page.locator(".box-head .chip")).to_have_text("Paused")
    await page.get_by_role("button", name="Resume").click()
    await expect(page.get_by_text("Connected. New mail appears as it arrives.")).to_be_visible(timeout=60_000)

    # The permission is withdrawn: the page says what to do, and the button does it.
    provider.withdraw_permission()
    await page.get_by_role("button", name="Pause").click()
    await page.get_by_role("button", name="Resume").click()
    await expect(page.get_by_text("Google ended the permission to use this account.")).to_be_visible(timeout=60_000)
    await page.get_by_role("button", name="Sign in again").click()
    await page.get_by_role("link", name="Allow").click(timeout=20_000)
    await expect(page.get_by_text("Connected. New mail appears as it arrives.")).to_be_visible(timeout=60_000)

    # Leaving, with everything.
    await page.goto("/")
    await expect(page.locator(".row", has_text="Lights")).to_be_visible(timeout=30_000)
    await page.goto("/settings/mailboxes/")
    await page.locator(".box-line", has_text="ana@gmail.com").click()
    await page.get_by_role("button", name="Disconnect").click()
    await page.get_by_label("Remove it from Tandem").check()
    # This field comes with the server's answer. Its label is its own: below stands the mailbox's name to be changed.
    await page.get_by_label("Type the mailbox’s name to confirm").fill("ana@gmail.com")
    found += await faults(page, "leaving")
    await page.get_by_role("button", name="Disconnect and remove").click()
    await expect(page.get_by_role("button", name="Connect an account")).to_be_visible()
    await page.goto("/")
    await expect(page.locator(".row", has_text="Lights")).to_have_count(0, timeout=30_000)
    assert found == []
    assert seat.complaints == []


async def test_several_accounts_of_one_person_on_a_phone(registered: Registered, seats: Seats) -> None:
    seat = await seats.at(registered.product, registered.ana, phone=True, dark=True)
    page = await seat.open("/settings/mailboxes/")
    for number, button in enumerate(("Add my mailbox", "Add another mailbox of mine")):
        await add_my_mailbox(page, f"ana{number}@northwind.example", button)
        await page.get_by_label("User name").fill(f"ana{number}")
        await page.get_by_label("Password").fill(registered.dovecot.password)
        await fill_servers(page, registered)
        await page.get_by_role("button", name="Connect", exact=True).click()
        await page.get_by_role("button", name="Start fetching").click(timeout=30_000)
        await expect(page.get_by_text("Connected. New mail appears as it arrives.")).to_be_visible(timeout=60_000)
        assert await page.evaluate("document.documentElement.scrollWidth <= innerWidth")
        await page.get_by_role("button", name="Back to the list").click()
    await expect(page.locator(".box-line")).to_have_count(2)
    assert seat.complaints == []
