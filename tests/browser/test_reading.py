"""Lists and reading: keyboard, search, stillness, the phone."""

from __future__ import annotations

import pytest
from playwright.async_api import expect

from tests.servers.chromium import Seats
from tests.servers.office import Office

pytestmark = pytest.mark.browser


async def fill(office: Office, word: str, count: int) -> None:
    for number in range(count):
        await office.receive(
            f"{word} {number}", f"Letter {number} about {word}.", sender=f"C{number} <c{number}@x.example>"
        )


async def test_the_keyboard(office: Office, seats: Seats) -> None:
    await fill(office, "Keyboard", 3)
    seat = await seats.at(office.product, office.jonas)
    page = await seat.open()
    await expect(page.locator(".row", has_text="Keyboard 2")).to_be_visible(timeout=20_000)
    await page.keyboard.press("j")
    await expect(page.get_by_role("article", name="Keyboard 2")).to_contain_text("Letter 2")
    await page.keyboard.press("j")
    await expect(page.get_by_role("article", name="Keyboard 1")).to_contain_text("Letter 1")
    await expect(page.locator('.row[aria-current="true"]')).to_contain_text("Keyboard 1")
    await page.keyboard.press("k")
    await page.keyboard.press("e")
    await expect(page.locator(".row", has_text="Keyboard 2")).to_be_hidden()
    await expect(page.get_by_role("article", name="Keyboard 1")).to_be_visible()
    await expect(page.get_by_role("button", name="Undo")).to_be_visible()
    await page.keyboard.press("z")
    await expect(page.locator(".row", has_text="Keyboard 2")).to_be_visible()
    await page.keyboard.press("u")
    await expect(page.get_by_text("No conversation is open")).to_be_visible()
    await page.keyboard.press("?")
    await expect(page.get_by_role("dialog", name="Keyboard shortcuts")).to_be_visible()
    await page.keyboard.press("Escape")
    await page.keyboard.press("g")
    await page.keyboard.press("w")
    await expect(page.get_by_role("heading", name="My work")).to_be_visible()
    assert seat.complaints == []


async def test_search(office: Office, seats: Seats) -> None:
    await office.receive("Carbon saddle", "Does the marzipan saddle fit?", sender="Dana Brook <dana@brook.example>")
    page = await (await seats.at(office.product, office.ana)).open()
    await expect(page.locator(".row", has_text="Carbon saddle")).to_be_visible(timeout=20_000)
    await page.keyboard.press("/")
    await page.keyboard.type("marzipan")
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("heading", name="Search results")).to_be_visible()
    await expect(page.locator(".row")).to_have_count(1)
    await page.locator(".row").click()
    await expect(page.get_by_role("article", name="Carbon saddle")).to_contain_text("marzipan")


async def test_new_mail_does_not_move_what_one_points_at(office: Office, seats: Seats) -> None:
    await fill(office, "Stillness", 14)
    page = await (await seats.at(office.product, office.jonas)).open()
    await expect(page.locator(".row", has_text="Stillness 13")).to_be_visible(timeout=20_000)
    pointed = page.locator(".row", has_text="Stillness 10")
    await pointed.hover()
    before = await pointed.bounding_box()
    await office.receive("A newcomer", "Hello")
    await expect(page.locator(".row", has_text="A newcomer")).to_have_count(1, timeout=20_000)
    assert await pointed.bounding_box() == before


async def test_read_and_unread(office: Office, seats: Seats) -> None:
    await office.receive("Read me", "Please")
    page = await (await seats.at(office.product, office.jonas)).open()
    row = page.locator(".row", has_text="Read me")
    await expect(row).to_have_class("row new", timeout=20_000)
    await row.click()
    await expect(row).to_have_class("row")
    await page.get_by_role("article", name="Read me").get_by_role("button", name="More").click()
    await page.get_by_role("menuitem", name="Mark unread").click()
    await expect(row).to_have_class("row new")
    await expect(page.get_by_text("No conversation is open")).to_be_visible()


async def test_a_phone_shows_one_pane_at_a_time(office: Office, seats: Seats) -> None:
    await office.receive("On the phone", "Small letters")
    seat = await seats.at(office.product, office.jonas, phone=True)
    page = await seat.open()
    row = page.locator(".row", has_text="On the phone")
    await row.tap(timeout=20_000)
    await expect(page.get_by_role("article", name="On the phone")).to_contain_text("Small letters")
    await expect(row).to_be_hidden()
    await page.get_by_role("button", name="Back to the list").locator("visible=true").click()
    await expect(row).to_be_visible()
    await row.tap()
    await expect(row).to_be_hidden()
    await page.go_back()
    await expect(row).to_be_visible()
    wide = await page.evaluate("document.documentElement.scrollWidth")
    assert wide <= 390
    assert seat.complaints == []
