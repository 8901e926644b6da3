"""Signing in leads on to the page that was wanted, and to no page but ours."""

from __future__ import annotations

from urllib.parse import quote

import pytest
from playwright.async_api import expect

from tests.servers.api import PASSWORD
from tests.servers.chromium import Seats
from tests.servers.office import Office

pytestmark = pytest.mark.browser


@pytest.mark.parametrize(
    ("wanted", "path"),
    [
        ("/contacts/?contact=1", "/contacts/?contact=1"),
        ("//evil.example/", "/"),
        ("/\\evil.example/", "/"),
        ("/\t/evil.example/", "/"),
        ("https://evil.example/", "/"),
        ("javascript:document.title='owned'", "/"),
    ],
)
async def test_one_stays_here(office: Office, seats: Seats, wanted: str, path: str) -> None:
    seat = await seats.at(office.product)
    left: list[str] = []
    seat.context.on(
        "request", lambda request: left.append(request.url) if "evil" in request.url.split("?")[0] else None
    )
    page = await seat.open(f"/signin/?next={quote(wanted, safe='')}")
    assert office.ana.me is not None
    await page.get_by_label("Email address").fill(office.ana.me.person.email)
    await page.get_by_label("Password").fill(PASSWORD)
    await page.get_by_role("button", name="Sign in").click()
    await expect(page.get_by_role("button", name=office.ana.me.person.name)).to_be_visible(timeout=30_000)
    assert left == []
    assert page.url.startswith(office.product.url)
    assert page.url.removeprefix(office.product.url).startswith(path)
