"""What one writes alone outlives a browser that ends while its line is down: the next page brings it up."""

from __future__ import annotations

import asyncio

import pytest
from playwright.async_api import Locator, Page, WebSocketRoute, expect

from backend.compose.contracts import Draft, SaveDraft
from tests.browser.test_kept import comes_back, keeps
from tests.browser.test_together import SECONDS, SOON
from tests.browser.test_writing import open_reply, own_draft
from tests.servers.chromium import Seat, Seats
from tests.servers.office import Office

pytestmark = pytest.mark.browser


class Line:
    """A page's line to the product, whose answers can be held back, and which can be cut for good."""

    def __init__(self) -> None:
        self._sockets: list[WebSocketRoute] = []
        self._held = False
        self._down = False

    async def carry(self, socket: WebSocketRoute) -> None:
        if self._down:
            await socket.close()
            return
        self._sockets.append(socket)
        socket.connect_to_server().on_message(lambda message: None if self._held else socket.send(message))

    def hold_answers(self) -> None:
        self._held = True

    async def cut(self) -> None:
        self._down = True
        for socket in self._sockets:
            await socket.close()


async def writing(office: Office, seats: Seats, subject: str) -> tuple[Seat, Locator, Line]:
    """Ana has begun a reply."""
    ana = await seats.at(office.product, office.ana)
    line = Line()
    await ana.page.route_web_socket("**/_event/**", line.carry)
    pane = await open_reply(office, await ana.open(), subject)
    await pane.get_by_label("Text").press_sequentially("Hello Mateus,")
    await expect(pane.get_by_text("Saved", exact=True)).to_be_visible()
    await draft_says(office, subject, "Hello Mateus,")
    return ana, pane, line


async def goes_down(ana: Seat, line: Line) -> None:
    await line.cut()
    await ana.context.set_offline(True)


async def draft_says(office: Office, subject: str, text: str) -> None:
    async with asyncio.timeout(SECONDS):
        while True:
            if (await own_draft(office, subject)).text == text:
                return
            await asyncio.sleep(0.05)


async def drafts(office: Office, subject: str) -> list[str]:
    found = [each for each in await office.ana.get("/drafts", list[Draft]) if subject in each.subject]
    return sorted(each.text for each in found)


async def type_on(page: Page, pane: Locator, words: str) -> None:
    await pane.get_by_label("Text").press("Control+End")
    await page.keyboard.insert_text(words)


async def test_it_stands_in_the_draft_again(office: Office, seats: Seats) -> None:
    subject = "Alone through a crash"
    ana, pane, line = await writing(office, seats, subject)
    await keeps(ana.page)  # what is stored is not kept besides
    await goes_down(ana, line)
    await type_on(ana.page, pane, " the bell is in the post")
    await keeps(ana.page, "Hello Mateus, the bell is in the post")
    await expect(pane.get_by_text("Saving. It is kept in this browser meanwhile")).to_be_visible()
    page = await comes_back(ana)
    await draft_says(office, subject, "Hello Mateus, the bell is in the post")
    await keeps(page)
    await page.locator(".row", has_text=subject).click(timeout=20_000)
    again = page.get_by_role("article", name=subject).get_by_label("Text")
    await expect(again).to_have_text("Hello Mateus, the bell is in the post")
    await type_on(page, page.get_by_role("article", name=subject), " today")
    await draft_says(office, subject, "Hello Mateus, the bell is in the post today")
    assert await drafts(office, subject) == ["Hello Mateus, the bell is in the post today"]


async def test_of_a_draft_that_was_changed_elsewhere_it_becomes_another_one(office: Office, seats: Seats) -> None:
    subject = "Changed before the crash"
    ana, pane, line = await writing(office, seats, subject)
    await goes_down(ana, line)
    await type_on(ana.page, pane, " the bell is in the post")
    await keeps(ana.page, "Hello Mateus, the bell is in the post")
    stored = await own_draft(office, subject)
    fields = {name: getattr(stored, name) for name in ("version", "to", "cc", "bcc", "subject")}
    await office.ana.put(f"/drafts/{stored.id}", SaveDraft(**fields, text="Words from my phone"))
    page = await comes_back(ana)
    told = "A mail went on without what was kept of it here. That is a draft of your own now."
    await expect(page.get_by_text(told)).to_be_visible(timeout=SOON)
    assert await drafts(office, subject) == ["Hello Mateus, the bell is in the post", "Words from my phone"]
    await keeps(page)


async def test_a_save_whose_answer_never_came_is_no_other_text(office: Office, seats: Seats) -> None:
    subject = "Stored without an answer"
    ana, pane, line = await writing(office, seats, subject)
    line.hold_answers()
    await type_on(ana.page, pane, " the bell")
    await draft_says(office, subject, "Hello Mateus, the bell")
    await goes_down(ana, line)
    await type_on(ana.page, pane, " is in the post")
    await keeps(ana.page, "Hello Mateus, the bell is in the post")
    page = await comes_back(ana)
    await draft_says(office, subject, "Hello Mateus, the bell is in the post")
    await keeps(page)
    assert await drafts(office, subject) == ["Hello Mateus, the bell is in the post"]


async def test_another_tab_waits_until_that_page_is_gone(office: Office, seats: Seats) -> None:
    subject = "Two tabs and a crash"
    ana, pane, line = await writing(office, seats, subject)
    await line.cut()
    await type_on(ana.page, pane, " the bell is in the post")
    await keeps(ana.page, "Hello Mateus, the bell is in the post")
    other = await ana.context.new_page()
    await other.goto("/")
    await other.wait_for_function(
        "async () => (await navigator.locks.query()).pending.some(({ name }) => name.startsWith('tandem-page-'))"
    )
    assert await drafts(office, subject) == ["Hello Mateus,"]
    await ana.page.close()
    await draft_says(office, subject, "Hello Mateus, the bell is in the post")
    await keeps(other)
