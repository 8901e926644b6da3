"""Two people write in one draft: each sees what the other writes and where, and a lost line or server loses nothing."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import replace

import pytest
from playwright.async_api import Locator, Page, WebSocketRoute, expect

from backend.compose.contracts import Draft
from tests.browser.test_accessibility import faults
from tests.browser.test_not_colliding import both_at
from tests.servers.chromium import Seat, Seats
from tests.servers.office import Office
from tests.servers.watched_web import WatchedWeb

pytestmark = pytest.mark.browser

SECONDS = 30
"""Within which what one person does is seen by the other, on a machine that does much else."""
SOON = SECONDS * 1000


async def both_in(ana: Seat, hers: Locator, jonas: Seat, his: Locator, begun: str) -> None:
    """Jonas begins a reply, and Ana joins him."""
    await jonas.page.keyboard.press("r")
    await expect(his.get_by_label("Text")).to_be_focused()
    await jonas.page.keyboard.type(begun)
    await expect(his.get_by_text("Saved", exact=True)).to_be_visible()
    await expect(hers.get_by_role("group", name="Draft of Jonas")).to_be_visible()
    await hers.get_by_role("button", name="Reply", exact=True).click()
    question = hers.get_by_role("group", name="Jonas writes a reply here")
    await question.get_by_role("button", name="Write together").click()
    await expect(hers.locator(".composer").get_by_text("Jonas writes here too")).to_be_visible(timeout=SOON)
    await expect(his.locator(".composer").get_by_text("Ana writes here too")).to_be_visible(timeout=SOON)


def text(pane: Locator) -> Locator:
    return pane.locator(".ProseMirror")


LINES = "(node) => node.editor?.getText({ blockSeparator: '\\n' }) ?? ''"
"""What stands in the text, without the names of cursors in it."""


async def says(pane: Locator, words: str) -> None:
    async with asyncio.timeout(SECONDS):
        while True:
            if await lines_of(pane) == words:
                return
            await asyncio.sleep(0.05)


async def lines_of(pane: Locator) -> str:
    return await text(pane).evaluate(LINES)


async def type_at_end(page: Page, pane: Locator, words: str) -> None:
    await text(pane).press("Control+End")
    await page.keyboard.type(words)


async def test_two_write_in_one_reply_and_one_sends_what_both_see(office: Office, seats: Seats) -> None:
    ana, hers, jonas, his = await both_at(office, seats, "Four hands")
    await both_in(ana, hers, jonas, his, "Hello Mateus,")
    await says(hers, "Hello Mateus,")

    # Each sees what the other writes, formatted too, and where.
    await jonas.page.keyboard.type(" the wheel")
    await says(hers, "Hello Mateus, the wheel")
    await expect(text(hers).locator(".caret-name")).to_have_text("Jonas", timeout=SOON)
    await type_at_end(ana.page, hers, " is ")
    await ana.page.keyboard.press("Control+b")
    await ana.page.keyboard.type("here")
    await says(his, "Hello Mateus, the wheel is here")
    await expect(text(his).locator("strong")).to_have_text("here")
    await expect(text(his).locator(".caret-name")).to_have_text("Ana", timeout=SOON)
    assert await faults(ana.page, "a draft that is written together") == []

    # At the same time, at both ends; then each takes back their own words alone.
    await text(his).press("Control+Home")
    # (At one stroke: what is typed slowly is taken back in several steps.)
    await asyncio.gather(jonas.page.keyboard.insert_text("NB: "), ana.page.keyboard.insert_text("!"))
    for pane in (hers, his):
        await says(pane, "NB: Hello Mateus, the wheel is here!")
    await jonas.page.keyboard.press("Control+z")
    for pane in (hers, his):
        await says(pane, "Hello Mateus, the wheel is here!")

    # Recipients are written together, too, and the draft that others read follows.
    await hers.get_by_role("button", name="Cc Bcc").click()
    await hers.get_by_label("Cc", exact=True).fill("mei@northwind.example")
    await ana.page.keyboard.press("Enter")
    await expect(his.locator(".composer .chip", has_text="mei@northwind.example")).to_be_visible(timeout=SOON)
    draft = await the_draft(office, "Hello Mateus, the wheel is here!", cc=["mei@northwind.example"])
    assert draft.html is not None and "<strong>here" in draft.html

    # He sends. She is told, and what she has is not more than what was sent.
    await his.get_by_role("button", name="Send", exact=True).click()
    await expect(ana.page.get_by_text("Jonas sent this mail.", exact=True)).to_be_visible(timeout=SOON)
    await expect(hers.locator(".composer")).to_have_count(0)
    assert ana.complaints == [] and jonas.complaints == []


async def test_what_is_written_while_the_server_is_away_comes_together(office: Office, seats: Seats) -> None:
    async with WatchedWeb(office.product) as web:
        away = replace(office, product=web)  # pyright: ignore[reportArgumentType] # of which the address counts
        ana, hers, jonas, his = await both_at(away, seats, "A server that restarts")
        await both_in(ana, hers, jonas, his, "Hello Mateus,")
        await says(hers, "Hello Mateus,")
        await web.stop()
        for pane in (hers, his):
            await expect(pane.get_by_text("No connection. What you write is kept here")).to_be_visible(timeout=SOON)
        await type_at_end(jonas.page, his, " it rains")
        await text(hers).press("Control+Home")
        await ana.page.keyboard.type("Today: ")
        await says(his, "Hello Mateus, it rains")
        await says(hers, "Today: Hello Mateus,")
        await web.start()
        for pane in (hers, his):
            await says(pane, "Today: Hello Mateus, it rains")
        await the_draft(office, "Today: Hello Mateus, it rains")

        # Whoever comes back finds it as it is, and writes on.
        await jonas.page.close()
        again = await (await seats.at(web, office.jonas)).open()  # pyright: ignore[reportArgumentType]
        await again.locator(".row", has_text="A server that restarts").click(timeout=20_000)
        his = again.get_by_role("article", name="A server that restarts")
        await says(his, "Today: Hello Mateus, it rains")
        await type_at_end(again, his, " here.")
        await says(hers, "Today: Hello Mateus, it rains here.")


class Cut:
    """The line to a draft that is written together, of one page. While it is cut, no other comes through."""

    def __init__(self) -> None:
        self._lines: list[WebSocketRoute] = []
        self._down = False

    async def carry(self, socket: WebSocketRoute) -> None:
        self._lines.append(socket)
        if not self._down:
            socket.connect_to_server()

    async def cut(self) -> None:
        self._down = True
        for socket in self._lines:
            await socket.close()


async def test_who_had_written_more_than_was_sent_is_told_and_keeps_it(office: Office, seats: Seats) -> None:
    ana, hers, jonas, his = await both_at(office, seats, "Sent without the rest")
    line = Cut()
    await ana.page.route_web_socket("**/together", line.carry)
    await jonas.page.keyboard.press("r")
    await expect(his.get_by_label("Text")).to_be_focused()
    await his.get_by_role("button", name="Plain, without formatting").click()
    await jonas.page.keyboard.type("Hello,")
    await expect(his.get_by_text("Saved", exact=True)).to_be_visible()
    await expect(hers.get_by_role("group", name="Draft of Jonas")).to_be_visible()
    await hers.get_by_role("button", name="Reply", exact=True).click()
    await hers.get_by_role("button", name="Write together").click()
    await says(hers, "Hello,")

    # He was writing in the plain field, and goes on at the same word.
    await expect(his.locator(".composer").get_by_text("Ana writes here too")).to_be_visible(timeout=SOON)
    await jonas.page.keyboard.type(" all is well.\nJonas")
    await says(hers, "Hello, all is well.\nJonas")
    await the_draft(office, "Hello, all is well.\nJonas")

    await line.cut()
    await expect(hers.get_by_text("No connection. What you write is kept here")).to_be_visible(timeout=SOON)
    await type_at_end(ana.page, hers, " and Ana")
    await his.get_by_role("button", name="Send", exact=True).click()
    told = "Jonas sent this mail. What you had not saved is kept as a draft of your own."
    await expect(ana.page.get_by_text(told)).to_be_visible(timeout=SOON)
    [kept] = [each for each in await office.ana.get("/drafts", list[Draft]) if "without the rest" in each.subject]
    assert (kept.text, kept.html, kept.together) == ("Hello, all is well.\nJonas and Ana", None, False)
    await expect(his.locator(".composer")).to_have_count(0)
    assert ana.complaints == [] and jonas.complaints == []


async def the_draft(office: Office, text: str, cc: Sequence[str] = ()) -> Draft:
    """Jonas' draft, once it says this and goes to these, too."""
    async with asyncio.timeout(SECONDS):
        while True:
            for each in await office.jonas.get("/drafts", list[Draft]):
                if each.text == text and [person.address for person in each.cc] == list(cc):
                    return each
            await asyncio.sleep(0.05)
