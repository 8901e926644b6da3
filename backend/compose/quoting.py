"""The message that a draft answers or forwards, as it follows what is written: marked as peers mark it, so that other
mail programs fold it too.

It is made from the stored message when it is needed: it never travels with each save of a draft.
"""

import asyncio
import html
from collections.abc import Sequence
from dataclasses import dataclass

import msgspec

from backend.compose.contracts import DraftKind
from backend.compose.queries import WrittenRecipients
from backend.database.connection import Row, fetch_row
from backend.mail.contracts import MailAddress
from backend.mail.pictures import KINDS
from backend.mail.raw import load_raw
from sync.mime.composed import TooMuchMarkup, clean_composed, pictures_in, quoted_lines
from sync.mime.html_text import html_from_text
from sync.mime.message import Attachment
from sync.mime.parse import parse_message

LONGEST_TEXT = 200_000
"""Characters of a quoted text."""
LONGEST_HTML = 400_000
"""Characters of markup; what is longer is quoted as text."""
_BAR = "margin:0 0 0 8px;border-left:2px solid #c9ced6;padding-left:12px"


@dataclass(frozen=True, slots=True, kw_only=True)
class Quote:
    """`pictures` are those that stand in the HTML, under content-ids of their own."""

    html: str
    text: str
    pictures: Sequence[Attachment]


async def quote_of(kind: DraftKind, answers_id: int | None, conversation_id: int | None) -> Quote | None:
    """What a draft of this kind quotes; None when the message is gone, or is in that conversation no more."""
    message = await fetch_row(
        "SELECT * FROM messages WHERE id = $1 AND conversation_id = $2 AND gone_at IS NULL",
        answers_id,
        conversation_id,
    )
    if message is None:
        return None
    return await asyncio.to_thread(_quote, kind, message, await load_raw(message["raw_digest"]))


def _quote(kind: DraftKind, message: Row, raw: bytes) -> Quote:
    markup, pictures = _markup(message, raw)
    text = message["body_text"][:LONGEST_TEXT]
    if kind == "forward":
        head = _forwarded_head(message)
        lines = "<br>".join(html.escape(line) for line in head)
        return Quote(
            html=f"<div><p>{lines}</p>{markup}</div>",
            text="\n".join([*head, "", text]),
            pictures=pictures,
        )
    who = _attribution(message)
    return Quote(
        html=f'<div class="gmail_quote"><p>{html.escape(who)}</p>'
        f'<blockquote class="gmail_quote" type="cite" style="{_BAR}">{markup}</blockquote></div>',
        text="\n".join([who, *quoted_lines(text)]),
        pictures=pictures,
    )


def _markup(message: Row, raw: bytes) -> tuple[str, list[Attachment]]:
    """The message's own HTML, cleaned, with its pictures renamed; else its text as HTML."""
    parsed = parse_message(raw)
    named = {
        each.content_id: each
        for each in parsed.attachments
        if each.content_id and each.content_type in KINDS and parsed.html
    }
    fresh = {name: f"{each.position}.{message['raw_digest'][:24]}@quoted" for name, each in named.items()}
    if parsed.html and len(parsed.html) <= LONGEST_HTML:
        try:
            markup = clean_composed(parsed.html, fresh)
        except TooMuchMarkup:
            markup = ""
        if markup:
            used = set(pictures_in(markup))
            kept = [
                Attachment(each.position, each.filename, each.content_type, fresh[name], True, each.content)
                for name, each in named.items()
                if fresh[name] in used
            ]
            return markup, kept
    return html_from_text(message["body_text"][:LONGEST_TEXT]), []


def _sender(message: Row) -> MailAddress | None:
    return msgspec.json.decode(message["sender"], type=MailAddress) if message["sender"] else None


def _attribution(message: Row) -> str:
    sender = _sender(message)
    return f"On {message['date']:%a, %d %b %Y at %H:%M %Z}, {_written(sender) if sender else 'somebody'} wrote:"


def _forwarded_head(message: Row) -> list[str]:
    headers = msgspec.json.decode(message["recipients"], type=WrittenRecipients)
    sender = _sender(message)
    return [
        "---------- Forwarded message ----------",
        *([f"From: {_written(sender)}"] if sender else []),
        f"Date: {message['date']:%a, %d %b %Y %H:%M %Z}",
        f"Subject: {message['subject']}",
        *([f"To: {', '.join(map(_written, headers.to[:20]))}"] if headers.to else []),
        *([f"Cc: {', '.join(map(_written, headers.cc[:20]))}"] if headers.cc else []),
    ]


def _written(person: MailAddress) -> str:
    return f"{person.name} <{person.address}>" if person.name else person.address
