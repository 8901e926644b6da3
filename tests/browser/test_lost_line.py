"""A line that is lost and comes back: what stands open on the page stays open, and what was typed stays typed."""

from __future__ import annotations

import asyncio

import pytest
from playwright.async_api import Page, WebSocketRoute, expect

from backend.people.contracts import Organisation, UpdateOrganisation
from tests.browser.test_accounts import add_my_mailbox
from tests.browser.test_writing import LETTER, open_reply, own_draft
from tests.servers.chromium import Seats
from tests.servers.office import Office

pytestmark = pytest.mark.browser

DOWN_SECONDS = 3.0


class Line:
    """A page's socket to the product, which a test can cut for some seconds."""

    def __init__(self, page: Page, office: Office) -> None:
        self.page = page
        self._office = office
        self._sockets: list[WebSocketRoute] = []
        self._known = 0

    async def through(self) -> Line:
        """Lead the page's socket through here; before the page is opened."""
        await self.page.route_web_socket("**/_event/**", self._carry)
        return self

    async def _carry(self, socket: WebSocketRoute) -> None:
        if self._sockets:
            # A line is not back at once. Before the server has noticed the end of the old one, Reflex takes whoever
            # comes for a second tab with a copied session, and gives it a state of its own.
            await asyncio.sleep(DOWN_SECONDS)
        socket.connect_to_server()
        self._sockets.append(socket)

    async def cut(self) -> None:
        """The line breaks, and is back some seconds later."""
        await self.goes_down()
        await self.is_back()

    async def goes_down(self) -> None:
        self._known = len(self._sockets)
        await self._sockets[-1].close()

    async def is_back(self) -> None:
        """Returns once the page has found another line, was told everything anew, and follows again."""
        # The page hears of these after everything that it does on arriving.
        for name in ("Northwind Cycles", "Northwind Bikes"):
            await self._office.ana.patch("/organisation", UpdateOrganisation(name=name), Organisation)
            await expect(self.page.locator(".org")).to_have_text(name, timeout=30_000)
        assert len(self._sockets) > self._known, "the page had no need of another line: this test shows nothing"


async def test_a_form_stays_open_with_what_was_typed(office: Office, seats: Seats) -> None:
    seat = await seats.at(office.product, office.ana)
    line = await Line(seat.page, office).through()
    page = await seat.open("/settings/mailboxes/")
    await add_my_mailbox(page, "ana@lost-line.example")
    await page.get_by_label("Password").fill("half a passw")
    await page.get_by_label("Receiving (IMAP): server").fill("imap.lost-line.example")
    await line.cut()
    await expect(page.get_by_label("Password")).to_have_value("half a passw")
    await expect(page.get_by_label("Receiving (IMAP): server")).to_have_value("imap.lost-line.example")
    await page.get_by_role("button", name="Not now").click()
    await page.get_by_role("button", name="Remove this mailbox").click()
    confirm = page.get_by_label("Type the mailbox’s name to confirm")
    await confirm.fill("ana@lost")
    await line.cut()
    await expect(confirm).to_have_value("ana@lost")
    await confirm.fill("ana@lost-line.example")
    await page.get_by_role("button", name="Remove for good").click()
    await expect(page.locator(".box-line", has_text="ana@lost-line.example")).to_have_count(0)


async def test_what_is_shown_once_stays_shown(office: Office, seats: Seats) -> None:
    seat = await seats.at(office.product, office.ana)
    line = await Line(seat.page, office).through()
    page = await seat.open("/settings/people/")
    await page.get_by_label("Email address").fill("lina@northwind.example")
    await page.get_by_role("button", name="Invite").click()
    link = await page.locator(".secret code").inner_text()
    await line.cut()
    await expect(page.locator(".secret code")).to_have_text(link)
    await page.get_by_role("link", name="API tokens").click()
    await page.get_by_label("What is it for?").fill("Reports")
    await page.get_by_role("button", name="Create").click()
    secret = await page.locator(".secret code").inner_text()
    await line.cut()
    await expect(page.locator(".secret code")).to_have_text(secret)
    await page.reload()
    await expect(page.get_by_text("Reports")).to_be_visible()
    await expect(page.locator(".secret code")).to_have_count(0)
    await page.get_by_label("Delete Reports").click()
    await page.get_by_role("button", name="Delete", exact=True).click()
    await expect(page.get_by_text("You have none yet.")).to_be_visible()


async def test_what_is_typed_into_a_mail_while_the_line_is_down_stays(office: Office, seats: Seats) -> None:
    seat = await seats.at(office.product, office.ana)
    line = await Line(seat.page, office).through()
    pane = await open_reply(office, await seat.open(), "Line down")
    text = pane.get_by_label("Text")
    await seat.page.keyboard.type(LETTER[:60])
    await expect(pane.get_by_text("Saved", exact=True)).to_be_visible()
    await line.goes_down()
    await seat.page.keyboard.type(LETTER[60:])
    await line.is_back()
    await seat.page.keyboard.type(" Ribeiro")
    await expect(text).to_have_text(LETTER + " Ribeiro", use_inner_text=True)
    await expect(pane.get_by_text("Saved", exact=True)).to_be_visible()
    assert (await own_draft(office, "Line down")).text == LETTER + " Ribeiro"
