"""What a server receives of a mail that was made from the library."""

from backend.compose.contracts import CreateDraft, Draft
from backend.templates.filling import example_values
from backend.templates.language import render
from backend.templates.library import shipped_template, with_examples
from backend.templates.library.look import STYLES
from sync.mime.parse import parse_message
from tests.servers.delivery import deliver
from tests.servers.sending import Desk

QUOTED = (
    b"From: Carla Customer <carla@customer.example>\r\nTo: support@northwind.example\r\nSubject: Refund\r\n"
    b"Message-ID: <refund@customer.example>\r\nDate: Mon, 02 Mar 2026 09:30:00 +0000\r\nMIME-Version: 1.0\r\n"
    b'Content-Type: text/html\r\n\r\n<p style="color:#000000">When?</p>\r\n'
)


def filled(key: str) -> tuple[str, str]:
    """HTML and text of a template, with every field and gap filled in."""
    template = shipped_template(key)
    assert template is not None
    html, text = (with_examples(each, template.gaps) for each in (template.html, template.text))
    return render(html, example_values(), html=True).text, render(text, example_values()).text


async def test_it_leaves_with_its_dark_colours_and_with_a_text_that_says_the_same(desk: Desk) -> None:
    html, text = filled("support/refund-agreed")
    outgoing = await desk.send(await desk.new_draft(html=html))
    assert await desk.attempt(outgoing) == "sent"
    mail = parse_message(desk.smtp.messages[-1].raw)
    assert mail.html is not None
    assert mail.html.count(STYLES) == 1
    assert mail.html.startswith(STYLES)
    assert (mail.text or "").strip() == text


async def test_where_others_are_quoted_their_words_are_not_put_on_a_dark_page(desk: Desk) -> None:
    conversation = await deliver(desk.api.support, QUOTED)
    draft = await desk.api.ana.post("/drafts", CreateDraft(kind="reply", conversation_id=conversation), Draft)
    html, _ = filled("support/refund-agreed")
    outgoing = await desk.send(await desk.save(desk.api.ana, draft, html=html, quoted=True))
    assert await desk.attempt(outgoing) == "sent"
    mail = parse_message(desk.smtp.messages[-1].raw)
    assert mail.html is not None
    assert "color-scheme" not in mail.html
    assert "When?" in mail.html
    assert "129.00 EUR" in mail.html


async def test_mail_of_ones_own_gets_no_style_sheet(desk: Desk) -> None:
    outgoing = await desk.send(await desk.new_draft(html="<p>Hello Carla</p>"))
    assert await desk.attempt(outgoing) == "sent"
    assert "<style" not in (parse_message(desk.smtp.messages[-1].raw).html or "")
