"""Conversations become one, and two again, in browsers."""

from __future__ import annotations

import pytest
from playwright.async_api import Locator, Page, expect

from tests.servers.chromium import Seats
from tests.servers.office import Office

pytestmark = pytest.mark.browser


def row(page: Page, subject: str) -> Locator:
    return page.locator(".row-box", has_text=subject)


async def test_those_chosen_are_merged_for_everybody_and_taken_back(office: Office, seats: Seats) -> None:
    subjects = [f"Spokes wanted {number}" for number in range(1, 4)]
    for subject in subjects:
        await office.receive(subject, text="Twelve of them, please.")
    ana = await seats.at(office.product, office.ana)
    jonas = await seats.at(office.product, office.jonas)
    page, his = await ana.open(), await jonas.open()
    for each in (page, his):
        for subject in subjects:
            await expect(row(each, subject)).to_be_visible(timeout=15_000)
    # Jonas reads one that will be taken in: he is led to where its mail is then.
    await row(his, subjects[2]).click()
    await expect(his.get_by_role("article", name=subjects[2])).to_be_visible()

    for subject in subjects:
        await row(page, subject).hover()
        await row(page, subject).get_by_role("checkbox").check()
    await page.keyboard.press("Shift+M")
    await expect(page.get_by_text(f"3 conversations merged into “{subjects[0]}”")).to_be_visible()
    for each in (page, his):
        await expect(row(each, subjects[0])).to_be_visible()
        for subject in subjects[1:]:
            await expect(row(each, subject)).to_have_count(0)
    whole = his.get_by_role("article", name=subjects[0])
    await expect(whole).to_be_visible()
    await expect(whole.locator("[data-message]")).to_have_count(3)
    await expect(whole).to_contain_text("Ana merged 2 other conversations into this one")

    await page.keyboard.press("z")
    for each in (page, his):
        for subject in subjects:
            await expect(row(each, subject)).to_be_visible()
    await expect(whole.locator("[data-message]")).to_have_count(1)
    assert ana.complaints == [] and jonas.complaints == []


async def test_one_is_merged_by_its_menu_and_parted_by_its_trail(office: Office, seats: Seats) -> None:
    for subject in ("Wheel trued", "Wheel trued again"):
        await office.receive(subject, sender="Wim Wheel <wim@wheels.example>")
    ana = await seats.at(office.product, office.ana)
    page = await ana.open()
    await page.locator(".row", has_text="Wheel trued again").click(timeout=15_000)
    younger = page.get_by_role("article", name="Wheel trued again")
    await younger.get_by_role("button", name="More").click()
    await page.get_by_role("menuitem", name="Merge with").click()
    menu = page.get_by_role("dialog", name="Merge with")
    # What the same person wrote is offered first; words find it, too.
    await expect(menu.get_by_role("menuitem").first).to_contain_text("Wheel trued")
    await menu.get_by_role("textbox", name="Find a conversation").fill("trued")
    await expect(menu.get_by_role("menuitem")).to_have_count(1)
    await page.keyboard.press("Enter")
    older = page.get_by_role("article", name="Wheel trued", exact=True)
    await expect(older.locator("[data-message]")).to_have_count(2)
    await expect(page.locator(".row", has_text="Wheel trued")).to_have_count(1)

    await older.get_by_role("button", name="Take it back").click()
    await expect(page.locator(".row", has_text="Wheel trued")).to_have_count(2)
    await expect(older.locator("[data-message]")).to_have_count(1)
    await expect(older).to_contain_text("You took a merge back")
    assert ana.complaints == []
