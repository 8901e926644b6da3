"""The command palette: everything by its name, from the keyboard and on a phone; and only what one sees."""

from __future__ import annotations

import re

import pytest
from playwright.async_api import Locator, Page, expect

from backend.conversations.contracts import SetVisibility
from backend.search.contracts import FoundPage
from tests.browser.test_accessibility import faults
from tests.servers.chromium import Seats
from tests.servers.office import Office

pytestmark = pytest.mark.browser


def field(page: Page) -> Locator:
    return page.get_by_role("combobox", name="Conversations, people, mailboxes and commands")


def option(page: Page, words: str) -> Locator:
    return page.get_by_role("option", name=words)


async def open_palette(page: Page) -> None:
    """The key means something once the page lives."""
    await page.wait_for_function("window.tandem?.palette !== undefined")
    await page.keyboard.press("Control+k")
    await expect(field(page)).to_be_focused(timeout=20_000)


async def test_everything_by_its_name(office: Office, seats: Seats) -> None:
    for subject in ("Crocodile clamp", "Walrus bell"):
        await office.receive(subject, f"About the {subject}.", sender="Ottoline Pettibone <otto@pettibone.example>")
    seat = await seats.at(office.product, office.jonas)
    page = await seat.open()
    row = page.locator(".row", has_text="Walrus bell")
    await expect(row).to_be_visible(timeout=20_000)
    await row.focus()

    await open_palette(page)
    await expect(option(page, "Reply")).to_have_count(0)  # no conversation is open
    await page.keyboard.type("pettib clamp")  # parts of words, of the subject and of who wrote
    await expect(option(page, "Crocodile clamp")).to_have_attribute("aria-selected", "true", timeout=20_000)
    active = await field(page).get_attribute("aria-activedescendant")
    assert await option(page, "Crocodile clamp").get_attribute("id") == active
    await page.keyboard.press("ArrowDown")
    await expect(option(page, "Crocodile clamp")).to_have_attribute("aria-selected", "false")
    await page.keyboard.press("Escape")
    await expect(row).to_be_focused()

    await open_palette(page)
    await page.keyboard.type("crocodile")
    await expect(option(page, "Crocodile clamp")).to_have_attribute("aria-selected", "true")
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("article", name="Crocodile clamp")).to_contain_text("About the Crocodile clamp.")

    # Commands act on what is open, and say their keys.
    await open_palette(page)
    await page.keyboard.type("archive")
    await expect(option(page, "Done Crocodile clamp E")).to_have_attribute("aria-selected", "true")
    await page.keyboard.press("Enter")
    await expect(page.locator(".row", has_text="Crocodile clamp")).to_have_count(0)

    # What was opened last comes first; a page, a list, a search.
    await open_palette(page)
    recent = page.get_by_role("group", name="Recent").get_by_role("option")
    await expect(recent.filter(has_text="Crocodile clamp")).to_be_visible()
    await page.keyboard.type("my work")
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("heading", name="My work")).to_be_visible()
    await open_palette(page)
    await page.keyboard.type("ottoline")
    await page.get_by_role("group", name="People").get_by_role("option").first.click()
    await expect(page.get_by_label("Name", exact=True)).to_have_value("Ottoline Pettibone")
    await open_palette(page)
    await page.keyboard.type("Walrus")
    await page.keyboard.press("ArrowUp")
    await expect(option(page, "Search all mail for “Walrus”")).to_have_attribute("aria-selected", "true")
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("heading", name="Search results")).to_be_visible()
    await expect(page.locator(".row", has_text="Walrus bell")).to_be_visible()
    assert seat.complaints == []


async def test_it_knows_what_came_and_forgets_what_went(office: Office, seats: Seats) -> None:
    page = await (await seats.at(office.product, office.jonas)).open()
    await expect(page.get_by_role("button", name="Compose")).to_be_visible(timeout=20_000)
    await open_palette(page)
    await page.keyboard.type("jonas@northwind")  # the index has come
    await expect(option(page, "Jonas Dahl")).to_be_visible(timeout=20_000)
    await page.keyboard.press("Escape")
    await office.receive("Narwhal tusk rack", "New.")
    await expect(page.locator(".row", has_text="Narwhal tusk rack")).to_be_visible(timeout=20_000)
    await open_palette(page)
    await page.keyboard.type("narwhal")
    await expect(option(page, "Narwhal tusk rack")).to_be_visible()
    await page.keyboard.press("Escape")

    found = await office.ana.get("/search", FoundPage, q="Narwhal")
    path = f"/conversations/{found.items[0].row.id}"
    await office.ana.put(f"{path}/assignee", {"user_id": office.ana.user_id})
    await office.ana.put(f"{path}/visibility", SetVisibility(visibility="confidential"))
    await expect(page.locator(".row", has_text="Narwhal tusk rack")).to_have_count(0, timeout=20_000)
    await open_palette(page)
    await page.keyboard.type("narwhal")
    await expect(option(page, "Search all mail for “narwhal”")).to_be_visible()
    await expect(option(page, "Narwhal tusk rack")).to_have_count(0)


async def test_on_a_phone_and_for_everybody(office: Office, seats: Seats) -> None:
    await office.receive("Pelican pannier", "Where is it?")
    page = await (await seats.at(office.product, office.ana, phone=True)).open()
    await expect(page.locator(".row", has_text="Pelican pannier")).to_be_visible(timeout=20_000)
    await page.wait_for_function("window.tandem?.palette !== undefined")
    await page.get_by_role("button", name="More", exact=True).tap()
    await page.get_by_role("menuitem", name="Search or jump to").tap()
    await field(page).fill("pelican")
    await expect(option(page, "Pelican pannier")).to_be_visible(timeout=20_000)
    assert await faults(page, "the palette") == []
    await page.set_viewport_size({"width": 390, "height": 844})
    await option(page, "Pelican pannier").tap()
    await expect(page.get_by_role("article", name="Pelican pannier")).to_contain_text("Where is it?")
    await expect(page).to_have_url(re.compile(r"conversation=\d+"))
