"""Spam in the interface: marked, found in its folder, taken back; a sender blocked."""

from __future__ import annotations

import pytest
from playwright.async_api import Page, expect

from tests.servers.chromium import Seats
from tests.servers.office import Office

pytestmark = pytest.mark.browser


async def choose(page: Page, subject: str, item: str) -> None:
    """Open the conversation and choose from its menu."""
    await page.locator(".row", has_text=subject).click(timeout=15_000)
    pane = page.get_by_role("article", name=subject)
    await expect(pane).to_be_visible()
    await pane.get_by_role("button", name="More", exact=True).click()
    await page.get_by_role("menuitem", name=item).click()


async def test_spam_is_put_away_found_again_and_taken_back(office: Office, seats: Seats) -> None:
    ana = await seats.at(office.product, office.ana)
    page = await ana.open()
    await office.receive("You have won a tandem", "Click here.", sender="Lucky <lucky@prizes.example>")
    row = page.locator(".row", has_text="You have won a tandem")
    await choose(page, "You have won a tandem", "Mark as spam")
    await expect(row).to_have_count(0)
    await expect(page.get_by_text("Marked as spam")).to_be_visible()
    await page.locator(".rail").get_by_role("link", name="Spam").click()
    await choose(page, "You have won a tandem", "Not spam")
    await expect(row).to_have_count(0)
    await page.locator(".rail").get_by_role("link", name="Support").click()
    await expect(row).to_be_visible()

    # Blocked: this one and the next go the same way, and undoing it lets them in again.
    await choose(page, "You have won a tandem", "Block sender")
    await expect(page.get_by_text("Sender blocked")).to_be_visible()
    await office.receive("You have won again", "Click here.", sender="Lucky <lucky@prizes.example>")
    await page.locator(".rail").get_by_role("link", name="Spam").click()
    await expect(page.locator(".row", has_text="You have won again")).to_be_visible(timeout=15_000)
    await choose(page, "You have won again", "Not spam")
    await expect(page.locator(".row", has_text="You have won again")).to_have_count(0)
    detail = page.get_by_role("article", name="You have won again")
    await page.locator(".rail").get_by_role("link", name="Support").click()
    await page.locator(".row", has_text="You have won again").click()
    await expect(detail.get_by_text("You took back the block of lucky@prizes.example")).to_be_visible()
    assert ana.complaints == []


async def test_who_is_blocked_is_listed_and_let_in_again(office: Office, seats: Seats) -> None:
    ana = await seats.at(office.product, office.ana)
    page = await ana.open("/settings/")
    await page.get_by_role("link", name="Blocked senders").click()
    await expect(page.get_by_text("Nobody is blocked")).to_be_visible()
    address = page.get_by_label("Address")
    await page.get_by_role("combobox", name="Mailbox").select_option("Support")
    await address.fill("support@northwind.example")
    await page.get_by_role("button", name="Block", exact=True).click()
    await expect(page.get_by_role("alert")).to_contain_text("an address of your own organisation")
    await expect(address).to_have_value("support@northwind.example")
    await address.fill("Prizes@Shop.example")
    await page.get_by_role("combobox", name="Mailbox").select_option("Support")
    await page.get_by_role("button", name="Block", exact=True).click()
    line = page.get_by_role("listitem").filter(has_text="prizes@shop.example")
    await expect(line).to_contain_text("Blocked by You")
    await expect(address).to_have_value("")

    # It is the mailbox's: whoever reads it sees it, and may take it back.
    jonas = await seats.at(office.product, office.jonas)
    theirs = await jonas.open("/settings/blocked-senders/")
    await expect(theirs.get_by_role("listitem").filter(has_text="prizes@shop.example")).to_contain_text("Ana Ribeiro")
    await theirs.get_by_role("button", name="Unblock prizes@shop.example").click()
    await expect(theirs.get_by_text("Nobody is blocked")).to_be_visible()
    await page.reload()
    await expect(page.get_by_text("Nobody is blocked")).to_be_visible()
    for seat in (ana, jonas):
        assert seat.complaints == []
