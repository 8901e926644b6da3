"""Mail with formatting: what is stored of it, what is quoted below it, and what a server receives."""

import email
import email.policy
from email.message import EmailMessage

from backend.compose.contracts import CreateDraft, Draft, Outgoing, QuotedMessage, SaveDraft
from tests.servers.api import Member
from tests.servers.delivery import deliver, write_mail
from tests.servers.sending import Desk

PNG = b"\x89PNG\r\n\x1a\n and some pixels"
ASKED = (
    b"From: Carla Customer <carla@customer.example>\r\nTo: support@northwind.example\r\nSubject: My hub\r\n"
    b"Message-ID: <hub@customer.example>\r\nDate: Mon, 02 Mar 2026 09:30:00 +0000\r\nMIME-Version: 1.0\r\n"
    b'Content-Type: multipart/related; boundary="b"\r\n\r\n--b\r\nContent-Type: text/html\r\n\r\n'
    b'<style>p{color:red}</style><p onclick="x()">It <b>squeaks</b>:</p><img src="cid:hub@x"><img src="cid:none@x">\r\n'
    b"--b\r\nContent-Type: image/png\r\nContent-ID: <hub@x>\r\nContent-Disposition: inline; filename=hub.png\r\n"
    b"Content-Transfer-Encoding: base64\r\n\r\niVBORw==\r\n--b--\r\n"
)


def parts(raw: bytes) -> tuple[EmailMessage, list[str]]:
    read = email.message_from_bytes(raw, policy=email.policy.default)
    assert not any(part.defects for part in read.walk())
    return read, [part.get_content_type() for part in read.walk()]  # pyright: ignore[reportReturnType]


def body(read: EmailMessage, kind: str) -> str:
    found = read.get_body((kind,))
    assert found is not None
    return found.get_content().replace("\r\n", "\n")


async def picture(who: Member, draft: Draft) -> Draft:
    """Upload a picture for the text."""
    path = f"/drafts/{draft.id}/attachments?in_text=true"
    answer = await who.request("POST", path, files={"file": ("hub.png", PNG, "image/png")})
    assert answer.is_success
    return await who.get(f"/drafts/{draft.id}", Draft)


async def received(desk: Desk, outgoing: Outgoing) -> tuple[EmailMessage, list[str]]:
    before = len(desk.smtp.messages)
    assert await desk.attempt(outgoing) == "sent"
    return parts(desk.smtp.messages[before].raw)


async def test_html_is_cleaned_and_its_text_is_taken_from_it(desk: Desk) -> None:
    draft = await desk.new_draft(
        text="counts for nothing", html="<p>Hello <b>Carla</b><script>x()</script></p><p>Ana</p>"
    )
    assert (draft.html, draft.text) == ("<p>Hello <b>Carla</b></p><p>Ana</p>", "Hello Carla\nAna")


async def test_a_formatted_mail_has_both_forms_and_a_plain_one_flows(desk: Desk) -> None:
    outgoing = await desk.send(await desk.new_draft(html="<p>Hello <b>Carla</b></p><p></p><p>Ana</p>"))
    read, kinds = await received(desk, outgoing)
    assert kinds == ["multipart/alternative", "text/plain", "text/html"]
    assert body(read, "plain").strip() == "Hello Carla\n\nAna"
    assert "<p>Hello <b>Carla</b></p><p><br></p><p>Ana</p>" in body(read, "html")
    read, kinds = await received(desk, await desk.send(await desk.new_draft(text="Hello Carla")))
    assert kinds == ["text/plain"] and read.get_param("format") == "flowed"


async def test_a_picture_in_the_text_travels_inside_the_mail_and_one_taken_out_does_not(desk: Desk) -> None:
    ana = desk.api.ana
    draft = await picture(ana, await picture(ana, await desk.new_draft()))
    first, second = (each.content_id for each in draft.attachments)
    saved = await desk.save(ana, draft, html=f'<p>See <img src="cid:{second}" width="40"></p>')
    shown = await ana.request("GET", f"/drafts/{draft.id}/pictures/{second}")
    assert (shown.content, shown.headers["content-type"]) == (PNG, "image/png")
    outgoing = await desk.send(saved)
    assert outgoing.attachments == []
    read, kinds = await received(desk, outgoing)
    assert kinds == ["multipart/alternative", "text/plain", "multipart/related", "text/html", "image/png"]
    [inside] = [part for part in read.walk() if part.get_content_type() == "image/png"]
    assert (inside["content-id"], inside.get_payload(decode=True)) == (f"<{second}>", PNG)
    assert f"cid:{second}" in body(read, "html") and first not in desk.smtp.messages[-1].raw.decode()


async def test_only_pictures_stand_in_the_text_and_a_stranger_sees_none(desk: Desk) -> None:
    ana, draft = desk.api.ana, await desk.reply_draft(await deliver(desk.api.support))
    files = {"file": ("x.svg", b"<svg/>", "image/svg+xml")}
    refused = await ana.request("POST", f"/drafts/{draft.id}/attachments?in_text=true", files=files)
    assert refused.status_code == 422
    name = (await picture(ana, draft)).attachments[0].content_id
    assert (await desk.api.jonas.request("GET", f"/drafts/{draft.id}/pictures/{name}")).content == PNG
    assert (await desk.api.mallory.request("GET", f"/drafts/{draft.id}/pictures/{name}")).status_code == 404
    assert (await desk.api.mallory.request("POST", f"/drafts/{draft.id}/quote")).status_code == 404


async def test_a_reply_quotes_what_it_answers_below_the_text(desk: Desk) -> None:
    draft = await desk.reply_draft(await deliver(desk.api.support, ASKED))
    outgoing = await desk.send(await desk.save(desk.api.ana, draft, html="<p>We mend it.</p>", quoted=True))
    assert outgoing.text == "We mend it."
    read, kinds = await received(desk, outgoing)
    assert kinds[-2:] == ["text/html", "image/png"]
    html = body(read, "html")
    assert html.index("We mend it.") < html.index("Carla Customer &lt;carla@customer.example&gt; wrote:")
    assert "It <b>squeaks</b>" in html and "onclick" not in html and "<style" not in html and "none@x" not in html
    text = body(read, "plain")
    assert text.startswith("We mend it.\n\nOn Mon, 02 Mar 2026 at 09:30 UTC, Carla") and "\n> It squeaks:" in text


async def test_without_a_wish_nothing_is_quoted(desk: Desk) -> None:
    draft = await desk.reply_draft(await deliver(desk.api.support, ASKED))
    read, _ = await received(desk, await desk.send(draft))
    assert "squeaks" not in body(read, "plain")


async def test_the_quotation_can_be_taken_into_the_text_with_its_pictures_once(desk: Desk) -> None:
    ana = desk.api.ana
    draft = await desk.reply_draft(await deliver(desk.api.support, ASKED))
    quote = await ana.post(f"/drafts/{draft.id}/quote", None, QuotedMessage)
    await ana.post(f"/drafts/{draft.id}/quote", None, QuotedMessage)
    [inside] = (await ana.get(f"/drafts/{draft.id}", Draft)).attachments
    assert f"cid:{inside.content_id}" in quote.html and quote.text.endswith("> It squeaks:")
    saved = await desk.save(ana, draft, html=quote.html.replace("squeaks", "<i>creaks</i>"))
    read, kinds = await received(desk, await desk.send(saved))
    assert kinds.count("image/png") == 1
    assert "> It creaks:" in body(read, "plain") and "squeaks" not in body(read, "plain")


async def test_a_message_that_stands_elsewhere_by_now_is_not_quoted(desk: Desk) -> None:
    from backend.database.connection import execute

    ana = desk.api.ana
    draft = await desk.reply_draft(await deliver(desk.api.support, ASKED))
    other = await deliver(desk.api.support, write_mail(subject="Another", message_id="other@customer.example"))
    await execute("UPDATE messages SET conversation_id = $1 WHERE message_id = 'hub@customer.example'", other)
    assert (await ana.refused("POST", f"/drafts/{draft.id}/quote")).status == 404
    read, _ = await received(desk, await desk.send(await desk.save(ana, draft, html="<p>Hi</p>", quoted=True)))
    assert body(read, "plain").strip() == "Hi"


async def test_a_forward_holds_the_message_and_its_pictures(desk: Desk) -> None:
    ana = desk.api.ana
    conversation_id = await deliver(desk.api.support, ASKED)
    draft = await ana.post("/drafts", CreateDraft(kind="forward", conversation_id=conversation_id), Draft)
    saved = await desk.save(ana, draft, to=[{"name": "", "address": "factory@hubs.example"}], html="", quoted=True)
    read, kinds = await received(desk, await desk.send(saved))
    assert kinds[-1] == "image/png"
    assert body(read, "plain").startswith("---------- Forwarded message ----------\nFrom: Carla Customer")
    assert "It <b>squeaks</b>" in body(read, "html")


async def test_what_is_taken_back_is_as_it_was_written(desk: Desk) -> None:
    ana = desk.api.ana
    draft = await picture(ana, await desk.reply_draft(await deliver(desk.api.support, ASKED)))
    html = f'<p>See <b>this</b> <img src="cid:{draft.attachments[0].content_id}"></p>'
    outgoing = await desk.send(await desk.save(ana, draft, html=html, quoted=True), undo_seconds=30)
    back = await ana.post(f"/outbox/{outgoing.id}/undo", None, Draft)
    assert (back.html, back.quoted, back.text) == (html, True, "See this")
    assert [each.content_id for each in back.attachments] == [draft.attachments[0].content_id]


async def test_of_two_saves_the_stale_one_is_refused_with_both_forms(desk: Desk) -> None:
    ana, draft = desk.api.ana, await desk.new_draft(html="<p>mine</p>")
    stale = SaveDraft(version=draft.version - 1, to=draft.to, cc=[], bcc=[], subject="x", text="", html="<p>older</p>")
    refusal = await ana.refused("PUT", f"/drafts/{draft.id}", stale)
    assert refusal.status == 409
    assert (refusal.details["stored"]["html"], refusal.details["given"]["html"]) == ("<p>mine</p>", "<p>older</p>")
