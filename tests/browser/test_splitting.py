"""A mail gets a conversation of its own, in browsers."""

from __future__ import annotations

import pytest
from playwright.async_api import expect

from tests.servers.chromium import Seats
from tests.servers.office import Office

pytestmark = pytest.mark.browser


async def test_a_mail_is_split_off_for_everybody_and_taken_back(office: Office, seats: Seats) -> None:
    for number in range(1, 4):
        await office.receive(
            "Order of pedals" if number == 1 else "Re: Order of pedals", text=f"Pedals, part {number}."
        )
    ana = await seats.at(office.product, office.ana)
    jonas = await seats.at(office.product, office.jonas)
    page, his = await ana.open(), await jonas.open()
    for each in (page, his):
        await each.locator(".row", has_text="Order of pedals").click(timeout=15_000)
        pane = each.get_by_role("article", name="Order of pedals")
        await expect(pane.locator("[data-message]")).to_have_count(3)

    whole = page.get_by_role("article", name="Order of pedals")
    last = whole.locator("section[data-message]", has_text="Pedals, part 3.")
    await last.hover()
    await last.get_by_role("button", name="Split this mail off").click()
    asked = page.get_by_role("dialog", name="Split off")
    await expect(asked.get_by_role("radio")).to_have_count(0)  # nothing came after it
    await asked.get_by_role("textbox", name="Subject of the new conversation").fill("Pedals for the shop")
    await asked.get_by_role("button", name="Split", exact=True).click()
    await expect(page.get_by_role("article", name="Pedals for the shop")).to_contain_text("Pedals, part 3.")
    await expect(his.locator(".row", has_text="Pedals for the shop")).to_be_visible()
    theirs = his.get_by_role("article", name="Order of pedals")
    await expect(theirs.locator("[data-message]")).to_have_count(2)
    await expect(theirs).to_contain_text("Ana split a mail off into a conversation of its own")

    await expect(page.get_by_role("button", name="Undo")).to_be_visible()
    await page.keyboard.press("z")
    for each in (page, his):
        await expect(each.locator(".row", has_text="Pedals for the shop")).to_have_count(0)
        pane = each.get_by_role("article", name="Order of pedals")
        await expect(pane.locator("[data-message]")).to_have_count(3)
    assert ana.complaints == [] and jonas.complaints == []
