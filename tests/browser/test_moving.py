"""Conversations move from mailbox to mailbox, in browsers."""

from __future__ import annotations

import pytest
from playwright.async_api import Locator, Page, expect

from backend.mailboxes.contracts import CreateMailbox, MailboxSettings
from tests.servers.chromium import Seats
from tests.servers.office import Office

pytestmark = pytest.mark.browser


def row(page: Page, subject: str) -> Locator:
    return page.locator(".row-box", has_text=subject)


async def test_one_and_many_move_and_come_back(office: Office, seats: Seats) -> None:
    subjects = [f"Cargo bikes for a school {number}" for number in range(1, 4)]
    for subject in subjects:
        await office.receive(subject)
    name = "Workshop"
    body = CreateMailbox(kind="group", name=name, address="workshop@northwind.example", member_ids=[office.ana.user_id])
    workshop = await office.ana.post("/mailboxes", body, MailboxSettings)
    ana = await seats.at(office.product, office.ana)
    jonas = await seats.at(office.product, office.jonas)
    page, his = await ana.open(), await jonas.open()
    for each in (page, his):
        for subject in subjects:
            await expect(row(each, subject)).to_be_visible(timeout=15_000)
    await row(his, subjects[0]).click()
    await expect(his.get_by_role("article", name=subjects[0])).to_be_visible()

    # One, by its key: it leaves Support for everybody there, also where it is open.
    await row(page, subjects[0]).click()
    await page.keyboard.press("v")
    menu = page.get_by_role("dialog", name="Move to mailbox")
    await expect(menu.get_by_role("menuitem", name="Support")).to_be_hidden()
    await menu.get_by_role("textbox", name="Find a mailbox").fill("work")
    await page.keyboard.press("Enter")
    await expect(page.get_by_text(f"Moved to {name}")).to_be_visible()
    for each in (page, his):
        await expect(row(each, subjects[0])).to_have_count(0)
    await expect(his.get_by_role("article", name=subjects[0])).to_have_count(0)
    await page.locator(".rail").get_by_role("link", name=name).click()
    await row(page, subjects[0]).click()
    pane = page.get_by_role("article", name=subjects[0])
    await expect(pane).to_contain_text(f"You moved this from Support to {name}")

    # Those chosen, by the menu of the bar; Undo brings them back.
    await page.locator(".rail").get_by_role("link", name="Support").click()
    for subject in subjects[1:]:
        await row(page, subject).hover()
        await row(page, subject).get_by_role("checkbox").check()
    await page.get_by_role("button", name="More for those chosen").click()
    await page.get_by_role("menuitem", name="Move to mailbox").click()
    await menu.get_by_role("menuitem", name=name).click()
    await expect(page.get_by_text(f"2 conversations moved to {name}")).to_be_visible()
    for subject in subjects[1:]:
        await expect(row(his, subject)).to_have_count(0)
    await page.keyboard.press("z")
    for each in (page, his):
        for subject in subjects[1:]:
            await expect(row(each, subject)).to_be_visible()
    await office.ana.delete(f"/mailboxes/{workshop.id}", name=name)
    assert ana.complaints == [] and jonas.complaints == []
