"""Templates and snippets in the composer: offered by "/", listed by a button, filled in, and looked at before Send."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
from playwright.async_api import expect

from backend.templates.contracts import SaveSignature, SaveTemplate, Signature, Template
from tests.browser.test_accessibility import faults
from tests.browser.test_formatting import read
from tests.browser.test_writing import open_reply, own_draft
from tests.servers.chromium import Seats
from tests.servers.office import Office

pytestmark = pytest.mark.browser

RETURN = SaveTemplate(
    name="Zebra return", text="Hello {{ contact.first_name }},\n\nwe call you on {{ contact.phone }}.", subject="Return"
)
THANKS = SaveTemplate(name="Zebra thanks", text="thank you, {{ contact.first_name }}", kind="snippet")


@pytest.fixture
async def kept(office: Office) -> AsyncIterator[None]:
    """Ana has the two templates; other tests find her without any."""
    made = [await office.ana.post("/templates", each, Template) for each in (RETURN, THANKS)]
    yield
    for each in made:
        await office.ana.delete(f"/templates/{each.id}")


@pytest.mark.usefixtures("kept")
async def test_a_slash_offers_templates_and_puts_one_in_without_leaving_the_text(office: Office, seats: Seats) -> None:
    seat = await seats.at(office.product, office.ana)
    page = await seat.open()
    pane = await open_reply(office, page, "A zebra bike")
    await expect(pane.locator(".ProseMirror")).to_be_focused()
    menu = page.get_by_role("listbox", name="Templates and snippets")
    await page.keyboard.type("and/or /")
    await expect(menu).to_be_visible()
    await page.keyboard.type("zebra")
    await expect(menu.get_by_role("option")).to_have_count(3)
    await page.keyboard.type(" than")
    await expect(menu.get_by_role("option").first).to_contain_text("Zebra thanks")
    assert await faults(page, "the slash menu") == []
    await page.keyboard.press("Enter")
    await expect(menu).to_have_count(0)
    await expect(pane.locator(".ProseMirror")).to_have_text("and/or thank you, Priya")
    await page.keyboard.type(". jke")
    await expect(pane.locator(".ProseMirror")).to_have_text("and/or thank you, Priya. jke")

    # Escape leaves the slash, and what is typed on is text.
    await page.keyboard.press("Enter")
    await page.keyboard.type("/zeb")
    await expect(menu).to_be_visible()
    await page.keyboard.press("Escape")
    await expect(menu).to_have_count(0)
    await page.keyboard.type("ra")
    await expect(pane.locator(".ProseMirror")).to_be_focused()
    await expect(menu).to_have_count(0)
    await expect(pane.locator(".ProseMirror p").last).to_have_text("/zebra")
    await expect(pane.get_by_text("Saved", exact=True)).to_be_visible()
    assert (await own_draft(office, "A zebra bike")).text == "and/or thank you, Priya. jke\n/zebra"
    await pane.get_by_role("button", name="Discard the draft").click()
    assert seat.complaints == []


@pytest.mark.usefixtures("kept")
async def test_what_is_missing_is_asked_for_marked_and_told_before_it_is_sent(office: Office, seats: Seats) -> None:
    page = await (await seats.at(office.product, office.ana)).open()
    await expect(page.get_by_role("heading", name="Support")).to_be_visible()
    await page.keyboard.press("c")
    window = page.get_by_role("dialog", name="New mail")
    await window.get_by_role("combobox", name="To", exact=True).fill("Carla Customer <carla@customer.example>")
    await page.keyboard.press("Enter")
    await expect(window.locator(".ProseMirror")).to_be_visible()
    await window.get_by_role("button", name="Template").click()
    picker = page.get_by_role("dialog", name="Templates")
    await picker.get_by_label("Find a template").fill("zebra return")
    await expect(picker.get_by_text("Hello Carla,")).to_be_visible()
    await expect(picker.get_by_text("One field is empty.")).to_be_visible()
    assert await faults(page, "the templates") == []
    await picker.get_by_role("button", name="Insert").click()
    await expect(window.locator(".ProseMirror .unfilled")).to_have_text("[contact phone]")
    await expect(window.get_by_label("Subject")).to_have_value("Return")
    await window.get_by_role("button", name="Send", exact=True).click()
    asked = window.get_by_role("alertdialog", name="Before it is sent")
    await expect(asked.get_by_text("[contact phone] is not filled in.")).to_be_visible()
    await asked.get_by_role("button", name="Go back").click()

    # In plain text the same, with what the writer knows.
    await window.get_by_role("button", name="Plain, without formatting").click()
    await window.get_by_label("Text").fill("")
    await window.get_by_role("button", name="Template").click()
    await page.keyboard.press("Escape")
    await expect(window.get_by_label("Text")).to_be_focused()
    await window.get_by_role("button", name="Template").click()
    await picker.get_by_label("Find a template").fill("zebra return")
    await picker.get_by_label("contact phone").fill("+351 21")
    await expect(picker.get_by_text("we call you on +351 21.")).to_be_visible()
    await picker.get_by_label("contact phone").press("Enter")
    await expect(window.get_by_label("Text")).to_have_value("Hello Carla,\n\nwe call you on +351 21.")
    await window.get_by_role("button", name="Discard the draft").click()


async def test_a_designed_template_stays_as_it_is_and_its_words_can_be_changed(office: Office, seats: Seats) -> None:
    before = len(office.smtp.messages)
    html = (
        '<div class="designed"><table role="presentation" bgcolor="#eceffe"><tr><td style="padding:20px">'
        '<h2 style="margin:0">Good news</h2>Your order [order number] is ready.</td></tr></table></div>'
    )
    made = await office.ana.post("/templates", SaveTemplate(name="Yak ready", text="", html=html), Template)
    signed = await office.ana.put("/me/signature", SaveSignature(html="<p>{{ me.name }}</p>", version=0), Signature)
    seat = await seats.at(office.product, office.ana)
    page = await seat.open()
    pane = await open_reply(office, page, "Is it ready")
    await expect(pane.get_by_label("Signature")).to_have_value("person")
    await expect(pane.locator(".signature-text")).to_have_text("Ana Ribeiro")
    await expect(pane.locator(".ProseMirror")).to_be_focused()
    await page.keyboard.type("/yak")
    await expect(page.get_by_role("option", name="Yak ready")).to_be_visible()
    await page.keyboard.press("Enter")
    await expect(pane.frame_locator(".designed-part iframe").get_by_text("Good news")).to_be_visible()
    await pane.get_by_role("button", name="Send", exact=True).click()
    asked = pane.get_by_role("alertdialog", name="Before it is sent")
    await expect(asked.get_by_text("[order number] is not filled in.")).to_be_visible()
    await asked.get_by_role("button", name="Go back").click()
    await pane.get_by_role("button", name="Change the words").click()
    words = page.get_by_role("dialog", name="Change the words")
    await words.get_by_label("Words 2 of 2").fill("Your order 4711 is ready.")
    await words.get_by_role("button", name="Change", exact=True).click()
    await expect(pane.frame_locator(".designed-part iframe").get_by_text("4711")).to_be_visible()
    await expect(pane.get_by_text("Saved", exact=True)).to_be_visible()
    await pane.get_by_role("button", name="Send", exact=True).click()
    sent = await office.smtp.wait_for(before + 1, timeout=40)
    _, plain, leaving = read(sent[before].raw)
    assert 'bgcolor="#eceffe"' in leaving and "padding: 20px" in leaving and "4711" in leaving
    assert plain.startswith("Good news\nYour order 4711 is ready.\n\nAna Ribeiro\n\nOn ")
    await office.ana.delete(f"/templates/{made.id}")
    await office.ana.put("/me/signature", SaveSignature(html="", version=signed.version), Signature)
    assert seat.complaints == []
