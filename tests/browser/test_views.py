"""Views in the interface: a list is filtered, saved, shared, kept current, changed and deleted; who is away is seen."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator

import pytest
from playwright.async_api import Page, expect

from backend.people.contracts import UpdateProfile
from tests.servers.chromium import Seats
from tests.servers.office import Office

pytestmark = pytest.mark.browser


async def assign(page: Page, subject: str, name: str) -> None:
    await page.locator(".row", has_text=subject).click(timeout=15_000)
    await page.get_by_role("article", name=subject).wait_for()
    await page.keyboard.press("i")
    await page.get_by_role("menuitem", name=name).click()


async def test_a_list_is_filtered_saved_shared_and_kept_current(office: Office, seats: Seats) -> None:
    for subject in ("Gears slip uphill", "Gears slip downhill"):
        await office.receive(subject, sender="Lena Wirth <lena@wirth.example>")
    ana = await seats.at(office.product, office.ana)
    jonas = await seats.at(office.product, office.jonas)
    page = await ana.open()
    await jonas.open()
    uphill, downhill = (page.locator(".row", has_text=f"Gears slip {way}") for way in ("uphill", "downhill"))
    await assign(page, "Gears slip uphill", "Ana Ribeiro (me)")

    await page.get_by_role("button", name="Filter", exact=True).click()
    form = page.get_by_role("form", name="Filter")
    await form.get_by_label("From or to").fill("wirth.example")
    await form.get_by_label("Assigned to").select_option("Me")
    await form.get_by_label("Fits").select_option("Any of it")
    await form.get_by_role("button", name="Show").click()
    await expect(page.get_by_text("Open · Support · assigned to you or with wirth.example")).to_be_visible()
    for row in (uphill, downhill):
        await expect(row).to_be_visible()
    await page.get_by_role("button", name="Filter", exact=True).click()
    await form.get_by_label("Fits").select_option("All of it")
    await form.get_by_role("button", name="Show").click()
    await expect(page.get_by_text("Open · Support · assigned to you · with wirth.example")).to_be_visible()
    await expect(uphill).to_be_visible()
    await expect(downhill).to_have_count(0)
    await expect(page).to_have_url(re.compile("list=filter"))

    # Saved and shared: it stands in both rails, with what is open in it for each of them.
    await page.locator("summary", has_text="Save as view").click()
    await page.get_by_label("Name of the view").fill("Gears of mine")
    await page.get_by_label("Who can use it").select_option("Everybody")
    await page.get_by_role("button", name="Save as view").click()
    await expect(page.get_by_role("heading", name="Gears of mine")).to_be_visible()
    await expect(page.locator(".rail").get_by_role("link", name="Gears of mine")).to_contain_text("1")
    his = jonas.page.locator(".rail").get_by_role("link", name="Gears of mine")
    await his.click()
    await expect(jonas.page.get_by_text("Nothing fits this view")).to_be_visible()
    await expect(jonas.page.get_by_role("button", name="Delete the view")).to_have_count(0)

    # What fits comes, and what fits no more goes, as it happens elsewhere.
    await assign(page, "Gears slip uphill", "Jonas Dahl")
    await expect(uphill).to_have_count(0)
    row = jonas.page.locator(".row", has_text="Gears slip uphill")
    await expect(row).to_be_visible()
    await expect(his).to_contain_text("1")
    await row.click()
    await jonas.page.get_by_role("article", name="Gears slip uphill").wait_for()
    await jonas.page.keyboard.press("e")
    await expect(row).to_have_count(0)

    # Its maker changes the filters; the other's open list follows.
    await page.get_by_role("button", name="Filter", exact=True).click()
    await form.get_by_label("Assigned to").select_option("Anybody or nobody")
    await form.get_by_label("Status").select_option("Open and done")
    await form.get_by_role("button", name="Show").click()
    await expect(uphill).to_be_visible()
    await page.locator("summary", has_text="Save changes").click()
    await page.get_by_role("button", name="Save", exact=True).click()
    await expect(row).to_be_visible()
    await expect(jonas.page.locator(".row", has_text="Gears slip downhill")).to_be_visible()

    await page.goto(office.product.url + "/settings/views/")
    await page.get_by_label("Delete Gears of mine").click()
    await page.get_by_role("button", name="Delete the view").click()
    await expect(page.get_by_text("No views yet")).to_be_visible()
    await expect(his).to_have_count(0)
    await expect(row).to_have_count(0)
    assert ana.complaints == [] and jonas.complaints == []


@pytest.fixture
async def turns_end(office: Office) -> AsyncIterator[None]:
    """Whatever becomes of the test, the mail of later ones is given to nobody, and nobody stays away."""
    yield
    await office.ana.patch(f"/mailboxes/{office.support.id}", {"in_turn": {"how": "off"}})
    await office.jonas.patch("/me", UpdateProfile(away_until=None))


@pytest.mark.usefixtures("turns_end")
async def test_who_is_away_is_marked_and_passed_over(office: Office, seats: Seats) -> None:
    ana = await seats.at(office.product, office.ana)
    jonas = await seats.at(office.product, office.jonas)
    page = await ana.open("/settings/mailboxes/")
    await page.get_by_role("button", name=re.compile("Support")).click()
    await page.get_by_label("Assign them to").select_option("One after the other")
    await page.locator("form", has=page.get_by_label("Assign them to")).get_by_role("button", name="Save").click()
    await expect(page.get_by_text("Saved")).to_be_visible()
    turns = {"how": "round_robin", "user_ids": [office.ana.user_id, office.jonas.user_id]}  # whoever else has access
    await office.ana.patch(f"/mailboxes/{office.support.id}", {"in_turn": turns})

    await jonas.open()
    await jonas.page.get_by_role("button", name="Jonas Dahl", exact=True).click()
    await jonas.page.get_by_role("menuitem", name="Away until tomorrow").click()
    await expect(jonas.page.get_by_text("Your team sees that you are away")).to_be_visible()
    await page.goto(office.product.url)
    await page.mouse.move(0, 0)  # what can be done with a row stands in the place of its face under the pointer
    for subject in ("Pump is leaking", "Pump is lost"):
        await office.receive(subject)
        row = page.locator(".row", has_text=subject)
        await expect(row.get_by_title("Ana Ribeiro")).to_be_visible(timeout=15_000)
    await page.locator(".row", has_text="Pump is lost").click()
    pane = page.get_by_role("article", name="Pump is lost")
    await expect(pane.get_by_text("You got this in turn")).to_be_visible()
    await page.keyboard.press("i")
    await expect(page.get_by_role("menuitem", name="Jonas Dahl")).to_contain_text("away until")
    await page.get_by_role("menuitem", name="Jonas Dahl").click()
    assigned = pane.get_by_role("button", name="Assigned to Jonas Dahl")
    await expect(assigned).to_contain_text("away until")
    await page.keyboard.press("m")
    await pane.get_by_label("Comment, seen by your team only").press_sequentially("@Jo")
    await expect(page.get_by_role("option", name="Jonas Dahl")).to_contain_text("away until")
    await page.keyboard.press("Escape")

    await jonas.page.goto(office.product.url + "/settings/")
    await jonas.page.locator(".away-card").get_by_role("button", name="I am back").click()
    await expect(assigned).not_to_contain_text("away")
    assert ana.complaints == [] and jonas.complaints == []
