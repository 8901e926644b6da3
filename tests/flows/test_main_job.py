"""The main job on real servers: a mail arrives, two people answer it together, a third notices nothing."""

from __future__ import annotations

import asyncio
import email
import email.policy

import msgspec
import pytest
from playwright.async_api import Page, expect

from backend.conversations.contracts import CommentAdded, ConversationChanged, ConversationPage, MessageAdded
from tests.servers.chromium import Seat, Seats
from tests.servers.live_client import LiveClient
from tests.servers.office import Office
from tests.servers.product import Visitor

pytestmark = [pytest.mark.browser, pytest.mark.timeout(240)]

SUBJECT = "Bent fork after the delivery"
CUSTOMER = "Ines Duarte <ines@duarte.example>"
REPLY = "Dear Ines, a new fork leaves our workshop today."
SLOW = 30_000
"""Milliseconds that anything may take here: this test is of whether, tests/bench of how quickly."""


async def live_client(office: Office, person: Visitor) -> LiveClient:
    client = LiveClient(office.product.url, {"cookie": person.cookie_header})
    await client.start()
    return client


async def row_arrives(page: Page) -> None:
    await expect(page.locator(".row.new", has_text=SUBJECT)).to_be_visible(timeout=SLOW)


async def never_reloaded(seat: Seat) -> bool:
    return await seat.page.evaluate("window.stillTheSamePage === true")


async def assign_and_comment(page: Page) -> None:
    """As Jonas: take the conversation, ask Ana something."""
    await page.locator(".row", has_text=SUBJECT).click()
    pane = page.get_by_role("article", name=SUBJECT)
    await expect(pane.get_by_text("The fork is bent.")).to_be_visible(timeout=SLOW)
    await pane.get_by_role("button", name="Assign", exact=True).click()
    await page.get_by_role("menuitem", name="Jonas Dahl (me)").click()
    await expect(pane.get_by_role("button", name="Assigned to Jonas Dahl")).to_be_visible(timeout=SLOW)
    box = pane.get_by_label("Comment, seen by your team only")
    await box.press_sequentially("@An")
    await page.get_by_role("option", name="Ana Ribeiro").click()
    await box.press_sequentially("do we have this fork?")
    await box.press("Enter")


async def answer(page: Page) -> None:
    """As Ana: see what Jonas did, and reply to the customer."""
    row = page.locator(".row", has_text=SUBJECT)
    await expect(row.get_by_title("Jonas Dahl")).to_be_visible(timeout=SLOW)
    await page.get_by_role("button", name="Notifications").first.click()
    await expect(page.get_by_text("Jonas mentioned you").first).to_be_visible(timeout=SLOW)
    await page.keyboard.press("Escape")
    await row.click()
    pane = page.get_by_role("article", name=SUBJECT)
    comment = pane.get_by_label("Comment of Jonas")
    await expect(comment).to_contain_text("@Ana Ribeiro do we have this fork?", timeout=SLOW)
    await expect(pane.get_by_role("button", name="Assigned to Jonas Dahl")).to_be_visible()
    await pane.get_by_role("button", name="Reply", exact=True).click()
    await expect(pane.get_by_label("Text")).to_be_focused(timeout=SLOW)
    await page.keyboard.type(REPLY)
    await pane.get_by_role("button", name="Send", exact=True).click()


async def test_a_team_watches_real_mail_arrive_and_answers_it_together(office: Office, seats: Seats) -> None:
    ana, jonas, mallory = [
        await seats.at(office.product, person) for person in (office.ana, office.jonas, office.mallory)
    ]
    jonas_hears, mallory_hears = await live_client(office, office.jonas), await live_client(office, office.mallory)
    for seat in (ana, jonas):
        await seat.open()
        await expect(seat.page.get_by_role("heading", name="Support")).to_be_visible(timeout=SLOW)
    await mallory.open()
    await expect(mallory.page.get_by_text("No mailbox yet")).to_be_visible(timeout=SLOW)
    for seat in (ana, jonas, mallory):
        await seat.page.evaluate("window.stillTheSamePage = true")
    already_sent = len(office.smtp.messages)

    asked = await office.receive(SUBJECT, "The fork is bent.", sender=CUSTOMER)
    for seat in (ana, jonas):
        await row_arrives(seat.page)
    await assign_and_comment(jonas.page)
    await answer(ana.page)

    # The customer's server gets it once, with the thread's headers.
    (sent,) = (await office.smtp.wait_for(already_sent + 1, timeout=60))[already_sent:]
    assert sent.recipients == ("ines@duarte.example",)
    written = email.message_from_bytes(sent.raw, policy=email.policy.default)
    assert str(written["In-Reply-To"]) == asked
    assert REPLY in written.get_body(("plain",)).get_content()  # pyright: ignore[reportOptionalMemberAccess]

    # Both see it as a mail of Ana's, and the same mail stands in the account's Sent folder.
    for seat in (ana, jonas):
        pane = seat.page.get_by_role("article", name=SUBJECT)
        mail = pane.get_by_role("region", name="Mail of Ana Ribeiro", exact=True)
        await expect(mail.frame_locator("iframe").get_by_text(REPLY)).to_be_visible(timeout=SLOW)
    copies = await sent_copies(office, str(written["Message-ID"]))
    assert len(copies) == 1 and REPLY.encode() in copies[0]

    await mallory_sees_nothing(office, mallory, mallory_hears)
    await jonas_hears.caught_up()
    heard = [type(frame.event) for frame in jonas_hears.seen]
    assert {MessageAdded, ConversationChanged, CommentAdded} <= set(heard)
    assert SUBJECT in msgspec.json.encode(jonas_hears.seen).decode()
    # By now anything that was to be sent twice would have been.
    ids = [str(email.message_from_bytes(each.raw)["Message-ID"]) for each in office.smtp.messages]
    assert ids.count(str(written["Message-ID"])) == 1
    assert len(office.smtp.messages) == already_sent + 1
    for seat in (ana, jonas, mallory):
        assert await never_reloaded(seat)
        assert seat.complaints == []
    await jonas_hears.stop()
    await mallory_hears.stop()


async def sent_copies(office: Office, message_id: str) -> list[bytes]:
    """What stands in the Sent folder under this Message-ID, once something does."""
    async with asyncio.timeout(60):
        while True:
            folder = await office.dovecot.messages("support", "Sent")
            found = [raw for raw in folder.values() if str(email.message_from_bytes(raw)["Message-ID"]) == message_id]
            if found:
                return found
            await asyncio.sleep(0.2)


async def mallory_sees_nothing(office: Office, seat: Seat, client: LiveClient) -> None:
    """Nothing on her screen, on her socket, by search or by an address that she guesses."""
    await client.caught_up()
    assert client.model is not None
    assert client.model.mailboxes == {} and client.model.rows == {} and client.model.notifications == {}
    told = b"".join(msgspec.json.encode(frame) for frame in client.seen).decode()
    for secret in (SUBJECT, "Ines", "duarte", REPLY, "this fork"):
        assert secret not in told, f"Mallory was told of {secret}"
    await expect(seat.page.get_by_text("No mailbox yet")).to_be_visible()
    page = await office.ana.get(f"/mailboxes/{office.support.id}/conversations", ConversationPage, view="all")
    number = next(item.row.id for item in page.items if item.row.subject == SUBJECT)
    for path in (f"/?mailbox={office.support.id}&conversation={number}", "/?list=search&q=fork", "/contacts/"):
        other = await seat.context.new_page()
        await other.goto(path)
        await expect(other.get_by_role("button", name="Mallory Quint")).to_be_visible(timeout=SLOW)
        await other.wait_for_timeout(500)
        shown = await other.inner_text("body")
        for secret in (SUBJECT, "Ines", "duarte", REPLY, "this fork", "The fork is bent"):
            assert secret not in shown, f"Mallory sees {secret} at {path}"
        await other.close()
