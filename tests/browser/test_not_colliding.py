"""Two people at the same conversation: each sees what the other does, and nothing of what either wrote is lost."""

from __future__ import annotations

import asyncio

import msgspec
import pytest
import websockets
from playwright.async_api import Locator, expect

from backend.compose.contracts import Draft
from backend.conversations.contracts import ConversationPage
from backend.events.contracts import ClientFrame, Looking, PresenceFrame, Watch, frame_decoder
from tests.browser.test_accessibility import faults
from tests.browser.test_writing import HeldLine
from tests.servers.chromium import Seat, Seats
from tests.servers.office import Office
from tests.servers.product import Visitor
from tests.servers.watched_web import WatchedWeb

pytestmark = pytest.mark.browser

UNSAVED = """(node, words) => {
  const change = node.editor.state.tr;
  node.editor.view.dispatch(change.insertText(words, change.doc.content.size - 1).setMeta("preventUpdate", true));
}"""
"""Words that stand in the editor, and of which the composer has not heard yet."""


async def both_at(office: Office, seats: Seats, subject: str) -> tuple[Seat, Locator, Seat, Locator]:
    """Ana and Jonas, each with the same fresh mail open."""
    await office.receive(subject)
    found: list[Seat | Locator] = []
    for person in (office.ana, office.jonas):
        seat = await seats.at(office.product, person)
        page = await seat.open()
        await page.locator(".row", has_text=subject).click(timeout=20_000)
        pane = page.get_by_role("article", name=subject)
        await expect(pane).to_be_visible()
        found += [seat, pane]
    ana, hers, jonas, his = found
    assert isinstance(ana, Seat) and isinstance(jonas, Seat)
    assert isinstance(hers, Locator) and isinstance(his, Locator)
    return ana, hers, jonas, his


async def test_a_reply_is_seen_read_taken_over_and_written_twice_knowingly(office: Office, seats: Seats) -> None:
    ana, hers, jonas, his = await both_at(office, seats, "Two at one desk")
    row = ana.page.locator(".row", has_text="Two at one desk")
    foot = hers.locator(".here-line")
    await expect(foot).to_have_text("Jonas is reading this")
    await ana.page.mouse.move(0, 0)  # under the pointer, a row shows what can be done with it
    await expect(row.get_by_role("img", name="Jonas is reading this")).to_be_visible()

    # Jonas replies; Ana sees it, is asked before she does the same, and reads along.
    await jonas.page.keyboard.press("r")
    await expect(his.get_by_label("Text")).to_be_focused()
    await jonas.page.keyboard.type("Hello Mateus, a new")
    await expect(foot).to_have_text("Jonas is replying")
    await ana.page.keyboard.press("r")
    question = hers.get_by_role("group", name="Jonas writes a reply here")
    await expect(question).to_contain_text("Jonas is replying.")
    await expect(question.get_by_role("button", name="Read")).to_be_focused()
    await ana.page.keyboard.press("Escape")
    await expect(question).to_have_count(0)
    await ana.page.keyboard.press("r")
    await expect(question.get_by_role("button", name="Read")).to_be_focused()
    await ana.page.keyboard.press("Enter")
    theirs = hers.get_by_role("group", name="Draft of Jonas")
    text = theirs.frame_locator("iframe").locator("body")
    await expect(text).to_have_text("Hello Mateus, a new")
    await expect(text).to_be_visible()
    await jonas.page.keyboard.press("Control+b")
    await jonas.page.keyboard.type(" wheel")
    await jonas.page.keyboard.press("Control+b")
    await jonas.page.keyboard.type(" leaves today.")
    await expect(text).to_have_text("Hello Mateus, a new wheel leaves today.")
    await expect(text.locator("strong")).to_have_text("wheel")  # as it is written
    await hers.get_by_role("button", name="Reply", exact=True).click()
    await expect(question).to_be_visible()
    assert await faults(ana.page, "a colleague's draft, and the question about it") == []

    # She takes it over. What he had not saved is kept.
    await his.get_by_label("Text").evaluate(UNSAVED, " Not saved yet.")
    await theirs.get_by_role("button", name="Take over").click()
    await expect(hers.get_by_label("Text")).to_have_text("Hello Mateus, a new wheel leaves today.", use_inner_text=True)
    await expect(jonas.page.get_by_text("Ana took this reply over. What you had not saved is kept")).to_be_visible()
    await expect(his.get_by_label("Text")).to_have_count(0)
    await expect(his.get_by_text("Ana took over your reply")).to_be_visible()
    [kept] = [each for each in await office.jonas.get("/drafts", list[Draft]) if "Two at one desk" in each.subject]
    assert kept.text == "Hello Mateus, a new wheel leaves today. Not saved yet."
    await office.jonas.delete(f"/drafts/{kept.id}")

    # Jonas writes one of his own, knowing of hers.
    question = his.get_by_role("group", name="Ana writes a reply here")
    await expect(his.get_by_role("group", name="Draft of Ana")).to_be_visible()
    await his.get_by_role("button", name="Reply", exact=True).click()
    await question.get_by_role("button", name="Write your own").click()
    await expect(his.get_by_label("Text")).to_be_focused()
    await jonas.page.keyboard.type("Mine.")
    await expect(his.get_by_text("Saved", exact=True)).to_be_visible()

    # She sends, and the customer writes again: his Send stops, and shows both.
    await hers.get_by_role("button", name="Send", exact=True).click()
    await expect(his.get_by_label("Mail of Ana Ribeiro, On its way")).to_be_visible()
    await office.receive("Re: Two at one desk", "It has become urgent.")
    await expect(his.get_by_label("Mail of Mateus Oliveira")).to_have_count(2, timeout=20_000)
    await his.get_by_role("button", name="Send", exact=True).click()
    stopped = his.get_by_role("alert")
    await expect(stopped).to_contain_text("Ana Ribeiro answered meanwhile.")
    await expect(stopped).to_contain_text("a new wheel leaves today")
    await expect(stopped).to_contain_text("Mateus Oliveira It has become urgent.")
    await stopped.get_by_role("button", name="Look at it").last.click()
    await expect(his.locator(".lit")).to_be_visible()
    await stopped.get_by_role("button", name="Send anyway").click()
    await expect(jonas.page.get_by_text("Sending to Mateus Oliveira")).to_be_visible()

    # Who closes the page has left.
    await expect(foot).to_have_text("Jonas is reading this")
    await jonas.page.close()
    await expect(foot).to_have_text("")
    await expect(row.locator(".here")).to_have_count(0)
    assert ana.complaints == [] and jonas.complaints == []


async def test_of_two_assignments_both_see_which_one_won(office: Office, seats: Seats) -> None:
    ana, hers, jonas, his = await both_at(office, seats, "Whose is this")
    await ana.page.keyboard.press("i")
    await expect(ana.page.get_by_role("menuitem", name="Ana Ribeiro (me)")).to_be_visible()
    await jonas.page.keyboard.press("i")
    await jonas.page.get_by_role("menuitem", name="Jonas Dahl (me)").click()
    await expect(hers.get_by_role("button", name="Assigned to Jonas Dahl")).to_be_attached()
    await ana.page.get_by_role("menuitem", name="Ana Ribeiro (me)").click()
    await expect(ana.page.get_by_text("Jonas Dahl took this a moment ago.")).to_be_visible()
    for pane in (hers, his):
        await expect(pane.get_by_role("button", name="Assigned to Jonas Dahl")).to_be_visible()
    await ana.page.get_by_role("button", name="Assign to me anyway").click()
    for pane in (hers, his):
        await expect(pane.get_by_role("button", name="Assigned to Ana Ribeiro")).to_be_visible()
    assert ana.complaints == [] and jonas.complaints == []


async def test_an_assignment_shows_before_the_server_has_answered(office: Office, seats: Seats) -> None:
    seat = await seats.at(office.product, office.ana)
    line = HeldLine()
    await seat.page.route_web_socket("**/_event/**", line.carry)
    page = await seat.open()
    await office.receive("Mine at once")
    row = page.locator("[data-box]", has_text="Mine at once")
    await row.locator(".row").click(timeout=20_000)
    pane = page.get_by_role("article", name="Mine at once")
    await expect(pane.get_by_role("button", name="Assign", exact=True)).to_be_visible()
    line.hold()
    await page.keyboard.press("Shift+I")
    shows = "(node, [place, part]) => getComputedStyle(node.querySelector(place), part).content"
    assert await row.evaluate(shows, [".meta", "::after"]) == '"AR"'
    assert await pane.evaluate(shows, [".btn.assign", "::after"]) == '"Ana"'
    line.release()
    await expect(pane.get_by_role("button", name="Assigned to Ana Ribeiro")).to_be_visible()
    await expect(row.locator(".meta > .mini")).to_have_text("AR")
    assert await row.evaluate(shows, [".meta", "::after"]) == "none"


def live(url: str, person: Visitor) -> websockets.connect:
    address = url.replace("http", "ws", 1) + "/api/v1/live"
    return websockets.connect(address, additional_headers={"cookie": person.cookie_header}, proxy=None)


async def say(socket: websockets.ClientConnection, frame: ClientFrame) -> None:
    await socket.send(msgspec.json.encode(frame).decode())


async def who_is_there(socket: websockets.ClientConnection) -> list[int]:
    """As the next word of presence says."""
    async with asyncio.timeout(10):
        while not isinstance(frame := frame_decoder.decode(await socket.recv()), PresenceFrame):
            continue
    [told] = frame.conversations
    return [each.user_id for each in told.people]


async def test_presence_is_known_in_every_web_process_and_ends_with_the_one_it_came_from(office: Office) -> None:
    await office.receive("Between two processes")
    number = 0
    while not number:
        page = await office.ana.get(f"/mailboxes/{office.support.id}/conversations", ConversationPage)
        number = next((each.row.id for each in page.items if each.row.subject == "Between two processes"), 0)
    there = [office.jonas.user_id]
    async with live(office.product.url, office.ana) as ana:
        await say(ana, Watch(conversation_ids=[number]))
        async with WatchedWeb(office.product) as other:
            async with live(other.url, office.jonas) as jonas:
                await say(jonas, Looking(conversation_id=number))
                assert await who_is_there(ana) == there
                async with live(other.url, office.ana) as later:
                    await say(later, Watch(conversation_ids=[number]))
                    assert await who_is_there(later) == there
            assert await who_is_there(ana) == []
            async with live(office.product.url, office.jonas) as first, live(other.url, office.ana) as late:
                await say(first, Looking(conversation_id=number))
                assert await who_is_there(ana) == there
                await say(late, Watch(conversation_ids=[number]))
                assert await who_is_there(late) == there
            assert await who_is_there(ana) == []
            jonas = await live(other.url, office.jonas)
            await say(jonas, Looking(conversation_id=number, doing="replying"))
            assert await who_is_there(ana) == there
        assert await who_is_there(ana) == []
        await jonas.close()
