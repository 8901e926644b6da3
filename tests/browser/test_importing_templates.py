"""HTML imported as a template, a template made of a sent mail, the library looked at, and the picker's folders."""

from __future__ import annotations

import io
import zipfile
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from playwright.async_api import Page, expect

from backend.contacts.contracts import Contact, CreateContact
from backend.templates.contracts import SaveTemplate, Template
from tests.browser.test_accessibility import faults
from tests.browser.test_writing import open_reply
from tests.servers.chromium import Seats
from tests.servers.office import Office

pytestmark = pytest.mark.browser

PIXEL = bytes.fromhex(
    "89504e470d0a1a0a0000000d4948445200000001000000010802000000907753de"
    "0000000c49444154789c63606060000000040001f61738550000000049454e44ae426082"
)
NEWS = """<html><head><title>Spring has come</title><style>.big { font-size: 22px; color: #187a4f }</style></head>
<body><table><tr><td class="big">Hello *|FNAME|*, the hills are green.</td></tr>
<tr><td><img src="img/hill.png" alt="A hill" width="40" height="40">
<script>x()</script></td></tr></table></body></html>"""


@pytest.fixture
async def tidied(office: Office) -> AsyncIterator[None]:
    """Other tests find Ana without the templates of these."""
    yield
    for each in await office.ana.get("/templates", list[Template]):
        await office.ana.delete(f"/templates/{each.id}")


async def open_import(office: Office, page: Page) -> None:
    await page.goto(office.product.url + "/settings/templates/")
    await page.get_by_role("button", name="Import HTML").click(timeout=20_000)
    await expect(page.get_by_role("button", name="Choose a file")).to_be_focused()


def zipped(files: dict[str, str | bytes]) -> bytes:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return made.getvalue()


@pytest.mark.usefixtures("tidied")
async def test_html_is_imported_as_a_zip_a_file_and_a_source_and_told_before_it_is_saved(
    office: Office, seats: Seats, tmp_path: Path
) -> None:
    seat = await seats.at(office.product, office.ana)
    page = await seat.open()
    archive, alone, broken = tmp_path / "spring.zip", tmp_path / "spring.html", tmp_path / "broken.zip"
    archive.write_bytes(zipped({"mail/index.html": NEWS, "mail/img/hill.png": PIXEL}))
    alone.write_text(NEWS)
    broken.write_bytes(b"PK\x03\x04 and nothing more")
    await open_import(office, page)
    assert await faults(page, "the import") == []
    upload = page.get_by_label("HTML file or zip")
    await upload.set_input_files(broken)
    await expect(page.get_by_role("alert")).to_have_text(
        "This zip file cannot be read. Make it anew, and send it up again."
    )

    await upload.set_input_files(archive)
    form = page.locator(".template-form")
    await expect(form.get_by_label("Name", exact=True)).to_have_value("spring")
    await expect(form.get_by_label("Name", exact=True)).to_be_focused()
    await expect(form.get_by_label("Subject")).to_have_value("Spring has come")
    findings = form.get_by_role("region", name="What was found")
    await expect(findings.get_by_text("Left out, for a mail cannot hold it: 1 script")).to_be_visible()
    await expect(findings.get_by_text("*|FNAME|* is now contact.first_name")).to_be_visible()
    shown = form.get_by_role("region", name="Preview").frame_locator("iframe")
    await expect(shown.get_by_text("Hello Carla, the hills are green.")).to_have_css("color", "rgb(24, 122, 79)")
    assert await shown.get_by_alt_text("A hill").evaluate("(each) => each.decode().then(() => each.naturalWidth)") == 1
    assert await faults(page, "what was imported") == []
    await form.get_by_role("button", name="Save", exact=True).click()
    await expect(page.locator(".lines li", has_text="Spring has come")).to_be_visible()
    [saved] = await office.ana.get("/templates", list[Template])
    assert (saved.name, saved.fields) == ("spring", ["contact.first_name"])

    # The page alone misses its picture.
    await open_import(office, page)
    await upload.set_input_files(alone)
    await expect(findings.get_by_text("hill.png: send the page up in a zip with its pictures")).to_be_visible()
    await form.get_by_role("button", name="Cancel").click()
    await expect(form).to_have_count(0)

    # A source is pasted; a new template begins without what was found in it.
    await open_import(office, page)
    await page.get_by_label("Or paste the source").fill("only words")
    await page.get_by_role("button", name="Read it").click()
    await expect(page.get_by_role("alert")).to_contain_text("This is not HTML.")
    await page.get_by_label("Or paste the source").fill("<p>Hello <b>{{ nobody }}</b></p>")
    await page.get_by_role("button", name="Read it").click()
    await expect(form.get_by_role("textbox", name="Text", exact=True)).to_have_text("Hello [nobody]")
    await expect(findings.get_by_text("stand in brackets")).to_be_visible()
    await page.get_by_role("button", name="New template").click()
    await expect(findings).to_have_count(0)
    # The browser itself notes what was refused.
    assert [each for each in seat.complaints if "422" not in each] == []


@pytest.mark.usefixtures("tidied")
async def test_a_sent_mail_becomes_a_template(office: Office, seats: Seats) -> None:
    before = len(office.smtp.messages)
    seat = await seats.at(office.product, office.ana)
    page = await seat.open()
    pane = await open_reply(office, page, "Lynx in the box")
    await page.keyboard.type("Hello Priya, we send a lynx carrier today.")
    await expect(pane.get_by_text("Saved", exact=True)).to_be_visible()
    await pane.get_by_role("button", name="Send", exact=True).click()
    await office.smtp.wait_for(before + 1, timeout=40)
    await pane.get_by_role("link", name="Make a template of it").click(timeout=20_000)
    form = page.locator(".template-form")
    await expect(form.get_by_label("Name", exact=True)).to_have_value("Lynx in the box", timeout=20_000)
    await expect(form.get_by_role("textbox", name="Text", exact=True)).to_have_text(
        "Hello Priya, we send a lynx carrier today."
    )
    await expect(form.get_by_text("Whom it went to is named in it.")).to_be_visible()
    await form.get_by_label("Name", exact=True).fill("Lynx carrier")
    await form.get_by_role("button", name="Save", exact=True).click()
    await expect(page.locator(".lines li", has_text="Lynx carrier")).to_be_visible()

    # Its address is that of the page again: a reload does not begin anew.
    await page.reload()
    await expect(page.locator(".lines li", has_text="Lynx carrier")).to_be_visible(timeout=20_000)
    await expect(form).to_have_count(0)
    assert seat.complaints == []


async def test_a_template_of_the_library_is_looked_at_on_a_desk_a_phone_in_the_dark_and_for_a_contact(
    office: Office, seats: Seats
) -> None:
    contact = CreateContact(name="Olga Otter", company="Otter Rafts", addresses=["olga@otter.example"])
    await office.ana.post("/contacts", contact, Contact)
    seat = await seats.at(office.product, office.ana)
    page = await seat.open()
    await page.goto(office.product.url + "/settings/templates/")
    await page.get_by_role("button", name="Library").click(timeout=20_000)
    line = page.locator(".library-lines li", has_text="Refund agreed")
    await line.get_by_role("button", name="Refund agreed").first.click()
    preview = line.get_by_role("region", name="Preview")
    frame = preview.locator("iframe")
    shown = preview.frame_locator("iframe")
    await expect(shown.get_by_text("Hello Carla,")).to_be_visible()
    words = shown.get_by_text("Hello Carla,")
    light = await words.evaluate("(each) => getComputedStyle(each).color")
    wide = (await frame.bounding_box() or {"width": 0})["width"]
    await preview.get_by_role("button", name="Phone").click()
    await expect(frame).to_have_class("preview-frame phone")
    assert (await frame.bounding_box() or {"width": 0})["width"] == 360 < wide
    assert await frame.evaluate("(each) => each.contentDocument.body.scrollWidth <= each.clientWidth")
    await preview.get_by_role("button", name="Dark").click()
    await expect(words).not_to_have_css("color", light)
    await preview.get_by_label("Filled in for").fill("olga@otter.example")
    await expect(shown.get_by_text("Hello Olga,")).to_be_visible()
    assert await faults(page, "the library") == []
    await line.get_by_role("button", name="Refund agreed").first.click()
    await expect(preview).to_have_count(0)
    assert seat.complaints == []


@pytest.mark.usefixtures("tidied")
async def test_the_picker_shows_folders_and_what_lies_in_them(office: Office, seats: Seats) -> None:
    for name, folder in (("Gnu late", "Gnus/Delivery"), ("Gnu lost", "Gnus/Delivery/Lost"), ("Gnu price", "Sales")):
        await office.ana.post("/templates", SaveTemplate(name=name, text=f"{name}.", folder=folder), Template)
    seat = await seats.at(office.product, office.ana)
    page = await seat.open()
    pane = await open_reply(office, page, "A gnu bike")
    await pane.get_by_role("button", name="Template").click()
    picker = page.get_by_role("dialog", name="Templates")
    folders = picker.get_by_role("navigation", name="Folders")
    await expect(folders.get_by_role("button")).to_have_text(
        ["All templates3", "Gnus2", "Delivery2", "Lost1", "Sales1"]
    )
    await folders.get_by_role("button", name="Delivery").click()
    await expect(picker.locator(".picker-list li")).to_have_count(2)
    await page.keyboard.press("ArrowDown")
    await expect(folders.get_by_role("button", name="Lost")).to_be_focused()
    await expect(picker.locator(".picker-list b")).to_have_text(["Gnu lost"])
    await expect(picker.get_by_text("Gnu lost.", exact=True)).to_be_visible()
    assert await faults(page, "the folders of templates") == []
    await picker.get_by_label("Find a template").fill("price")
    await expect(picker.get_by_text("Nothing found in this folder.")).to_be_visible()
    await picker.get_by_role("button", name="Look in all folders").click()
    await expect(picker.locator(".picker-list b")).to_have_text(["Gnu price"])

    # On a phone the folders are a list to choose from.
    await page.set_viewport_size({"width": 390, "height": 844})
    await picker.get_by_label("Find a template").fill("gnu")
    await picker.get_by_role("combobox", name="Folder", exact=True).select_option("Sales")
    await expect(picker.locator(".picker-list b")).to_have_text(["Gnu price"])
    await page.keyboard.press("Escape")
    await expect(picker).to_have_count(0)
    await page.set_viewport_size({"width": 1440, "height": 900})
    await pane.get_by_role("button", name="Discard the draft").click()
    assert seat.complaints == []
