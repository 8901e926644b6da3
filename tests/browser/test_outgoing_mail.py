"""Outgoing mail in the interface: a server is added and tested, an address verified, and a mail sent as it."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator
from dataclasses import dataclass

import pytest
from playwright.async_api import Route, expect

from backend.mailboxes.contracts import MailboxSettings
from tests.servers.api import token_in
from tests.servers.chromium import Seats
from tests.servers.names import name_server
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
    records: dict[tuple[str, str], list[str]]
    """What the name server knows that the product asks."""

    async def mail_to(self, address: str, about: str = "") -> Accepted:
        """The first mail to this address with this word in its subject, once it was taken."""
        count = 0
        while True:
            for each in self.smtp.messages[count:]:
                if address in each.recipients and about in str(read(each)["Subject"]).lower():
                    return each
            count = len(self.smtp.messages)
            await self.smtp.wait_for(count + 1, timeout=30)


@pytest.fixture(scope="module")
async def post() -> AsyncIterator[Post]:
    records = {("northwind.example", "TXT"): ['"v=spf1 mx -all"']}
    async with name_server(records) as (resolver, _):
        with RecordingSmtp() as smtp:
            url = f"smtp://tandem%40northwind.example:{smtp.password}@127.0.0.1:{smtp.port}"
            dns = f"127.0.0.1:{resolver.port}"
            async with Product(TANDEM_SMTP_URL=url, TANDEM_DNS_SERVER=dns) as product:
                ana = await product.set_up()
                support = await product.group_mailbox(ana, "Support", "support@northwind.example", [ana])
                yield Post(product, smtp, ana, support, records)


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


async def test_an_identity_is_changed_and_reset(post: Post, seats: Seats) -> None:
    fields = {"name": "Northwind Hire", "address": "hire@northwind.example"}
    await post.ana.post("/identities", fields)
    ana = await seats.at(post.product, post.ana)
    page = await ana.open("/settings/outgoing/")
    await page.get_by_role("button", name="Change hire@northwind.example").click()
    form = page.locator("form", has=page.get_by_role("button", name="Save the identity"))
    await expect(form.get_by_label("From name")).to_have_value("Northwind Hire")
    await form.get_by_label("From name").fill("Northwind Rental")
    await form.get_by_label("For").select_option(label="Support")
    await form.get_by_label("Reply-to").fill("desk@northwind.example")
    await page.get_by_role("button", name="Save the identity").click()
    line = page.get_by_role("listitem").filter(has_text="Northwind Rental <hire@northwind.example>")
    await expect(line.get_by_text("Support · answers to desk@northwind.example")).to_be_visible()
    await page.get_by_role("button", name="Reset hire@northwind.example to default").click()
    await expect(line.get_by_text("answers to")).to_have_count(0)
    await expect(line.get_by_text("Northwind Rental")).to_be_visible()
    assert ana.complaints == []


async def test_an_admin_sees_what_a_domain_lacks_and_looks_again(post: Post, seats: Seats) -> None:
    ana = await seats.at(post.product, post.ana)
    page = await ana.open("/settings/outgoing/")
    domain = page.get_by_role("region", name="northwind.example")
    await page.get_by_role("button", name="Look again").click()
    await expect(domain.get_by_text("No DMARC record says")).to_be_visible(timeout=30_000)
    await expect(domain.get_by_text("v=DMARC1; p=none; rua=mailto:postmaster@northwind.example")).to_be_visible()
    await expect(domain.get_by_text("An SPF record says which servers may send")).to_be_visible()
    post.records["_dmarc.northwind.example", "TXT"] = ['"v=DMARC1; p=reject"']
    await page.get_by_role("button", name="Look again").click()
    await expect(domain.get_by_text("is refused")).to_be_visible(timeout=30_000)
    assert ana.complaints == []


async def test_people_and_mailboxes_are_marked_until_somebody_says_the_address_is_theirs(
    post: Post, seats: Seats
) -> None:
    jonas = await post.product.invite(post.ana, "Jonas Dahl", "jonas@northwind.example")
    await post.mail_to("jonas@northwind.example", about="yours")
    asked = len(post.smtp.messages)
    await post.product.execute("UPDATE used_addresses SET asked_at = asked_at - interval '2 minutes'")
    ana = await seats.at(post.product, post.ana)
    page = await ana.open("/settings/people/")
    mark = page.get_by_role("button", name="Not verified: send the link again to jonas@northwind.example")
    await mark.click()
    await expect(page.get_by_text("The link is on its way to jonas@northwind.example")).to_be_visible()
    again = (await post.smtp.wait_for(asked + 1, timeout=30))[asked]
    await jonas.post("/addresses/verify", {"token": token_in(link_in(read(again)))})
    await page.reload()
    await expect(page.get_by_role("heading", name="Invite somebody")).to_be_visible()
    await expect(page.get_by_role("button", name="Not verified: send the link again to ana")).to_be_visible()
    await expect(mark).to_have_count(0)
    await page.goto(post.product.url + f"/settings/mailboxes/?mailbox={post.support.id}")
    await expect(page.get_by_role("img", name="Address not verified")).to_be_visible()
    await expect(page.get_by_text("Nobody has said yet that support@northwind.example is theirs.")).to_be_visible()
    await expect(page.get_by_role("button", name="Send the link again")).to_be_visible()
    assert ana.complaints == []
