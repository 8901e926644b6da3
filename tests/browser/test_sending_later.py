"""A mail that is to leave later, and a reminder for the case that nobody answers, in the interface."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from playwright.async_api import Locator, expect

from backend.compose.contracts import Outgoing
from tests.servers.chromium import Seat, Seats
from tests.servers.office import Office

pytestmark = pytest.mark.browser


async def write_to(seat: Seat, *addresses: str, subject: str) -> Locator:
    """Begin a new mail; answers its composer."""
    await expect(seat.page.get_by_role("heading", name="Support")).to_be_visible()
    await seat.page.get_by_role("button", name="Compose").first.click()
    composer = seat.page.locator(".compose-window .composer")
    for address in addresses:
        await composer.get_by_role("combobox", name="To", exact=True).fill(address)
        await seat.page.keyboard.press("Enter")
    await composer.get_by_label("Subject").fill(subject)
    await composer.get_by_label("Text").fill("Hello,")
    return composer


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


async def test_a_mail_leaves_at_nine_of_the_recipients_clock(office: Office, seats: Seats) -> None:
    kaya = {"name": "Kaya Rao", "addresses": ["kaya@far.example"], "time_zone": "Asia/Kolkata"}
    await office.ana.post("/contacts", kaya)
    ana = await seats.at(office.product, office.ana)
    await ana.open()
    composer = await write_to(ana, "kaya@far.example", subject="At nine there")
    await ana.page.get_by_role("button", name="More ways to send").click()
    box = ana.page.get_by_role("dialog", name="More ways to send")
    await expect(box.get_by_text("Asia/Kolkata, as set at the contact.")).to_be_visible()
    await expect(box.get_by_role("button", name="Tomorrow")).to_contain_text("there")
    await box.get_by_role("radio", name="Time of Kaya").check()
    day = datetime.now() + timedelta(days=40)
    await box.get_by_label("Day and time to send").fill(f"{day:%Y-%m-%dT09:00}")
    await box.get_by_role("button", name="Schedule").click()
    await expect(ana.page.get_by_text("09:00 there")).to_be_visible()
    waiting = await office.ana.get("/outbox", list[Outgoing])
    [mail] = [each for each in waiting if each.subject == "At nine there"]
    assert f"{mail.send_at:%Y-%m-%d %H:%M}" == f"{day:%Y-%m-%d} 03:30"
    await ana.page.get_by_role("button", name="Undo", exact=True).click()
    await expect(composer.get_by_text("kaya@far.example")).to_be_visible(timeout=15_000)
    assert ana.complaints == []


async def test_several_people_get_a_mail_each_later_and_the_choice_is_remembered(office: Office, seats: Seats) -> None:
    ana = await seats.at(office.product, office.ana)
    await ana.open()
    people = ("one@customer.example", "two@customer.example")
    composer = await write_to(ana, *people, subject="A mail of your own")
    await ana.page.get_by_role("button", name="More ways to send").click()
    box = ana.page.get_by_role("dialog", name="More ways to send")
    await box.get_by_role("radio", name="One mail to each").check()
    await expect(composer.get_by_text("Each of the 2 people gets a mail of their own.")).to_be_visible()
    await box.get_by_role("button", name="Tomorrow").click()
    await expect(ana.page.get_by_text("One mail to each leaves")).to_be_visible()
    await ana.page.get_by_role("button", name="Undo", exact=True).click()
    for address in people:
        await expect(composer.get_by_text(address)).to_be_visible(timeout=15_000)
    # As the last time; and another choice is remembered, too.
    await composer.get_by_role("button", name="Send one to all").click()
    await composer.get_by_role("button", name="Send", exact=True).click()
    await expect(ana.page.get_by_text("Sending to one@customer.example, two@customer.example")).to_be_visible()
    composer = await write_to(ana, *people, subject="To both")
    await ana.page.get_by_role("button", name="More ways to send").click()
    await expect(box.get_by_role("radio", name="One mail to all")).to_be_checked()
    assert ana.complaints == []
