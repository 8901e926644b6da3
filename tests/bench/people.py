"""The people of a benchmark: pages of a real Chromium, each signed in as somebody, with a stopwatch inside."""

import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from playwright.async_api import Browser, Page, async_playwright

from tests.servers.product import Visitor

CHROMIUM = "/usr/bin/chromium"
ARGUMENTS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
)
STOPWATCH = Path(__file__).with_name("stopwatch.js")
ROW = ".row[data-conversation-id]"


@asynccontextmanager
async def chromium() -> AsyncIterator[Browser]:
    """The machine's own Chromium."""
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        try:
            yield browser
        finally:
            await browser.close()


class Desk:
    """One person's inbox in a window of 1440 x 900. Times are milliseconds since the epoch, by this process' clock."""

    def __init__(self, page: Page, visitor: Visitor) -> None:
        self.page = page
        self.visitor = visitor
        self._ahead = 0.0

    @classmethod
    async def open(cls, browser: Browser, visitor: Visitor) -> "Desk":
        """Load the inbox, and wait until its list is there and alive."""
        context = await browser.new_context(viewport={"width": 1440, "height": 900})
        await context.add_cookies(visitor.browser_cookies())  # pyright: ignore[reportArgumentType] # a TypedDict
        await context.add_init_script(path=STOPWATCH)
        desk = cls(await context.new_page(), visitor)
        await desk.begin_again()
        return desk

    async def begin_again(self) -> None:
        """Load the inbox: nothing is open, the list stands at its top, and the pointer beside it.

        (A list that is scrolled, or under the pointer, keeps still: what is new then waits above.)
        """
        await self.page.mouse.move(1000, 450)
        await self.page.goto(self.visitor.url + "/")
        await self.page.locator(ROW).first.wait_for()
        await self.page.locator(".live:not(.off)").wait_for()
        await self._set_clock()

    async def _set_clock(self) -> None:
        """Find out how far the page's clock is ahead, from the quickest of several questions."""
        answers: list[tuple[float, float]] = []
        for _ in range(20):
            before = time.time()
            told = await self.page.evaluate("stopwatch.now()")
            after = time.time()
            answers.append((after - before, told - (before + after) * 500))
        self._ahead = min(answers)[1]

    async def expect(self, name: str, selector: str, *, text: str = "", absent: bool = False) -> None:
        """Begin to wait for an element with this text, or for there being none."""
        what = {"selector": selector, "text": text, "absent": absent}
        await self.page.evaluate("([name, what]) => stopwatch.expect(name, what)", [name, what])

    async def seen(self, name: str) -> float:
        """When that came to pass."""
        return await self.page.evaluate("(name) => stopwatch.when(name)", name) - self._ahead

    async def clicked(self) -> float:
        """When the last click happened, by the browser's own time of the event."""
        return await self.page.evaluate("stopwatch.clicked()") - self._ahead

    async def open_conversation(self, conversation_id: int, mark: str) -> dict[str, Any]:
        """Click on a row of the list. Answers `content_ms` and `painted_ms` after the click, whether the conversation
        stood `ready` in the page, and whether it is `html`.
        """
        await self.page.evaluate("([id, mark]) => stopwatch.expectOpened(id, mark)", [conversation_id, mark])
        await self.page.locator(row(conversation_id)).click()
        told = await self.page.evaluate("stopwatch.when('opened')")
        return {
            "content_ms": told["content"] - told["began"],
            "painted_ms": told["painted"] - told["began"],
            "ready": told["ready"],
            "html": told["html"],
        }

    async def rows(self) -> list[tuple[int, str]]:
        """The conversations before the eyes: id and the row's text."""
        return await self.page.evaluate(
            """(selector) => {
              const box = document.querySelector("[data-list-scroll]").getBoundingClientRect();
              return [...document.querySelectorAll(selector)]
                .filter((row) => {
                  const at = row.getBoundingClientRect();
                  return at.height && at.top >= box.top && at.bottom <= box.bottom;
                })
                .map((row) => [Number(row.dataset.conversationId), row.textContent]);
            }""",
            ROW,
        )

    async def scroll_list(self, pixels: int) -> None:
        """Turn the wheel over the list."""
        await self.page.locator("[data-list-scroll]").hover()
        await self.page.mouse.wheel(0, pixels)


def row(conversation_id: int) -> str:
    """The selector of a conversation's row."""
    return f'.row[data-conversation-id="{conversation_id}"]'


def pane(conversation_id: int) -> str:
    """The selector of a conversation's pane."""
    return f'.pane[data-pane="{conversation_id}"]'
