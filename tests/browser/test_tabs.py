"""What a tab leaves behind, and what a session ends."""

from __future__ import annotations

import asyncio

import psutil
import pytest
from playwright.async_api import expect

from tests.servers.chromium import Seats
from tests.servers.office import Office

pytestmark = pytest.mark.browser

RELOADS = 200
LINGERING_SECONDS = 60.0
"""The socket library pings a lost page for 25 s before it gives up."""


def live_sockets(office: Office) -> int:
    """Connections of the web process to itself: the live sockets of its tabs."""
    web = office.product.part("web")
    assert web is not None
    own = office.product.port
    return sum(
        1
        for each in web.net_connections("tcp")
        if each.status == psutil.CONN_ESTABLISHED and each.raddr and each.raddr.port == own
    )


async def settle_at(office: Office, wanted: int) -> None:
    """Wait until there are `wanted` live sockets."""
    ends = asyncio.get_running_loop().time() + LINGERING_SECONDS
    while (found := live_sockets(office)) != wanted:
        assert asyncio.get_running_loop().time() < ends, f"{found} live sockets instead of {wanted}"
        await asyncio.sleep(0.25)


@pytest.mark.long  # what is short of this: test_reloads.py
@pytest.mark.timeout(300)
async def test_reloads_leave_one_live_socket_for_each_open_tab(office: Office, seats: Seats) -> None:
    first = await seats.at(office.product, office.ana)
    second = await seats.at(office.product, office.jonas)
    await second.open()
    page = await first.open()
    for number in range(RELOADS):
        await page.reload(wait_until="domcontentloaded")
        if number % 10 == 0:  # some tabs live long enough to connect
            await expect(page.get_by_role("heading", name="Support")).to_be_visible()
    await expect(page.get_by_role("heading", name="Support")).to_be_visible()
    await settle_at(office, 2)
    await asyncio.sleep(1)
    assert live_sockets(office) == 2
    await first.context.close()
    await settle_at(office, 1)


async def test_signing_out_leaves_nothing_of_the_person(office: Office, seats: Seats) -> None:
    visitor = office.product.visitor()
    await visitor.sign_in("jonas@northwind.example")
    seat = await seats.at(office.product, visitor)
    page = await seat.open()
    await expect(page.get_by_role("heading", name="Support")).to_be_visible()
    await page.get_by_role("button", name="Jonas Dahl").click()
    await page.get_by_role("menuitem", name="Sign out").click()
    await expect(page.get_by_role("heading", name="Sign in")).to_be_visible()
    received: list[str] = []
    page.on("websocket", lambda socket: socket.on("framereceived", lambda frame: received.append(str(frame))))
    await page.reload()
    await page.wait_for_timeout(1000)
    assert not any("Jonas" in frame or "Support" in frame for frame in received)
    await page.goto("/")
    await expect(page.get_by_role("heading", name="Sign in")).to_be_visible()


async def test_a_session_ended_elsewhere_ends_the_page(office: Office, seats: Seats) -> None:
    visitor = office.product.visitor()
    await visitor.sign_in("jonas@northwind.example")
    seat = await seats.at(office.product, visitor)
    page = await seat.open()
    await expect(page.get_by_role("heading", name="Support")).to_be_visible()
    await visitor.post("/sign-out")
    await expect(page.get_by_role("heading", name="Sign in")).to_be_visible(timeout=15_000)


async def test_signing_in_by_the_page(office: Office, seats: Seats) -> None:
    seat = await seats.at(office.product)
    page = await seat.open("/settings/")
    await expect(page).to_have_title("Sign in · Tandem")
    await expect(page.get_by_text("Northwind Bikes")).to_be_visible()
    await page.get_by_label("Email address").fill("ana@northwind.example")
    await page.get_by_label("Password").fill("not the right one")
    await page.get_by_role("button", name="Sign in").click()
    await expect(page.get_by_role("alert").filter(has_text="password")).to_be_visible()
    await page.get_by_label("Password").fill("a long enough sentence")
    await page.get_by_role("button", name="Sign in").click()
    await expect(page.get_by_role("heading", name="Profile")).to_be_visible()
    await expect(page.get_by_label("Name", exact=True)).to_have_value("Ana Ribeiro")
