"""What a mail says when it is frozen, as text and as HTML: what was written, the meeting that it tells of, the
signature, the organisation's footer, and below these what is answered."""

import asyncio
from collections.abc import Sequence

from backend.access.asker import Asker
from backend.compose.contracts import Draft
from backend.compose.quoting import quote_of
from backend.meetings.queries import Planned
from backend.meetings.words import passage_of
from backend.templates.contracts import HouseStyle, RenderFor
from backend.templates.filling import values_for
from backend.templates.house_style import look_of, read_house_style
from backend.templates.library.look import dressed
from backend.templates.markup import filled_in
from backend.templates.signatures import filled_signature
from sync.mime.composed import composed_text, finished, pictures_in
from sync.mime.message import Attachment


async def body_of(
    draft: Draft, answers_id: int | None, writer_id: int, meeting: Planned | None = None
) -> tuple[str, str | None, Sequence[Attachment]]:
    """Text, HTML (None: a plain mail), and the pictures of what is quoted."""
    style = await read_house_style()
    quote = await quote_of(draft.kind, answers_id, draft.conversation_id) if draft.quoted else None
    written = bool(draft.text.strip() or pictures_in(draft.html or "")) or quote is None
    texts, markups = ([draft.text], [draft.html or ""]) if written else ([], [])
    if meeting is not None:
        text, markup = passage_of(meeting)
        texts.append(text)
        markups.append(markup)
    for text, markup in await _below(draft, style, writer_id):
        texts.append(text)
        markups.append(markup)
    said = "\n\n".join(text for text in texts if text)
    html = finished("<p><br></p>".join(markup for markup in markups if markup), look_of(style))
    if quote is None:
        return said, None if draft.html is None else dressed(html), ()
    text = f"{said}\n\n{quote.text}" if texts else quote.text
    if draft.html is None:
        return text, None, ()
    return text, f"{html}<br>{quote.html}" if texts else quote.html, quote.pictures


async def _below(draft: Draft, style: HouseStyle, writer_id: int) -> list[tuple[str, str]]:
    """Signature and footer, each as text and as HTML."""
    if draft.signature == "none" and not style.footer:
        return []
    writer = Asker(writer_id, "member")
    wanted = filling_of(draft)
    found = []
    signature = await filled_signature(writer, draft.signature, draft.mailbox_id, wanted)
    if signature is not None:
        found.append((signature.text, f'<div class="signature">{signature.html}</div>'))
    if style.footer:
        footer = (await asyncio.to_thread(filled_in, style.footer, await values_for(writer, wanted))).text
        small = "font-size:12px;color:#5d5850"
        found.append((composed_text(footer), f'<div class="footer" style="{small}">{footer}</div>'))
    return found


def filling_of(draft: Draft) -> RenderFor:
    """For whom, and from where, fields are filled in."""
    in_conversation = draft.conversation_id is not None
    return RenderFor(
        to=draft.to,
        mailbox_id=None if in_conversation else draft.mailbox_id,
        conversation_id=draft.conversation_id,
    )
