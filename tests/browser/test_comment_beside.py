"""The comment beside a mail that is being written: `@` in the mail leads there, and the mail says nothing of it."""

from __future__ import annotations

import pytest
from playwright.async_api import expect

from backend.conversations.contracts import ConversationDetail
from tests.browser.test_accessibility import faults
from tests.browser.test_writing import open_reply, own_draft
from tests.servers.chromium import Seats
from tests.servers.office import Office

pytestmark = pytest.mark.browser

BOX = "Comment, seen by your team only"


async def test_who_is_named_in_a_mail_is_mentioned_in_the_comment_beside_it(office: Office, seats: Seats) -> None:
    seat = await seats.at(office.product, office.ana)
    page = await seat.open()
    pane = await open_reply(office, page, "A bilby bike")
    text = pane.locator(".ProseMirror")
    await expect(text).to_be_visible()
    await page.keyboard.type("We look at it today. @jon")
    people = page.get_by_role("listbox", name="People and teams, for a comment")
    await expect(people.get_by_role("option", name="Jonas")).to_be_visible()
    assert await faults(page, "who can be mentioned in a mail") == []
    await page.keyboard.press("Enter")

    box = pane.get_by_label(BOX)
    await expect(box).to_be_focused()
    await page.keyboard.type("is the rim still in stock?")
    await expect(box).to_have_value("@Jonas Dahl is the rim still in stock?")
    await page.keyboard.press("Enter")
    await expect(pane.get_by_label("Comment of Ana").get_by_text("is the rim still in stock?")).to_be_visible()
    await expect(box).to_have_count(0)

    # The cursor is in the mail again, and that says nothing of it.
    await page.keyboard.type("Tomorrow at the latest.")
    await expect(text).to_have_text("We look at it today. Tomorrow at the latest.")
    await expect(pane.get_by_text("Saved", exact=True)).to_be_visible()
    draft = await own_draft(office, "A bilby bike")
    assert "@" not in draft.text
    assert draft.conversation_id is not None
    detail = await office.jonas.get(f"/conversations/{draft.conversation_id}", ConversationDetail)
    assert [each.mention_ids for each in detail.comments] == [[office.jonas.user_id]]
    assert seat.complaints == []


async def test_a_comment_that_is_not_said_is_closed_and_the_mail_goes_on(office: Office, seats: Seats) -> None:
    page = await (await seats.at(office.product, office.ana)).open()
    pane = await open_reply(office, page, "A quokka bike")
    await expect(pane.locator(".ProseMirror")).to_be_visible()
    await page.keyboard.type("Hello @jonas d")
    await page.get_by_role("option", name="Jonas Dahl").click()
    await expect(pane.get_by_label(BOX)).to_be_focused()
    await page.keyboard.press("Escape")
    await expect(pane.get_by_label(BOX)).to_have_count(0)
    await expect(pane.locator(".ProseMirror")).to_be_focused()
    await expect(pane.locator(".ProseMirror")).to_have_text("Hello ")


async def test_a_draft_that_was_discarded_comes_back_with_what_was_written(office: Office, seats: Seats) -> None:
    page = await (await seats.at(office.product, office.ana)).open()
    pane = await open_reply(office, page, "A potoroo bike")
    await page.keyboard.type("Dear Priya, we are sorry.")
    await expect(pane.get_by_text("Saved", exact=True)).to_be_visible()
    await pane.get_by_role("button", name="Discard the draft").click()
    await expect(pane.get_by_label("Text")).to_have_count(0)
    await page.get_by_role("button", name="Undo").click()
    await expect(pane.locator(".ProseMirror")).to_have_text("Dear Priya, we are sorry.")

    # The same from the list of drafts.
    await page.goto(office.product.url + "/drafts/")
    line = page.locator(".draft-line", has_text="A potoroo bike")
    await line.get_by_role("button", name="Discard this draft").click()
    await expect(line).to_have_count(0)
    await page.get_by_role("button", name="Undo").click()
    await expect(line).to_be_visible()
