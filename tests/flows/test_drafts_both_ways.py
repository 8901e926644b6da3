"""A draft that is begun in another mail program is gone on with here, and leaves the server when it is thrown away."""

import re

import pytest
from playwright.async_api import expect

from tests.flows.test_two_way import USER, until
from tests.servers.chromium import Seats
from tests.servers.office import Office

pytestmark = [pytest.mark.browser, pytest.mark.timeout(180)]

SLOW = 30_000
"""Milliseconds that anything may take here: this test is of whether it happens."""
BEGUN = (
    b"From: support@northwind.example\r\nTo: lena@customer.example\r\nSubject: Begun on the train\r\n"
    b"Message-ID: <train@phone.example>\r\nMIME-Version: 1.0\r\nContent-Type: text/plain\r\n\r\nThe tyres are here.\r\n"
)


async def test_a_draft_begun_elsewhere_is_gone_on_with_here(office: Office, seats: Seats) -> None:
    ana = await seats.at(office.product, office.ana)
    page = await ana.open()
    await page.get_by_role("link", name=re.compile(r"^Drafts")).click()
    await office.dovecot.append(USER, "Drafts", BEGUN, flags="(\\Draft \\Seen)")
    line = page.locator(".draft-line", has_text="Begun on the train")
    await expect(line).to_be_visible(timeout=SLOW)
    await line.get_by_role("button").first.click()
    dialog = page.get_by_role("dialog", name="New mail")
    await expect(dialog.get_by_label("Text")).to_contain_text("The tyres are here.")
    await dialog.get_by_role("button", name="Discard the draft").click()
    await expect(line).to_have_count(0, timeout=SLOW)

    async def there() -> list[bytes]:
        return [raw for raw in (await office.dovecot.messages(USER, "Drafts")).values() if b"train@phone" in raw]

    await until(there, [])
    assert ana.complaints == []
