"""Reminders in the interface: set from the menu, on top of the list, told when they are due; snoozing hides."""

from __future__ import annotations

import pytest
from playwright.async_api import expect

from tests.servers.chromium import Seats
from tests.servers.office import Office

pytestmark = pytest.mark.browser

MAKE_DUE = "UPDATE read_marks SET remind_at = now() - interval '1 second' WHERE remind_at IS NOT NULL"


async def test_a_reminder_is_set_stands_on_top_falls_due_and_is_cleared(office: Office, seats: Seats) -> None:
    for subject in ("Wheel to be trued", "Bell to be ordered"):
        await office.receive(subject)
    ana = await seats.at(office.product, office.ana)
    page = await ana.open()
    rows = page.locator(".row")
    await expect(rows.first).to_contain_text("Bell to be ordered", timeout=15_000)
    wheel, bell = (
        page.locator(".row", has_text="Wheel to be trued"),
        page.locator(".row", has_text="Bell to be ordered"),
    )
    await wheel.click()
    pane = page.get_by_role("article", name="Wheel to be trued")
    await expect(pane).to_be_visible()
    await page.keyboard.press("h")
    menu = page.get_by_role("dialog", name="Remind me")
    await expect(menu).to_be_visible()
    await expect(menu.get_by_role("menuitem", name="Clear the reminder")).to_be_hidden()
    await menu.get_by_role("menuitem", name="Tomorrow").click()
    await expect(page.get_by_text("Reminder set")).to_be_visible()
    await expect(rows.first).to_contain_text("Wheel to be trued")
    await expect(wheel.locator(".remind")).to_be_visible()

    await office.product.execute(MAKE_DUE)
    await expect(wheel.locator(".remind")).to_have_text("Due")
    await expect(pane.get_by_role("button", name="Change the reminder")).to_have_text("Due")
    await page.get_by_role("button", name="Notifications").first.click()
    await expect(page.locator(".notice").first).to_contain_text("Your reminder is due")
    await page.keyboard.press("Escape")

    await pane.get_by_role("button", name="Change the reminder").click()
    await menu.get_by_role("menuitem", name="Clear the reminder").click()
    await expect(wheel.locator(".remind")).to_have_count(0)
    await expect(rows.first).to_contain_text("Bell to be ordered")
    await expect(bell).to_be_visible()
    assert ana.complaints == []


async def test_what_is_snoozed_waits_among_the_reminders(office: Office, seats: Seats) -> None:
    await office.receive("Catalogue for next year")
    ana = await seats.at(office.product, office.ana)
    page = await ana.open()
    row = page.locator(".row", has_text="Catalogue for next year")
    await row.click(timeout=15_000)
    pane = page.get_by_role("article", name="Catalogue for next year")
    await pane.get_by_role("button", name="Remind me").click()
    menu = page.get_by_role("dialog", name="Remind me")
    await menu.get_by_label("Day and time").fill("2020-01-01T09:00")
    await menu.get_by_role("button", name="Set").click()
    await expect(menu.get_by_role("alert")).to_have_text("That moment is past.")
    await menu.get_by_label("Hide it from me until then").check()
    await menu.get_by_role("menuitem", name="Next Monday").click()
    await expect(page.get_by_text("Hidden until then")).to_be_visible()
    await expect(row).to_have_count(0)
    await page.locator(".rail").get_by_role("link", name="Reminders").click()
    await expect(row).to_be_visible()

    # Its sender writes again: it is back at once.
    await page.locator(".rail").get_by_role("link", name="Support").click()
    await office.receive("Re: Catalogue for next year", text="Is there news?")
    await expect(page.locator(".row", has_text="Is there news?")).to_be_visible(timeout=15_000)
    await expect(page.locator(".row", has_text="Catalogue for next year")).to_have_count(1)
    assert ana.complaints == []
