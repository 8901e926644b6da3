"""Templates with HTML, their pictures, signatures and the organisation's style: what of it stands in the mail."""

import email
import email.policy
import time

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from backend.compose.contracts import CreateDraft, Draft, Outgoing, SaveDraft, SendDraft
from backend.database.connection import fetch_value
from backend.mail.contracts import MailAddress
from backend.mail.raw import load_raw
from backend.templates.contracts import (
    FillIn,
    HouseStyle,
    LibraryTemplate,
    Rendered,
    RenderText,
    SaveSignature,
    SaveTemplate,
    Signature,
    Signatures,
    Template,
)
from backend.templates.language import TemplateError, Values
from backend.templates.markup import clean_markup, filled_in
from tests.servers.api import Api, Member
from tests.servers.delivery import deliver

CARLA = MailAddress(name="Carla Customer", address="carla@customer.example")
DAN = MailAddress(name="Dan <Dee>", address="dan@customer.example")
VALUES = Values({"contact": {"name": "Carla <b>", "email": 'c"@x.example', "first_name": "Carla"}})
PIXEL = b"\x89PNG\r\n\x1a\n pixel"


async def with_html(who: Member, html: str, **fields: object) -> Template:
    given = SaveTemplate(**{"name": "Return", "text": "", "html": html, **fields})  # pyright: ignore
    return await who.post("/templates", given, Template)


async def picture(who: Member) -> str:
    answer: httpx.Response = await who.request(
        "POST", "/template-pictures", files={"file": ("logo.png", PIXEL, "image/png")}
    )
    return answer.json()["content_id"]


async def draft_of(api: Api) -> Draft:
    await deliver(api.support)  # so that it has an account to send with
    return await api.ana.post("/drafts", CreateDraft(kind="new", mailbox_id=api.support), Draft)


async def sent(api: Api, draft: Draft, html: str | None, text: str = "") -> tuple[str, str | None, list[bytes]]:
    """The text, the HTML and the pictures of the mail that leaves."""
    saved = SaveDraft(version=draft.version, to=[CARLA], cc=[], bcc=[], subject="Bike", text=text, html=html)
    stored = await api.ana.put(f"/drafts/{draft.id}", saved, Draft)
    outgoing = await api.ana.post(f"/drafts/{draft.id}/send", SendDraft(version=stored.version), Outgoing)
    raw = await load_raw(await fetch_value("SELECT raw_digest FROM outgoing WHERE id = $1", outgoing.id))
    mail = email.message_from_bytes(raw, policy=email.policy.default)
    plain, markup = mail.get_body(("plain",)), mail.get_body(("html",))
    assert plain is not None
    pictures = [part.get_payload(decode=True) for part in mail.walk() if part.get_content_maintype() == "image"]
    return plain.get_content().replace("\r\n", "\n").strip(), markup.get_content() if markup else None, pictures  # pyright: ignore


async def test_html_is_cleaned_its_text_taken_from_it_and_what_is_filled_in_escaped(api: Api) -> None:
    html = '<p onclick="x()">Hello <b>{{ contact.<i>name</i> }}</b>,</p><script>x</script><p>{{&nbsp;me.name }}</p>'
    template = await with_html(api.ana, html)
    assert template.html == "<p>Hello <b>{{ contact.name }}</b>,</p><p>{{ me.name }}</p>"
    assert (template.text, template.formatted) == ("Hello {{ contact.name }},\n{{ me.name }}", True)
    [listed] = await api.ana.get("/templates", list[Template])
    assert (listed.formatted, listed.html) == (True, None)
    assert (await api.ana.get(f"/templates/{template.id}", Template)).html == template.html
    draft = await draft_of(api)
    said = await api.ana.post(f"/drafts/{draft.id}/templates/{template.id}", FillIn(to=[DAN]), Rendered)
    assert said.html == "<p>Hello <b>Dan &lt;Dee&gt;</b>,</p><p>Ana Ribeiro</p>"
    assert said.text == "Hello Dan <Dee>,\nAna Ribeiro"


@pytest.mark.parametrize(
    ("html", "made"),
    [
        ("<p>{% if contact.phone %}</p><p>Call</p><p>{% endif %}</p><p>Bye</p>", "<p>Bye</p>"),
        ("<p>{{ contact.phone | default(&quot;none&quot;) }}</p>", "<p>none</p>"),
        ("<p>{{ contact.phone | default(“none”) }}</p>", "<p>none</p>"),
        ("<p>{{ contact.phone }}</p>", "<p>[contact phone]</p>"),
        ("<p>{{ '&lt;img src=x onerror=y&gt;' }}</p>", "<p>&lt;img src=x onerror=y&gt;</p>"),
        ('<p title="{{ contact.email }}">x</p>', '<p title="c&quot;@x.example">x</p>'),
        ("<p>{% raw %}{{ contact.name }}{% endraw %}</p>", "<p>{{ contact.name }}</p>"),
    ],
)
def test_fields_in_html_are_read_whatever_the_editor_did_to_them(html: str, made: str) -> None:
    assert filled_in(clean_markup(html), VALUES).text == made


def test_a_field_in_a_link_is_filled_in_and_leads_nowhere_else() -> None:
    html = clean_markup(
        '<a href="https://shop.example/?who={{ contact.email }}">x</a><a href="{{ contact.name }}">y</a>'
    )
    made = filled_in(html, VALUES).text
    assert 'href="https://shop.example/?who=c&quot;@x.example"' in made or "who=c%22@x.example" in made
    assert made.count("href") == 1


@pytest.mark.parametrize(
    "html",
    [
        "<p>{{ contact.__class__ }}</p>",
        "<p>{{ contact.name.__class__.__mro__ }}</p>",
        "<p>{{ ''.__class__ }}</p>",
        "<p>{{ cycler.__init__ }}</p>",
        "<p>{% for a in recipients %}{% for b in recipients %}x{% endfor %}{% endfor %}</p>",
        "<p>{% include '/etc/passwd' %}</p>",
        "<p>{% set x = 1 %}</p>",
        "<p>{{ 9 ** 9 ** 9 }}</p>",
        "<p>{{ contact<b>.</b>__init__ }}</p>",
        "<p>{&#123; contact.__class__ }}</p>",
        "<p>{<b></b>{ contact.__class__ }}</p>",
    ],
)
def test_a_hostile_template_in_html_reads_nothing(html: str) -> None:
    try:
        made = filled_in(clean_markup(html), VALUES).text
    except TemplateError:
        return
    assert "class" in made or "init" in made  # it stands there as it was written
    assert "object at" not in made and "<class" not in made and "&lt;class" not in made


@given(st.text(alphabet="{}%<>/&;#'\"|. acontemfirs_p", max_size=60))
def test_no_html_breaks_anything(html: str) -> None:
    try:
        clean = clean_markup(html)
        filled_in(clean, VALUES)
    except TemplateError:
        return
    assert "<script" not in clean


def test_ten_thousand_merges_of_html_take_less_than_a_minute() -> None:
    row = '<tr><td style="padding:8px">{{ contact.first_name }}</td><td>{{ contact.email }}</td></tr>'
    clean = clean_markup(
        f'<table role="presentation">{row * 12}</table><p>{{{{ contact.name }}}}</p>' + "<p>word</p>" * 40
    )
    filled_in(clean, VALUES)
    begun = time.process_time()
    for _ in range(200):
        filled_in(clean, VALUES)
    assert (time.process_time() - begun) / 200 < 0.006


async def test_a_templates_picture_becomes_the_drafts_and_others_cannot_see_it(api: Api) -> None:
    content_id = await picture(api.ana)
    template = await with_html(api.ana, f'<p>Hi <img src="cid:{content_id}" alt=""></p>')
    draft = await draft_of(api)
    said = await api.ana.post(f"/drafts/{draft.id}/templates/{template.id}", FillIn(to=[CARLA]), Rendered)
    _, html, pictures = await sent(api, await api.ana.get(f"/drafts/{draft.id}", Draft), said.html)
    assert html is not None and f"cid:{content_id}" in html and pictures == [PIXEL]
    assert (await api.jonas.refused("GET", f"/template-pictures/{content_id}")).status == 404
    shared = SaveTemplate(name="R", text="", html=template.html, shared="everybody", version=1)
    await api.ana.put(f"/templates/{template.id}", shared, Template)
    assert (await api.jonas.request("GET", f"/template-pictures/{content_id}")).content == PIXEL
    no_picture = {"file": ("x.html", b"<p>", "text/html")}
    assert (await api.ana.request("POST", "/template-pictures", files=no_picture)).status_code == 422


async def test_a_preview_of_html_is_filled_in_with_examples(api: Api) -> None:
    wanted = RenderText(html="<p>Hello {{ contact.first_name }}</p>", examples=True)
    assert (await api.ana.post("/rendered-text", wanted, Rendered)).html == "<p>Hello Carla</p>"
    refusal = await api.ana.refused("POST", "/rendered-text", RenderText(html="<p>{{ contact.nme }}</p>"))
    assert (refusal.status, refusal.remedy) == (422, "Did you mean contact.name?")


async def test_the_signature_stands_below_the_text_above_the_quotation_and_is_fixed_at_send(api: Api) -> None:
    logo = await picture(api.ana)
    mine = SaveSignature(html=f'<p>{{{{ me.name }}}} <img src="cid:{logo}" alt=""></p>', version=0)
    await api.ana.put("/me/signature", mine, Signature)
    conversation_id = await deliver(api.support)
    draft = await api.ana.post("/drafts", CreateDraft(kind="reply", conversation_id=conversation_id), Draft)
    assert draft.signature == "person"
    saved = SaveDraft(
        version=1, to=[CARLA], cc=[], bcc=[], subject="Re: Bike", text="", html="<p>Hello</p>", quoted=True
    )
    stored = await api.ana.put(f"/drafts/{draft.id}", saved, Draft)
    outgoing = await api.ana.post(f"/drafts/{draft.id}/send", SendDraft(version=stored.version), Outgoing)
    await api.ana.put("/me/signature", SaveSignature(html="<p>Other</p>", version=1), Signature)
    raw = await load_raw(await fetch_value("SELECT raw_digest FROM outgoing WHERE id = $1", outgoing.id))
    mail = email.message_from_bytes(raw, policy=email.policy.default)
    text = mail.get_body(("plain",)).get_content()  # pyright: ignore
    html = mail.get_body(("html",)).get_content()  # pyright: ignore
    assert text.replace("\r\n", "\n").startswith("Hello\n\nAna Ribeiro\n\nOn ") and "Other" not in text
    assert html.index("Hello") < html.index("Ana Ribeiro") < html.index("gmail_quote")
    assert [p.get_payload(decode=True) for p in mail.walk() if p.get_content_type() == "image/png"] == [PIXEL]
    again = await api.ana.post(f"/outbox/{outgoing.id}/undo", {}, Draft)
    assert again.signature == "person" and "Ana Ribeiro" not in again.text


async def test_a_mailboxs_signature_comes_before_the_persons_and_a_draft_keeps_its_choice(api: Api) -> None:
    path = f"/mailboxes/{api.support}/signature"
    await api.ana.put(path, SaveSignature(html="<p>{{ mailbox.name }}, {{ contact.phone }}</p>", version=0), Signature)
    await api.ana.put("/me/signature", SaveSignature(html="<p>Ana</p>", version=0), Signature)
    assert (await api.mallory.refused("PUT", path, SaveSignature(html="", version=1))).status in (403, 404)
    assert (await api.ana.refused("PUT", path, SaveSignature(html="", version=0))).status == 409
    draft = await draft_of(api)
    assert draft.signature == "mailbox"
    offered = await api.ana.post(f"/drafts/{draft.id}/signatures", FillIn(to=[CARLA]), Signatures)
    assert offered.person is not None and offered.person.text == "Ana"
    assert offered.mailbox is not None and offered.mailbox.missing == ["contact.phone"]
    await api.ana.put(f"/drafts/{draft.id}/signature", {"signature": "none"}, Draft)
    assert (await api.ana.get(f"/drafts/{draft.id}", Draft)).signature == "none"


async def test_the_organisations_style_dresses_what_is_sent(api: Api) -> None:
    style = HouseStyle(font="Georgia", size=16, footer="<p>{{ organisation.name }}, Porto</p>")
    assert (await api.jonas.refused("PUT", "/house-style", style)).status == 403
    await api.ana.put("/house-style", style, HouseStyle)
    assert (await api.ana.get("/house-style", HouseStyle)).font == "Georgia"
    text, html, _ = await sent(api, await draft_of(api), "<p>Hello</p>")
    assert text == "Hello\n\nNorthwind Bikes, Porto"
    assert html is not None and "font-family:Georgia,'Times New Roman',serif;font-size:16px" in html
    text, html, _ = await sent(api, await draft_of(api), None, "Plain")
    assert (text, html) == ("Plain\n\nNorthwind Bikes, Porto", None)
    assert (await api.ana.refused("PUT", "/house-style", HouseStyle(size=99))).status == 422


async def test_a_template_of_the_library_is_added_and_brings_its_style_sheet(api: Api) -> None:
    offered = await api.ana.get("/template-library", list[LibraryTemplate])
    chosen = next(each for each in offered if 'class="td-page"' in each.html)
    added = await api.ana.post("/template-library", {"key": chosen.key}, Template)
    assert (added.name, added.folder, added.shared) == (chosen.name, chosen.folder, "everybody")
    assert added.html is not None and "<style" not in added.html and added.html.startswith('<div class="designed">')
    draft = await draft_of(api)
    said = await api.ana.post(f"/drafts/{draft.id}/templates/{added.id}", FillIn(to=[CARLA]), Rendered)
    _, html, _ = await sent(api, draft, said.html)
    assert html is not None and "prefers-color-scheme: dark" in html
    assert (await api.ana.refused("POST", "/template-library", {"key": "no/such"})).status == 404
