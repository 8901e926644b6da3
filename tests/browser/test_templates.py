"""Templates in the settings: written with a preview beside, shared, found, changed and deleted."""

from __future__ import annotations

import pytest
from playwright.async_api import expect

from tests.servers.chromium import Seats
from tests.servers.office import Office

pytestmark = pytest.mark.browser


async def test_a_template_is_written_previewed_shared_changed_and_deleted(office: Office, seats: Seats) -> None:
    ana = await seats.at(office.product, office.ana)
    jonas = await seats.at(office.product, office.jonas)
    page = ana.page
    await page.goto(office.product.url + "/settings/templates/")
    await expect(page.get_by_text("No templates yet")).to_be_visible(timeout=20_000)
    await page.get_by_role("button", name="New template").click()
    preview = page.get_by_role("region", name="Preview")
    shown = preview.frame_locator("iframe")
    await page.get_by_label("Name", exact=True).fill("Parcel is late")
    await page.get_by_label("Folder").fill("Support/Delivery")
    await page.get_by_label("Who can use it").select_option("Everybody")
    await page.get_by_label("Subject").fill("Your parcel")
    await page.get_by_role("textbox", name="Text", exact=True).fill("Hello {{ contact.frist_name }},")
    await expect(preview.get_by_text("There is no field “contact.frist_name”. Did you mean")).to_be_visible()
    await page.get_by_role("textbox", name="Text", exact=True).fill(
        "Hello {{ contact.first_name }},\n\nit is on its way."
    )
    await expect(shown.get_by_text("Hello Carla,")).to_be_visible()
    await preview.get_by_role("button", name="Dark").click()
    await expect(shown.get_by_text("Hello Carla,")).to_be_visible()
    await preview.get_by_label("Filled in for").fill("dan.dee@customer.example")
    await expect(preview.get_by_text("Empty for this contact: contact first name")).to_be_visible()
    await expect(preview.get_by_text("Your parcel", exact=True)).to_be_visible()
    await page.get_by_role("button", name="Save", exact=True).click()
    line = page.locator(".lines li", has_text="Parcel is late")
    await expect(line.get_by_text("Support/Delivery · shared with everybody · never used")).to_be_visible()

    # A colleague finds it, and cannot change it.
    await jonas.page.goto(office.product.url + "/settings/templates/")
    await jonas.page.get_by_label("Find a template").fill("delivery parcel")
    theirs = jonas.page.locator(".lines li", has_text="Parcel is late")
    await expect(theirs.get_by_text("by Ana")).to_be_visible()
    await expect(theirs.get_by_role("button", name="Edit Parcel is late")).to_have_count(0)
    await jonas.page.get_by_label("Find a template").fill("refund")
    await expect(jonas.page.get_by_text("Nothing found")).to_be_visible()

    await line.get_by_role("button", name="Edit Parcel is late").click()
    await expect(page.get_by_role("textbox", name="Text", exact=True)).to_have_text(
        "Hello {{ contact.first_name }},\n\nit is on its way.", use_inner_text=True
    )
    await page.get_by_label("Name", exact=True).fill("Parcel on its way")
    await page.get_by_role("button", name="Save", exact=True).click()
    changed = page.locator(".lines li", has_text="Parcel on its way")
    await expect(changed).to_be_visible()
    await changed.get_by_label("Delete Parcel on its way").click()
    await changed.get_by_role("button", name="Delete the template").click()
    await expect(page.get_by_text("Template deleted")).to_be_visible()
    await expect(changed).to_have_count(0)
    assert ana.complaints == [] and jonas.complaints == []
