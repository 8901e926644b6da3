"""Tags in the interface: made and put on a conversation by one person, seen by the other, changed in the settings."""

from __future__ import annotations

import pytest
from playwright.async_api import expect

from tests.servers.chromium import Seats
from tests.servers.office import Office

pytestmark = pytest.mark.browser


async def test_a_tag_is_made_seen_followed_renamed_and_deleted(office: Office, seats: Seats) -> None:
    await office.receive("The chain is too long")
    ana = await seats.at(office.product, office.ana)
    jonas = await seats.at(office.product, office.jonas)
    for seat in (ana, jonas):
        await seat.open()
    row = ana.page.locator(".row", has_text="The chain is too long")
    await jonas.page.locator(".row", has_text="The chain is too long").click(timeout=15_000)
    pane = jonas.page.get_by_role("article", name="The chain is too long")
    await expect(pane).to_be_visible()
    await jonas.page.keyboard.press("l")
    menu = jonas.page.get_by_role("dialog", name="Tags")
    await menu.get_by_label("Find or make a tag").fill("Drivetrain")
    await menu.get_by_role("menuitem", name="Create Drivetrain").click()
    await expect(pane.get_by_role("link", name="Drivetrain")).to_be_visible()
    await expect(pane.get_by_text("You added the tag Drivetrain")).to_be_visible()
    await expect(row.locator(".label")).to_have_text("Drivetrain")

    # What has it is one click away, and leaves that list when it has it no more.
    await pane.get_by_role("link", name="Drivetrain").click()
    await expect(jonas.page.get_by_role("heading", name="Drivetrain", exact=True)).to_be_visible()
    found = jonas.page.locator(".row", has_text="The chain is too long")
    await expect(found).to_be_visible()

    # An admin gives it another name; everybody sees it at once.
    await ana.page.goto(office.product.url + "/settings/tags/")
    await ana.page.get_by_label("Name of Drivetrain").fill("Chains")
    await ana.page.get_by_role("button", name="Save Drivetrain").click()
    await expect(found.locator(".label")).to_have_text("Chains")
    await found.click()
    await expect(pane).to_be_visible()
    await pane.get_by_role("button", name="Tags").click()
    await menu.get_by_role("menuitemcheckbox", name="Chains", checked=True).click()
    await expect(found).to_have_count(0)

    await ana.page.get_by_label("Delete Chains").click()
    await ana.page.get_by_role("button", name="Delete the tag").click()
    await expect(ana.page.get_by_text("Tag deleted")).to_be_visible()
    await expect(ana.page.get_by_label("Name of Chains")).to_have_count(0)
    assert ana.complaints == [] and jonas.complaints == []
