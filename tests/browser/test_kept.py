"""What is written together outlives a browser that ends while its line is down: the browser itself keeps it."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from playwright.async_api import Locator, Page, expect

from backend.compose.contracts import Draft
from tests.browser.test_not_colliding import both_at
from tests.browser.test_together import SECONDS, SOON, Cut, both_in, says, the_draft, type_at_end
from tests.servers.chromium import Seat, Seats
from tests.servers.office import Office

pytestmark = pytest.mark.browser

ENTRIES = """async () => {
  const base = await new Promise((done, fail) => {
    const asked = indexedDB.open("tandem-drafts", 1);
    asked.onupgradeneeded = () => asked.result.createObjectStore("changes");
    asked.onsuccess = () => done(asked.result);
    asked.onerror = () => fail(asked.error);
  });
  const found = await new Promise((done) => {
    base.transaction("changes").objectStore("changes").getAll().onsuccess = (told) => done(told.target.result);
  });
  base.close();
  return found.map((each) => each.said?.fields ?? {});
}"""
"""The words of all drafts of which the browser keeps something."""

PUT = """(person) => new Promise((done, fail) => {
  const asked = indexedDB.open("tandem-drafts", 1);
  asked.onsuccess = () => {
    const work = asked.result.transaction("changes", "readwrite");
    const entry = { serial: 1, change: new Uint8Array(2), said: { fields: { text: `of ${person}` } } };
    work.objectStore("changes").put(entry, [person, 1, 1]);
    work.oncomplete = () => (asked.result.close(), done());
    work.onabort = () => fail(work.error);
  };
})"""
"""Something that is kept for a person."""


async def keeps(page: Page, *texts: str) -> None:
    """Wait until the browser keeps exactly these."""
    async with asyncio.timeout(SECONDS):
        while True:
            found: list[dict[str, Any]] = await page.evaluate(ENTRIES)
            if [each.get("text") for each in found] == list(texts):
                return
            await asyncio.sleep(0.05)


async def cut_off(office: Office, seats: Seats, subject: str) -> tuple[Seat, Locator, Seat, Locator]:
    """Ana writes in Jonas' reply, and goes on while her line is down."""
    ana, hers, jonas, his = await both_at(office, seats, subject)
    line = Cut()
    await ana.page.route_web_socket("**/together", line.carry)
    await both_in(ana, hers, jonas, his, "Hello Mateus,")
    await says(hers, "Hello Mateus,")
    await line.cut()
    await ana.context.set_offline(True)
    await expect(hers.get_by_text("No connection. What you write is kept here")).to_be_visible(timeout=SOON)
    await type_at_end(ana.page, hers, " the bell is in the post")
    await keeps(ana.page, "Hello Mateus, the bell is in the post")
    return ana, hers, jonas, his


async def comes_back(ana: Seat) -> Page:
    """The browser ended with what stood in it. Later it is started again."""
    await ana.page.close()
    await ana.context.set_offline(False)
    page = await ana.context.new_page()
    await page.goto("/")
    return page


async def test_it_comes_to_the_colleague_and_stands_there_again(office: Office, seats: Seats) -> None:
    ana, _, jonas, his = await cut_off(office, seats, "Kept through a crash")
    await text_at_start(jonas.page, his, "Monday: ")
    page = await comes_back(ana)
    await says(his, "Monday: Hello Mateus, the bell is in the post")  # before she opens it
    await keeps(page)
    await page.locator(".row", has_text="Kept through a crash").click(timeout=20_000)
    hers = page.get_by_role("article", name="Kept through a crash")
    await says(hers, "Monday: Hello Mateus, the bell is in the post")
    await the_draft(office, "Monday: Hello Mateus, the bell is in the post")
    await type_at_end(page, hers, " today")
    await says(his, "Monday: Hello Mateus, the bell is in the post today")
    await keeps(page)


async def test_of_a_mail_that_has_left_meanwhile_it_becomes_a_draft_of_ones_own(office: Office, seats: Seats) -> None:
    ana, _, _, his = await cut_off(office, seats, "Left before the crash")
    await his.get_by_role("button", name="Send", exact=True).click()
    await expect(his.locator(".composer")).to_have_count(0)
    page = await comes_back(ana)
    told = "A mail went on without what was kept of it here. That is a draft of your own now."
    await expect(page.get_by_text(told)).to_be_visible(timeout=SOON)
    [own] = [each for each in await office.ana.get("/drafts", list[Draft]) if "Left before" in each.subject]
    assert (own.text, own.together) == ("Hello Mateus, the bell is in the post", False)
    await keeps(page)


async def test_whoever_signs_out_leaves_nothing_behind(office: Office, seats: Seats) -> None:
    seat = await seats.at(office.product)
    page = await seat.sign_in(office.ana)
    await keeps(page)  # makes the place for it, where there is none
    assert office.ana.me is not None
    mine = office.ana.me.person.id
    for person in (mine, mine + 1_000):
        await page.evaluate(PUT, person)
    await keeps(page, f"of {mine}", f"of {mine + 1_000}")
    await page.get_by_role("button", name=office.ana.me.person.name).click()
    await page.get_by_text("Sign out").click()
    await expect(page.get_by_label("Password")).to_be_visible()
    await keeps(page, f"of {mine + 1_000}")


async def text_at_start(page: Page, pane: Locator, words: str) -> None:
    await pane.locator(".ProseMirror").press("Control+Home")
    await page.keyboard.insert_text(words)
