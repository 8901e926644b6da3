"""How quickly the interface answers, in a mailbox of 200,000 conversations and a million messages.

    python -m tests.bench.interface --json

One person sits at a real Chromium, and works by keyboard. Every time is taken inside the page, from the key press (or
the click, or the turn of the wheel) until what it asked for is painted. Afterwards the same through a line that takes
50 ms each way, and a first load over a slow link. The mailbox is made once and kept (tests/bench/large_mailbox.py).
Progress goes to stderr; the last line on stdout is one JSON object, described in docs/benchmarks.md.
"""

import argparse
import asyncio
import json
import random
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from playwright.async_api import Browser, BrowserContext, Page

from tests.bench import palette
from tests.bench.far_away import FarAway
from tests.bench.figures import postgres_facts, say, spread, surroundings
from tests.bench.large_mailbox import MESSAGES_EACH, enter, prepare_folder, reopen
from tests.bench.people import ROW, chromium
from tests.servers.product import Product, Visitor

MOMENTS = Path(__file__).with_name("moments.js")
WARM_UP = 3
"""Samples of each kind that are thrown away: the first of everything loads code."""
FLOORS: dict[str, float] = {
    "open_ms.p95": 40,
    "next_ms.p95": 33,
    "done_ms.p95": 33,
    "assign_ms.p95": 33,
    "search_first_result_ms.p95": 80,
    "palette_ms.p95": 30,
    "scroll_page_ms.p95": 60,
    "first_load_ms.p95": 1500,
    "script_kb": 400,
    "slow_link.first_load_ms": 4000,
    "remote.next_ms.p95": 33,
    "remote.done_ms.p95": 33,
    "remote.assign_ms.p95": 33,
}
SLOW = {"offline": False, "latency": 150, "downloadThroughput": 1_600_000 / 8, "uploadThroughput": 750_000 / 8}
"""1.6 Mbit/s down, 150 ms until a first byte: a phone in the countryside. Bytes per second."""
FAR_SECONDS = 0.05


@dataclass
class Seat:
    """One person's inbox in a window of 1440 x 900."""

    page: Page
    samples: int
    chance: random.Random = field(default_factory=lambda: random.Random(5))

    async def begin_again(self, url: str) -> None:
        await self.page.mouse.move(1000, 450)
        await self.page.goto(url)
        await self.page.locator(ROW).first.wait_for()
        await self.page.locator(".live:not(.off)").wait_for()
        await asyncio.sleep(1)

    async def breathe(self, shortest: float = 0.3, longest: float = 0.6) -> None:
        """The pause of a person between two things, in seconds."""
        await asyncio.sleep(self.chance.uniform(shortest, longest))

    async def rows(self) -> list[int]:
        return await self.page.evaluate("moments.rows()")

    async def selected(self) -> int:
        return await self.page.evaluate("moments.selected()")

    async def timed(self, event: str, act: Callable[[], Awaitable[Any]], test: str, *told: object) -> float:
        """Do something, and how many milliseconds passed until its outcome was painted."""
        await self.page.evaluate("([event, test, told]) => moments.arm(event, test, ...told)", [event, test, told])
        await act()
        return await self.page.evaluate("moments.taken()")

    async def key(self, key: str, test: str, *told: object) -> float:
        return await self.timed("keydown", lambda: self.page.keyboard.press(key), test, *told)

    async def following(self) -> tuple[int, int]:
        """The open conversation and the one below it."""
        rows: list[int] = await self.page.evaluate("moments.list()")
        now = await self.selected()
        return now, rows[rows.index(now) + 1]


def series(times: list[float]) -> dict[str, float | int]:
    return spread(times[WARM_UP:])


async def measure_open(seat: Seat) -> dict[str, float | int]:
    """Clicks on any row before the eyes: most of them stand ready nowhere yet."""
    times: list[float] = []
    for number in range(seat.samples + WARM_UP):
        if number % 5 == 4:
            await seat.page.locator("[data-list-scroll]").hover()
            await seat.page.mouse.wheel(0, 700)
            await seat.breathe()
        now = await seat.selected()
        choice = seat.chance.choice([each for each in (await seat.rows())[1:-1] if each != now])
        row = seat.page.locator(f'.row[data-conversation-id="{choice}"]')
        times.append(await seat.timed("click", row.click, "shown", choice))
        await seat.breathe()
    return series(times)


async def measure_next(seat: Seat) -> dict[str, float | int]:
    """`j`, as somebody who reads one after the other."""
    times: list[float] = []
    await seat.page.keyboard.press("j")
    for _ in range(seat.samples + WARM_UP):
        await seat.breathe()
        _, following = await seat.following()
        times.append(await seat.key("j", "shown", following))
    return series(times)


async def measure_done(seat: Seat) -> dict[str, float | int]:
    """`e`: the row goes, and the next conversation stands there."""
    times: list[float] = []
    await seat.page.keyboard.press("j")
    for _ in range(seat.samples + WARM_UP):
        await seat.breathe()
        now, following = await seat.following()
        times.append(await seat.key("e", "done", now, following))
    return series(times)


async def measure_assign(seat: Seat) -> dict[str, float | int]:
    """Shift I: it is mine."""
    times: list[float] = []
    for _ in range(seat.samples + WARM_UP):
        await seat.page.keyboard.press("j")
        await seat.breathe()
        now = await seat.selected()
        times.append(await seat.key("Shift+I", "assigned", now, "AR"))
    return series(times)


async def measure_scrolling(seat: Seat) -> dict[str, float | int]:
    """A page of the list further down, by the wheel."""
    times: list[float] = []
    await seat.page.locator("[data-list-scroll]").hover()
    for _ in range(seat.samples + WARM_UP):
        await seat.breathe(0.15, 0.3)
        top = await seat.page.evaluate("document.querySelector('[data-list-scroll]').scrollTop")
        times.append(await seat.timed("wheel", lambda: seat.page.mouse.wheel(0, 640), "scrolled", top))
    return series(times)


async def measure_search(seat: Seat, url: str, conversations: int) -> dict[str, float | int]:
    """From the last key until the first row of what was found is painted."""
    times: list[float] = []
    for _ in range(seat.samples + WARM_UP):
        mark = f"NB-{seat.chance.randrange(1, conversations + 1):06d}"
        await seat.page.keyboard.press("Escape")
        box = seat.page.get_by_label("Search conversations")
        await box.fill(mark)
        times.append(await seat.key("Enter", "found", mark))
        await seat.breathe()
    await seat.begin_again(url)
    return series(times)


async def first_load(context: BrowserContext, url: str, *, slow: bool = False) -> tuple[float, float]:
    """Milliseconds until the first row of an inbox that this browser never saw is painted, and KB of script."""
    page = await context.new_page()
    told = await context.new_cdp_session(page)
    await told.send("Network.enable")
    if slow:
        await told.send("Network.emulateNetworkConditions", SLOW)
    scripts: set[str] = set()
    sizes: dict[str, float] = {}
    told.on("Network.responseReceived", lambda got: scripts.add(got["requestId"]) if got["type"] == "Script" else None)
    told.on("Network.loadingFinished", lambda got: sizes.update({got["requestId"]: got["encodedDataLength"]}))
    await page.goto(url, timeout=60_000)
    taken = await page.evaluate("moments.firstRow")
    kilobytes = sum(sizes.get(each, 0) for each in scripts) / 1024
    await page.close()
    return taken, kilobytes


async def new_context(browser: Browser, visitor: Visitor) -> BrowserContext:
    context = await browser.new_context(viewport={"width": 1440, "height": 900})
    await context.add_cookies(visitor.browser_cookies())  # pyright: ignore[reportArgumentType] # a TypedDict
    await context.add_init_script(path=MOMENTS)
    return context


async def measure_loads(browser: Browser, visitor: Visitor, url: str, times: int) -> dict[str, Any]:
    """First loads, each by a browser that has nothing in its cache."""
    taken: list[float] = []
    kilobytes = 0.0
    for _ in range(times):
        context = await new_context(browser, visitor)
        milliseconds, kilobytes = await first_load(context, url)
        taken.append(milliseconds)
        await context.close()
    context = await new_context(browser, visitor)
    slow, _ = await first_load(context, url, slow=True)
    await context.close()
    return {
        "first_load_ms": spread(taken),
        "script_kb": round(kilobytes, 1),
        "slow_link": {"first_load_ms": round(slow, 1)},
    }


async def measure_work(seat: Seat, url: str) -> dict[str, Any]:
    figures: dict[str, Any] = {}
    long = 0
    for name, measure in (("next_ms", measure_next), ("done_ms", measure_done), ("assign_ms", measure_assign)):
        say(f"{name}: {seat.samples} times")
        await seat.begin_again(url)
        figures[name] = await measure(seat)
        long += await seat.page.evaluate("moments.longTasks()")
    return figures | {"long_tasks_over_50ms": long}


async def run(conversations: int, samples: int) -> dict[str, Any]:
    """The whole benchmark; answers the JSON object."""
    figures: dict[str, Any] = {
        "benchmark": "interface",
        "conversations": conversations,
        "messages": conversations * MESSAGES_EACH,
    } | surroundings()
    folder = prepare_folder(conversations)
    async with FarAway(FAR_SECONDS) as line, Product(folder, TANDEM_ALLOWED_ORIGINS=line.origin) as product:
        line.target_port = product.port
        ana = await enter(product, conversations)
        await reopen(product.dsn)
        url = f"{product.url}/?mailbox=1"
        async with AsyncExitStack() as stack:
            browser = await stack.enter_async_context(chromium())
            say("first loads")
            figures |= await measure_loads(browser, ana, url, max(3, samples // 5))
            context = await new_context(browser, ana)
            seat = Seat(await context.new_page(), samples)
            await seat.begin_again(url)
            say(f"open_ms: {samples} times")
            figures["open_ms"] = await measure_open(seat)
            figures |= await measure_work(seat, url)
            say("scrolling, and searching")
            await seat.begin_again(url)
            figures["scroll_page_ms"] = await measure_scrolling(seat)
            figures["search_first_result_ms"] = await measure_search(seat, url, conversations)
            say("typing into the palette")
            figures["palette_ms"] = spread(await palette.measure(seat.page, max(1, samples // 13), samples))
            await context.close()
            say(f"the same with {FAR_SECONDS * 1000:.0f} ms each way")
            context = await new_context(browser, ana)
            far = Seat(await context.new_page(), samples)
            figures["remote"] = await measure_work(far, f"{line.origin}/?mailbox=1")
            await context.close()
        figures["postgres"] = await postgres_facts(product.dsn)
    return figures | {"floors": FLOORS, "floors_missed": [name for name in FLOORS if at(figures, name) > FLOORS[name]]}


def at(figures: dict[str, Any], name: str) -> float:
    """A figure by its dotted name."""
    found: Any = figures
    for part in name.split("."):
        found = found[part]
    return found


def main() -> None:
    parser = argparse.ArgumentParser(
        prog="python -m tests.bench.interface", description="How quickly the interface answers."
    )
    parser.add_argument("--json", action="store_true", help="one line of JSON instead of an indented object")
    parser.add_argument("--conversations", type=int, default=200_000)
    parser.add_argument("--samples", type=int, default=40, help="of each kind")
    chosen = parser.parse_args()
    figures = asyncio.run(run(chosen.conversations, chosen.samples))
    print(json.dumps(figures, indent=None if chosen.json else 2), flush=True)


if __name__ == "__main__":
    main()
