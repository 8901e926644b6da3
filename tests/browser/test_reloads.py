"""However often a tab is reloaded, the web process holds the tasks and sockets of the open tabs, and no more."""

from __future__ import annotations

import asyncio
import random
import time
from collections import Counter
from collections.abc import Callable

import pytest
from playwright.async_api import Page, expect

from tests.servers.chromium import Seat, Seats
from tests.servers.office import Office
from tests.servers.watched_web import Sockets, WatchedWeb

pytestmark = [pytest.mark.browser, pytest.mark.timeout(300)]

LINGERING_SECONDS = 60
"""engineio looks once in 25 s whether a browser still answers, and keeps a task for it until then."""


async def becomes_live(page: Page) -> None:
    """The tab shows its mailbox, and follows it."""
    await expect(page.get_by_role("heading", name="Support")).to_be_visible(timeout=30_000)


async def eventually(wanted: object, look: Callable[[], object]) -> None:
    """Wait until `look` sees what is wanted; AssertionError with what it saw instead."""
    until = time.monotonic() + LINGERING_SECONDS
    while (seen := look()) != wanted:
        assert time.monotonic() < until, f"wanted {wanted}, and still there is {seen}"
        await asyncio.sleep(0.5)


async def at_rest(web: WatchedWeb) -> Counter[str]:
    """The tasks once they have not changed for three seconds."""
    before, since = web.tasks(), time.monotonic()
    while time.monotonic() < since + 3:
        await asyncio.sleep(0.5)
        now = web.tasks()
        if now != before:
            before, since = now, time.monotonic()
    return before


async def open_tab(web: WatchedWeb, office: Office, seats: Seats) -> Seat:
    seat = await seats.at(office.product, office.ana)
    await seat.page.goto(web.url)
    await becomes_live(seat.page)
    return seat


async def reload_often(page: Page, times: int) -> None:
    """Reload, now and then waiting until the tab lives, mostly in the midst of loading."""
    chance = random.Random(times)
    for _ in range(times):
        await page.reload(wait_until="domcontentloaded")
        wait = chance.randrange(4)
        if wait == 0:
            await becomes_live(page)
        elif wait == 1:
            await asyncio.sleep(chance.random() * 0.3)
    await becomes_live(page)


async def leaves_nothing_behind(office: Office, seats: Seats, reloads: int) -> None:
    async with WatchedWeb(office.product) as web:
        first = await open_tab(web, office, seats)
        one_tab = await at_rest(web)
        await eventually(Sockets(browsers=1, live=1), web.sockets)
        second = await open_tab(web, office, seats)
        two_tabs = await at_rest(web)
        assert two_tabs > one_tab, "a second tab has tasks of its own: else this counts nothing"
        await eventually(Sockets(browsers=2, live=2), web.sockets)

        await reload_often(first.page, reloads)
        await eventually(Sockets(browsers=2, live=2), web.sockets)
        await eventually(two_tabs, web.tasks)

        # What stayed is what works: both tabs still hear of a new mail.
        await office.receive("Heard after so many reloads")
        for seat in (first, second):
            row = seat.page.locator(".row", has_text="Heard after so many reloads")
            await expect(row.first).to_be_visible(timeout=30_000)

        await second.context.close()
        await eventually(Sockets(browsers=1, live=1), web.sockets)
        await first.context.close()
        await eventually(Sockets(browsers=0, live=0), web.sockets)


async def test_reloads_leave_nothing_behind(office: Office, seats: Seats) -> None:
    await leaves_nothing_behind(office, seats, reloads=60)


@pytest.mark.long
async def test_two_hundred_reloads_leave_nothing_behind(office: Office, seats: Seats) -> None:
    await leaves_nothing_behind(office, seats, reloads=200)
