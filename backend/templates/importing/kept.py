"""What is imported gets its pictures for good, and is told in all its size."""

import re

from backend.access.asker import Asker
from backend.sizes import size_words
from backend.templates.contracts import ImportedTemplate, ImportFinding
from backend.templates.importing.found import Readied, counted, finding
from backend.templates.pictures import add_picture

GMAIL_CUTS_AT = 102 * 1024
HEAVY = 1024 * 1024
_FOR_NOW = re.compile(r"cid:(\d+\.for-now@picture)")


async def keep_import(asker: Asker, readied: Readied) -> ImportedTemplate:
    """Store the pictures that the HTML still shows. The template itself is saved when somebody has looked at it."""
    html = readied.html or ""
    shown = [name for name in dict.fromkeys(_FOR_NOW.findall(html)) if name in readied.pictures]
    lasting: dict[str, str] = {}
    for name in shown:
        picture = readied.pictures[name]
        kept = await add_picture(asker, picture.filename, picture.content_type, picture.content)
        lasting[name] = kept.content_id
    weight = sum(len(readied.pictures[name].content) for name in shown)
    return ImportedTemplate(
        name=readied.name,
        subject=readied.subject,
        text=readied.text,
        html=None if readied.html is None else _FOR_NOW.sub(lambda match: f"cid:{lasting.get(match[1], '')}", html),
        findings=[*readied.findings, *_sizes(len(html.encode()) or len(readied.text.encode()), len(shown), weight)],
    )


def _sizes(text: int, pictures: int, weight: int) -> list[ImportFinding]:
    told = []
    carried = f" Every mail carries {counted(pictures, 'picture')} of {size_words(weight)}." if pictures else ""
    told.append(finding("size", f"The text has {size_words(text)}.{carried}"))
    if text > GMAIL_CUTS_AT:
        told.append(finding("too_large", "Gmail cuts mails off at 102 KB: who reads it there sees the beginning only."))
    if weight > HEAVY:
        told.append(finding("too_large", "Its pictures are heavy for mail: smaller ones arrive faster."))
    return told
