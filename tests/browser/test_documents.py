"""Documents: uploaded and kept in the settings, attached to a mail or linked in it, and seen to be opened."""

from __future__ import annotations

import re

import httpx
import pytest
from playwright.async_api import expect

from backend.documents.contracts import Document
from tests.browser.test_accessibility import faults
from tests.browser.test_writing import open_reply
from tests.servers.chromium import Seats
from tests.servers.delivery import write_mail
from tests.servers.office import Office

pytestmark = pytest.mark.browser

PDF = {"name": "numbat prices.pdf", "mimeType": "application/pdf", "buffer": b"%PDF-1.7 old"}
NEWER = {"name": "numbat 2.pdf", "mimeType": "application/pdf", "buffer": b"newer"}


async def test_a_document_is_kept_attached_linked_and_seen_to_be_opened(office: Office, seats: Seats) -> None:
    seat = await seats.at(office.product, office.ana)
    page = seat.page
    await page.goto(office.product.url + "/settings/documents/")
    await page.get_by_label("Documents to upload").set_input_files([PDF], timeout=20_000)  # pyright: ignore
    line = page.get_by_role("region", name="Documents").get_by_role("listitem").filter(has_text="numbat prices.pdf")
    await expect(line.get_by_text("version 1 · for everybody")).to_be_visible()
    await page.get_by_role("button", name="Change numbat prices").click()
    await page.get_by_label("Folder").fill("Sales")
    await page.get_by_role("button", name="Save", exact=True).click()
    await expect(page.get_by_text("Saved", exact=True)).to_be_visible()
    await page.get_by_role("button", name="Change numbat prices").click()
    async with page.expect_file_chooser() as chosen:
        await page.get_by_role("button", name="Upload a new version").click()
    await (await chosen.value).set_files([NEWER])  # pyright: ignore
    await expect(page.get_by_text("Sales · numbat 2.pdf · 1 KB · version 2 · for everybody")).to_be_visible()

    [document] = [each for each in await office.ana.get("/documents", list[Document]) if "numbat" in each.name]
    await page.goto(office.product.url)
    pane = await open_reply(office, page, "A numbat bike")
    await pane.get_by_role("button", name="Documents and earlier files").click()
    library = page.get_by_role("dialog", name="Files that are there")
    await library.get_by_role("searchbox", name="Find a file").fill("sales numbat")
    await library.get_by_role("button", name="Attach numbat prices").click()
    await expect(library.get_by_text("numbat prices is attached")).to_be_visible()
    assert await faults(page, "the documents in the composer") == []
    await library.get_by_role("button", name="Link to numbat prices").click()
    await expect(library).to_have_count(0)
    link = pane.locator(".ProseMirror a")
    await expect(link).to_have_text("numbat 2.pdf")
    await expect(pane.get_by_role("button", name="Remove numbat 2.pdf")).to_be_visible()
    url = await link.get_attribute("href") or ""
    await expect(pane.get_by_text("Saved", exact=True)).to_be_visible()
    await pane.get_by_role("button", name="Send", exact=True).click()
    shown = page.locator("[data-shared-file]")
    await expect(shown.get_by_text("numbat 2.pdf, by link: not opened yet")).to_be_visible()

    # The customer opens it, and the conversation says so at once; then the link is closed.
    path = url.partition("/api/v1")[2]
    async with httpx.AsyncClient(headers={"user-agent": "Mozilla/5.0 Firefox/140.0"}) as reader:
        reply = await reader.get(f"{office.product.url}/api/v1{path}")
        assert (reply.status_code, reply.content) == (200, b"newer")
        await expect(shown.get_by_text("numbat 2.pdf, by link: opened once")).to_be_visible()
        await shown.get_by_role("button", name="Close the link").click()
        await expect(shown.get_by_text("the link is closed")).to_be_visible()
        assert (await reader.get(f"{office.product.url}/api/v1{path}")).status_code == 404
    await office.ana.delete(f"/documents/{document.id}")
    assert seat.complaints == []


async def test_a_file_of_earlier_mail_is_found_by_its_name_and_by_its_mail_and_attached(
    office: Office, seats: Seats
) -> None:
    for filename, words in (("echidna route.gpx", "For Sunday."), ("list.txt", "What an echidna eats.")):
        mail = write_mail(subject=f"About {filename}", text=words, attachment=b"x", filename=filename)
        await office.dovecot.deliver("support", mail)
    seat = await seats.at(office.product, office.ana)
    page = await seat.open()
    for filename in ("echidna route.gpx", "list.txt"):
        await expect(page.locator(".row", has_text=f"About {filename}")).to_be_visible(timeout=20_000)
    pane = await open_reply(office, page, "Which way on Sunday")
    await pane.get_by_role("button", name="Documents and earlier files").click()
    library = page.get_by_role("dialog", name="Files that are there")
    await library.get_by_role("button", name="Earlier mail").click()
    await expect(library.get_by_text("No mail of this conversation has a file.")).to_be_visible()
    await library.get_by_role("searchbox", name="Find a file").fill("echidna")
    files = library.get_by_role("list", name="Files").get_by_role("listitem")
    await expect(files).to_have_text([re.compile("^echidna route.gpx"), re.compile("^list.txt")])
    await library.get_by_role("button", name="Attach list.txt").click()
    await expect(library.get_by_text("list.txt is attached")).to_be_visible()
    assert await faults(page, "files of earlier mail in the composer") == []
    await library.get_by_role("button", name="Done").click()
    await expect(pane.get_by_role("button", name="Remove list.txt")).to_be_visible()
    assert seat.complaints == []
