"""The editor: what is formatted, pasted and quoted leaves as it was seen, and nothing typed is lost on the way."""

from __future__ import annotations

import asyncio
import base64
import email
import email.policy
import struct
import zlib
from email.message import EmailMessage

import pytest
from playwright.async_api import Page, Route, expect

from tests.browser.test_accessibility import faults
from tests.browser.test_writing import open_reply, own_draft
from tests.servers.chromium import Seats
from tests.servers.office import Office

pytestmark = pytest.mark.browser

PIXEL = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
)
WORD = """<html xmlns:o="urn:schemas-microsoft-com:office:office"><head><style>p.MsoNormal{margin:0cm}</style></head>
<body>
<p class=MsoNormal style='color:red'>The <b>offer</b>:<o:p></o:p></p>
<p class=MsoListParagraph style='mso-list:l0 level1 lfo1'><![if !supportLists]><span style='mso-list:Ignore'>·<span>
 </span></span><![endif]>two wheels</p>
<p class=MsoListParagraph style='mso-list:l0 level2 lfo1'><span style='mso-list:Ignore'>o </span>one of them spare</p>
<p class=MsoListParagraph style='mso-list:l0 level1 lfo1'><span style='mso-list:Ignore'>· </span>a bell</p>
<img src="file:///C:/Users/ana/logo.png"><p>Here: <img src="data:image/png;base64,PIXEL"></p>
<script>document.title = "x"</script></body></html>""".replace("PIXEL", base64.b64encode(PIXEL).decode())
GIVE = """([node, kind, data]) => {
  const given = new DataTransfer();
  if (kind === "html") given.setData("text/html", data);
  else {
    const bytes = Uint8Array.from(atob(data), (c) => c.charCodeAt(0));
    given.items.add(new File([bytes], "hub.png", { type: "image/png" }));
  }
  const so = { bubbles: true, cancelable: true };
  if (kind !== "drop") return node.dispatchEvent(new ClipboardEvent("paste", { clipboardData: given, ...so }));
  const last = node.lastElementChild.getBoundingClientRect();
  const there = { clientX: last.left + 1, clientY: last.top + 5 };
  node.dispatchEvent(new DragEvent("drop", { dataTransfer: given, ...there, ...so }));
}"""
"""Paste HTML or a file into a node, or drop a file on its end."""


async def give(page: Page, kind: str, data: str) -> None:
    node = await page.locator(".ProseMirror:visible").element_handle()
    await page.evaluate(GIVE, [node, kind, data])


def read(raw: bytes) -> tuple[EmailMessage, str, str]:
    """A mail as the standard library reads it, with its two forms."""
    mail = email.message_from_bytes(raw, policy=email.policy.default)
    plain, html = mail.get_body(("plain",)), mail.get_body(("html",))
    assert plain is not None and html is not None
    return mail, plain.get_content().replace("\r\n", "\n"), html.get_content()  # pyright: ignore[reportReturnType]


async def test_what_is_formatted_pasted_and_quoted_leaves_as_it_was_seen(office: Office, seats: Seats) -> None:
    before = len(office.smtp.messages)
    seat = await seats.at(office.product, office.ana)
    page = await seat.open()
    pane = await open_reply(office, page, "A wheel and a bell")
    await expect(pane.locator(".ProseMirror")).to_be_focused()
    await page.keyboard.press("Control+b")
    await page.keyboard.type("Hello")
    await page.keyboard.press("Control+b")
    await page.keyboard.type(" Priya,\n\nas you asked:\n")
    await give(page, "html", WORD)
    await expect(pane.locator(".ProseMirror li")).to_have_count(3)
    await pane.get_by_label("Text").press("Control+End")
    await expect(pane.locator(".ProseMirror img[src^='/api/']")).to_have_count(1)
    for way, number in (("file", 2), ("drop", 3)):
        await give(page, way, base64.b64encode(PIXEL).decode())
        await expect(pane.locator(".ProseMirror img[src^='/api/']")).to_have_count(number)
    pictures = pane.locator(".ProseMirror img[src^='/api/']")
    await expect(pictures.last).to_have_js_property("naturalWidth", 1)

    # A link by the keyboard, without the desk hearing of any of it.
    await page.keyboard.press("End")
    await page.keyboard.press("Control+k")
    await page.get_by_label("Where the link leads").fill("northwind.example/offer")
    await page.keyboard.press("Enter")
    await expect(pane.locator(".ProseMirror a")).to_have_attribute("href", "https://northwind.example/offer")
    await page.keyboard.type("jke")
    await expect(pane.get_by_label("Text")).to_contain_text("jke")

    # What is answered stands folded below, and can be written into.
    await pane.get_by_role("button", name="Show what is quoted").click()
    await expect(pane.locator(".ProseMirror blockquote")).to_have_text("The box was open.")
    await pane.locator(".ProseMirror blockquote p").click()
    await page.keyboard.press("End")
    await page.keyboard.type(" Noted.")
    await expect(pane.get_by_text("Saved", exact=True)).to_be_visible()
    await pane.get_by_role("button", name="Send", exact=True).click()
    sent = await office.smtp.wait_for(before + 1, timeout=40)

    mail, plain, html = read(sent[before].raw)
    kinds = [part.get_content_type() for part in mail.walk()]
    assert kinds == ["multipart/alternative", "text/plain", "multipart/related", "text/html", *["image/png"] * 3]
    for inside in [part for part in mail.walk() if part.get_content_type() == "image/png"]:
        assert inside.get_payload(decode=True) == PIXEL and f"cid:{inside['content-id'][1:-1]}" in html
    assert "<strong>Hello</strong> Priya," in html and "script" not in html and "mso" not in html.lower()
    assert plain.startswith(
        "Hello Priya,\n\nas you asked:\nThe offer:\n\n- two wheels\n  - one of them spare\n- a bell\n\nHere:"
    )
    assert plain.rstrip().endswith("> The box was open. Noted.") and "Priya Shah <priya@shah.example> wrote:" in plain
    assert seat.complaints == []


async def test_a_picture_gets_a_size_and_words_for_those_who_do_not_see_it(office: Office, seats: Seats) -> None:
    seat = await seats.at(office.product, office.ana)
    page = await seat.open()
    pane = await open_reply(office, page, "The picture of a hub")
    await expect(pane.locator(".ProseMirror")).to_be_focused()
    await page.keyboard.type("Here: ")
    await give(page, "file", base64.b64encode(drawn(400, 300)).decode())
    picture = pane.locator(".ProseMirror img[src^='/api/']")
    await expect(picture).to_have_js_property("naturalWidth", 400)
    await expect(picture).to_have_attribute("width", "400")
    await picture.click()
    await expect(pane.get_by_role("button", name="Large picture")).to_have_attribute("aria-pressed", "true")
    await pane.get_by_role("button", name="Medium picture").click()
    await expect(picture).to_have_attribute("width", "320")
    await pane.get_by_role("button", name="Small picture").click()
    await expect(pane.get_by_role("button", name="Small picture")).to_have_attribute("aria-pressed", "true")
    await pane.get_by_role("button", name="Describe the picture").click()
    await page.get_by_label("What the picture shows").fill("A hub with 32 holes")
    assert await faults(page, "the description of a picture") == []
    await page.keyboard.press("Enter")
    await expect(picture).to_have_attribute("alt", "A hub with 32 holes")
    await expect(pane.get_by_text("Saved", exact=True)).to_be_visible()
    draft = await own_draft(office, "The picture of a hub")
    assert draft.html is not None and 'alt="A hub with 32 holes"' in draft.html and 'width="160"' in draft.html
    assert seat.complaints == []


def drawn(width: int, height: int) -> bytes:
    """A grey picture of this size, as PNG."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    rows = zlib.compress((b"\0" + b"\x99" * width) * height)
    header = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", rows) + chunk(b"IEND", b"")


async def editor_held_back(page: Page) -> asyncio.Event:
    """The editor's script comes to this page no sooner than the event is set."""
    comes = asyncio.Event()

    async def late(route: Route) -> None:
        await comes.wait()
        await route.continue_()

    await page.route("**/assets/editor-*.js", late)
    return comes


async def test_the_focus_stays_where_it_is_when_the_editor_comes(office: Office, seats: Seats) -> None:
    seat = await seats.at(office.product, office.ana)
    comes = await editor_held_back(seat.page)
    page = await seat.open()
    pane = await open_reply(office, page, "Focus in a late composer")
    await page.keyboard.press("Tab")
    off = pane.get_by_role("button", name="Leave the quotation out")
    await expect(off).to_be_focused()
    comes.set()
    await expect(pane.locator(".ProseMirror")).to_be_visible()
    await expect(off).to_be_focused()
    await pane.get_by_role("button", name="Discard the draft").click()


async def test_what_is_asked_for_before_the_editor_has_come_opens_with_it(office: Office, seats: Seats) -> None:
    seat = await seats.at(office.product, office.ana)
    comes = await editor_held_back(seat.page)
    page = await seat.open()
    pane = await open_reply(office, page, "Files in a late composer")
    await pane.get_by_role("button", name="Documents and earlier files").click()
    files = page.get_by_role("dialog", name="Files that are there")
    await expect(files).to_have_count(0)
    comes.set()
    await expect(files).to_be_visible()
    await page.keyboard.press("Escape")
    await pane.get_by_role("button", name="Discard the draft").click()


async def test_what_is_typed_before_the_editor_has_come_goes_on_in_it(office: Office, seats: Seats) -> None:
    seat = await seats.at(office.product, office.ana)
    comes = await editor_held_back(seat.page)
    page = await seat.open()
    pane = await open_reply(office, page, "Before the editor")
    await page.keyboard.type("- Typed at once")
    assert await pane.locator(".ProseMirror").count() == 0
    comes.set()
    await expect(pane.locator(".ProseMirror")).to_be_focused()
    await page.keyboard.type(", and on.")
    await expect(pane.get_by_text("Saved", exact=True)).to_be_visible()
    assert (await own_draft(office, "Before the editor")).text == "- Typed at once, and on."
    await pane.get_by_role("button", name="Discard the draft").click()


async def test_without_formatting_it_is_a_plain_mail(office: Office, seats: Seats) -> None:
    page = await (await seats.at(office.product, office.ana)).open()
    pane = await open_reply(office, page, "Only plain")
    await expect(pane.locator(".ProseMirror")).to_be_focused()  # where "- " begins a list
    await page.keyboard.type("- one\ntwo\n\nEnd")
    await pane.get_by_role("button", name="Plain, without formatting").click()
    await expect(pane.get_by_label("Text")).to_have_value("- one\n- two\n\nEnd")
    await expect(pane.get_by_label("Text")).to_be_focused()
    await page.keyboard.press("Control+End")
    await page.keyboard.type(" of it")
    await expect(pane.get_by_text("Saved", exact=True)).to_be_visible()
    draft = await own_draft(office, "Only plain")
    assert (draft.html, draft.text) == (None, "- one\n- two\n\nEnd of it")
    await pane.get_by_role("button", name="Formatted").click()
    await expect(pane.locator(".ProseMirror")).to_contain_text("End of it")
    await pane.get_by_role("button", name="Discard the draft").click()


async def test_what_one_may_have_overlooked_is_said_before_it_is_sent(office: Office, seats: Seats) -> None:
    before = len(office.smtp.messages)
    page = await (await seats.at(office.product, office.ana)).open()
    await expect(page.get_by_role("heading", name="Support")).to_be_visible()
    await page.keyboard.press("c")
    window = page.get_by_role("dialog", name="New mail")
    await expect(window.get_by_role("combobox", name="To", exact=True)).to_be_focused()
    await page.keyboard.type("gil@cohen.example,jonas@northwind.example,support@northwind.example,")
    await window.get_by_label("Text").click()
    await page.keyboard.type("Die Rechnung ist im Anhang.")
    await page.keyboard.press("Control+Enter")
    asked = page.get_by_role("alertdialog", name="Before it is sent")
    for line in ("no subject", "You write of an attachment", "gil@cohen.example is outside of your organisation"):
        await expect(asked).to_contain_text(line)
    await expect(asked.get_by_role("button", name="Go back")).to_be_focused()
    assert await faults(page, "what is said before sending") == []
    await page.keyboard.press("Enter")
    await expect(asked).to_have_count(0)
    await window.get_by_label("Subject").fill("Your bill")
    await window.get_by_role("button", name="Send", exact=True).click()
    await expect(asked).not_to_contain_text("no subject")
    await asked.get_by_role("button", name="Send anyway").click()
    await expect(window).to_have_count(0)
    sent = await office.smtp.wait_for(before + 1, timeout=40)
    assert b"Anhang" in sent[before].raw
