"""A mail that was sent becomes a template: its words and pictures, without the signature and what it quotes."""

import asyncio
import re

import msgspec

from backend.access.asker import Asker
from backend.access.fetch import access_message
from backend.database.connection import Row
from backend.errors import NotFound, TooLarge, Unacceptable
from backend.mail.contracts import MailAddress
from backend.mail.raw import load_raw
from backend.people.checks import LONGEST_NAME
from backend.templates.contracts import ImportedTemplate, ImportFinding, RenderFor
from backend.templates.filling import first_name, values_for
from backend.templates.house_style import read_house_style
from backend.templates.importing.addresses import Addresses, picture_of
from backend.templates.importing.fields import Fields
from backend.templates.importing.found import FoundPicture, Readied, finding
from backend.templates.importing.kept import keep_import
from backend.templates.importing.page import read_page
from backend.templates.importing.trimmed import text_without_closing, without_closing
from backend.templates.language import TemplateError, check
from backend.templates.markup import clean_markup, filled_in, markup_text
from backend.templates.signatures import filled_signature
from sync.mime.composed import composed_text
from sync.mime.message import ParsedMessage
from sync.mime.parse import parse_message
from sync.mime.quotes import split_quoted_html, split_quoted_text
from sync.mime.sanitise import sanitise_html
from sync.mime.subjects import unprefixed

_WHOSE = ("mailbox", "person")


class _Recipients(msgspec.Struct):
    to: list[MailAddress] = []


async def template_from_mail(asker: Asker, message_id: int) -> ImportedTemplate:
    """Raises NotFound; Unacceptable for mail of others, and for what cannot become a template."""
    message = await access_message(asker, message_id)
    if message["direction"] != "outgoing":
        raise Unacceptable("This mail came from somebody else.", "Choose one that was sent from here.")
    to = msgspec.json.decode(message["recipients"], type=_Recipients).to
    closings = await _closings(asker, message, to)
    raw = await load_raw(message["raw_digest"])
    return await keep_import(asker, await asyncio.to_thread(_ready, message, raw, to, closings))


def _ready(message: Row, raw: bytes, to: list[MailAddress], closings: list[str]) -> Readied:
    parsed = parse_message(raw)
    fields, addresses = Fields(), Addresses(lambda address: _picture(parsed, address))
    subject = unprefixed(message["subject"])
    found: list[ImportFinding] = []
    html = _own_part(parsed)
    try:
        if html is not None:
            page = read_page(html, addresses)
            found = list(page.findings)
            html = fields.put_in_order(page.html, clean_markup)
            text = markup_text(html)
        else:
            said = split_quoted_text(message["body_text"])[0]
            text = fields.put_in_order(text_without_closing(said, closings), _checked)
        subject = fields.put_in_order(subject, _checked)
    except TemplateError as fault:
        raise Unacceptable(fault.message, fault.remedy) from fault
    if not text.strip() and not addresses.pictures:
        raise Unacceptable("This mail says nothing of its own.", "Choose one in which something was written.")
    return Readied(
        name=subject[:LONGEST_NAME].strip(),
        subject=subject,
        html=html,
        text=text,
        pictures=addresses.pictures,
        findings=[*found, *fields.findings(), *_names(text, to)],
    )


def _checked(text: str) -> str:
    check(text)
    return text


def _own_part(parsed: ParsedMessage) -> str | None:
    """What was written in this mail, as HTML; None when it is plain, or too much."""
    named = {each.content_id: f"cid:{each.content_id}" for each in parsed.attachments if each.content_id}
    clean = sanitise_html(parsed.html or "", inline_images=named, show_remote=True, proxy_url=str)
    if clean.cut or not (composed_text(clean.html).strip() or "<img" in clean.html):
        return None
    return without_closing(split_quoted_html(clean.html)[0])


def _picture(parsed: ParsedMessage, address: str) -> FoundPicture:
    wanted = address.removeprefix("cid:")
    for each in parsed.attachments:
        if address.startswith("cid:") and each.content_id == wanted:
            return picture_of(each.filename or "picture", each.content)
    return FoundPicture(filename=wanted[:80], problem="it is not in the mail")


def _names(text: str, to: list[MailAddress]) -> list[ImportFinding]:
    """Whom the mail went to stands in its words, too, and should not in the next one's."""
    names = [name for each in to if len(name := first_name(each.name)) > 2]
    said = [name for name in dict.fromkeys(names) if re.search(rf"\b{re.escape(name)}\b", text)]
    if not said:
        return []
    return [finding("field", "Whom it went to is named in it. Write {{ contact.first_name }} in place of:", said)]


async def _closings(asker: Asker, message: Row, to: list[MailAddress]) -> list[str]:
    """The footer and the signatures as they read in this mail, from below."""
    writer = Asker(message["author_id"] or asker.user_id, "member")
    wanted = RenderFor(to=to[:1], conversation_id=message["conversation_id"])
    try:
        values = await values_for(writer, wanted)
        signatures = [await filled_signature(writer, whose, message["mailbox_id"], wanted) for whose in _WHOSE]
        footer = filled_in((await read_house_style()).footer, values).text
    except (NotFound, TemplateError, TooLarge):
        return []  # who wrote it may be gone; then it stays, and can be deleted in the form
    return [composed_text(footer), *(each.text for each in signatures if each is not None)]
