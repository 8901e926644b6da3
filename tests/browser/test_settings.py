"""First run, people, mailboxes, contacts: by their pages."""

from __future__ import annotations

import pytest
from playwright.async_api import expect

from tests.servers.api import PASSWORD
from tests.servers.chromium import Seats
from tests.servers.office import Office
from tests.servers.product import Product

pytestmark = pytest.mark.browser


async def test_first_run_to_first_mailbox(seats: Seats) -> None:
    async with Product() as product:
        await go_through_first_run(product, seats)


async def go_through_first_run(product: Product, seats: Seats) -> None:
    seat = await seats.at(product)
    page = await seat.open()
    await expect(page.get_by_role("heading", name="Set up Tandem")).to_be_visible()
    await page.get_by_label("Organisation").fill("Northwind Bikes")
    await page.get_by_label("Your name").fill("Ana Ribeiro")
    await page.get_by_label("Your email address").fill("ana@northwind.example")
    await page.get_by_label("Password").fill(PASSWORD)
    await page.get_by_role("button", name="Set up").click()
    await expect(page.get_by_text("No mailbox yet")).to_be_visible()
    assert seat.complaints == []


async def test_connecting_an_account_tells_what_is_wrong(office: Office, seats: Seats) -> None:
    seat = await seats.at(office.product, office.ana)
    page = await seat.open("/settings/mailboxes/")
    await page.get_by_role("button", name="Add group mailbox").click()
    await page.get_by_label("Address", exact=True).fill("sales@northwind.example")
    await page.get_by_label("Mailbox name").fill("Sales")
    await page.get_by_role("button", name="Add mailbox").click()
    await expect(page.get_by_role("heading", name="Connect the mail account")).to_be_visible(timeout=30_000)
    await page.get_by_label("User name").fill("sales")
    await page.get_by_label("Password").fill("wrong")
    for server, port in (("Receiving (IMAP)", office.dovecot.imap_port), ("Sending (SMTP)", office.smtp.port)):
        await page.get_by_label(f"{server}: server").fill("127.0.0.1")
        await page.get_by_label(f"{server}: port").fill(str(port))
        await page.get_by_label(f"{server}: encryption").select_option("none")
    await page.get_by_role("button", name="Connect", exact=True).click()
    failed = page.get_by_role("listitem").filter(has_text="Receiving")
    await expect(failed).to_contain_text("password", timeout=30_000)
    await page.get_by_label("Password").fill(office.dovecot.password)
    await page.get_by_role("button", name="Connect", exact=True).click()
    await page.get_by_role("button", name="Start fetching").click(timeout=30_000)
    await expect(page.get_by_text("Connected. New mail appears as it arrives.")).to_be_visible(timeout=30_000)
    await expect(page.get_by_role("link", name="Sales")).to_be_visible()
    assert seat.complaints == []


async def test_inviting_somebody(office: Office, seats: Seats) -> None:
    seat = await seats.at(office.product, office.ana)
    page = await seat.open("/settings/people/")
    await page.get_by_label("Email address").fill("eva@northwind.example")
    await page.get_by_label("Support").check()
    await page.get_by_role("button", name="Invite").click()
    link = await page.locator(".secret code").inner_text()
    guest = await seats.at(office.product)
    await guest.page.goto(link)
    await expect(
        guest.page.get_by_text("Ana Ribeiro invited eva@northwind.example to Northwind Bikes.")
    ).to_be_visible()
    await guest.page.get_by_label("Your name").fill("Eva Varga")
    await guest.page.get_by_label("Password").fill(PASSWORD)
    await guest.page.get_by_role("button", name="Join").click()
    await expect(guest.page.get_by_role("heading", name="Support")).to_be_visible()
    await expect(page.get_by_text("Eva Varga").first).to_be_visible()
    assert seat.complaints == []
    assert guest.complaints == []


async def test_profile_and_theme(office: Office, seats: Seats) -> None:
    page = await (await seats.at(office.product, office.jonas)).open("/settings/")
    await page.get_by_label("Theme").select_option("dark")
    await page.get_by_role("button", name="Save", exact=True).click()
    await expect(page.locator("html")).to_have_class("dark")
    await page.reload()
    await expect(page.locator("html")).to_have_class("dark")
    await page.get_by_label("Theme").select_option("system")
    await page.get_by_role("button", name="Save", exact=True).click()
    await expect(page.locator("html")).to_have_class("light")


async def test_a_contact_is_opened_beside_assign_and_edited(office: Office, seats: Seats) -> None:
    await office.receive("About my order", "Hello", sender="Karin Hartmann <karin@hartmann.example>")
    page = await (await seats.at(office.product, office.ana)).open()
    await page.locator(".row", has_text="About my order").click(timeout=20_000)
    await page.locator("article:visible .side").get_by_role("link", name="Open contact").click()
    await expect(page.get_by_label("Name", exact=True)).to_have_value("Karin Hartmann")
    await page.get_by_label("Company").fill("Hartmann GmbH")
    await page.get_by_label("Phone").fill("+49 30 23125 117")
    await page.get_by_role("button", name="Save").click()
    await expect(page.get_by_text("Contact saved")).to_be_visible()
    await expect(page.locator(".contact-line.on")).to_contain_text("Hartmann GmbH")
    await page.get_by_role("link", name="About my order").click()
    await expect(page.locator("article:visible .side")).to_contain_text("+49 30 23125 117")


async def test_a_token_is_shown_once(office: Office, seats: Seats) -> None:
    page = await (await seats.at(office.product, office.ana)).open("/settings/tokens/")
    await page.get_by_label("What is it for?").fill("Reporting script")
    await page.get_by_role("button", name="Create").click()
    await expect(page.get_by_text("it is not shown again")).to_be_visible()
    await expect(page.get_by_text("Reporting script")).to_be_visible()
    await page.reload()
    await expect(page.get_by_text("it is not shown again")).to_have_count(0)
    await page.get_by_label("Delete Reporting script").click()
    await page.get_by_role("button", name="Delete", exact=True).click()
    await expect(page.get_by_text("You have none yet.")).to_be_visible()


async def test_a_tick_stays_with_its_name_when_somebody_joins(office: Office, seats: Seats) -> None:
    page = await (await seats.at(office.product, office.ana)).open("/settings/teams/")
    await page.get_by_role("button", name="Add a team").click()
    await page.get_by_label("Name").fill("Workshop")
    await page.get_by_label("Jonas Dahl").check()
    await office.product.invite(office.ana, "Aaron Early", "aaron@northwind.example")
    await expect(page.get_by_label("Aaron Early")).to_be_visible()
    await expect(page.get_by_label("Name")).to_have_value("Workshop")
    await expect(page.get_by_label("Jonas Dahl")).to_be_checked()
    await expect(page.get_by_label("Aaron Early")).not_to_be_checked()
    await expect(page.get_by_label("Ana Ribeiro")).not_to_be_checked()


async def test_a_refused_invitation_leaves_what_was_typed(office: Office, seats: Seats) -> None:
    page = await (await seats.at(office.product, office.ana)).open("/settings/people/")
    await page.get_by_label("Email address").fill("jonas@northwind.example")
    await page.get_by_label("Support").check()
    await page.get_by_role("button", name="Invite").click()
    await expect(page.get_by_role("alert")).to_be_visible()
    await expect(page.get_by_label("Email address")).to_have_value("jonas@northwind.example")
    await expect(page.get_by_label("Support")).to_be_checked()
