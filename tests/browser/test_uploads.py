"""Files on their way up: a line that breaks, a reload, and files that are too large for a mail."""

from __future__ import annotations

import os
import re
from pathlib import Path

import httpx
import pytest
from playwright.async_api import Page, Request, Route, expect

from backend.conversations.contracts import ConversationDetail
from tests.browser.test_accessibility import faults
from tests.browser.test_writing import open_reply, own_draft
from tests.servers.chromium import Seats
from tests.servers.office import Office

pytestmark = pytest.mark.browser

PARTS = "**/api/v1/drafts/*/uploads/*"
FILM = os.urandom(700_000)


class Line:
    """What comes up of a file. `breaks_after` parts no further one does, until the line is `mended`."""

    def __init__(self, page: Page, breaks_after: int) -> None:
        self.page, self.left = page, breaks_after
        self.offsets: list[int] = []

    async def carry(self, route: Route, request: Request) -> None:
        if request.method != "PATCH":
            return await route.fallback()
        if self.left <= 0:
            return await route.abort("connectionreset")
        self.left -= 1
        self.offsets.append(int(request.headers["upload-offset"]))
        return await route.continue_()

    async def watch(self) -> None:
        await self.page.route(PARTS, self.carry)

    def mend(self) -> None:
        self.left = 1_000_000


async def test_an_upload_goes_on_where_it_was_after_a_broken_line_and_a_reload(office: Office, seats: Seats) -> None:
    seat = await seats.at(office.product, office.ana)
    page = await seat.open()
    line = Line(page, breaks_after=1)
    await line.watch()
    pane = await open_reply(office, page, "Film of the tandem")
    film = {"name": "film.mp4", "mimeType": "video/mp4", "buffer": FILM}
    await pane.get_by_label("Files to attach").set_input_files([film])  # pyright: ignore
    waiting = pane.get_by_text("37 %, goes on when the line is back")
    await expect(waiting).to_be_visible()
    await page.reload()
    await expect(waiting).to_be_visible()
    line.mend()
    await expect(pane.get_by_role("button", name="Remove film.mp4")).to_be_visible(timeout=20_000)
    assert line.offsets[:2] == [0, 262_144] and len(set(line.offsets)) == len(line.offsets)
    draft = await own_draft(office, "Film of the tandem")
    assert [(each.filename, each.size) for each in draft.attachments] == [("film.mp4", len(FILM))]


async def test_a_file_that_the_browser_does_not_hold_any_more_is_chosen_again(
    office: Office, seats: Seats, tmp_path: Path
) -> None:
    page = await (await seats.at(office.product, office.ana)).open()
    line = Line(page, breaks_after=1)
    await line.watch()
    file = tmp_path / "plans.zip"
    file.write_bytes(FILM)
    pane = await open_reply(office, page, "Plans of the wallaby")
    await pane.get_by_label("Files to attach").set_input_files(file)
    await expect(pane.get_by_text("37 %, goes on when the line is back")).to_be_visible()
    await page.evaluate("new Promise((done) => (indexedDB.deleteDatabase('tandem-files').onsuccess = done))")
    await page.reload()
    await expect(pane.get_by_text("37 % is up")).to_be_visible()
    await pane.get_by_role("button", name="Send", exact=True).click()
    await expect(pane.get_by_text("“plans.zip” is only half up: choose it again, or take it out.")).to_be_visible()
    line.mend()
    async with page.expect_file_chooser() as chosen:
        await pane.get_by_role("button", name="Choose it again").click()
    await (await chosen.value).set_files(file)
    await expect(pane.get_by_role("button", name="Remove plans.zip")).to_be_visible()
    assert line.offsets[:2] == [0, 262_144]


async def test_a_file_too_large_for_a_mail_is_a_link_of_each_recipients_own(
    office: Office, seats: Seats, tmp_path: Path
) -> None:
    """The office takes 2 MB in a mail."""
    seat = await seats.at(office.product, office.ana)
    page = await seat.open()
    film = tmp_path / "bandicoot.mp4"
    film.write_bytes(FILM * 3)
    pane = await open_reply(office, page, "A bandicoot film")
    await pane.get_by_role("combobox", name="To").fill("dan@customer.example")
    await pane.get_by_role("combobox", name="To").press("Enter")
    await pane.get_by_label("Files to attach").set_input_files(film)
    asked = pane.get_by_role("group", name="bandicoot.mp4")
    await expect(asked.get_by_text("has 2.0 MB, too much for a mail")).to_be_visible()
    assert await faults(page, "a file that is too large") == []
    await asked.get_by_label("The link ends after").select_option("7 days")
    await asked.get_by_role("button", name="Put in a link").click()
    await expect(pane.locator(".ProseMirror a")).to_have_text("bandicoot.mp4", timeout=20_000)
    await expect(pane.get_by_text("Saved", exact=True)).to_be_visible()
    await pane.get_by_role("button", name="More ways to send").click()
    await page.get_by_role("radio", name="One mail to each").check()
    await pane.get_by_role("button", name="Send", exact=True).click()
    priya = page.get_by_text("bandicoot.mp4, by link to Priya Shah: not opened yet")
    await expect(priya).to_be_visible()
    dan = page.locator("[data-shared-file]").filter(has_text="dan@customer.example")
    await expect(dan).to_contain_text("not opened yet")

    conversation = await conversation_of(office, "A bandicoot film")
    dans = next(each for each in conversation.outgoing if each.to[0].address == "dan@customer.example")
    [key] = re.findall(r"/api/v1/shared/([\w-]{43})", dans.text)
    async with httpx.AsyncClient(headers={"user-agent": "Mozilla/5.0 Firefox/140.0"}) as reader:
        assert (await reader.get(f"{office.product.url}/api/v1/shared/{key}")).content == FILM * 3
    await expect(dan).to_contain_text("opened once")
    await expect(priya).to_be_visible()
    assert seat.complaints == []


async def conversation_of(office: Office, subject: str) -> ConversationDetail:
    found = await office.ana.get("/search", q=f'"{subject}"')
    return await office.ana.get(f"/conversations/{found['items'][0]['row']['id']}", ConversationDetail)
