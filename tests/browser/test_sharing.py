"""One conversation reaches somebody who cannot open its mailbox, in browsers."""

from playwright.async_api import expect

from tests.servers.chromium import Seats
from tests.servers.office import Office


async def test_a_mention_shares_one_conversation_and_private_takes_it_away(office: Office, seats: Seats) -> None:
    await office.receive("Frame number wanted", text="Where do I find it?")
    await office.receive("Nothing for Mallory")
    jonas = await seats.at(office.product, office.jonas)
    mallory = await seats.at(office.product, office.mallory)
    hers = await mallory.open()
    await expect(hers.locator(".rail")).to_contain_text("My work")
    await expect(hers.locator(".rail")).not_to_contain_text("Shared with me")
    page = await jonas.open()
    await page.locator(".row", has_text="Frame number wanted").click(timeout=15_000)
    pane = page.get_by_role("article", name="Frame number wanted")

    box = pane.get_by_role("textbox", name="Comment, seen by your team only")
    await box.fill("@Mallory Quint, do you know?")
    await box.press("Enter")
    asked = pane.get_by_role("alertdialog")
    await expect(asked).to_contain_text("Mallory Quint cannot see this conversation.")
    await asked.get_by_role("button", name="Share and comment").click()
    await expect(pane.get_by_text("Shared with Mallory Quint")).to_be_visible()

    # Without a reload: the list appears, the conversation is read, commented, and nothing more.
    await hers.locator(".rail").get_by_role("link", name="Shared with me").click()
    await expect(hers.locator(".row")).to_have_count(1)
    await hers.locator(".row", has_text="Frame number wanted").click()
    shared = hers.get_by_role("article", name="Frame number wanted")
    await expect(shared).to_contain_text("Shared with you, to read and to comment.")
    await expect(shared.get_by_role("button", name="Reply", exact=True)).to_have_count(0)
    await expect(shared.get_by_role("button", name="Done")).to_have_count(0)
    answer = shared.get_by_role("textbox", name="Comment, seen by your team only")
    await answer.fill("Below the bottom bracket, @Jonas Dahl.")
    await answer.press("Enter")
    await expect(pane.get_by_text("Below the bottom bracket")).to_be_visible()

    await pane.get_by_role("button", name="More").click()
    await page.get_by_role("menuitem", name="Make private").click()
    await expect(hers.locator(".row")).to_have_count(0)
    await expect(shared).to_have_count(0)
    await page.get_by_role("button", name="Undo").click()
    await expect(hers.locator(".row")).to_have_count(1)

    # Taken back in the menu, it is gone at once.
    await pane.get_by_role("button", name="More").click()
    await page.get_by_role("menuitem", name="Share").click()
    await page.get_by_role("menuitemcheckbox", name="Mallory Quint").click()
    await expect(hers.locator(".row")).to_have_count(0)
    await expect(hers.locator(".rail")).not_to_contain_text("Shared with me")
    assert jonas.complaints == [] and mallory.complaints == []
