"""The composer: nothing that is typed is lost."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.async_api import Locator, Page, WebSocketRoute, expect

from backend.compose.contracts import Draft, SaveDraft
from tests.servers.chromium import Seats
from tests.servers.office import Office

pytestmark = pytest.mark.browser

LETTER = (
    "Hello Priya,\n\nthank you for the pictures of the box. We take the bike back at no cost, and a new one leaves "
    "our workshop on Thursday. Please keep the box until then.\n\nKind regards\nAna"
)


async def open_reply(office: Office, page: Page, subject: str) -> Locator:
    """A fresh mail in Support, and the composer below it."""
    await office.receive(subject, "The box was open.", sender="Priya Shah <priya@shah.example>")
    await page.locator(".row", has_text=subject).click(timeout=20_000)
    pane = page.get_by_role("article", name=subject)
    await pane.get_by_role("button", name="Reply", exact=True).click()
    await expect(pane.get_by_label("Text")).to_be_focused()
    return pane


async def own_draft(office: Office, subject: str) -> Draft:
    drafts = await office.ana.get("/drafts", list[Draft])
    return next(each for each in drafts if subject in each.subject)


async def test_fast_typing_loses_nothing(office: Office, seats: Seats) -> None:
    page = await (await seats.at(office.product, office.ana)).open()
    pane = await open_reply(office, page, "Damaged in transit")
    await page.keyboard.type(LETTER)
    await expect(pane.get_by_label("Text")).to_have_text(LETTER, use_inner_text=True)
    await expect(pane.get_by_text("Saved", exact=True)).to_be_visible()
    assert (await own_draft(office, "Damaged in transit")).text == LETTER
    await page.reload()
    await expect(pane.get_by_label("Text")).to_have_text(LETTER, use_inner_text=True)


async def test_a_reload_begins_from_what_was_saved_whatever_cookies_came_meanwhile(
    office: Office, seats: Seats
) -> None:
    seat = await seats.at(office.product, office.ana)
    page = await seat.open()
    pane = await open_reply(office, page, "Rim or disc")
    await pane.get_by_label("Text").fill("Disc, for your hills.")
    await expect(pane.get_by_text("Saved", exact=True)).to_be_visible()
    for number in range(3):
        await seat.context.add_cookies([{"name": f"other{number}", "value": "x", "url": office.product.url}])
        await page.reload()
        await expect(pane.get_by_label("Text")).to_have_text("Disc, for your hills.", use_inner_text=True)


async def test_files_recipients_and_completion(office: Office, seats: Seats, tmp_path: Path) -> None:
    page = await (await seats.at(office.product, office.ana)).open()
    pane = await open_reply(office, page, "Please send the manual")
    manual = tmp_path / "manual.txt"
    manual.write_text("Turn the pedals.")
    await pane.get_by_label("Files to attach").set_input_files(manual)
    await expect(pane.get_by_role("button", name="Remove manual.txt")).to_be_visible()
    await pane.get_by_role("button", name="Cc Bcc").click()
    await pane.get_by_role("combobox", name="Cc", exact=True).press_sequentially("priy")
    await page.get_by_role("option", name="Priya Shah").click()
    await pane.get_by_role("combobox", name="Bcc").fill("archive@northwind.example")
    await pane.get_by_role("combobox", name="Bcc").press("Enter")
    await pane.get_by_label("Text").fill("Here it is.")
    await expect(pane.get_by_text("Saved", exact=True)).to_be_visible()
    draft = await own_draft(office, "Please send the manual")
    assert [each.filename for each in draft.attachments] == ["manual.txt"]
    assert [each.address for each in draft.cc] == ["priya@shah.example"]
    assert [each.address for each in draft.bcc] == ["archive@northwind.example"]
    await pane.get_by_role("button", name="Remove manual.txt").click()
    await expect(pane.get_by_role("button", name="Remove manual.txt")).to_have_count(0)


class HeldLine:
    """A page's socket to the product. While it is held, nothing that the server says reaches the page."""

    def __init__(self) -> None:
        self._held = False
        self._waiting: list[tuple[WebSocketRoute, str | bytes]] = []

    def carry(self, socket: WebSocketRoute) -> None:
        def tell(message: str | bytes) -> None:
            if self._held:
                self._waiting.append((socket, message))
            else:
                socket.send(message)

        socket.connect_to_server().on_message(tell)

    def hold(self) -> None:
        self._held = True

    def release(self) -> None:
        self._held = False
        for socket, message in self._waiting:
            socket.send(message)
        self._waiting.clear()


async def test_who_was_suggested_in_another_field_is_no_recipient_of_this_one(office: Office, seats: Seats) -> None:
    seat = await seats.at(office.product, office.ana)
    line = HeldLine()
    await seat.page.route_web_socket("**/_event/**", line.carry)
    page = await seat.open()
    pane = await open_reply(office, page, "Copies of the manual")
    await pane.get_by_role("button", name="Cc Bcc").click()
    await pane.get_by_role("combobox", name="Cc", exact=True).press_sequentially("priy")
    await expect(page.get_by_role("option", name="Priya Shah")).to_be_visible()
    line.hold()
    await page.get_by_role("option", name="Priya Shah").click()
    await pane.get_by_role("combobox", name="Bcc").fill("archive@northwind.example")
    await pane.get_by_role("combobox", name="Bcc").press("Enter")
    await expect(pane.locator(".chip", has_text="archive@northwind.example")).to_be_visible()
    line.release()
    await pane.get_by_role("button", name="Discard the draft").click()
    await expect(pane.get_by_role("button", name="Reply", exact=True)).to_be_visible()


async def test_of_two_texts_both_are_kept(office: Office, seats: Seats) -> None:
    page = await (await seats.at(office.product, office.ana)).open()
    pane = await open_reply(office, page, "Two hands, one mail")
    await pane.get_by_label("Text").fill("My first words")
    await expect(pane.get_by_text("Saved", exact=True)).to_be_visible()
    draft = await own_draft(office, "Two hands, one mail")
    fields = {name: getattr(draft, name) for name in ("version", "to", "cc", "bcc", "subject")}
    await office.ana.put(f"/drafts/{draft.id}", SaveDraft(**fields, text="Words from my phone"))
    await pane.get_by_label("Text").press_sequentially(", and more of them")
    await expect(pane.get_by_label("Their text")).to_have_text("Words from my phone")
    await expect(pane.get_by_label("Your text")).to_have_text("My first words, and more of them")
    await pane.get_by_role("button", name="Keep mine").click()
    await expect(pane.get_by_label("Their text")).to_have_count(0)
    assert (await own_draft(office, "Two hands, one mail")).text == "My first words, and more of them"


async def test_a_new_mail(office: Office, seats: Seats) -> None:
    before = len(office.smtp.messages)
    page = await (await seats.at(office.product, office.ana)).open()
    await expect(page.get_by_role("heading", name="Support")).to_be_visible()
    await page.keyboard.press("c")
    window = page.get_by_role("dialog", name="New mail")
    await expect(window.get_by_role("combobox", name="To", exact=True)).to_be_focused()
    await page.keyboard.type("gil@cohen.example,")
    await window.get_by_label("Subject").fill("Your new address")
    await window.get_by_label("Text").fill("We have changed it.")
    await window.get_by_role("button", name="Send", exact=True).click()
    await expect(page.get_by_text("Sending to gil@cohen.example")).to_be_visible()
    await expect(window).to_have_count(0)
    sent = await office.smtp.wait_for(before + 1, timeout=40)
    assert sent[-1].recipients == ("gil@cohen.example",)


async def test_a_refused_mail_says_why_and_keeps_its_text(office: Office, seats: Seats) -> None:
    seat = await seats.at(office.product, office.ana)
    page = await seat.open()
    pane = await open_reply(office, page, "Nobody lives here")
    office.smtp.misbehave("rcpt", reply="550 5.1.1 User unknown", recipient="priya@shah.example")
    try:
        await pane.get_by_label("Text").fill("Where are you?")
        await pane.get_by_role("button", name="Send", exact=True).click()
        waiting = pane.get_by_label("Mail of Ana Ribeiro, Not sent")
        await expect(waiting).to_contain_text("Where are you?", timeout=40_000)
        # The notification of it leads to the very mail.
        await page.locator(".row").last.click()
        await page.locator(".rail").get_by_role("button", name="Notifications").click()
        await page.locator(".notice", has_text="A mail was not sent").first.click()
        await expect(waiting).to_have_attribute("data-sought", "yes")
        await waiting.get_by_text("The server’s words").click()
        await expect(waiting.get_by_text("User unknown")).to_be_visible()
        await page.get_by_role("link", name="Outbox").click()
        await expect(page.get_by_role("heading", name="Outbox")).to_be_visible()
        mail = page.get_by_role("article").filter(has_text="Nobody lives here")
        await expect(mail.get_by_text("Not sent")).to_be_visible()
    finally:
        office.smtp.behave()
    await mail.get_by_role("button", name="Edit").click()
    await expect(pane.get_by_label("Text")).to_have_text("Where are you?", use_inner_text=True)
