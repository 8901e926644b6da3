"""A message's HTML, ready for the sandboxed frame: sanitised once, kept for a while.

Remote pictures are left out until the person asks; then they are fetched by us (backend/mail/pictures.py), so that
the sender learns neither who read nor where.
"""

import asyncio
import re
from collections import OrderedDict
from dataclasses import dataclass
from html import unescape

from backend.mail.pictures import proxy_address
from backend.mail.raw import load_raw
from sync.mime.parse import parse_message
from sync.mime.quotes import split_quoted_html
from sync.mime.sanitise import document, sanitise_html

KEPT_CHARACTERS = 12_000_000
"""Of prepared HTML that a process keeps: some 600 usual bodies, or a few of the largest, which have a million."""


@dataclass(frozen=True, slots=True)
class PreparedHtml:
    visible: str
    quoted: str
    blocked_remote: int
    declares_dark: bool
    blank: bool
    """Nothing of it can be seen: some programs put an empty HTML part beside the text that they mean."""


_UNSEEN = re.compile(r"<style\b.*?</style>|<(?!img\b|hr\b)[^>]*>", re.DOTALL)

Key = tuple[str, int, bool]

_prepared: OrderedDict[Key, PreparedHtml] = OrderedDict()
_preparing: dict[Key, asyncio.Task[PreparedHtml]] = {}
"""What is being prepared: several who ask for one large body at once wait for the same work."""


async def prepare_html(raw_digest: str, message_id: int, *, show_remote: bool) -> PreparedHtml:
    """Parse, sanitise and split the HTML of a message; its pictures point to that message's own addresses."""
    key = (raw_digest, message_id, show_remote)
    known = _prepared.get(key)
    if known is not None:
        _prepared.move_to_end(key)
        return known
    if key not in _preparing:
        raw = await load_raw(raw_digest)
        if key not in _preparing:  # somebody else may have begun meanwhile
            _preparing[key] = asyncio.create_task(_prepare_and_keep(key, raw), name="prepare-html")
    return await asyncio.shield(_preparing[key])


async def _prepare_and_keep(key: Key, raw: bytes) -> PreparedHtml:
    _, message_id, show_remote = key
    try:
        prepared = await asyncio.to_thread(_prepare, raw, message_id, show_remote)
    finally:
        del _preparing[key]
    _prepared[key] = prepared
    while len(_prepared) > 1 and sum(map(_size, _prepared.values())) > KEPT_CHARACTERS:
        _prepared.popitem(last=False)
    return prepared


def _size(prepared: PreparedHtml) -> int:
    return len(prepared.visible) + len(prepared.quoted) + 1_000


def _prepare(raw: bytes, message_id: int, show_remote: bool) -> PreparedHtml:
    parsed = parse_message(raw)
    pictures = {
        attachment.content_id: f"/api/v1/messages/{message_id}/inline/{attachment.position}"
        for attachment in parsed.attachments
        if attachment.content_id and attachment.content_type.startswith("image/")
    }
    clean = sanitise_html(
        parsed.html or "",
        inline_images=pictures,
        show_remote=show_remote,
        proxy_url=lambda address: proxy_address(message_id, address),
    )
    visible, quoted = split_quoted_html(clean.html)
    blank = not unescape(_UNSEEN.sub("", clean.html)).strip()
    return PreparedHtml(visible, quoted, clean.blocked_remote, clean.declares_dark, blank)


async def html_document(raw_digest: str, message_id: int, *, show_remote: bool, quoted: bool, dark: bool) -> str:
    """The page for the frame. A mail is dark only where it says that it can be; else it is white paper."""
    prepared = await prepare_html(raw_digest, message_id, show_remote=show_remote)
    shown = prepared.visible + (prepared.quoted if quoted else "")
    if dark and not prepared.declares_dark:
        shown = f'<div style="padding:10px 12px">{shown}</div>'  # white paper on a dark page needs a margin
    return document(
        shown,
        dark=dark and prepared.declares_dark,
        declares_dark=prepared.declares_dark,
    )
