"""Acting in the list: on the row under the pointer, and on many conversations at once."""

from __future__ import annotations

import asyncio
import re

import pytest
from playwright.async_api import Locator, Page, expect

from tests.servers.chromium import Seats
from tests.servers.office import Office

pytestmark = pytest.mark.browser


def row(page: Page, subject: str) -> Locator:
    return page.locator(".row-box", has_text=subject)


async def test_many_are_chosen_and_done_restored_and_taken_back(office: Office, seats: Seats) -> None:
    subjects = [f"Order of bells {number}" for number in range(1, 5)]
    for subject in subjects:
        await office.receive(subject)
    ana = await seats.at(office.product, office.ana)
    jonas = await seats.at(office.product, office.jonas)
    page, his = await ana.open(), await jonas.open()
    for each in (page, his):
        for subject in subjects:
            await expect(row(each, subject)).to_be_visible(timeout=15_000)

    # Two by the boxes, with everything between them by Shift; one is taken away again by its key.
    newest = [await row(page, "Order of bells").nth(n).locator(".sub").inner_text() for n in range(4)]
    await row(page, newest[0]).hover()
    await row(page, newest[0]).get_by_role("checkbox").check()
    await row(page, newest[3]).locator(".row").click(modifiers=["Shift"])
    bar = page.get_by_role("toolbar", name="Conversations chosen")
    await expect(bar.get_by_role("status")).to_have_text("4 chosen")
    await row(page, newest[3]).locator(".row").focus()
    await page.keyboard.press("x")
    await expect(bar.get_by_role("status")).to_have_text("3 chosen")

    # Assigned together, by the menu that the bar opens; the others see it.
    await page.keyboard.press("i")
    await page.get_by_role("menuitem", name="Jonas Dahl").click()
    await expect(bar).to_be_hidden()
    for subject in newest[:3]:
        await expect(row(his, subject).get_by_title("Jonas Dahl")).to_be_visible()
    await expect(row(his, newest[3]).get_by_title("Jonas Dahl")).to_have_count(0)

    # All of the list, done; taken back by Undo.
    await page.keyboard.press("Shift+X")
    await expect(bar.get_by_role("status")).to_have_text(re.compile(r"^\d+ chosen$"))
    await page.keyboard.press("Escape")
    await expect(bar).to_be_hidden()
    for subject in newest[:2]:
        await row(page, subject).hover()
        await row(page, subject).get_by_role("checkbox").check()
    await page.keyboard.press("e")
    for subject in newest[:2]:
        await expect(row(page, subject)).to_be_hidden()
        await expect(row(his, subject)).to_have_count(0)
    await expect(page.get_by_text("2 conversations marked done")).to_be_visible()
    await page.keyboard.press("z")
    for each in (page, his):
        for subject in newest[:2]:
            await expect(row(each, subject)).to_be_visible()

    # To the Trash, and from there back to Open.
    for subject in newest[:2]:
        await row(page, subject).hover()
        await row(page, subject).get_by_role("checkbox").check()
    await bar.get_by_role("button", name="Move those chosen to Trash").click()
    for subject in newest[:2]:
        await expect(row(his, subject)).to_have_count(0)
    await page.locator(".rail").get_by_role("link", name="Trash").click()
    for subject in newest[:2]:
        await row(page, subject).hover()
        await row(page, subject).get_by_role("checkbox").check()
    await bar.get_by_role("button", name="Move those chosen to Open").click()
    for subject in newest[:2]:
        await expect(row(page, subject)).to_have_count(0)
        await expect(row(his, subject)).to_be_visible()
    assert ana.complaints == [] and jonas.complaints == []


async def test_a_row_is_acted_on_without_opening_it(office: Office, seats: Seats) -> None:
    for subject in ("A saddle to take", "A saddle to finish", "A saddle to remember"):
        await office.receive(subject)
    ana = await seats.at(office.product, office.ana)
    page = await ana.open()
    taken, finished, remembered = (row(page, f"A saddle to {word}") for word in ("take", "finish", "remember"))
    await taken.hover(timeout=15_000)
    await taken.get_by_role("button", name="Assign to me").click()
    await expect(taken.get_by_title("Ana Ribeiro")).to_have_count(1)
    await remembered.hover()
    await remembered.get_by_role("button", name="Remind me").click()
    await page.get_by_role("menuitem", name="Tomorrow").click()
    await expect(remembered.locator(".remind")).to_have_count(1)
    await remembered.hover()
    await remembered.get_by_role("button", name="Move to Trash").click()
    await expect(remembered).to_be_hidden()
    await finished.hover()
    await finished.get_by_role("button", name="Done").click()
    await expect(finished).to_be_hidden()
    await expect(page.get_by_text("No conversation is open")).to_be_visible()

    # From the keyboard: the buttons of a row follow its link.
    await page.get_by_role("link", name="Done", exact=True).click()
    await expect(finished).to_be_visible()
    await finished.locator(".row").focus()
    for key in ("Shift+Tab", "Tab", "Tab", "Tab", "Tab"):  # the browser shows the focus from the first key on
        await page.keyboard.press(key)
    await expect(finished.get_by_role("button", name="Move to Open")).to_be_focused()
    await page.keyboard.press("Enter")
    await expect(finished).to_have_count(0)

    # In a conversation, a key takes it.
    await page.locator(".rail").get_by_role("link", name="Support").click()
    await finished.locator(".row").click()
    pane = page.get_by_role("article", name="A saddle to finish")
    await expect(pane).to_be_visible()
    await page.keyboard.press("Shift+I")
    await expect(pane.get_by_role("button", name="Assigned to Ana Ribeiro")).to_be_visible()
    assert ana.complaints == []


async def test_what_is_in_the_trash_is_deleted_for_good(office: Office, seats: Seats) -> None:
    subjects = [f"Pump to forget {number}" for number in range(1, 5)]
    for subject in subjects:
        await office.receive(subject)
    ana = await seats.at(office.product, office.ana)
    jonas = await seats.at(office.product, office.jonas)
    page, his = await ana.open(), await jonas.open()
    for subject in subjects:
        await row(page, subject).hover(timeout=15_000)
        await row(page, subject).get_by_role("button", name="Move to Trash").click()
    for each in (page, his):
        await each.locator(".rail").get_by_role("link", name="Trash").click()
        for subject in subjects:
            await expect(row(each, subject)).to_be_visible()
    # A member who is no admin is not offered it.
    await row(his, subjects[0]).locator(".row").click()
    await his.get_by_role("article", name=subjects[0]).get_by_role("button", name="More", exact=True).click()
    await expect(his.get_by_role("menuitem", name="Mark unread")).to_be_visible()
    await expect(his.get_by_role("menuitem", name="Delete for good")).to_have_count(0)
    await expect(his.get_by_role("button", name="Empty Trash")).to_have_count(0)
    await his.keyboard.press("Escape")

    # One, after a question; it goes from under the eyes of who reads it.
    await row(page, subjects[0]).locator(".row").click()
    await page.get_by_role("article", name=subjects[0]).get_by_role("button", name="More", exact=True).click()
    await page.get_by_role("menuitem", name="Delete for good").click()
    dialog = page.get_by_role("dialog", name="Delete for good")
    await expect(dialog.get_by_role("heading")).to_have_text("Delete this conversation for good?")
    await dialog.get_by_role("button", name="Cancel").click()
    await expect(row(page, subjects[0])).to_be_visible()
    await page.get_by_role("article", name=subjects[0]).get_by_role("button", name="More", exact=True).click()
    await page.get_by_role("menuitem", name="Delete for good").click()
    await dialog.get_by_role("button", name="Delete for good").click()
    for each in (page, his):
        await expect(row(each, subjects[0])).to_have_count(0)
        await expect(each.get_by_role("article", name=subjects[0])).to_have_count(0)

    # Many, then the rest of the Trash; on the mail server, too.
    for subject in subjects[1:3]:
        await row(page, subject).hover()
        await row(page, subject).get_by_role("checkbox").check()
    await page.get_by_role("button", name="Delete those chosen for good").click()
    await expect(dialog.get_by_role("heading")).to_have_text("Delete 2 conversations for good?")
    await dialog.get_by_role("button", name="Delete for good").click()
    await expect(page.get_by_text("2 conversations deleted for good")).to_be_visible()
    await expect(row(his, subjects[1])).to_have_count(0)
    await page.get_by_role("button", name="Empty Trash").click()
    await dialog.get_by_role("button", name="Delete for good").click()
    for each in (page, his):
        await expect(each.get_by_text("Trash is empty")).to_be_visible()
    for _ in range(300):
        if not await office.dovecot.messages("support", "Trash"):
            break
        await asyncio.sleep(0.1)
    for folder in ("INBOX", "Trash"):
        assert not [raw for raw in (await office.dovecot.messages("support", folder)).values() if b"to forget" in raw]
    assert ana.complaints == [] and jonas.complaints == []


async def test_a_row_is_marked_unread_and_read_where_it_stands(office: Office, seats: Seats) -> None:
    await office.receive("Read at the row")
    seat = await seats.at(office.product, office.ana)
    page = await seat.open()
    one = row(page, "Read at the row")
    await one.hover(timeout=15_000)
    await one.get_by_role("button", name="Mark read").click()
    await expect(one.get_by_text("Unread", exact=True)).to_have_count(0)
    await one.get_by_role("button", name="Mark unread").click()
    await expect(one.get_by_text("Unread", exact=True)).to_have_count(1)
    await expect(one.locator(".meta")).to_be_visible()  # who has it stays in sight
    assert seat.complaints == []
