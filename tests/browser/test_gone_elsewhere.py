"""A new mail that stands open in two places is sent or thrown away in one of them."""

from __future__ import annotations

import pytest
from playwright.async_api import Page, expect

from backend.compose.contracts import Draft
from tests.servers.chromium import Seats
from tests.servers.office import Office

pytestmark = pytest.mark.browser

NO_SAVE = """() => {
  const real = window.setTimeout;
  window.setTimeout = (call, after, ...given) => (after >= 300 && after <= 900 ? 0 : real(call, after, ...given));
}"""
"""What is typed from now on waits for a save that does not come."""


async def write(page: Page, subject: str) -> None:
    await expect(page.get_by_role("heading", name="Support")).to_be_visible()
    await page.get_by_role("button", name="Compose").first.click()
    window = page.get_by_role("dialog", name="New mail")
    await window.get_by_label("Subject").fill(subject)
    await window.get_by_label("Text").fill("Saved words.")
    await window.get_by_label("Text").blur()
    await expect(window.get_by_text("Saved", exact=True)).to_be_visible()


async def test_thrown_away_elsewhere_it_closes_and_what_was_not_saved_is_kept(office: Office, seats: Seats) -> None:
    here, there = await seats.at(office.product, office.ana), await seats.at(office.product, office.ana)
    await here.open()
    await write(here.page, "Open in two places")
    await there.open("/drafts/")
    line = there.page.locator(".draft-line", has_text="Open in two places")
    await expect(line).to_be_visible()
    await here.page.evaluate(NO_SAVE)
    await here.page.get_by_role("dialog", name="New mail").get_by_label("Text").press_sequentially("Unsaved words. ")

    await line.get_by_role("button", name="Discard").click()
    await expect(here.page.get_by_role("dialog", name="New mail")).to_have_count(0)
    await expect(here.page.get_by_text("This mail was sent or thrown away elsewhere.")).to_be_visible()
    await here.page.goto(office.product.url + "/drafts/")
    kept = here.page.locator(".draft-line", has_text="Open in two places")
    await expect(kept.get_by_text("Unsaved words.")).to_be_visible()
    await kept.get_by_role("button", name="Discard").click()
    await expect(kept).to_have_count(0)
    assert here.complaints == [] and there.complaints == []


async def test_sent_elsewhere_it_closes_and_nothing_is_kept_twice(office: Office, seats: Seats) -> None:
    here, there = await seats.at(office.product, office.ana), await seats.at(office.product, office.ana)
    await here.open()
    await write(here.page, "Sent from the other place")
    await there.open("/drafts/")
    await there.page.locator(".draft-line", has_text="Sent from the other place").locator(".draft-open").click()
    window = there.page.get_by_role("dialog", name="New mail")
    await window.get_by_role("combobox", name="To", exact=True).fill("mateus@vento.example")
    await there.page.keyboard.press("Enter")
    await window.get_by_role("button", name="Send", exact=True).click()
    await expect(there.page.get_by_text("Sending to mateus@vento.example")).to_be_visible()
    await expect(here.page.get_by_role("dialog", name="New mail")).to_have_count(0)
    await expect(here.page.get_by_text("This mail was sent or thrown away elsewhere.")).to_be_visible()
    drafts = await office.ana.get("/drafts", list[Draft])
    assert [each.subject for each in drafts if each.subject == "Sent from the other place"] == []
    assert here.complaints == [] and there.complaints == []
