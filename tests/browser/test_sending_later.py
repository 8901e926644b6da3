"""A mail that is to leave later, and a reminder for the case that nobody answers, in the interface."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from playwright.async_api import expect

from tests.servers.chromium import Seats
from tests.servers.office import Office

pytestmark = pytest.mark.browser


async def test_a_reply_is_scheduled_waits_in_sight_and_is_sent_now_after_all(office: Office, seats: Seats) -> None:
    await office.receive("When do you open?")
    ana = await seats.at(office.product, office.ana)
    jonas = await seats.at(office.product, office.jonas)
    for seat in (ana, jonas):
        await seat.open()
        await seat.page.locator(".row", has_text="When do you open?").click(timeout=15_000)
    await ana.page.get_by_role("button", name="Reply", exact=True).click()
    await ana.page.get_by_role("article", name="When do you open?").get_by_label("Text").fill("At nine.")
    await ana.page.get_by_role("button", name="More ways to send").click()
    box = ana.page.get_by_role("dialog", name="More ways to send")
    await box.get_by_role("button", name="Schedule").click()
    await expect(box.get_by_text("Choose a day and a time.")).to_be_visible()
    await box.get_by_role("button", name="Tomorrow").click()
    await expect(ana.page.get_by_text("It leaves")).to_be_visible()
    waiting = jonas.page.get_by_role("region", name="Scheduled")
    await expect(waiting.get_by_text("leaves")).to_be_visible()

    await jonas.page.goto(office.product.url + "/outbox/")
    line = jonas.page.locator(".mail-line", has_text="When do you open?")
    await expect(line.get_by_text("leaves")).to_be_visible()
    before = await line.locator(".when-line").inner_text()
    await line.get_by_text("Another time").click()
    await line.get_by_label("Day and time to send").fill(f"{datetime.now() + timedelta(days=40):%Y-%m-%dT10:30}")
    await line.get_by_role("button", name="Reschedule").click()
    await expect(line.locator(".when-line")).not_to_have_text(before)
    await line.get_by_role("button", name="Send now").click()
    await expect(ana.page.get_by_role("region", name="Scheduled")).to_have_count(0, timeout=25_000)
    await expect(ana.page.get_by_role("region", name="Mail of Ana Ribeiro")).to_be_visible(timeout=25_000)
    assert ana.complaints == [] and jonas.complaints == []


async def test_who_sends_with_a_reminder_has_it_once_the_mail_has_left(office: Office, seats: Seats) -> None:
    await office.receive("Please send an offer")
    ana = await seats.at(office.product, office.ana)
    await ana.open()
    await ana.page.locator(".row", has_text="Please send an offer").click(timeout=15_000)
    await ana.page.get_by_role("button", name="Reply", exact=True).click()
    await ana.page.get_by_role("article", name="Please send an offer").get_by_label("Text").fill("Here it is.")
    await ana.page.get_by_role("button", name="More ways to send").click()
    box = ana.page.get_by_role("dialog", name="More ways to send")
    await box.get_by_role("button", name="In three days").click()
    await expect(ana.page.get_by_text("if nobody answers")).to_be_visible()
    await expect(ana.page.get_by_role("button", name="Change the reminder")).to_be_visible(timeout=25_000)
    assert ana.complaints == []


async def test_several_people_get_a_mail_each(office: Office, seats: Seats) -> None:
    ana = await seats.at(office.product, office.ana)
    await ana.open()
    await expect(ana.page.get_by_role("heading", name="Support")).to_be_visible()
    await ana.page.keyboard.press("c")
    composer = ana.page.locator(".composer:not(.docked)")
    for address in ("one@customer.example", "two@customer.example"):
        await composer.get_by_role("combobox", name="To", exact=True).fill(address)
        await ana.page.keyboard.press("Enter")
    await composer.get_by_label("Subject").fill("A mail of your own")
    await composer.get_by_label("Text").fill("Hello,")
    await ana.page.get_by_role("button", name="More ways to send").click()
    box = ana.page.get_by_role("dialog", name="More ways to send")
    await box.get_by_role("button", name="One mail to each").click()
    await expect(ana.page.get_by_text("Sending one mail to each")).to_be_visible()
    await ana.page.get_by_role("button", name="Undo", exact=True).click()
    await expect(composer.get_by_text("one@customer.example")).to_be_visible(timeout=15_000)
    await expect(composer.get_by_text("two@customer.example")).to_be_visible()
    assert ana.complaints == []
