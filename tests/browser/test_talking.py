"""Talking beside the mail: files, links, formatting, and what of it is new."""

from __future__ import annotations

import re

import pytest
from playwright.async_api import expect

from backend.compose.contracts import Draft
from tests.servers.chromium import Seats
from tests.servers.office import Office

pytestmark = pytest.mark.browser

PIXEL = bytes.fromhex(
    "89504e470d0a1a0a0000000d49484452000000010000000108060000001f15c489"
    "0000000d49444154789c6360000002000001e221bc330000000049454e44ae426082"
)
BOX = "Comment, seen by your team only"


async def test_a_comment_is_formatted_has_files_and_leads_to_another_conversation(office: Office, seats: Seats) -> None:
    ana = await seats.at(office.product, office.ana)
    jonas = await seats.at(office.product, office.jonas)
    await office.receive("The brake recall")
    await office.receive("A wheel that wobbles")
    for seat in (ana, jonas):
        page = await seat.open()
        await page.locator(".row", has_text="A wheel that wobbles").wait_for(timeout=15_000)
        await page.locator(".row", has_text="The brake recall").wait_for(timeout=15_000)
    await ana.page.locator(".row", has_text="A wheel that wobbles").click()
    hers = ana.page.get_by_role("article", name="A wheel that wobbles")

    # Formatted, with a picture and a file, and a link that is chosen by the words of its subject.
    box = hers.get_by_label(BOX)
    await box.press_sequentially("**Stop**: the same as #recal")
    await ana.page.get_by_role("option", name="The brake recall").click()
    await hers.get_by_label("Files for the comment").set_input_files(
        [
            {"name": "wheel.png", "mimeType": "image/png", "buffer": PIXEL},
            {"name": "stock.txt", "mimeType": "text/plain", "buffer": b"7"},
        ]
    )
    await expect(hers.get_by_label("Remove stock.txt")).to_be_visible()
    await expect(hers.get_by_text("uploading")).to_have_count(0)
    await box.press("Enter")
    said = hers.get_by_label("Comment of Ana")
    await expect(said.locator("strong")).to_have_text("Stop")
    await expect(said.get_by_role("link", name="The brake recall · Open")).to_be_visible()
    await expect(said.locator("img.thumb")).to_have_js_property("naturalWidth", 1)
    own = ana.page.locator(".row", has_text="A wheel that wobbles")
    await expect(own).to_be_visible()
    await expect(own.get_by_label("New comments")).to_have_count(0)

    # New for Jonas: on the row, in the rail, and below a line; reading ends it.
    row = jonas.page.locator(".row", has_text="A wheel that wobbles")
    await expect(row.get_by_label("New comments")).to_be_visible()
    await expect(jonas.page.get_by_label(re.compile("with new comments")).first).to_be_visible()
    await row.click()
    his = jonas.page.get_by_role("article", name="A wheel that wobbles")
    await expect(his.get_by_text("New", exact=True)).to_be_visible()
    await expect(row.get_by_label("New comments")).to_have_count(0)

    # What is said while he has it open is read once he stirs in it.
    await box.fill("And another.")
    await box.press("Enter")
    await expect(his.get_by_text("And another.")).to_be_visible()
    await expect(row.get_by_label("New comments")).to_have_count(1)
    await his.get_by_text("And another.").hover()
    await expect(row.get_by_label("New comments")).to_have_count(0)
    async with jonas.page.expect_download() as saving:
        await his.get_by_role("link", name="stock.txt").click()
    assert (await saving.value).suggested_filename == "stock.txt"
    # She changes it: another colleague is named, another file comes along.
    mine = ana.page.locator(".cmt", has_text="And another.")
    await mine.hover()
    await mine.get_by_label("Edit the comment").click()
    change = mine.get_by_label("The comment", exact=True)
    await expect(change).to_be_focused()
    await change.press_sequentially(" Look, @Jona")
    await mine.get_by_role("option", name="Jonas Dahl").click()
    more = {"name": "wheel.txt", "mimeType": "text/plain", "buffer": b"28 spokes"}
    await mine.get_by_label("More files for the comment").set_input_files(more)  # pyright: ignore[reportArgumentType] # a file is a dictionary
    await expect(mine.locator(".comment-editor .chip").get_by_text("uploading")).to_have_count(0)
    await mine.get_by_role("button", name="Save").click()
    await expect(change).to_be_hidden()
    changed = his.locator(".cmt", has_text="And another. Look,")
    await expect(changed.locator(".at")).to_have_text("@Jonas Dahl")
    await expect(changed.get_by_role("link", name="wheel.txt")).to_be_visible()

    await his.get_by_role("link", name="The brake recall · Open").click()
    other = jonas.page.get_by_role("article", name="The brake recall")
    await expect(other).to_be_visible()

    # Made confidential, it is nothing to Jonas any more, and what led to it tells nothing.
    await ana.page.locator(".row", has_text="The brake recall").click()
    mine = ana.page.get_by_role("article", name="The brake recall")
    await mine.get_by_role("button", name="More", exact=True).click()
    await ana.page.get_by_role("menuitem", name="Make confidential").click()
    await expect(other).to_be_hidden()
    await row.click()
    await expect(his.get_by_text("a conversation you cannot see")).to_be_visible()
    await expect(jonas.page.get_by_text("The brake recall")).to_have_count(0)
    assert ana.complaints == [] and jonas.complaints == []


async def test_an_address_that_is_pasted_becomes_a_link(office: Office, seats: Seats) -> None:
    await office.receive("Pasted from here")
    ana = await seats.at(office.product, office.ana)
    page = await ana.open()
    await page.locator(".row", has_text="Pasted from here").click(timeout=15_000)
    pane = page.get_by_role("article", name="Pasted from here")
    await expect(pane).to_be_visible()
    await expect(page).to_have_url(re.compile("conversation="))
    box = pane.get_by_label(BOX)
    await box.fill(f"See {page.url}")
    await box.press("Enter")
    await expect(pane.get_by_role("link", name="Pasted from here · Open")).to_be_visible()
    assert ana.complaints == []


async def test_how_a_mailbox_sends_is_set_seen_by_its_writers_and_told_to_its_readers(
    office: Office, seats: Seats
) -> None:
    await office.receive("Which invoice")
    jonas = await seats.at(office.product, office.jonas)
    page = await jonas.open()
    await page.locator(".row", has_text="Which invoice").click(timeout=15_000)
    pane = page.get_by_role("article", name="Which invoice")
    await pane.get_by_role("button", name="Reply", exact=True).click()
    await expect(pane.get_by_label("Text")).to_be_focused()
    await page.keyboard.type("The last one.")

    ana = await seats.at(office.product, office.ana)
    settings = await ana.open(f"/settings/mailboxes/?mailbox={office.support.id}")
    await settings.get_by_label("BCC address for replies").fill("archive@northwind.example")
    await settings.get_by_label("Send as").select_option("person")
    form = settings.locator("form", has=settings.get_by_label("Send as"))
    await form.get_by_role("button", name="Save").click()
    await expect(settings.get_by_text("Saved", exact=True)).to_be_visible()

    # What Jonas is writing stays; that a copy goes out is said, and as whom he writes.
    copied = "A copy goes to archive@northwind.example, which the recipients do not see."
    await expect(pane.get_by_text(copied)).to_be_visible()
    await expect(pane.get_by_label("Text")).to_have_text("The last one.", use_inner_text=True)
    await expect(pane.get_by_title("Jonas Dahl, Support <support@northwind.example>")).to_be_visible()
    await page.get_by_title("About this mailbox").click()
    about = page.get_by_role("dialog", name="About this mailbox")
    changed = "Ana changed who gets copies of replies and who stands as the sender"
    await expect(about.get_by_text(changed)).to_be_visible()
    await expect(about.get_by_text("Jonas Dahl")).to_be_visible()
    await page.keyboard.press("Escape")

    await office.ana.patch(f"/mailboxes/{office.support.id}", {"reply_bcc": "", "send_as": "mailbox"})
    await expect(pane.get_by_text(copied)).to_have_count(0)
    await pane.get_by_role("button", name="Discard the draft").click()
    assert ana.complaints == [] and jonas.complaints == []


async def test_my_drafts_of_all_mailboxes_stand_in_one_place_and_open_where_they_belong(
    office: Office, seats: Seats
) -> None:
    for begun in await office.ana.get("/drafts", list[Draft]):
        await office.ana.delete(f"/drafts/{begun.id}")
    await office.receive("A draft for later")
    ana = await seats.at(office.product, office.ana)
    page = await ana.open()
    await page.locator(".row", has_text="A draft for later").click(timeout=15_000)
    pane = page.get_by_role("article", name="A draft for later")
    await pane.get_by_role("button", name="Reply", exact=True).click()
    await expect(pane.get_by_label("Text")).to_be_focused()
    await page.keyboard.type("Tomorrow.")
    await expect(pane.get_by_text("Saved")).to_be_visible()
    drafts = page.get_by_role("link", name=re.compile(r"^Drafts"))
    await expect(drafts).to_contain_text("1")
    await drafts.click()
    lines = page.locator(".draft-line")
    await expect(lines).to_have_count(1)

    # A new mail begun elsewhere appears by itself, and opens over the page; the reply opens in its conversation.
    new = {"kind": "new", "mailbox_id": office.support.id}
    await office.ana.post("/drafts", new)
    await expect(lines).to_have_count(2)
    await expect(drafts).to_contain_text("2")
    # What a composer asks for when it opens is answered before the draft goes away.
    senders, signatures = re.compile(r"/drafts/\d+/senders$"), re.compile(r"/drafts/\d+/signatures$")
    async with page.expect_response(senders), page.expect_response(signatures):
        await lines.first.get_by_role("button").first.click()
    await page.get_by_role("dialog", name="New mail").get_by_role("button", name="Discard the draft").click()
    await expect(lines).to_have_count(1)
    await page.reload()
    await expect(lines).to_have_count(1)
    async with page.expect_response(senders), page.expect_response(signatures):
        await lines.first.get_by_role("button").first.click()
    await expect(pane.get_by_label("Text")).to_have_text("Tomorrow.", use_inner_text=True)
    await pane.get_by_role("button", name="Discard the draft").click()
    await expect(drafts).not_to_contain_text("1")
    assert ana.complaints == []
