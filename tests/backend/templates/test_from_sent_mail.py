"""A mail that was sent becomes a template: its words and pictures come along, what stands below them does not."""

from email.message import EmailMessage
from email.policy import SMTP

import pytest

from backend.compose.contracts import CreateDraft, Draft, DraftKind, Outgoing, SaveDraft, SendDraft
from backend.conversations.contracts import ConversationDetail
from backend.database.connection import fetch_value
from backend.mail.contracts import MailAddress
from backend.mail.raw import load_raw
from backend.templates.contracts import HouseStyle, ImportedTemplate, SaveSignature, Signature
from tests.servers.api import Api, Member
from tests.servers.delivery import deliver, write_mail

CARLA = MailAddress(name="Carla Customer", address="carla@customer.example")
PIXEL = b"\x89PNG\r\n\x1a\n pixel"


async def sent(api: Api, html: str | None, text: str = "", *, kind: DraftKind = "reply") -> int:
    """The id of a message as it lies in Sent, answering one of Carla's."""
    conversation_id = await deliver(api.support)
    draft = await api.ana.post("/drafts", CreateDraft(kind=kind, conversation_id=conversation_id), Draft)
    if html and "PICTURE" in html:
        form = {"file": ("hub.png", PIXEL, "image/png")}
        answer = await api.ana.request("POST", f"/drafts/{draft.id}/attachments?in_text=true", files=form)
        html = html.replace("PICTURE", answer.json()["attachments"][-1]["content_id"])
        draft = await api.ana.get(f"/drafts/{draft.id}", Draft)
    saved = SaveDraft(
        version=draft.version, to=[CARLA], cc=[], bcc=[], subject=draft.subject, text=text, html=html, quoted=True
    )
    stored = await api.ana.put(f"/drafts/{draft.id}", saved, Draft)
    outgoing = await api.ana.post(f"/drafts/{draft.id}/send", SendDraft(version=stored.version), Outgoing)
    raw = await load_raw(await fetch_value("SELECT raw_digest FROM outgoing WHERE id = $1", outgoing.id))
    return await filed(api, raw)


async def filed(api: Api, raw: bytes) -> int:
    """The id of this message, found in the Sent folder."""
    conversation_id = await deliver(api.support, raw, role="sent")
    detail = await api.ana.get(f"/conversations/{conversation_id}", ConversationDetail)
    return next(each.id for each in detail.messages if each.direction == "outgoing")


async def made_of(who: Member, message_id: int) -> ImportedTemplate:
    return await who.post(f"/messages/{message_id}/template", None, ImportedTemplate)


async def test_the_words_come_over_and_signature_footer_and_quotation_do_not(api: Api) -> None:
    await api.ana.put("/me/signature", SaveSignature(html="<p>{{ me.name }}, Northwind</p>", version=0), Signature)
    await api.ana.put("/house-style", HouseStyle(footer="<p>Porto</p>"), HouseStyle)
    message_id = await sent(api, "<p>Hello Carla,</p><p>it is <b>on its way</b>.</p><p><br></p>")
    made = await made_of(api.ana, message_id)
    assert made.html == "<p>Hello Carla,</p><p>it is <b>on its way</b>.</p>"
    assert (made.name, made.subject) == ("My bike squeaks", "My bike squeaks")
    assert made.text == "Hello Carla,\nit is on its way."
    named = next(each for each in made.findings if "is named in it" in each.text)
    assert named.items == ["Carla"]


async def test_a_forwarded_mail_stays_behind(api: Api) -> None:
    made = await made_of(api.ana, await sent(api, "<p>Please see below.</p>", kind="forward"))
    assert (made.html, made.subject) == ("<p>Please see below.</p>", "My bike squeaks")


async def test_a_plain_mail_becomes_a_plain_template(api: Api) -> None:
    await api.ana.put("/me/signature", SaveSignature(html="<p>{{ me.name }}, Northwind</p>", version=0), Signature)
    await api.ana.put("/house-style", HouseStyle(footer="<p>Porto</p>"), HouseStyle)
    made = await made_of(api.ana, await sent(api, None, "Hello,\n\nit is {{ not }} on its way."))
    assert (made.html, made.text) == (None, "Hello,\n\nit is [not] on its way.")


async def test_its_pictures_are_kept_for_the_template(api: Api) -> None:
    made = await made_of(api.ana, await sent(api, '<p>Look: <img src="cid:PICTURE" alt="hub" width="80"></p>'))
    assert made.html is not None
    content_id = made.html.split('src="cid:')[1].split('"')[0]
    assert (await api.ana.request("GET", f"/template-pictures/{content_id}")).content == PIXEL


async def test_a_part_that_is_laid_out_stays_so(api: Api) -> None:
    html = '<p>Hello</p><div class="designed"><table role="presentation"><tr><td>Good news</td></tr></table></div>'
    made = await made_of(api.ana, await sent(api, html))
    assert made.html is not None and made.html.startswith('<p>Hello</p><div class="designed"><table')


@pytest.mark.parametrize(
    "closing",
    [
        '<div class="gmail_signature">Ana<br>Porto</div>',
        '<div id="Signature"><p>Ana</p><div>Porto</div></div>',
        '<div class="moz-signature">Ana</div><div class="moz-cite-prefix">On Monday Carla wrote:</div>'
        '<blockquote type="cite">It squeaks</blockquote>',
    ],
)
async def test_mail_that_was_sent_with_another_program_is_cut_where_that_marks_it(api: Api, closing: str) -> None:
    mail = EmailMessage(policy=SMTP)
    mail["From"], mail["To"] = "support@northwind.example", "Carla <c@c.example>"
    mail["Subject"] = "Re: Fwd: [Shop] Bike"
    mail["Message-ID"], mail["Date"] = "<other-program@northwind.example>", "Mon, 30 Nov 2026 10:00:00 +0000"
    mail.set_content("Hello, it is on its way.")
    mail.add_alternative(f"<html><body><div>Hello, it is on its way.<br></div><br>{closing}</body></html>", "html")
    made = await made_of(api.ana, await filed(api, mail.as_bytes()))
    assert made.text == "Hello, it is on its way."
    assert (made.subject, made.html) == ("[Shop] Bike", "Hello, it is on its way.")


async def test_it_is_made_of_sent_mail_only_by_who_sees_it(api: Api) -> None:
    message_id = await sent(api, "<p>Hello</p>")
    assert (await api.mallory.refused("POST", f"/messages/{message_id}/template")).status == 404
    assert (await made_of(api.jonas, message_id)).html == "<p>Hello</p>"
    conversation_id = await deliver(api.support, write_mail(subject="Another"))
    detail = await api.ana.get(f"/conversations/{conversation_id}", ConversationDetail)
    refusal = await api.ana.refused("POST", f"/messages/{detail.messages[0].id}/template")
    assert (refusal.status, refusal.message) == (422, "This mail came from somebody else.")


async def test_a_mail_that_only_quotes_is_refused(api: Api) -> None:
    message_id = await sent(api, "<p></p>", " ")
    refusal = await api.ana.refused("POST", f"/messages/{message_id}/template")
    assert (refusal.status, refusal.message) == (422, "This mail says nothing of its own.")
