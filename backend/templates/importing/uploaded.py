"""HTML from elsewhere becomes a template: a file, a source that was pasted, or a zip with its pictures.

Nothing is saved but its pictures: it is shown with what was found, and saved by whoever looked at it.
"""

import asyncio
import posixpath
import re
from html import unescape

from backend.access.asker import Asker
from backend.errors import TooLarge, Unacceptable
from backend.people.checks import LONGEST_NAME
from backend.templates.contracts import ImportedTemplate
from backend.templates.importing.addresses import Addresses, picture_of, set_aside
from backend.templates.importing.bundle import LARGEST_STYLES, Bundle, opened
from backend.templates.importing.fields import Fields
from backend.templates.importing.found import FoundPicture, Readied
from backend.templates.importing.inlining import inlined
from backend.templates.importing.kept import keep_import
from backend.templates.importing.page import read_page
from backend.templates.language import TemplateError
from backend.templates.markup import DESIGNED, clean_markup, markup_text
from backend.templates.pictures import LARGEST_PICTURE

_LINK = re.compile(r"<link\b[^<>]{0,2000}>", re.IGNORECASE)
_ATTRIBUTE = re.compile(r"""\b(rel|href)\s*=\s*("[^"]*"|'[^']*'|[^\s"'>]+)""", re.IGNORECASE)


async def import_template(asker: Asker, filename: str, content: bytes) -> ImportedTemplate:
    """Raises TooLarge, and Unacceptable for what cannot become a template."""
    bundle = await asyncio.to_thread(opened, filename, content)
    page, aside = await asyncio.to_thread(set_aside, bundle.html)
    css, not_found = await asyncio.to_thread(_style_sheets, bundle, page)
    dressed = await inlined(page, css)
    addresses = Addresses(lambda address: _picture(bundle, address), aside)
    return await keep_import(asker, await asyncio.to_thread(_ready, bundle, dressed, addresses, not_found))


def _ready(bundle: Bundle, dressed: str, addresses: Addresses, not_found: list[str]) -> Readied:
    page = read_page(dressed, addresses, not_found)
    fields = Fields()
    try:
        html = fields.put_in_order(page.html, clean_markup)
        subject = fields.put_in_order(page.title, str)
    except TemplateError as fault:
        raise Unacceptable(fault.message, fault.remedy) from fault
    if page.laid_out:
        html = f'<div class="{DESIGNED}">{html}</div>'
    text = markup_text(html)
    if not text.strip() and not addresses.pictures:
        raise Unacceptable("There is nothing in it that a mail could say.", "Choose another file, or paste its source.")
    return Readied(
        name=_name(bundle, page.title),
        subject=subject,
        html=html,
        text=text,
        pictures=addresses.pictures,
        findings=[*page.findings, *fields.findings()],
    )


def _name(bundle: Bundle, title: str) -> str:
    stem = posixpath.splitext(posixpath.basename(bundle.filename.replace("\\", "/")))[0]
    words = " ".join(re.sub(r"[\x00-\x20_]+", " ", stem).split())
    plain = "" if words.lower() in ("", "index", "pasted") else words
    return (plain or title)[:LONGEST_NAME].strip()


def _style_sheets(bundle: Bundle, html: str) -> tuple[str, list[str]]:
    """Those of the zip that the page links to, and the addresses of the others."""
    sheets: list[str] = []
    others: list[str] = []
    for link in _LINK.findall(html):
        given = {name.lower(): unescape(value.strip("\"'")).strip() for name, value in _ATTRIBUTE.findall(link)}
        if "stylesheet" not in given.get("rel", "").lower().split() or not given.get("href"):
            continue
        content = bundle.file(given["href"], LARGEST_STYLES)
        if content is None:
            others.append(given["href"])
        else:
            sheets.append(content.decode(errors="replace"))
    css = "\n".join(sheets)
    if len(css) > LARGEST_STYLES:
        raise TooLarge("The style sheets are longer than 200 KB.", "Leave those out that the page does not need.")
    return css, others


def _picture(bundle: Bundle, address: str) -> FoundPicture:
    name = posixpath.basename(re.split(r"[?#]", address, maxsplit=1)[0].replace("\\", "/"))[:100] or address[:100]
    if re.match(r"(?:file|[a-z]):", address, re.IGNORECASE):
        return FoundPicture(filename=name, problem="it lies on somebody’s computer")
    if address.lower().startswith(("data:", "cid:", "blob:")):
        return FoundPicture(filename=address[:40], problem="it is not in what was imported")
    try:
        content = bundle.file(address, LARGEST_PICTURE)
    except TooLarge:
        return FoundPicture(filename=name, problem="it is larger than 2 MB, and every mail would carry it")
    if content is None:
        where = "it is not in the zip" if bundle.is_archive else "send the page up in a zip with its pictures"
        return FoundPicture(filename=name, problem=where)
    return picture_of(name, content)
