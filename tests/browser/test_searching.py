"""Searching as people do: completions by keyboard, marked words, what is told, the order, saved searches."""

from __future__ import annotations

import asyncio
import re

import pytest
from playwright.async_api import Page, expect

from backend.search.contracts import FoundPage
from backend.views.contracts import SavedView
from tests.servers.chromium import Seats
from tests.servers.office import Office

pytestmark = pytest.mark.browser


async def in_box(page: Page, text: str) -> None:
    """Type it as a person does, and look for it."""
    box = page.get_by_role("combobox", name="Search conversations")
    await box.fill(text)
    await box.press("Enter")


async def stored(office: Office, subject: str) -> None:
    """Wait until the mail has come in, whoever shows it."""
    for _ in range(300):
        if (await office.ana.get("/search", FoundPage, q=f'"{subject}"')).items:
            return
        await asyncio.sleep(0.1)
    raise AssertionError(f"“{subject}” has not come in")


async def test_a_search_is_completed_marked_sorted_and_saved(office: Office, seats: Seats) -> None:
    await office.receive("Quagga saddle", "The tapir saddle creaks.", sender="Wim Bakker <wim@quagga.example>")
    await office.receive("Other mail", "A saddle for a tapir, says the okapi.", sender="Ina Holt <ina@okapi.example>")
    ana = await seats.at(office.product, office.ana)
    page = await ana.open()
    quagga, other = (page.locator(".row", has_text=text) for text in ("Quagga saddle", "Other mail"))
    await expect(quagga).to_be_visible(timeout=20_000)
    await expect(other).to_be_visible(timeout=20_000)

    # By keyboard: the operator, then its value; nothing is chosen before an arrow was pressed.
    await page.keyboard.press("/")
    box = page.get_by_role("combobox", name="Search conversations")
    await expect(page.get_by_role("option").first).to_contain_text("from:")
    await page.keyboard.type("tapir fr")
    await expect(page.get_by_role("option")).to_have_text([re.compile("from:")])
    await page.keyboard.press("ArrowDown")
    await expect(page.get_by_role("option", selected=True)).to_be_visible()
    await page.keyboard.press("Enter")
    await expect(box).to_have_value("tapir from:")
    await page.keyboard.type("bakker")
    await expect(page.get_by_role("option")).to_have_text([re.compile("wim@quagga.example")])
    await page.keyboard.press("ArrowDown")
    await expect(page.get_by_role("option", selected=True)).to_contain_text("wim@quagga.example")
    await page.keyboard.press("Tab")
    await expect(box).to_have_value("tapir from:wim@quagga.example ")
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("heading", name="Search results")).to_be_visible()
    await expect(other).to_have_count(0)
    await expect(quagga.locator(".snip mark")).to_have_text("tapir")

    # What cannot be read is told; a slip of the finger is forgiven.
    await in_box(page, "okapi before:soon")
    await expect(page.get_by_text("“soon” is no day.")).to_be_visible()
    await expect(other).to_be_visible()

    # The order is chosen, and stands in the address.
    await in_box(page, "saddle tapir")
    await expect(page.locator(".row").first).to_contain_text("Other mail")
    await page.get_by_role("button", name="Most relevant").click()
    await expect(page.locator(".row").first).to_contain_text("Quagga saddle")
    await expect(page).to_have_url(re.compile("sort"))

    # Saved, it stands in the rail and finds the same.
    await page.locator("summary", has_text="Save as view").click()
    await page.get_by_label("Name of the view").fill("Tapirs")
    await page.get_by_role("button", name="Save as view").click()
    await expect(page.get_by_role("heading", name="Tapirs")).to_be_visible()
    await expect(page.locator(".row")).to_have_count(2)
    [saved] = [each for each in await office.ana.get("/views", list[SavedView]) if each.name == "Tapirs"]
    await office.ana.delete(f"/views/{saved.id}")


async def test_nothing_of_what_one_may_not_see_is_offered_or_found(office: Office, seats: Seats) -> None:
    await office.receive("Wombat invoice", "The wombat pays.", sender="Rosa Wombat <rosa@wombat.example>")
    await stored(office, "Wombat invoice")
    mallory = await seats.at(office.product, office.mallory)
    page = await mallory.open()
    box = page.get_by_role("combobox", name="Search conversations")
    await box.fill("from:jonas@")
    await expect(page.get_by_role("option")).to_have_count(1)
    await box.fill("from:rosa@wom")
    await expect(page.get_by_role("option")).to_have_count(0)
    await in_box(page, "wombat")
    await expect(page.get_by_text("Nothing found", exact=True)).to_be_visible()
    await in_box(page, "in:support wombat")
    await expect(page.get_by_text("You have no mailbox and no folder “support”.")).to_be_visible()
