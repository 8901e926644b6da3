"""Outgoing mail in the interface: a server is added and tested, an address verified, and a mail sent as it."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator
from dataclasses import dataclass

import pytest
from playwright.async_api import Route, expect

from backend.mailboxes.contracts import MailboxSettings
from tests.servers.chromium import Seats
from tests.servers.product import Product, Visitor
from tests.servers.smtp import Accepted, RecordingSmtp
from tests.servers.system_mail import link_in, read

pytestmark = pytest.mark.browser

SALES = "sales@northwind.example"


@dataclass
class Post:
    """A product of its own that can ask whose addresses are, and the server that takes its mail."""

    product: Product
    smtp: RecordingSmtp
    ana: Visitor
    support: MailboxSettings

    async def mail_to(self, address: str) -> Accepted:
        """The first mail to this address, once it was taken."""
        count = 0
        while True:
            for each in self.smtp.messages[count:]:
                if address in each.recipients:
                    return each
            count = len(self.smtp.messages)
            await self.smtp.wait_for(count + 1, timeout=30)


@pytest.fixture(scope="module")
async def post() -> AsyncIterator[Post]:
    with RecordingSmtp() as smtp:
        url = f"smtp://tandem%40northwind.example:{smtp.password}@127.0.0.1:{smtp.port}"
        async with Product(TANDEM_SMTP_URL=url) as product:
            ana = await product.set_up()
            support = await product.group_mailbox(ana, "Support", "support@northwind.example", [ana])
            yield Post(product, smtp, ana, support)


async def test_an_admin_adds_a_server_tests_it_and_sees_what_is_wrong(post: Post, seats: Seats) -> None:
    ana = await seats.at(post.product, post.ana)
    page = await ana.open("/settings/outgoing/")
    form = page.locator("form", has=page.get_by_role("button", name="Save the server"))
    await page.get_by_role("button", name="Add server").click()
    await form.get_by_label("Name", exact=True).fill("Relay")
    await form.get_by_label("Server", exact=True).fill("127.0.0.1")
    await form.get_by_label("Port", exact=True).fill(str(post.smtp.port))
    await form.get_by_label("Protection").select_option("none")
    await form.get_by_label("User name").fill("mailer@northwind.example")
    await form.get_by_label("Password").fill("forgotten")
    await form.get_by_label("For all mailboxes without an account of their own").check()
    await page.get_by_role("button", name="Save the server").click()
    await page.get_by_role("button", name="Send a test mail through Relay").click()
    await expect(page.locator(".test-outcome").get_by_text("Connected")).to_be_visible(timeout=30_000)
    await expect(page.locator(".test-outcome").get_by_text("The server’s own words")).to_be_visible()

    await page.get_by_role("button", name="Change Relay").click()
    await form.get_by_label("Password").fill(post.smtp.password)
    await page.get_by_role("button", name="Save the server").click()
    await expect(page.get_by_role("button", name="Save the server")).to_have_count(0)
    await page.get_by_role("button", name="Send a test mail through Relay").click()
    outcome = page.locator(".test-outcome").get_by_text("It works. A mail from")
    await expect(outcome).to_be_visible(timeout=30_000)
    assert ana.complaints == []


async def test_an_identity_is_verified_by_its_owner_and_a_mail_sent_as_it(post: Post, seats: Seats) -> None:
    place = {"name": "Desk", "host": "127.0.0.1", "port": post.smtp.port, "security": "none", "for_all": True}
    await post.ana.post("/outgoing-servers", place | {"username": "d@northwind.example", "password": "correct-horse"})
    ana = await seats.at(post.product, post.ana)
    page = await ana.open("/settings/outgoing/")
    await page.get_by_label("From name").fill("Northwind Sales")
    await page.get_by_label("Address", exact=True).fill(SALES)
    await page.get_by_role("button", name="Add the identity").click()
    line = page.get_by_role("listitem").filter(has_text=f"<{SALES}>")
    await expect(line.get_by_text("not offered before its address is verified")).to_be_visible()
    await expect(line.get_by_role("img", name="Not verified")).to_be_visible()

    link = link_in(read(await post.mail_to(SALES)))
    owner = await seats.at(post.product)
    await owner.page.goto(link)
    await expect(owner.page.get_by_text(f"Northwind Bikes uses {SALES}")).to_be_visible()
    await owner.page.get_by_role("button", name="Yes, I own this address").click()
    await expect(owner.page.get_by_text("Thank you. The address is verified.")).to_be_visible()

    await page.goto("/")
    await page.get_by_role("button", name="Compose").first.click()
    window = page.get_by_role("dialog", name="New mail")
    await expect(window.get_by_text("not verified")).to_be_visible()  # nobody has said so of support@ yet
    await window.get_by_label("From", exact=True).select_option(label=f"Northwind Sales <{SALES}>")
    await expect(window.get_by_text("not verified")).to_have_count(0)
    await window.get_by_label("From name of this mail").fill("Recall team")
    # On a slow line this is stored no sooner than she has pressed Send.
    comes = asyncio.Event()

    async def late(route: Route) -> None:
        await comes.wait()
        await route.continue_()

    await page.route("**/drafts/*/sender", late)
    await window.get_by_label("Reply-to").select_option(label="Me: ana@northwind.example")
    await window.get_by_label("To", exact=True).fill("mateus@vento.example")
    await window.get_by_label("Subject").fill("Your front wheel")
    await window.get_by_label("Text").fill("We collect it.")
    await window.get_by_role("button", name="Send", exact=True).click()
    comes.set()
    mail = read(await post.mail_to("mateus@vento.example"))
    assert (mail["From"], mail["Reply-To"]) == (f"Recall team <{SALES}>", "ana@northwind.example")
    assert ana.complaints == []


async def test_before_a_mail_leaves_as_an_unverified_address_its_writer_is_told(post: Post, seats: Seats) -> None:
    draft = await post.ana.post("/drafts", {"kind": "new", "mailbox_id": post.support.id})
    await post.ana.put(f"/drafts/{draft['id']}/sender", {"sender": {}})
    ana = await seats.at(post.product, post.ana)
    page = await ana.open("/drafts/")
    await page.locator(".draft-open").first.click()
    window = page.get_by_role("dialog", name="New mail")
    await expect(window.get_by_text("not verified")).to_be_visible()
    await window.get_by_label("To", exact=True).fill("gil@vento.example")
    await window.get_by_label("Subject").fill("Your bell")
    await window.get_by_label("Text").fill("It rings.")
    await window.get_by_role("button", name="Send", exact=True).click()
    told = page.get_by_role("alertdialog", name="Before it is sent")
    await expect(told.get_by_text(re.compile("Nobody has said yet that support@northwind.example"))).to_be_visible()
    assert ana.complaints == []
