"""A new mail in its window: however long it grows, it can be sent; and a template is seen as it will arrive."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
from playwright.async_api import expect

from backend.templates.contracts import SaveTemplate, Template
from tests.servers.chromium import Seats
from tests.servers.office import Office

pytestmark = pytest.mark.browser

LAID_OUT = (
    '<table width="100%"><tr><td style="padding:400px 20px;background-color:#fdf1dc"><h2>Spring</h2></td></tr></table>'
)


@pytest.mark.parametrize("phone", [False, True], ids=["desk", "phone"])
async def test_however_long_a_new_mail_is_send_stays_in_sight(office: Office, seats: Seats, phone: bool) -> None:
    page = await (await seats.at(office.product, office.ana, phone=phone)).open()
    await expect(page.get_by_role("heading", name="Support")).to_be_visible()
    await page.get_by_role("button", name="Compose").first.click()
    window = page.get_by_role("dialog", name="New mail")
    text = window.locator(".ProseMirror")
    await text.click()
    await page.keyboard.insert_text("\n".join(f"Line {number}" for number in range(80)))
    await expect(text).to_contain_text("Line 79")
    await expect(window.get_by_role("button", name="Send", exact=True)).to_be_in_viewport()
    await expect(window.get_by_label("Subject")).to_be_in_viewport()
    await window.get_by_role("button", name="Discard the draft").click()


@pytest.fixture
async def greetings(office: Office) -> AsyncIterator[None]:
    """Ana has a template that is laid out, and one that was used more often and only says the name of that."""
    made = [
        await office.ana.post("/templates", SaveTemplate(name=name, text=text, html=html), Template)
        for name, text, html in (("A dunnart's greeting", "", LAID_OUT), ("About us", "A dunnart's greeting", None))
    ]
    await office.ana.post(f"/templates/{made[1].id}/use", {"mailbox_id": office.support.id})
    yield
    for each in made:
        await office.ana.delete(f"/templates/{each.id}")


@pytest.mark.usefixtures("greetings")
async def test_a_template_is_found_by_its_name_first_and_shown_as_it_arrives(office: Office, seats: Seats) -> None:
    page = await (await seats.at(office.product, office.ana)).open()
    await expect(page.get_by_role("heading", name="Support")).to_be_visible()
    await page.get_by_role("button", name="Compose").first.click()
    window = page.get_by_role("dialog", name="New mail")
    await expect(window.locator(".ProseMirror")).to_be_visible(timeout=30_000)
    await window.get_by_role("button", name="Template", exact=True).click()
    picker = page.get_by_role("dialog", name="Templates")
    await picker.get_by_label("Find a template").fill("dunnart's greeting")
    await expect(picker.get_by_role("option")).to_contain_text(["A dunnart's greetingSpring", "About us"])
    mail = picker.get_by_title("Preview of the mail")
    await expect(mail.content_frame.get_by_role("heading", name="Spring")).to_be_visible()
    await picker.get_by_role("button", name="Phone").click()
    await expect(mail).to_have_css("max-width", "360px")
    await picker.get_by_role("button", name="Insert").click()
    await expect(window.locator(".ProseMirror")).to_contain_text("Spring")
    await window.get_by_role("button", name="Discard the draft").click()
