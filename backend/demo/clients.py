"""The mail programs of the demo's people: how each writes charsets, line ends, quotes, HTML and headers.

Real mailboxes hold mail of many programs, and each has its habits; the demo's mail has them too, so that what
a visitor sees has gone through the same decoding as mail from the world.
"""

import html
import re
import zlib
from dataclasses import dataclass
from datetime import datetime
from email.header import Header
from typing import Literal

QuoteStyle = Literal["attribution", "header block"]
MessageIdStyle = Literal["uuid", "web", "plain", "exchange"]


@dataclass(frozen=True)
class MailClient:
    """One program's habits. ``charsets`` are tried in order; the last one takes everything."""

    name: str
    agent: tuple[str, str] | None
    charsets: tuple[str, ...] = ("us-ascii", "utf-8")
    encoding: Literal["quoted-printable", "base64", "8bit"] = "quoted-printable"
    flowed: bool = False
    writes_html: bool = False
    quotes: QuoteStyle = "attribution"
    message_ids: MessageIdStyle = "uuid"
    sends_references: bool = True
    wraps: bool = False
    """Whether it breaks the lines of a paragraph where the screen ended."""
    local_prefixes: bool = False
    """Whether a reply's subject begins with the language's own word (AW:, SV:) instead of Re:."""


DESKTOP = MailClient("desktop", ("User-Agent", "Mozilla Thunderbird"), encoding="8bit", flowed=True)
WEB = MailClient("web", None, encoding="base64", writes_html=True, message_ids="web")
PHONE = MailClient("phone", ("X-Mailer", "iPhone Mail (23C55)"))
OFFICE = MailClient(
    "office", ("X-Mailer", "Microsoft Outlook 16.0"),
    charsets=("us-ascii", "iso-8859-1", "windows-1252", "utf-8"), writes_html=True,
    quotes="header block", message_ids="exchange", local_prefixes=True,
)  # fmt: skip
PROVIDER = MailClient(
    "provider", ("X-Mailer", "Open Webmail 4.11"), charsets=("iso-8859-1", "iso-8859-15", "utf-8"),
    message_ids="plain", sends_references=False, wraps=True,
)  # fmt: skip
TERMINAL = MailClient(
    "terminal", ("User-Agent", "Mutt/2.2.13 (2024-03-09)"), encoding="8bit", message_ids="plain", wraps=True
)
TABLET = MailClient("tablet", ("X-Mailer", "Apple Mail (2.3826)"), encoding="quoted-printable", writes_html=True)
SYSTEM = MailClient("system", ("X-Mailer", "PHPMailer 6.9.1"), charsets=("utf-8",), encoding="base64")

_PERSONAL = (WEB, WEB, PHONE, DESKTOP, OFFICE, PROVIDER, TABLET, PHONE, WEB, TERMINAL)
_REGIONAL = {
    "ja": ("iso-2022-jp", "utf-8"), "el": ("iso-8859-7", "utf-8"), "pl": ("iso-8859-2", "utf-8"),
    "he": ("utf-8",), "ar": ("windows-1256", "utf-8"), "zh": ("gb18030",),
}  # fmt: skip
TEAM = {"ana": TABLET, "jonas": DESKTOP, "tom": OFFICE, "mei": WEB, "samuel": DESKTOP}


def client_of(address: str, *, automatic: bool = False) -> MailClient:
    """The program behind an address: always the same one. Shops and newsletters write through SYSTEM."""
    if automatic:
        return SYSTEM
    return _PERSONAL[zlib.crc32(address.lower().encode()) % len(_PERSONAL)]


def charset_for(client: MailClient, text: str, language: str) -> str:
    """The first of the client's charsets that can hold the text; the old regional ones are tried first."""
    regional = _REGIONAL.get(language, ()) if client in (OFFICE, PROVIDER) or language == "ja" else ()
    for charset in (*regional, *client.charsets):
        try:
            text.encode(charset)
        except UnicodeEncodeError:
            continue
        return charset
    return "utf-8"


def encoded_word(text: str, charset: str, header_name: str) -> str:
    """A header's text, in encoded words of that charset where it is not ASCII (RFC 2047), folded."""
    if text.isascii():
        return Header(text, "us-ascii", header_name=header_name).encode(linesep="\r\n")
    try:
        return Header(text, charset, header_name=header_name, maxlinelen=74).encode(linesep="\r\n")
    except UnicodeError:
        return Header(text, "utf-8", header_name=header_name, maxlinelen=74).encode(linesep="\r\n")


_OWN_LINE = re.compile(r"[\s>*|•–-]|\(?[0-9a-zA-Z]{1,3}[.):]")
"""What begins a line that stands for itself: an item of a list, a quote, a table."""


def unwrapped(text: str) -> str:
    """The text with the lines of a paragraph joined, where a line ends only because it was full.

    A line was full when the next one's first word would have passed the text's longest line.
    """
    rows = text.rstrip().split("\n")
    width = max(map(len, rows))
    if width < 70 or not any(" " in row for row in rows):
        return "\n".join(rows)
    joined = [rows[0]]
    previous = rows[0]
    for row in rows[1:]:
        word = row.split(" ", 1)[0]
        full = len(previous) + 1 + len(word) > width - 2
        if full and row and not _OWN_LINE.match(row):
            joined[-1] += f" {row}"
        else:
            joined.append(row)
        previous = row
    return "\n".join(joined)


def flowed(text: str) -> str:
    """The text as format=flowed (RFC 3676): long lines broken after a blank, lines space-stuffed."""
    lines: list[str] = []
    for line in text.split("\n"):
        if line == "-- " or line.startswith(">"):
            lines.append(line)
            continue
        line = line.rstrip()
        if line.startswith((" ", "From ")):
            line = " " + line
        while len(line) > 72 and " " in line[:72]:
            cut = line.rindex(" ", 0, 72) + 1
            lines.append(line[:cut])
            line = line[cut:]
            if line.startswith((">", "From ")):
                line = " " + line
        lines.append(line)
    return "\n".join(lines)


_WROTE = {
    "en": "On {when:%d/%m/%Y %H:%M}, {who} wrote:", "de": "Am {when:%d.%m.%Y um %H:%M} schrieb {who}:",
    "pt": "Em {when:%d/%m/%Y, %H:%M}, {who} escreveu:", "no": "{when:%d.%m.%Y %H:%M} skrev {who}:",
    "fr": "Le {when:%d/%m/%Y à %H:%M}, {who} a écrit :",
    "es": "El {when:%d/%m/%Y a las %H:%M}, {who} escribió:",
    "nl": "Op {when:%d-%m-%Y om %H:%M} schreef {who}:", "it": "Il {when:%d/%m/%Y %H:%M}, {who} ha scritto:",
    "pl": "W dniu {when:%d.%m.%Y o %H:%M}, {who} pisze:", "ja": "{when:%Y/%m/%d %H:%M}、{who} のメール:",
    "el": "Στις {when:%d/%m/%Y %H:%M}, ο/η {who} έγραψε:",
    "sv": "Den {when:%Y-%m-%d} kl. {when:%H:%M} skrev {who}:",
    "da": "Den {when:%d.%m.%Y kl. %H.%M} skrev {who}:",
}  # fmt: skip
_BLOCK = {
    "en": ("From", "Sent", "To", "Subject"), "de": ("Von", "Gesendet", "An", "Betreff"),
    "no": ("Fra", "Sendt", "Til", "Emne"), "fr": ("De", "Envoyé", "À", "Objet"),
    "pt": ("De", "Enviado", "Para", "Assunto"), "es": ("De", "Enviado", "Para", "Asunto"),
    "nl": ("Van", "Verzonden", "Aan", "Onderwerp"), "it": ("Da", "Inviato", "A", "Oggetto"),
    "pl": ("Od", "Wysłano", "Do", "Temat"),
}  # fmt: skip
_PREFIXES = {"de": "AW", "no": "SV", "da": "SV", "sv": "SV", "pl": "Odp", "it": "R", "fr": "RE", "nl": "Antw"}


@dataclass(frozen=True)
class Quoted:
    """The mail that a reply quotes. ``author`` is its From, as shown."""

    author: str
    recipient: str
    subject: str
    when: datetime
    body: str


def quote(client: MailClient, language: str, quoted: Quoted) -> str:
    """The earlier mail as the client puts it below a reply, with the line that introduces it."""
    if client.quotes == "header block":
        names = _BLOCK.get(language, _BLOCK["en"])
        values = (quoted.author, f"{quoted.when:%d.%m.%Y %H:%M}", quoted.recipient, quoted.subject)
        head = "\n".join(f"{name}: {value}" for name, value in zip(names, values, strict=True))
        return f"________________________________\n{head}\n\n{quoted.body}"
    line = _WROTE.get(language, _WROTE["en"]).format(when=quoted.when, who=quoted.author)
    below = "\n".join(f">{row}" if row.startswith(">") else f"> {row}".rstrip() for row in quoted.body.split("\n"))
    return f"{line}\n{below}"


def reply_subject(client: MailClient, language: str, subject: str) -> str:
    """The subject of an answer; a prefix that stands there already is not doubled."""
    known = {"re", "aw", "sv", "odp", "r", "antw", "vs"}
    start, colon, _ = subject.partition(":")
    if colon and start.strip().lower() in known:
        return subject
    prefix = _PREFIXES.get(language, "Re") if client.local_prefixes else "Re"
    return f"{prefix}: {subject}"


def html_of(client: MailClient, text: str, quoted: str) -> str:
    """The HTML alternative that the client writes beside its plain text."""
    if client is OFFICE:
        rows = "".join(f"<p class=MsoNormal>{html.escape(row) or '&nbsp;'}</p>\n" for row in text.split("\n"))
        border = "border:none;border-top:solid #E1E1E1 1.0pt;padding:3.0pt 0cm 0cm 0cm"
        below = f"<div style='{border}'>{_lines(quoted)}</div>"
        style = "p.MsoNormal{margin:0cm;font-size:11.0pt;font-family:Calibri,sans-serif}"
        return (
            f"<html><head><style>{style}</style></head><body lang=EN link=blue>"
            f"<div class=WordSection1>\n{rows}{below if quoted else ''}</div></body></html>\n"
        )
    if client is TABLET:
        below = f'<br><blockquote type="cite">{_lines(quoted)}</blockquote>' if quoted else ""
        return (
            '<html><head></head><body style="overflow-wrap: break-word; -webkit-nbsp-mode: space;">'
            f"{_lines(text)}{below}</body></html>\n"
        )
    introduction, _, rest = quoted.partition("\n")
    cited = "\n".join(row.removeprefix("> ").removeprefix(">") for row in rest.split("\n"))
    below = (
        f'<br><div class="gmail_quote"><div dir="ltr" class="gmail_attr">{html.escape(introduction)}<br>'
        "</div>"
        f'<blockquote class="gmail_quote" style="margin:0px 0px 0px 0.8ex;border-left:1px solid '
        f'rgb(204,204,204);padding-left:1ex">{_lines(cited)}</blockquote></div>'
        if quoted
        else ""
    )
    return f'<div dir="ltr">{_lines(text)}</div>{below}\n'


def _lines(text: str) -> str:
    return "<br>\n".join(html.escape(row) for row in text.split("\n"))
