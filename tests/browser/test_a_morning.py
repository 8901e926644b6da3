"""A morning of a support team, as it goes: three people, two of them before their browsers, on real mail servers.

Ana looks after things, Jonas answers, Mei is away until later; Mallory is a colleague who must hear of none of it.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email import message_from_bytes
from email.message import EmailMessage
from email.utils import format_datetime, make_msgid

import pytest
from playwright.async_api import Locator, Page, expect

from backend.conversations.contracts import ConversationDetail, ConversationPage, SetReminder, SetVisibility
from backend.mailboxes.contracts import InTurn, MailboxSettings, UpdateMailbox
from backend.notifications.contracts import NotificationPage
from backend.people.contracts import UpdateProfile
from backend.search.contracts import FoundPage
from backend.tags.contracts import ChangeTags, SaveTag, Tag
from backend.views.contracts import Filters, SavedView, SaveView, ViewCount
from tests.servers.chromium import Seats
from tests.servers.office import Office
from tests.servers.product import Visitor

pytestmark = pytest.mark.browser

ADDRESS = "workshop@northwind.example"


@dataclass
class Morning:
    """The Workshop, and who works there today."""

    office: Office
    workshop: MailboxSettings
    mei: Visitor

    async def receive(self, subject: str, text: str, answers: str = "") -> None:
        """Lena writes to the workshop."""
        mail = EmailMessage()
        mail["From"], mail["To"], mail["Subject"] = "Lena Wirth <lena@wirth.example>", ADDRESS, subject
        mail["Date"], mail["Message-ID"] = format_datetime(datetime.now(UTC)), make_msgid(domain="wirth.example")
        if answers:
            mail["In-Reply-To"] = mail["References"] = answers
        mail.set_content(text)
        await self.office.dovecot.deliver("workshop", mail.as_bytes())

    async def number(self, subject: str) -> int:
        """The conversation of this subject."""
        page = await self.office.ana.get(f"/mailboxes/{self.workshop.id}/conversations", ConversationPage, view="all")
        return next(item.row.id for item in page.items if item.row.subject == subject)

    async def detail(self, person: Visitor, conversation_id: int) -> ConversationDetail:
        return await person.get(f"/conversations/{conversation_id}", ConversationDetail)


async def open_workshop(office: Office) -> Morning:
    """Its mail is given out in turn to Jonas and Mei; Mei is away."""
    product = office.product
    mei = await product.invite(office.ana, "Mei Tanaka", "mei@northwind.example")
    workshop = await product.group_mailbox(office.ana, "Workshop", ADDRESS, [office.ana, office.jonas, mei])
    turn = InTurn(how="round_robin", user_ids=[office.jonas.user_id, mei.user_id])
    await office.ana.patch(f"/mailboxes/{workshop.id}", UpdateMailbox(in_turn=turn))
    await mei.patch("/me", UpdateProfile(away_until=datetime.now(UTC) + timedelta(hours=3)))
    await product.connect_account(office.ana, workshop, office.dovecot, office.smtp, user="workshop")
    await product.synced(office.ana, workshop)
    return Morning(office, workshop, mei)


async def sit_down(page: Page, morning: Morning) -> None:
    await page.goto(f"/?mailbox={morning.workshop.id}")
    await expect(page.get_by_role("heading", name="Workshop")).to_be_visible()


def row_of(page: Page, subject: str) -> Locator:
    return page.locator(".row", has_text=subject)


@pytest.mark.timeout(240)
async def test_a_morning(office: Office, seats: Seats) -> None:
    morning = await open_workshop(office)
    ana, jonas = await seats.at(office.product, office.ana), await seats.at(office.product, office.jonas)
    for seat in (ana, jonas):
        await sit_down(seat.page, morning)

    # Mail arrives. Mei is away, so it is Jonas's, and both see it so at once.
    await morning.receive("Fork creaks", "It creaks when I brake.")
    for seat in (ana, jonas):
        await expect(row_of(seat.page, "Fork creaks").get_by_title("Jonas Dahl")).to_be_visible(timeout=20_000)
    fork = await morning.number("Fork creaks")
    await row_of(jonas.page, "Fork creaks").click()
    his = jonas.page.get_by_role("article", name="Fork creaks")
    await expect(his.get_by_text("You got this in turn")).to_be_visible()
    told = (await office.jonas.get("/notifications", NotificationPage)).items
    assert told[0].kind == "assignment" and told[0].conversation_id == fork

    # He asks Ana; she is told, and one click brings her there.
    await jonas.page.keyboard.press("m")
    box = his.get_by_label("Comment, seen by your team only")
    await box.press_sequentially("@An")
    await jonas.page.get_by_role("option", name="Ana Ribeiro").click()
    await box.press_sequentially("is that the batch of May?")
    await his.get_by_role("button", name="Comment", exact=True).click()
    await ana.page.get_by_role("button", name="Notifications").first.click()
    await ana.page.locator(".notice", has_text="Fork creaks").first.click()
    hers = ana.page.get_by_role("article", name="Fork creaks")
    await expect(hers.get_by_label("Comment of Jonas")).to_contain_text("is that the batch of May?")

    await expect(his.get_by_text("Ana is reading this")).to_be_visible()

    # She tags it, keeps it among the people of the mailbox, and wants to see it again tomorrow.
    tag = await office.ana.post("/tags", SaveTag(name="Batch of May"), Tag)
    path = f"/conversations/{fork}"
    await office.ana.put(f"{path}/tags", ChangeTags(add=[tag.id]))
    await office.ana.put(f"{path}/visibility", SetVisibility(visibility="private"))
    await office.ana.put(f"{path}/reminder", SetReminder(at=datetime.now(UTC) + timedelta(days=1)))
    await expect(row_of(jonas.page, "Fork creaks").locator(".lock")).to_be_visible()
    await expect(his.get_by_text("Ana added the tag Batch of May")).to_be_visible()
    await expect(row_of(ana.page, "Fork creaks").locator(".remind")).to_be_visible()
    await expect(row_of(jonas.page, "Fork creaks").locator(".remind")).to_have_count(0)

    # A view for everybody: what is open of that batch.
    shared = SaveView(name="May", filters=Filters(tag_ids=[tag.id]), shared="everybody")
    view = await office.ana.post("/views", shared, SavedView)
    link = jonas.page.locator(".rail").get_by_role("link", name="May")
    await expect(link).to_contain_text("1")

    # Something else can wait: Jonas puts it off, for himself alone.
    await morning.receive("Basket wanted", "Which baskets fit?")
    await expect(row_of(jonas.page, "Basket wanted")).to_be_visible(timeout=20_000)
    basket = await morning.number("Basket wanted")
    later = SetReminder(at=datetime.now(UTC) + timedelta(hours=2), kind="snooze")
    await office.jonas.put(f"/conversations/{basket}/reminder", later)
    await expect(row_of(jonas.page, "Basket wanted")).to_have_count(0)
    await expect(row_of(ana.page, "Basket wanted")).to_be_visible()

    # Jonas answers, and it is done: gone from both lists, and from the view.
    before = len(office.smtp.messages)
    await row_of(jonas.page, "Fork creaks").click()
    await jonas.page.keyboard.press("r")
    await expect(his.get_by_label("Text")).to_be_focused()
    await jonas.page.keyboard.type("Hello Lena, please bring it in, we have the part.")
    await expect(his.get_by_text("Saved")).to_be_visible()
    await his.get_by_role("button", name="Send", exact=True).click()
    sent = (await office.smtp.wait_for(before + 1, timeout=40))[before]
    assert sent.recipients == ("lena@wirth.example",) and b"we have the part" in sent.raw
    assert b"batch of May" not in sent.raw
    await jonas.page.keyboard.press("e")
    for seat in (ana, jonas):
        await expect(row_of(seat.page, "Fork creaks")).to_have_count(0)
    await expect(link).not_to_contain_text("1")

    # The customer answers: it is open again, in both lists and in the view, and the trail says why.
    reply = str(message_from_bytes(sent.raw)["Message-ID"])
    await morning.receive("Re: Fork creaks", "I come at ten.", answers=reply)
    for seat in (ana, jonas):
        await expect(row_of(seat.page, "I come at ten.")).to_be_visible(timeout=20_000)
    await link.click()
    await row_of(jonas.page, "I come at ten.").click()
    await expect(his.get_by_text("New mail opened this again")).to_be_visible()

    # Mei is back, and the next one is hers.
    await morning.mei.patch("/me", UpdateProfile(away_until=None))
    await morning.receive("Saddle too low", "How do I raise it?")
    await expect(row_of(ana.page, "Saddle too low").get_by_title("Mei Tanaka")).to_be_visible(timeout=20_000)

    # Both of these are done in one go, and leave the lists of everybody.
    saddle = await morning.number("Saddle too low")
    both = {"ids": [basket, saddle], "change": {"type": "status", "status": "done"}}
    await office.ana.post("/conversations/many", both)
    for subject in ("Basket wanted", "Saddle too low"):
        await expect(row_of(ana.page, subject)).to_have_count(0)

    # What happened stands in the trail, each once and in its order. Mallory heard of none of it.
    detail = await morning.detail(office.jonas, fork)
    assert [(each.kind, each.value) for each in detail.activities] == [
        ("assigned_in_turn", ""),
        ("tagged", "Batch of May"),
        ("visibility", "private"),
        ("status", "done"),
        ("reopened", ""),
    ]
    assert [message.direction for message in detail.messages] == ["incoming", "outgoing", "incoming"]
    assert (await office.mallory.refused("GET", path)).status == 404
    counts = {each.view_id: each.open for each in await office.mallory.get("/view-counts", list[ViewCount])}
    assert counts[view.id] == 0
    found = await office.mallory.get("/search", FoundPage, q="creaks")
    assert found.items == []
    assert (await office.mallory.get("/notifications", NotificationPage)).items == []
    assert ana.complaints == [] and jonas.complaints == []

    await office.ana.delete(f"/views/{view.id}")
    await office.ana.delete(f"/mailboxes/{morning.workshop.id}", name="Workshop")
