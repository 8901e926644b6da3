"""Shortcuts: every one of the list does what it says, and a person can change them."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

import pytest
from playwright.async_api import Locator, Page, expect

from backend.people.contracts import SetShortcuts
from tests.browser.test_palette import field, open_palette, option
from tests.servers.chromium import Seats
from tests.servers.delivery import write_mail
from tests.servers.office import Office
from tests.servers.product import Visitor

pytestmark = pytest.mark.browser

OLDEST, SECOND, THIRD, NEWEST = "Heron one", "Heron two", "Heron three", "Heron four"


@pytest.fixture(scope="module")
async def nora(office: Office) -> Visitor:
    """Somebody whose shortcuts are nobody else's business, with four conversations in a mailbox of her own."""
    nora = await office.product.invite(office.ana, "Nora Finch", "nora@northwind.example")
    box = await office.product.group_mailbox(office.ana, "Aviary", "aviary@northwind.example", [nora])
    await office.product.group_mailbox(office.ana, "Nursery", "nursery@northwind.example", [nora])
    await office.product.connect_account(office.ana, box, office.dovecot, office.smtp, user="aviary")
    await office.product.synced(office.ana, box)
    for subject in (OLDEST, SECOND, THIRD, NEWEST):
        await office.dovecot.deliver("aviary", write_mail(subject=subject, cc="else@customer.example"))
    return nora


async def press(page: Page, label: str) -> None:
    """Press what is said: `E`, `Shift I`, `G then W`."""
    for part in label.split(" then "):
        *held, key = part.split(" ")
        sign = key if len(key) > 1 else key.upper() if held == ["Shift"] else key.lower()
        await page.keyboard.press(f"Control+{sign}" if held == ["Ctrl"] else sign)


def row(page: Page, subject: str) -> Locator:
    return page.locator(".row", has_text=subject)


def pane(page: Page, subject: str) -> Locator:
    return page.get_by_role("article", name=subject)


Look = Callable[[Page], Awaitable[object]]


def dialog(name: str) -> Look:
    """A menu with this name opens, and closes again."""

    async def look(page: Page) -> None:
        opened = page.get_by_role("dialog", name=name, exact=True)
        await expect(opened).to_be_visible()
        await page.keyboard.press("Escape")
        await expect(opened).to_be_hidden()

    return look


def heading(name: str) -> Look:
    return lambda page: expect(page.get_by_role("heading", name=name, level=1).first).to_be_visible()


def focused(find: Callable[[Page], Locator]) -> Look:
    async def look(page: Page) -> None:
        await expect(find(page)).to_be_focused()
        await page.keyboard.press("Escape")

    return look


@dataclass
class Step:
    """A command, what is done before its key is pressed, and what is seen after."""

    command: str
    then: Look
    first: Look | None = None


def shown(subject: str) -> Look:
    return lambda page: expect(page.locator('.row[aria-current="true"]')).to_contain_text(subject)


def chosen(count: int) -> Look:
    return lambda page: expect(page.locator(".many-count")).to_have_text(f"{count} chosen")


async def home(page: Page) -> None:
    await page.goto("/")
    await page.wait_for_function("window.tandem?.palette !== undefined")
    await expect(row(page, OLDEST)).to_be_visible(timeout=20_000)


def opened(subject: str) -> Look:
    """From the beginning, with this conversation open."""

    async def open_it(page: Page) -> None:
        await home(page)
        await row(page, subject).click()
        await expect(pane(page, subject)).to_be_visible()

    return open_it


async def gone(page: Page) -> None:
    await expect(row(page, NEWEST)).to_have_count(0)
    await expect(page.get_by_role("button", name="Undo")).to_be_visible()


async def composer(page: Page) -> None:
    await expect(page.locator("[data-composer]:focus-within")).to_be_visible()


async def answer(page: Page) -> None:
    await page.keyboard.type("It is ready.")


async def sent(page: Page) -> None:
    await expect(page.get_by_role("button", name="Undo")).to_be_visible()


STEPS = (
    Step("next", shown(NEWEST)),
    Step("previous", shown(NEWEST), lambda page: page.keyboard.press("j")),
    Step("read", lambda page: expect(page.locator(".pane .thread:focus")).to_be_visible()),
    Step("back", lambda page: expect(page.get_by_text("No conversation is open")).to_be_visible()),
    Step("choose", chosen(1)),
    Step("choose-all", chosen(4)),
    Step("comment", focused(lambda page: pane(page, NEWEST).get_by_role("textbox", name="Comment")), opened(NEWEST)),
    Step("assign", dialog("Assign to")),
    Step("assign-me", lambda page: expect(pane(page, NEWEST).locator(".assign")).to_contain_text("Nora")),
    Step("remind", dialog("Remind me")),
    Step("tags", dialog("Tags")),
    Step(
        "follow", lambda page: expect(pane(page, NEWEST).locator(".follow")).to_have_attribute("aria-pressed", "false")
    ),
    Step("star", lambda page: expect(pane(page, NEWEST)).to_have_attribute("data-starred", "yes")),
    Step("share", dialog("Share with")),
    Step("merge", dialog("Merge with")),
    Step("move", dialog("Move to mailbox")),
    Step("done", gone),
    Step("undo", lambda page: expect(row(page, NEWEST)).to_be_visible()),
    Step("trash", gone, opened(NEWEST)),
    Step("search", focused(lambda page: page.get_by_role("combobox", name="Search conversations"))),
    Step("palette", focused(field)),
    Step("keys", dialog("Keyboard shortcuts")),
    Step("go-work", heading("My work")),
    Step("go-mentions", heading("Mentions")),
    Step("go-reminders", heading("Reminders")),
    Step("go-shared", heading("Shared with me")),
    Step("go-drafts", heading("Drafts")),
    Step("go-outbox", heading("Outbox")),
    Step("go-contacts", heading("Contacts")),
    Step("go-settings", heading("Profile")),
    Step("reply-all", composer, opened(OLDEST)),
    Step("forward", composer, opened(SECOND)),
    Step("reply", composer, opened(THIRD)),
    Step("send", sent, answer),
    Step("compose", composer, home),
)


async def test_every_shortcut_of_the_list(office: Office, seats: Seats, nora: Visitor) -> None:
    seat = await seats.at(office.product, nora)
    page = await seat.open()
    await home(page)
    await page.keyboard.press("?")
    lines = page.locator("dialog.shortcuts [data-command]")
    keys = {
        str(await line.get_attribute("data-command")): await line.locator("kbd").inner_text()
        for line in await lines.all()
    }
    await page.keyboard.press("Escape")
    assert sorted(keys) == sorted(step.command for step in STEPS)
    for step in STEPS:
        if step.first:
            await step.first(page)
        await press(page, keys[step.command])
        await step.then(page)
    assert seat.complaints == []


async def test_shortcuts_are_changed(office: Office, seats: Seats, nora: Visitor) -> None:
    await nora.put("/me/shortcuts", SetShortcuts(shortcuts={}))
    for subject in ("Egret one", "Egret two"):
        await office.dovecot.deliver("aviary", write_mail(subject=subject))
    page = await (await seats.at(office.product, nora)).open("/settings/shortcuts/")
    done = page.get_by_role("listitem").filter(has_text="Done")
    await done.get_by_role("button", name="Done: E. Change it").click(timeout=20_000)
    await page.keyboard.press("s")
    await expect(done.get_by_role("alert")).to_contain_text("S is Star.")
    await done.get_by_role("button", name="Done: E. Change it").click()
    await page.keyboard.press("g")
    await page.keyboard.press("y")
    await expect(done.get_by_role("button", name="Done: G then Y. Change it")).to_be_visible()
    star = page.get_by_role("listitem").filter(has_text="Star")
    await star.get_by_role("button", name="Star: S. Change it").click()
    await page.keyboard.press("w")
    await star.get_by_role("button", name="Swap the two").click()
    await expect(page.get_by_role("button", name="Follow: S. Change it")).to_be_visible()

    # The list, the palette and the keyboard go by it, in this tab and the next.
    for subject in ("Egret two", "Egret one"):
        await opened(subject)(page)
        await page.keyboard.press("w")
        await expect(pane(page, subject)).to_have_attribute("data-starred", "yes")
    await page.keyboard.press("?")
    await expect(page.locator('dialog.shortcuts [data-command="done"] kbd')).to_have_text("G then Y")
    await page.keyboard.press("Escape")
    await open_palette(page)
    await page.keyboard.type("done")
    await expect(option(page, "Done Egret one G then Y")).to_be_visible()
    await page.keyboard.press("Escape")
    await page.keyboard.press("e")
    await page.keyboard.press("g")
    await page.keyboard.press("y")
    await expect(row(page, "Egret one")).to_have_count(0)
    await expect(row(page, "Egret two")).to_be_visible()

    await page.goto("/settings/shortcuts/")
    await page.get_by_role("button", name="Reset Done", exact=True).click(timeout=20_000)
    await expect(page.get_by_role("button", name="Done: E. Change it")).to_be_visible()
    await page.get_by_label("Reset all shortcuts").click()
    await page.get_by_role("button", name="Reset all", exact=True).click()
    await expect(page.get_by_role("button", name="Star: S. Change it")).to_be_visible()
