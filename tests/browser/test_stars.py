"""Stars in the interface: set on a row, by a key and on many, seen by colleagues and by another mail program."""

from __future__ import annotations

import pytest
from playwright.async_api import expect

from tests.servers.chromium import Seats
from tests.servers.office import Office

pytestmark = pytest.mark.browser


async def test_a_star_is_everybodys_and_the_servers(office: Office, seats: Seats) -> None:
    for subject in ("Frame of a tandem", "Fork of a tandem"):
        await office.receive(subject)
    ana = await seats.at(office.product, office.ana)
    jonas = await seats.at(office.product, office.jonas)
    page, his = await ana.open(), await jonas.open()
    frame, fork = (page.locator(".row-box", has_text=subject) for subject in ("Frame of a tandem", "Fork of a tandem"))
    his_frame = his.locator(".row-box", has_text="Frame of a tandem")

    # On the row under the pointer; the colleague sees it, and takes it away by the key.
    await frame.hover(timeout=15_000)
    await frame.get_by_role("button", name="Star: Frame of a tandem").click()
    await expect(frame.get_by_role("button", name="Star: Frame of a tandem", pressed=True)).to_have_count(1)
    await expect(his_frame.get_by_role("img", name="Starred")).to_be_visible(timeout=15_000)
    await his_frame.locator(".row").click()
    pane = his.get_by_role("article", name="Frame of a tandem")
    await expect(pane.get_by_role("button", name="Star", pressed=True)).to_be_visible()
    await his.keyboard.press("s")
    await expect(pane.get_by_role("button", name="Star", pressed=False)).to_be_visible()
    await expect(pane.get_by_text("You took the star away")).to_be_visible()
    for each in (page, his):
        await each.locator(".list-pane h1").hover()
    await expect(frame.get_by_role("img", name="Starred")).to_be_hidden()

    # Another mail program flags the mail: it has a star here, for both.
    uid = max(await office.dovecot.messages("support"))
    await office.dovecot.set_flags("support", "INBOX", str(uid), "\\Flagged")
    his_fork = his.locator(".row-box", has_text="Fork of a tandem")
    for each in (fork, his_fork):
        await expect(each.get_by_role("img", name="Starred")).to_be_visible(timeout=15_000)

    # Many at once, by the key, and listed by the filter.
    await frame.hover()
    await frame.get_by_role("checkbox").check()
    await page.keyboard.press("s")
    await expect(his_frame.get_by_role("button", pressed=True)).to_have_count(1, timeout=15_000)
    await his.get_by_role("button", name="Filter").click()
    await his.get_by_role("form", name="Filter").get_by_label("Starred").check()
    await his.get_by_role("button", name="Show").click()
    for each in (his_frame, his_fork):
        await expect(each).to_be_visible()
    await expect(his.locator(".filtered-line")).to_contain_text("starred")
    assert ana.complaints == [] and jonas.complaints == []
