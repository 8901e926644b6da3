"""A stranger's HTML in the page: nothing of it runs, nothing leaves, and it is as high as its content."""

from __future__ import annotations

import pytest
from playwright.async_api import Request, expect

from tests.servers.chromium import Seats
from tests.servers.office import Office

pytestmark = pytest.mark.browser

HOSTILE = """<html><head><meta http-equiv="refresh" content="0;url=https://evil.example/"><style>@import
"https://evil.example/a.css"; body { background: url(https://evil.example/b.png) }</style></head>
<body onload="parent.document.title='owned'"><script>parent.document.title='owned'</script>
<img src="https://evil.example/pixel.png" onerror="parent.document.title='owned'">
<svg onload="parent.document.title='owned'"></svg><form action="https://evil.example/"><input name="q"></form>
<a href="javascript:parent.document.title='owned'">click here</a>
<p style="position:fixed;top:0;left:0;width:9999px;height:9999px;z-index:9999">over everything</p>
<p>The last line of the letter</p></body></html>"""


async def test_hostile_html(office: Office, seats: Seats) -> None:
    seat = await seats.at(office.product, office.ana)
    asked: list[str] = []

    def note(request: Request) -> None:
        if not request.url.startswith((office.product.url, "data:", "blob:")):
            asked.append(request.url)

    seat.context.on("request", note)
    page = await seat.open()
    await office.receive("A hostile letter", "plain part", html=HOSTILE, sender="Eve <eve@evil.example>")
    await page.locator(".row", has_text="A hostile letter").click(timeout=20_000)
    frame = page.frame_locator("iframe[title='Mail of Eve']")
    await expect(frame.get_by_text("The last line of the letter")).to_be_visible()
    if await frame.get_by_text("click here").count():
        await frame.get_by_text("click here").click()
    await page.wait_for_timeout(500)
    assert asked == []
    assert await page.title() == "Inbox · Tandem"
    element = page.locator("iframe[title='Mail of Eve']")
    sandbox = await element.get_attribute("sandbox") or ""
    assert "allow-scripts" not in sandbox
    assert "allow-top-navigation" not in sandbox
    await expect(page.get_by_role("button", name="Reply", exact=True).locator("visible=true")).to_be_visible()


async def test_a_frame_is_as_high_as_its_mail(office: Office, seats: Seats) -> None:
    seat = await seats.at(office.product, office.ana)
    page = await seat.open()
    html = "<html><body>" + "<p>A line of a long letter about bicycles.</p>" * 60 + "</body></html>"
    await office.receive("A long letter", "plain part", html=html, sender="Lena Wirth <lena@wirth.example>")
    await page.locator(".row", has_text="A long letter").click(timeout=20_000)
    element = page.locator("article:visible iframe")
    await expect(element).to_be_visible()
    await page.wait_for_function(
        "() => [...document.querySelectorAll('article iframe')].some((each) => each.offsetHeight > 1500)"
    )
