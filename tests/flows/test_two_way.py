"""Both ways on real servers: what a person does in the browser a second mail program sees, and the other way round."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

import pytest
from playwright.async_api import Locator, Page, expect

from sync.mime.parse import parse_message
from tests.servers.chromium import Seats
from tests.servers.office import Office

pytestmark = [pytest.mark.browser, pytest.mark.timeout(240)]

SUBJECT = "A saddle for two"
SLOW = 30_000
"""Milliseconds that anything may take here: this test is of whether it happens."""
USER = "support"


@dataclass
class OtherProgram:
    """The account as another mail program sees it: always asked anew."""

    office: Office
    message_id: str

    async def uid(self, folder: str) -> int | None:
        """Where the mail stands in a folder."""
        found = [
            uid
            for uid, raw in (await self.office.dovecot.messages(USER, folder)).items()
            if parse_message(raw).message_id == self.message_id
        ]
        assert len(found) <= 1, f"{folder} holds the mail {len(found)} times"
        return found[0] if found else None

    async def standing(self) -> list[str]:
        return [name for name in ("INBOX", "Archive", "Junk", "Trash") if await self.uid(name) is not None]

    async def stands_in(self, folder: str) -> float:
        """Wait until it stands there and nowhere else; answers the seconds that it took."""
        return await until(lambda: self.standing(), [folder])

    async def has_flag(self, folder: str, flag: str) -> float:
        async def flagged() -> bool:
            uid = await self.uid(folder)
            return uid is not None and flag in (await self.office.dovecot.flags(USER, folder))[uid]

        return await until(flagged, True)

    async def move(self, source: str, target: str) -> None:
        await self.office.dovecot.move(USER, source, str(await self.uid(source)), target)


async def until(look: Callable[[], Awaitable[object]], wanted: object, seconds: float = 30) -> float:
    """Wait until a look shows what is wanted; answers after how many seconds."""
    began = time.monotonic()
    while (found := await look()) != wanted:
        assert time.monotonic() - began < seconds, f"after {seconds} s it is still {found}, not {wanted}"
        await asyncio.sleep(0.05)
    return time.monotonic() - began


async def show(page: Page, view: str) -> Locator:
    """Open a folder of the mailbox; answers the mail's row."""
    await page.locator(".rail").get_by_role("link", name=view).click()
    return page.locator(".row", has_text=SUBJECT)


async def test_what_is_done_here_is_done_there_and_the_other_way_round(office: Office, seats: Seats) -> None:
    ana, jonas = [await seats.at(office.product, person) for person in (office.ana, office.jonas)]
    for seat in (ana, jonas):
        await seat.open()
        await expect(seat.page.get_by_role("heading", name="Support")).to_be_visible(timeout=SLOW)
    message_id = (await office.receive(SUBJECT, "Do you sell one?")).strip("<>")
    there = OtherProgram(office, message_id)
    took: dict[str, float] = {}
    rows = [seat.page.locator(".row", has_text=SUBJECT) for seat in (ana, jonas)]
    for row in rows:
        await expect(row).to_be_visible(timeout=SLOW)

    # Read, answered and done here: the other program sees it, and the copy in Sent once.
    before = len(office.smtp.messages)
    await rows[0].click()
    took["seen there"] = await there.has_flag("INBOX", "\\Seen")
    pane = ana.page.get_by_role("article", name=SUBJECT)
    await pane.get_by_role("button", name="Reply", exact=True).click()
    await expect(pane.get_by_label("Text")).to_be_focused(timeout=SLOW)
    await ana.page.keyboard.type("We do.")
    await pane.get_by_role("button", name="Send", exact=True).click()
    await office.smtp.wait_for(before + 1, timeout=60)
    took["answered there"] = await there.has_flag("INBOX", "\\Answered")
    await pane.get_by_role("button", name="Done", exact=True).click()
    took["done there"] = await there.stands_in("Archive")
    for row in rows:
        await expect(row).to_have_count(0, timeout=SLOW)
    await asyncio.sleep(2)  # whatever the watcher is told of our own move must not open it again
    for row in rows:
        await expect(row).to_have_count(0)

    # Moved there: it moves here, for everybody who looks.
    for folder, source, view in (("INBOX", "Archive", ""), ("Junk", "INBOX", "Spam"), ("INBOX", "Junk", "")):
        began = time.monotonic()
        await there.move(source, folder)
        for row in rows:
            await expect(row).to_have_count(1 if folder == "INBOX" else 0, timeout=SLOW)
        took[f"{source} to {folder} here"] = time.monotonic() - began
        if view:
            await expect(await show(jonas.page, view)).to_be_visible(timeout=SLOW)
            await show(jonas.page, "Support")

    # Spam and back, by people; then deleted in the other program.
    await rows[1].click()
    pane = jonas.page.get_by_role("article", name=SUBJECT)
    await pane.get_by_role("button", name="More", exact=True).click()
    await jonas.page.get_by_role("menuitem", name="Mark as spam").click()
    took["spam there"] = await there.stands_in("Junk")
    await (await show(jonas.page, "Spam")).click()
    await pane.get_by_role("button", name="Not spam", exact=True).click()
    took["no spam there"] = await there.stands_in("INBOX")
    await show(jonas.page, "Support")
    for row in rows:
        await expect(row).to_be_visible(timeout=SLOW)
    # Dovecot tells of changes half a second late, and of what came and went within that time not at all: the second
    # look finds out.
    await there.move("INBOX", "Trash")
    for row in rows:
        await expect(row).to_have_count(0, timeout=SLOW)
    await expect(await show(ana.page, "Trash")).to_be_visible(timeout=SLOW)
    assert await there.standing() == ["Trash"]
    answers = [raw for raw in (await office.dovecot.messages(USER, "Sent")).values() if b"We do." in raw]
    assert len(answers) == 1
    for seat in (ana, jonas):
        assert seat.complaints == []
    print({what: round(seconds, 2) for what, seconds in took.items()})
