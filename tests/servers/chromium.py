"""Debian's Chromium for browser tests: one for the run, a context of its own for each person."""

import shutil
from collections.abc import AsyncIterator
from dataclasses import dataclass, field

import pytest
from playwright.async_api import Browser, BrowserContext, ConsoleMessage, Page, async_playwright, expect

from tests.servers.api import PASSWORD
from tests.servers.product import Product, Visitor

ARGUMENTS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
)
# Two cores serve the product, its mail servers and the browsers: patience, not waiting.
expect.set_options(timeout=10_000)

DESK = {"width": 1440, "height": 900}
PHONE = {"width": 390, "height": 844}


@dataclass
class Seat:
    """One person before their browser. `complaints` is what the page logged as an error."""

    page: Page
    context: BrowserContext
    complaints: list[str] = field(default_factory=list)

    def note(self, message: ConsoleMessage) -> None:
        if message.type == "error":
            self.complaints.append(message.text)

    async def open(self, path: str = "/") -> Page:
        await self.page.goto(path)
        return self.page

    async def sign_in(self, person: Visitor) -> Page:
        """Sign in by hand: the cookie is then exactly as the product sets it."""
        assert person.me is not None
        await self.page.goto("/signin/")
        await self.page.get_by_label("Email address").fill(person.me.person.email)
        await self.page.get_by_label("Password").fill(PASSWORD)
        await self.page.get_by_role("button", name="Sign in").click()
        await self.page.get_by_role("button", name=person.me.person.name).wait_for()
        return self.page


class Seats:
    """Opens browsers for people."""

    def __init__(self, browser: Browser) -> None:
        self._browser = browser
        self._open: list[BrowserContext] = []

    async def at(
        self, product: Product, person: Visitor | None = None, *, phone: bool = False, dark: bool = False
    ) -> Seat:
        """A browser of its own, in which `person` is signed in."""
        context = await self._browser.new_context(
            base_url=product.url,
            viewport=PHONE if phone else DESK,  # pyright: ignore[reportArgumentType] # a size is a dictionary
            color_scheme="dark" if dark else "light",
            has_touch=phone,
            locale="en-GB",
        )
        self._open.append(context)
        if person is not None:
            await context.add_cookies(person.browser_cookies())  # pyright: ignore[reportArgumentType]
        page = await context.new_page()
        seat = Seat(page, context)
        page.on("console", seat.note)
        page.on("pageerror", lambda fault: seat.complaints.append(str(fault)))
        return seat

    async def close(self) -> None:
        for context in self._open:
            await context.close()
        self._open.clear()


@pytest.fixture(scope="session")
async def chromium() -> AsyncIterator[Browser]:
    """One Chromium for the whole run."""
    program = shutil.which("chromium") or "/usr/bin/chromium"
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=program, args=list(ARGUMENTS))
        yield browser
        await browser.close()


@pytest.fixture
async def seats(chromium: Browser) -> AsyncIterator[Seats]:
    """Browsers for the people of a test, closed after it."""
    seats = Seats(chromium)
    yield seats
    await seats.close()
