"""Saved links: kept by admins in the settings, put into a mail by a button or a slash."""

from __future__ import annotations

import pytest
from playwright.async_api import expect

from backend.links.contracts import SavedLink
from tests.browser.test_accessibility import faults
from tests.servers.chromium import Seats
from tests.servers.office import Office

pytestmark = pytest.mark.browser


async def test_a_link_is_saved_asked_about_and_put_into_a_mail(office: Office, seats: Seats) -> None:
    seat = await seats.at(office.product, office.ana)
    page = seat.page
    await page.goto(office.product.url + "/settings/links/")
    await page.get_by_role("button", name="New link").click(timeout=20_000)
    await page.get_by_label("Name", exact=True).fill("Okapi room")
    await page.get_by_label("Kind").select_option("Deal room")
    await page.get_by_label("Address").fill("javascript:alert(1)")
    await page.get_by_role("button", name="Save", exact=True).click()
    await expect(page.get_by_role("alert")).to_contain_text("This is no address of the web.")
    await page.get_by_label("Address").fill("https://room.example/{{ contact.company }}")
    await page.get_by_role("button", name="Save", exact=True).click()
    line = page.locator(".lines li", has_text="Okapi room")
    await expect(line.get_by_text("Deal room · never used")).to_be_visible()

    await page.goto(office.product.url + "/drafts/")
    await page.get_by_role("button", name="Compose").click()
    window = page.get_by_role("dialog", name="New mail")
    await window.get_by_role("combobox", name="To", exact=True).fill("Otto <otto@customer.example>")
    await page.keyboard.press("Enter")
    text = window.locator(".ProseMirror")
    await expect(text).to_be_visible()
    await window.get_by_role("button", name="Saved link").click()
    menu = page.get_by_role("dialog", name="Saved links")
    await menu.get_by_role("button", name="Okapi room").click()
    await expect(menu.get_by_text("needs one thing more")).to_be_visible()
    assert await faults(page, "the links in the composer") == []
    await menu.get_by_label("contact company").fill("Otto & Co")
    await page.keyboard.press("Enter")
    await expect(menu).to_have_count(0)
    await expect(text.locator("a")).to_have_attribute("href", "https://room.example/Otto%20%26%20Co")
    await page.keyboard.type(" is open.")
    await expect(text.locator("a")).to_have_text("Okapi room")
    await expect(text).to_have_text("Okapi room is open.")

    # The slash finds links, too; with nothing typed they stand below the templates.
    await page.keyboard.type(" /okapi")
    option = page.get_by_role("listbox", name="Templates and snippets, links").get_by_role("option", name="Okapi room")
    await expect(option).to_be_visible()
    await option.click()
    await menu.get_by_label("contact company").fill("Otto")
    await menu.get_by_role("button", name="Insert").click()
    await expect(text.locator("a").last).to_have_attribute("href", "https://room.example/Otto")
    await expect(text).to_be_focused()
    await window.get_by_role("button", name="Discard the draft").click()
    [link] = [each for each in await office.ana.get("/links", list[SavedLink]) if each.name == "Okapi room"]
    assert link.uses == 2
    await office.ana.delete(f"/links/{link.id}")
    assert seat.complaints == []
