"""Everybody can use every page: axe finds nothing serious in either size and theme, and the keyboard is enough."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from importlib.resources import files
from typing import Any

import pytest
from playwright.async_api import Page, expect

from tests.servers.api import PASSWORD
from tests.servers.chromium import DESK, PHONE, Seat, Seats
from tests.servers.office import Office

pytestmark = pytest.mark.browser

GATES = ("/signin/", "/forgotten/", "/reset-password/?token=x", "/invitation/?token=x")
PAGES = (
    "/drafts/",
    "/outbox/",
    "/contacts/",
    "/settings/",
    "/settings/notifications/",
    "/settings/shortcuts/",
    "/settings/tokens/",
    "/settings/organisation/",
    "/settings/people/",
    "/settings/teams/",
    "/settings/mailboxes/",
    "/settings/intake/",
    "/settings/outgoing/",
    "/settings/blocked-senders/",
    "/settings/links/",
    "/settings/documents/",
    "/settings/views/",
    "/settings/templates/",
    "/settings/signatures/",
    "/settings/failed-jobs/",
    "/settings/audit/",
)
AXE = files("axe_playwright_python").joinpath("axe.min.js").read_text(encoding="utf-8")
# Only what is wrong comes back, and the engine stays in the page: four looks at a page are to take about a second.
# Frames hold what customers wrote; that is not ours to answer for.
LOOK = """async (rules) => {
  const only = rules.length ? { runOnly: { type: 'rule', values: rules } } : {};
  const { violations } = await axe.run({ resultTypes: ['violations'], iframes: false, ...only });
  return violations
    .filter((each) => each.impact === 'serious' || each.impact === 'critical')
    .flatMap((each) => each.nodes.map((node) => `${each.id}: ${node.target}: ${node.failureSummary}`));
}"""


# Colours fade for a tenth of a second; axe shall see where they arrive. What is shown for seconds is not waited for.
SETTLE = """Promise.race([
  Promise.all(document.getAnimations().map((each) => each.finished.catch(() => 0))),
  new Promise((done) => setTimeout(done, 1000)),
])"""
ANSWER_SECONDS = 30


async def _answer(page: Page, script: str, argument: Any = None) -> Any:
    """What the page answers. Asked once more where it says nothing: a script has no time limit of its own."""
    try:
        async with asyncio.timeout(ANSWER_SECONDS):
            return await page.evaluate(script, argument)
    except TimeoutError:
        async with asyncio.timeout(ANSWER_SECONDS):
            return await page.evaluate(script, argument)


async def faults(page: Page, where: str) -> list[str]:
    """What axe calls serious or critical on the page as it stands, at both sizes and in both themes."""
    if await page.evaluate("typeof axe === 'undefined'"):
        await page.evaluate(AXE)
    found: list[str] = []
    for size in (DESK, PHONE):
        await page.set_viewport_size(size)  # pyright: ignore[reportArgumentType] # a size is a dictionary
        for theme in ("light", "dark"):
            await page.emulate_media(color_scheme=theme)
            await expect(page.locator("html")).to_have_class(theme)
            await _answer(page, SETTLE)
            # A theme changes colours and nothing else.
            seen: Any = await _answer(page, LOOK, ["color-contrast"] if theme == "dark" else [])
            found += [f"{where} at {size['width']}, {theme}: {each}" for each in seen]
    await page.set_viewport_size(DESK)  # pyright: ignore[reportArgumentType] # a size is a dictionary
    return found


@asynccontextmanager
async def reading(office: Office, seats: Seats, subject: str) -> AsyncIterator[Seat]:
    """Ana before her inbox, with a conversation of this subject in it."""
    await office.receive(subject, "Hello,\n\nis it ready?\n\n> We shall see.\n> Jonas")
    seat = await seats.at(office.product, office.ana)
    page = await seat.open()
    await page.locator(".row", has_text=subject).wait_for(timeout=20_000)
    yield seat
    assert seat.complaints == []


async def test_axe_finds_nothing_serious_before_signing_in(office: Office, seats: Seats) -> None:
    page = (await seats.at(office.product)).page
    found: list[str] = []
    for path in GATES:
        await page.goto(path)
        await page.get_by_role("heading", level=1).wait_for()
        found += await faults(page, path)
    assert found == []


async def test_axe_finds_nothing_serious_on_the_pages(office: Office, seats: Seats) -> None:
    page = (await seats.at(office.product, office.ana)).page
    found: list[str] = []
    for path in PAGES:
        await page.goto(path)
        await page.get_by_role("button", name="Ana Ribeiro").wait_for()
        found += await faults(page, path)
    assert found == []


async def test_axe_finds_nothing_serious_while_mail_is_read_and_written(office: Office, seats: Seats) -> None:
    async with reading(office, seats, "Axe among the rows") as seat:
        page = seat.page
        found = await faults(page, "the list")
        await page.get_by_role("button", name="Filter", exact=True).click()
        await page.get_by_role("form", name="Filter").wait_for()
        found += await faults(page, "the filters")
        await page.get_by_role("button", name="Cancel").click()
        await page.locator(".row", has_text="Axe among the rows").click()
        pane = page.get_by_role("article", name="Axe among the rows")
        await pane.get_by_text("is it ready?").wait_for()
        found += await faults(page, "a conversation")
        for opener in ("Assign", "More"):
            await pane.get_by_role("button", name=opener).click()
            found += await faults(page, f"the menu {opener}")
            await page.keyboard.press("Escape")
        await page.evaluate("tandem.openMenu('split', document.querySelector('.pane [data-menu=more]'))")
        found += await faults(page, "the menu Split off")
        await page.keyboard.press("Escape")
        await page.evaluate("tandem.openMenu('move', document.querySelector('.pane [data-menu=more]'))")
        found += await faults(page, "the menu Move to mailbox")
        await page.keyboard.press("Escape")
        await page.keyboard.press("Shift+M")
        await page.get_by_role("dialog", name="Merge with").wait_for()
        found += await faults(page, "the menu Merge with")
        await page.keyboard.press("Escape")
        await page.keyboard.press("Shift+S")
        await page.get_by_role("dialog", name="Share with").wait_for()
        found += await faults(page, "the menu Share")
        await page.keyboard.press("Escape")
        await page.get_by_role("button", name="Notifications").first.click()
        found += await faults(page, "the notifications")
        await page.keyboard.press("Escape")
        await page.keyboard.press("r")
        await expect(pane.locator(".ProseMirror")).to_be_focused()
        found += await faults(page, "the composer")
        await pane.get_by_role("button", name="Emoji").click()
        await expect(pane.get_by_label("Find an emoji")).to_be_focused()
        found += await faults(page, "the emoji")
        await page.keyboard.press("Escape")
        await expect(pane.locator(".ProseMirror")).to_be_focused()
        await pane.get_by_role("button", name="Discard the draft").click()
        await expect(pane.get_by_role("button", name="Reply", exact=True)).to_be_visible()
        assert found == []


async def test_axe_finds_nothing_serious_while_many_are_chosen(office: Office, seats: Seats) -> None:
    async with reading(office, seats, "Axe in the trash") as seat:
        page = seat.page
        row = page.locator(".row-box", has_text="Axe in the trash")
        await row.locator(".row").focus()
        await page.keyboard.press("x")
        bar = page.get_by_role("toolbar", name="Conversations chosen")
        await bar.wait_for()
        found = await faults(page, "the bar of those chosen")
        await bar.get_by_role("button", name="More for those chosen").click()
        found += await faults(page, "its menu")
        await page.keyboard.press("Escape")
        await page.keyboard.press("#")
        await expect(row).to_have_count(0)
        await page.get_by_role("link", name="Trash", exact=True).first.click()
        await row.locator(".row").click()
        pane = page.get_by_role("article", name="Axe in the trash")
        await pane.get_by_role("button", name="More", exact=True).click()
        await page.get_by_role("menuitem", name="Delete for good").click()
        await page.get_by_role("dialog", name="Delete for good").wait_for()
        found += await faults(page, "the question before deleting")
        await page.get_by_role("button", name="Cancel").click()
        assert found == []


async def test_axe_finds_nothing_serious_among_comments(office: Office, seats: Seats) -> None:
    async with reading(office, seats, "Axe among comments") as seat:
        page = seat.page
        row = page.locator(".row", has_text="Axe among comments")
        number = int(await row.get_attribute("data-conversation-id") or 0)
        said = {"text": f"> It **is** `ready`, see #{number} and #999999\n\n- today", "link_ids": [number, 999_999]}
        await office.jonas.post(f"/conversations/{number}/comments", said)
        await row.get_by_label("New comments").wait_for()
        await page.get_by_title("About this mailbox").click()
        found = await faults(page, "new comments, and about the mailbox")
        await page.keyboard.press("Escape")
        await row.click()
        pane = page.get_by_role("article", name="Axe among comments")
        await pane.get_by_text("a conversation you cannot see").wait_for()
        await pane.get_by_label("Comment, seen by your team only").fill("An answer to #")
        found += await faults(page, "comments")
        assert found == []


SHOWN = """() => {
  const at = document.activeElement;
  if (!at || at === document.body) return null;
  const name = at.getAttribute('aria-label') || at.name || at.innerText?.trim().split('\\n')[0] || at.tagName;
  const ringed = (node) => {
    const style = getComputedStyle(node);
    return style.outlineStyle !== 'none' && parseFloat(style.outlineWidth) > 0;
  };
  // A search box or a comment box is ringed as a whole.
  const box = at.closest('.search, .comment-box, .composer');
  const seen = at.checkVisibility({ visibilityProperty: true, opacityProperty: true });
  return { name, seen, ringed: ringed(at) || (box !== null && ringed(box)) };
}"""


async def tabbed(page: Page, until: str, most: int = 60) -> list[str]:
    """Press Tab until the control of this name has the focus; answers the names on the way, each seen and ringed."""
    names: list[str] = []
    for _ in range(most):
        await page.keyboard.press("Tab")
        at = await page.evaluate(SHOWN)
        if at is None:
            continue
        assert at["seen"], f"the focus is out of sight on {at['name']}, after {names}"
        assert at["ringed"], f"the focus is not marked on {at['name']}, after {names}"
        names.append(at["name"])
        if at["name"] == until:
            return names
    raise AssertionError(f"Tab never came to {until}: {names}")


async def test_signing_in_and_settings_by_keyboard(office: Office, seats: Seats) -> None:
    page = (await seats.at(office.product)).page
    await page.goto("/signin/?next=/settings/")
    await expect(page.get_by_label("Email address")).to_be_focused()
    await page.keyboard.type("jonas@northwind.example")
    await page.keyboard.press("Tab")
    await page.keyboard.type(PASSWORD)
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("heading", name="Profile")).to_be_visible()
    await expect(page.get_by_label("Name", exact=True)).to_have_value("Jonas Dahl")
    names = await tabbed(page, "Save")
    assert [name for name in names if name in ("My work", "Settings", "Profile", "name", "theme", "Save")] == [
        "My work", "Settings", "Profile", "name", "theme", "Save",
    ]  # fmt: skip


async def test_a_mail_is_read_assigned_and_answered_by_keyboard(office: Office, seats: Seats) -> None:
    async with reading(office, seats, "Keys only") as seat:
        page = seat.page
        names = await tabbed(page, "Search conversations")
        assert names[:2] == ["Search or jump to", "My work"]
        await page.keyboard.press("Escape")
        row = page.locator(".row", has_text="Keys only")
        pane = page.get_by_role("article", name="Keys only")
        await page.keyboard.press("j")
        for _ in range(20):
            if await row.get_attribute("aria-current") == "true":
                break
            await page.keyboard.press("j")
        await expect(pane.get_by_text("is it ready?")).to_be_visible()
        await page.keyboard.press("i")
        await expect(page.get_by_label("Find a person or team")).to_be_focused()
        await page.keyboard.type("jonas")
        await page.keyboard.press("Enter")
        await expect(pane.get_by_role("button", name="Assigned to Jonas Dahl")).to_be_visible()
        await page.keyboard.press("Enter")
        await expect(pane.get_by_label("Messages")).to_be_focused()
        names = await tabbed(page, "Comment, seen by your team only")
        assert "Mail of Mateus Oliveira" not in names
        await page.keyboard.press("Escape")
        await page.keyboard.press("r")
        await expect(pane.get_by_label("Text")).to_be_focused()
        await page.keyboard.type("It is.")
        await tabbed(page, "Discard the draft")
        await page.keyboard.press("Enter")
        await expect(pane.get_by_role("button", name="Reply", exact=True)).to_be_visible()
