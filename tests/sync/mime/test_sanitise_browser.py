"""Sanitised attacks in a real browser: no script runs and no request leaves, even without the page's policy."""

import json
from collections.abc import AsyncIterator

import pytest
from playwright.async_api import Browser, Page, Route, async_playwright

from sync.mime.sanitise import FRAME_SANDBOX, document
from tests.sync.mime.hostile_markup import SETS, contexts, payloads, sanitised

pytestmark = [pytest.mark.browser, pytest.mark.timeout(240)]
ARGUMENTS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update",
             "--disable-sync", "--no-first-run"]  # fmt: skip
PAGE = "http://mail.example/"
BATCH = 400
# A page whose own functions an attack would call, and in which nothing else runs.
WATCH = "for (const name of ['alert','confirm','prompt','print','fetch','open','eval']) window[name] = () => { ran() }"


@pytest.fixture
async def browser() -> AsyncIterator[Browser]:
    async with async_playwright() as playwright:
        launched = await playwright.chromium.launch(executable_path="/usr/bin/chromium", args=ARGUMENTS)
        yield launched
        await launched.close()


class Watched:
    """A page that notes every script that ran and every request that was tried."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.seen: list[str] = []
        self.html = ""

    async def start(self) -> None:
        await self.page.expose_function("ran", lambda: self.seen.append("script"))
        await self.page.add_init_script(WATCH)
        self.page.on("dialog", lambda dialog: self.seen.append(f"dialog {dialog.message}"))
        self.page.on("framenavigated", lambda frame: self.note_address(frame.url))
        await self.page.route("**/*", self.answer)

    def note_address(self, address: str) -> None:
        if not address.startswith(("about:", "chrome-error:", PAGE)):
            self.seen.append(address)

    async def answer(self, route: Route) -> None:
        if route.request.url == PAGE:
            await route.fulfill(status=200, content_type="text/html; charset=utf-8", body=self.html)
            return
        self.seen.append(route.request.url)
        await route.abort()

    async def show(self, html: str) -> None:
        self.html = html
        await self.page.goto(PAGE, wait_until="load")
        await self.page.mouse.move(200, 200)
        await self.page.wait_for_timeout(20)


async def watched(browser: Browser) -> Watched:
    page = Watched(await browser.new_page())
    await page.start()
    return page


async def test_the_watch_sees_scripts_and_requests(browser: Browser) -> None:
    page = await watched(browser)
    await page.show("<img src='http://t.example/a.gif' onerror='alert(1)'><style>@import 'http://t.example/b'</style>")
    assert "script" in page.seen
    assert {"http://t.example/a.gif", "http://t.example/b"} <= set(page.seen)


@pytest.mark.parametrize("name", SETS)
async def test_nothing_runs_and_nothing_is_fetched(browser: Browser, name: str) -> None:
    markups = [
        sanitised(markup).html
        for payload in payloads(name)
        for markup in (contexts(payload) if name != "xss-payloadbox" else [payload])
    ]
    page = await watched(browser)
    for start in range(0, len(markups), BATCH):
        await page.show("<!doctype html><meta charset=utf-8>" + "\n".join(markups[start : start + BATCH]))
        assert page.seen == [], f"{name}, from {start}"


async def test_the_frame_holds_even_what_was_not_sanitised(browser: Browser) -> None:
    """The second and third fence alone: raw attacks in the document of the policy, in the sandboxed frame."""
    raw = "\n".join(payload for payload in payloads("xss-dompurify"))
    raw += "<script>parent.ran()</script><form action='http://t.example/f'><button id=b>x</button></form>"
    raw += (
        "<base href='http://t.example/'><img src='http://t.example/i'><link rel=stylesheet href='http://t.example/s'>"
    )
    page = await watched(browser)
    inner = json.dumps(document(raw, dark=False)).replace("</", "<\\/")
    await page.show(
        f"<!doctype html><iframe sandbox='{FRAME_SANDBOX}'></iframe>"
        f"<script>document.querySelector('iframe').srcdoc = {inner}</script>"
    )
    await page.page.wait_for_timeout(300)
    assert "script" not in page.seen
    # Pictures of our own origin may load. (A refresh by <meta> is what no policy stops: that is for the sanitiser.)
    assert [address for address in page.seen if not address.startswith(PAGE)] == []
