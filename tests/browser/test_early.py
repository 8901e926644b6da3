"""A page is seen a moment before it lives: what is done in it meanwhile is not lost."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from playwright.async_api import Page, Route, expect

from backend.documents.contracts import Document
from backend.people.contracts import ApiToken
from tests.servers.chromium import Seats
from tests.servers.office import Office

pytestmark = pytest.mark.browser

STARTS_IT = "**/assets/entry.client-*.js"


@asynccontextmanager
async def seen_before_it_lives(page: Page, path: str) -> AsyncIterator[None]:
    """Within this, the page stands there and nothing in it works yet."""
    lives = asyncio.Event()

    async def late(route: Route) -> None:
        await lives.wait()
        await route.continue_()

    await page.route(STARTS_IT, late)
    await page.goto(path, wait_until="domcontentloaded")
    yield
    lives.set()


async def test_a_form_that_is_sent_early_is_sent_once(office: Office, seats: Seats) -> None:
    seat = await seats.at(office.product, office.mallory)
    async with seen_before_it_lives(seat.page, "/settings/tokens/"):
        await seat.page.get_by_label("What is it for?").fill("Early bird")
        for _ in range(2):
            await seat.page.get_by_role("button", name="Create").click()
    await expect(seat.page.get_by_text("it is not shown again")).to_be_visible()
    [token] = await office.mallory.get("/me/tokens", list[ApiToken])
    assert token.name == "Early bird"
    await office.mallory.delete(f"/me/tokens/{token.id}")
    assert seat.complaints == []


async def test_a_file_that_is_chosen_early_is_uploaded(office: Office, seats: Seats) -> None:
    seat = await seats.at(office.product, office.ana)
    async with seen_before_it_lives(seat.page, "/settings/documents/"):
        early = {"name": "wombat.pdf", "mimeType": "application/pdf", "buffer": b"%PDF-1.7"}
        await seat.page.get_by_label("Documents to upload").set_input_files([early])  # pyright: ignore[reportArgumentType] # a file is a dictionary
    line = seat.page.get_by_role("region", name="Documents").get_by_role("listitem").filter(has_text="wombat.pdf")
    await expect(line).to_have_count(1)
    [document] = [each for each in await office.ana.get("/documents", list[Document]) if each.name == "wombat"]
    await office.ana.delete(f"/documents/{document.id}")
    assert seat.complaints == []


async def test_a_search_that_is_typed_early_finds(office: Office, seats: Seats) -> None:
    seat = await seats.at(office.product, office.jonas)
    async with seen_before_it_lives(seat.page, "/settings/templates/"):
        await seat.page.get_by_label("Find a template").fill("nothing of this name")
    await expect(seat.page.get_by_text("Nothing found")).to_be_visible()
    assert seat.complaints == []
