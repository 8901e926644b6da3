"""Two people answer a mail together; a third sees nothing."""

from __future__ import annotations

import re

import pytest
from playwright.async_api import expect

from tests.servers.chromium import Seats
from tests.servers.office import Office

pytestmark = pytest.mark.browser


async def test_what_is_made_confidential_vanishes_for_others_at_once(office: Office, seats: Seats) -> None:
    ana = await seats.at(office.product, office.ana)
    jonas = await seats.at(office.product, office.jonas)
    for seat in (ana, jonas):
        await seat.open()
    await office.receive("About a colleague", "This is personal.")
    for seat in (ana, jonas):
        await seat.page.locator(".row", has_text="About a colleague").click(timeout=15_000)
        await expect(seat.page.get_by_role("article", name="About a colleague")).to_be_visible()
    pane = ana.page.get_by_role("article", name="About a colleague")
    await pane.get_by_role("button", name="More", exact=True).click()
    await expect(ana.page.get_by_role("menuitem", name="Open to the mailbox")).to_be_hidden()
    await ana.page.get_by_role("menuitem", name="Make private").click()
    lock = pane.get_by_role("img", name="Private: only people of this mailbox")
    await expect(lock).to_have_attribute("title", re.compile("people of this mailbox: Ana Ribeiro, .*Jonas Dahl"))
    await expect(jonas.page.locator(".row", has_text="About a colleague").locator(".lock")).to_be_visible()

    await pane.get_by_role("button", name="More", exact=True).click()
    await ana.page.get_by_role("menuitem", name="Make confidential").click()
    lock = pane.get_by_role("img", name="Confidential: only those concerned")
    await expect(lock).to_have_attribute("title", "Confidential: only those concerned: Ana Ribeiro")
    await expect(jonas.page.locator(".row", has_text="About a colleague")).to_have_count(0)
    await expect(jonas.page.get_by_text("This is personal.")).to_have_count(0)

    # Taken back: it is there again.
    await expect(ana.page.get_by_text("Confidential: only those concerned see it")).to_be_visible()
    await ana.page.keyboard.press("z")
    await expect(jonas.page.locator(".row", has_text="About a colleague")).to_be_visible()
    assert ana.complaints == [] and jonas.complaints == []


async def test_mail_is_answered_together(office: Office, seats: Seats) -> None:
    before = len(office.smtp.messages)
    ana = await seats.at(office.product, office.ana)
    jonas = await seats.at(office.product, office.jonas)
    mallory = await seats.at(office.product, office.mallory)
    for seat in (ana, jonas):
        await seat.open()
        await expect(seat.page.get_by_role("heading", name="Support")).to_be_visible()
    await mallory.open()
    await expect(mallory.page.get_by_text("No mailbox yet")).to_be_visible()

    # A mail appears in both browsers without a reload.
    await office.receive("Cracked wheel", "The wheel cracked again.")
    for seat in (ana, jonas):
        await expect(seat.page.locator(".row.new", has_text="Cracked wheel")).to_be_visible(timeout=15_000)

    # Jonas takes it, comments and mentions Ana; she sees both and a notification.
    await jonas.page.locator(".row", has_text="Cracked wheel").click()
    pane = jonas.page.get_by_role("article", name="Cracked wheel")
    await expect(pane.get_by_text("The wheel cracked again.")).to_be_visible()
    await jonas.page.keyboard.press("i")
    await jonas.page.get_by_role("menuitem", name="Jonas Dahl (me)").click()
    await expect(pane.get_by_role("button", name="Assigned to Jonas Dahl")).to_be_visible()
    await jonas.page.keyboard.press("m")
    box = pane.get_by_label("Comment, seen by your team only")
    await box.press_sequentially("@An")
    await jonas.page.get_by_role("option", name="Ana Ribeiro").click()
    await box.press_sequentially("is the recall yours?")
    await box.press("Enter")
    await expect(pane.get_by_label("Comment of Jonas")).to_contain_text("is the recall yours?")

    row = ana.page.locator(".row", has_text="Cracked wheel")
    await expect(row.get_by_title("Jonas Dahl")).to_be_visible()
    await row.click()
    seen = ana.page.get_by_role("article", name="Cracked wheel")
    await expect(seen.get_by_label("Comment of Jonas")).to_contain_text("@Ana Ribeiro is the recall yours?")
    await ana.page.get_by_role("button", name="Notifications").first.click()
    await expect(ana.page.get_by_text("Jonas mentioned you")).to_be_visible()
    await ana.page.keyboard.press("Escape")

    # Ana's reply leaves once, and both see it in the conversation.
    await ana.page.keyboard.press("r")
    text = seen.get_by_label("Text")
    await expect(text).to_be_focused()
    await ana.page.keyboard.type("Hello Mateus, we send you a new wheel today.")
    await expect(seen.get_by_text("Saved")).to_be_visible()
    await seen.get_by_role("button", name="Send", exact=True).click()
    await expect(ana.page.get_by_text("Sending to Mateus Oliveira")).to_be_visible()
    await office.smtp.wait_for(before + 1, timeout=40)
    (sent,) = office.smtp.messages[before:]
    assert sent.recipients == ("mateus@vento.example",)
    assert b"we send you a new wheel today" in sent.raw
    for article in (seen, pane):
        mail = article.get_by_label("Mail of Ana Ribeiro", exact=True)
        await expect(mail.frame_locator("iframe").get_by_text("a new wheel today")).to_be_visible(timeout=15_000)

    # Done: the row leaves both lists.
    await ana.page.keyboard.press("e")
    await expect(row).to_be_hidden()
    await expect(jonas.page.locator(".row", has_text="Cracked wheel")).to_have_count(0)
    await ana.page.get_by_role("button", name="Undo").click()
    await expect(row).to_be_visible()
    await expect(jonas.page.locator(".row", has_text="Cracked wheel")).to_have_count(1)

    await expect(mallory.page.get_by_text("Cracked wheel")).to_have_count(0)
    assert ana.complaints == []
    assert jonas.complaints == []
    assert mallory.complaints == []


async def test_undo_brings_the_text_back(office: Office, seats: Seats) -> None:
    before = len(office.smtp.messages)
    await office.receive("Helmet sizes", "Which size fits a child of six?", sender="Lena Wirth <lena@wirth.example>")
    ana = await seats.at(office.product, office.ana)
    page = await ana.open()
    await page.locator(".row", has_text="Helmet sizes").click(timeout=15_000)
    pane = page.get_by_role("article", name="Helmet sizes")
    await pane.get_by_role("button", name="Reply", exact=True).click()
    await expect(pane.get_by_label("Text")).to_be_focused()
    await page.keyboard.type("Size S fits.")
    await page.keyboard.press("Control+Enter")
    await page.get_by_role("button", name="Undo").click()
    await expect(pane.get_by_label("Text")).to_have_text("Size S fits.", use_inner_text=True)
    await pane.get_by_role("button", name="Discard the draft").click()
    await expect(pane.get_by_role("button", name="Reply", exact=True)).to_be_visible()
    assert len(office.smtp.messages) == before
    assert ana.complaints == []


async def test_a_comment_is_changed_reacted_to_and_deleted(office: Office, seats: Seats) -> None:
    ana = await seats.at(office.product, office.ana)
    jonas = await seats.at(office.product, office.jonas)
    await office.receive("A matter of spokes")
    for seat in (ana, jonas):
        page = await seat.open()
        await page.locator(".row", has_text="A matter of spokes").click(timeout=15_000)
    hers = ana.page.get_by_role("article", name="A matter of spokes")
    his = jonas.page.get_by_role("article", name="A matter of spokes")
    box = hers.get_by_label("Comment, seen by your team only")
    await box.fill("It is in stok.")
    await box.press("Enter")
    mine, seen = hers.get_by_label("Comment of Ana"), his.get_by_label("Comment of Ana")
    await expect(seen).to_contain_text("It is in stok.")

    await mine.hover()
    await mine.get_by_label("Edit the comment").click()
    await mine.get_by_label("The comment", exact=True).fill("It is in stock.")
    await mine.get_by_role("button", name="Save").click()
    await expect(seen).to_contain_text("It is in stock.")
    await expect(seen).to_contain_text("edited")
    await expect(mine.get_by_label("The comment", exact=True)).to_be_hidden()

    await seen.hover()
    await expect(seen.get_by_label("Edit the comment")).to_have_count(0)
    await seen.get_by_label("React", exact=True).click()
    await seen.get_by_label("React with 🎉").click()
    await expect(mine.get_by_role("button", name="🎉 Jonas Dahl")).to_contain_text("1")
    await mine.get_by_role("button", name="🎉 Jonas Dahl").click()
    await expect(seen.get_by_role("button", name="🎉 Jonas Dahl, Ana Ribeiro")).to_contain_text("2")

    await mine.hover()
    await mine.get_by_label("Delete the comment").click()
    await mine.get_by_role("button", name="Delete it").click()
    await expect(his.get_by_text("Ana deleted a comment")).to_be_visible()
    await expect(seen).to_have_count(0)
    assert ana.complaints == [] and jonas.complaints == []
