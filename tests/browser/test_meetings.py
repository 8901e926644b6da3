"""A meeting: arranged in the composer, sent as an invitation, answered from a calendar, called off."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from playwright.async_api import expect

from backend.links.contracts import SavedLink
from backend.mail.contracts import MailAddress
from tests.backend.compose.test_meetings import calendar_in, reply
from tests.browser.test_accessibility import faults
from tests.browser.test_writing import open_reply
from tests.servers.chromium import Seats
from tests.servers.office import Office
from tests.servers.smtp import Accepted

pytestmark = pytest.mark.browser

PRIYA = MailAddress(name="Priya Shah", address="priya@shah.example")
DAY = (datetime.now(UTC) + timedelta(days=20)).date()


async def invitation(office: Office, method: str, subject: str) -> Accepted:
    """The mail of this conversation that has such a calendar, once the server took it."""
    count = 0
    while True:
        for each in office.smtp.messages[count:]:
            if subject.encode() in each.raw and f"method={method}".encode() in each.raw:
                return each
        count = len(office.smtp.messages)
        await office.smtp.wait_for(count + 1, timeout=30)


async def test_a_customer_is_invited_accepts_and_the_meeting_is_called_off(office: Office, seats: Seats) -> None:
    seat = await seats.at(office.product, office.ana)
    page = seat.page
    await page.goto(office.product.url)
    room = {"kind": "conference", "name": "Wombat room", "url": "https://meet.example/wombat"}
    link = await office.ana.post("/links", room, SavedLink)
    pane = await open_reply(office, page, "A wombat bike")
    form = page.get_by_role("dialog", name="Invite to a meeting")
    await expect(pane.locator(".ProseMirror")).to_be_visible()  # the editor comes a little later than its place
    await pane.get_by_role("button", name="Saved link").click()
    await page.get_by_role("button", name="Meet in Wombat room").click()
    await expect(form.get_by_label("Link")).to_have_value("https://meet.example/wombat")
    await page.keyboard.press("Escape")
    await pane.get_by_role("button", name="Invite to a meeting").click()
    await form.get_by_label("Title").fill("A look at the wombat")
    await form.get_by_label("Day").fill(DAY.isoformat())
    await form.get_by_label("Start").fill("10:30")
    await form.get_by_label("Length").select_option("45 minutes")
    await form.get_by_label("Time zone").fill("Europe/Nowhere")
    await form.get_by_role("button", name="Add to the mail").click()
    await expect(form.get_by_role("alert")).to_contain_text("There is no such time zone.")
    await form.get_by_label("Time zone").fill("Europe/Berlin")
    await form.get_by_label("Saved room").select_option("Wombat room")
    await expect(form.get_by_label("Link")).to_have_value("https://meet.example/wombat")
    assert await faults(page, "the form of a meeting") == []
    await form.get_by_label("Title").press("Enter")
    await expect(form).to_have_count(0)
    chip = pane.get_by_role("group", name="Invites to a meeting")
    await expect(chip).to_contain_text("A look at the wombat")
    await expect(chip).to_contain_text("10:30, 45 minutes (Europe/Berlin)")
    await pane.locator(".ProseMirror").click()
    await page.keyboard.type("Shall we look at it together?")
    await expect(pane.get_by_text("Saved", exact=True)).to_be_visible()
    await pane.get_by_role("button", name="Send", exact=True).click()
    card = page.get_by_role("region", name="Meeting: A look at the wombat")
    await expect(card.get_by_text("Invited", exact=True)).to_be_visible()
    await expect(card.get_by_text("no answer yet")).to_be_visible()

    # What the customer's calendar gets, and what it answers.
    sent = await invitation(office, "REQUEST", "A wombat bike")
    _, event = calendar_in(sent.raw)
    assert event["dtstart"].dt.strftime("%H:%M") == "10:30"
    await expect(card.get_by_role("button", name="Call it off")).to_be_visible(timeout=20_000)
    await office.dovecot.deliver("support", reply(str(event["uid"]), PRIYA))
    await expect(card.get_by_text("Accepted", exact=True)).to_be_visible(timeout=20_000)
    await expect(card.get_by_text("accepted", exact=True)).to_be_visible()
    assert await faults(page, "a meeting in its conversation") == []

    await card.get_by_role("button", name="Call it off").click()
    await expect(pane.get_by_role("group", name="Calls a meeting off")).to_contain_text(
        "Calls off: A look at the wombat"
    )
    await pane.get_by_role("button", name="Send", exact=True).click()
    await expect(card.get_by_text("Called off", exact=True)).to_be_visible()
    _, cancelled = calendar_in((await invitation(office, "CANCEL", "A wombat bike")).raw)
    assert (str(cancelled["uid"]), cancelled["sequence"]) == (str(event["uid"]), 1)
    await office.ana.delete(f"/links/{link.id}")
    assert all("422" in each for each in seat.complaints) and len(seat.complaints) <= 1  # the zone that is none
