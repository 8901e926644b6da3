"""A composed message to bytes: MIME, CRLF, lines within 998 octets, no Bcc when it is sent, no injected header.

The structure is multipart/mixed > multipart/alternative > text, HTML (with its pictures in a multipart/related) and a
calendar, each level only where it is needed. The same `Composition` always gives the same bytes (boundaries come from
the Message-ID), so that an outgoing message can be built again after a crash.
"""

import base64
import binascii
import hashlib
import re
import secrets
from dataclasses import dataclass
from datetime import datetime
from email.utils import format_datetime
from urllib.parse import quote

import idna

from sync.mime.attachments import safe_filename
from sync.mime.header_lines import (
    CompositionError,
    address_field,
    checked,
    identifier_field,
    text_field,
)
from sync.mime.message import Address, Attachment
from sync.mime.plaintext import flow

__all__ = ["Composition", "CompositionError", "build_message", "new_message_id"]

MAX_REFERENCES = 50
_TYPE = re.compile(r"[a-z0-9][a-z0-9!#$&^_.+-]{0,80}/[a-z0-9][a-z0-9!#$&^_.+-]{0,100}\Z")
_CONTENT_ID = re.compile(r"[!-;=?-~]{1,300}\Z")
_UNCLEAN = re.compile("[\x00\ud800-\udfff]")


@dataclass(frozen=True, slots=True, kw_only=True)
class Composition:
    """What a person sends. `message_id` is fixed by the caller, without brackets; `date` is aware.

    Attachments that are `inline` and have a `content_id` are pictures of the HTML; the others are files.
    `bcc` is for the envelope only. A text that is `flowed` is written with lines that a reader may join again
    (RFC 3676): for a mail without HTML. `sender` is who sends on behalf of `from_` (RFC 5322 section 3.6.2).
    One that is `unfinished` is kept to be written on: it may name nobody yet, and says who is in Bcc.
    `calendar` is another way to say the same, with its method in capitals (RFC 6047).
    """

    message_id: str
    from_: Address
    to: tuple[Address, ...]
    subject: str
    date: datetime
    text: str
    html: str | None = None
    cc: tuple[Address, ...] = ()
    bcc: tuple[Address, ...] = ()
    reply_to: tuple[Address, ...] = ()
    attachments: tuple[Attachment, ...] = ()
    in_reply_to: str | None = None
    references: tuple[str, ...] = ()
    sender: Address | None = None
    flowed: bool = False
    unfinished: bool = False
    calendar: tuple[str, str] | None = None


def new_message_id(domain: str) -> str:
    """A new identifier `random@domain`, without brackets; the domain in ASCII, else `CompositionError`."""
    try:
        ascii_domain = idna.encode(domain.strip().lower(), uts46=True).decode("ascii")
    except idna.IDNAError as error:
        raise CompositionError("Message-ID", f"{domain} is not a domain name") from error
    if not re.fullmatch(r"[a-z0-9.-]{1,253}", ascii_domain):
        raise CompositionError("Message-ID", f"{domain} is not a domain name")
    return f"{secrets.token_hex(16)}@{ascii_domain}"


def build_message(composition: Composition) -> bytes:
    """The bytes to hand to SMTP and to append to the Sent folder.

    `CompositionError` (a `ValueError`) names the field that cannot be written: a line break in a header, an
    address that is none, a naive date, nobody to write to.
    """
    c = composition
    if c.date.tzinfo is None:
        raise CompositionError("Date", "needs a time zone")
    if not (c.to or c.cc or c.bcc or c.unfinished):
        raise CompositionError("To", "nobody to write to")
    bcc = address_field("Bcc", c.bcc)  # checked like the others, and not sent
    head = [
        f"Date: {format_datetime(c.date)}\r\n",
        address_field("From", [c.from_]),
        address_field("Sender", [c.sender]) if c.sender else "",
        address_field("Reply-To", c.reply_to) if c.reply_to else "",
        address_field("To", c.to) if c.to else ("" if c.cc or c.unfinished else "To: undisclosed-recipients:;\r\n"),
        address_field("Cc", c.cc) if c.cc else "",
        bcc if c.bcc and c.unfinished else "",
        text_field("Subject", c.subject),
        identifier_field("Message-ID", [c.message_id]),
        identifier_field("In-Reply-To", [c.in_reply_to]) if c.in_reply_to else "",
        identifier_field("References", _references(c)) if _references(c) else "",
        "MIME-Version: 1.0\r\n",
    ]
    raw = "".join(head).encode("ascii") + _body(c)
    return raw if raw.endswith(b"\r\n") else raw + b"\r\n"  # as SMTP would send it: the copy is the same bytes


def redated(raw: bytes, date: datetime) -> bytes:
    """A message that `build_message` made, with another Date and nothing else changed."""
    old, rest = raw.split(b"\r\n", 1)
    assert old.startswith(b"Date: ")
    return f"Date: {format_datetime(date)}\r\n".encode("ascii") + rest


def _references(c: Composition) -> list[str]:
    """What fits, each once: the beginning of the thread and the newest relatives (RFC 5322, section 3.6.4)."""
    named = [*c.references, c.in_reply_to] if c.in_reply_to else c.references
    unique = list(dict.fromkeys(named))
    return unique if len(unique) <= MAX_REFERENCES else unique[:1] + unique[1 - MAX_REFERENCES :]


def _body(c: Composition) -> bytes:
    pictures = [item for item in c.attachments if c.html is not None and item.inline and item.content_id]
    files = [item for item in c.attachments if item not in pictures]
    body = _text_part("plain", flow(c.text), "; format=flowed") if c.flowed else _text_part("plain", c.text)
    if c.html is not None:
        html = _text_part("html", c.html)
        if pictures:
            html = _multipart("related", [html, *map(_file_part, pictures)], c.message_id, 'type="text/html"')
        body = _multipart("alternative", [body, html, *_calendar_parts(c)], c.message_id)
    elif c.calendar is not None:
        body = _multipart("alternative", [body, *_calendar_parts(c)], c.message_id)
    if files:
        body = _multipart("mixed", [body, *map(_file_part, files)], c.message_id)
    return body


def _calendar_parts(c: Composition) -> list[bytes]:
    """Last, for what can show several ways chooses the last (RFC 2046 section 5.1.4)."""
    if c.calendar is None:
        return []
    method, content = c.calendar
    return [_text_part("calendar", content, f"; method={method}")]


def _multipart(kind: str, parts: list[bytes], seed: str, parameter: str = "") -> bytes:
    # "=_" cannot occur in quoted-printable nor in base64, so no part can hold the boundary.
    boundary = "=_" + hashlib.sha256(f"{kind}:{seed}".encode()).hexdigest()[:30]
    head = f'Content-Type: multipart/{kind};\r\n boundary="{boundary}"'
    head += f";\r\n {parameter}" if parameter else ""
    line = f"--{boundary}".encode("ascii")
    middle = b"".join(line + b"\r\n" + part + b"\r\n" for part in parts)
    return head.encode("ascii") + b"\r\n\r\n" + middle + line + b"--\r\n"


def _text_part(subtype: str, text: str, parameter: str = "") -> bytes:
    text = _UNCLEAN.sub("", text.replace("\r\n", "\n").replace("\r", "\n"))
    lines = text.removesuffix("\n").split("\n")
    plain = text.isascii() and all(len(line) <= 900 and line[:5] != "From " and line[:2] != "--" for line in lines)
    if plain and not any(ord(character) < 32 and character not in "\n\t" for character in text):
        encoding, body = "7bit", "\r\n".join(lines).encode("ascii")
    else:
        encoding = "quoted-printable"
        body = b"\r\n".join(_quoted_printable(line) for line in lines)
    head = f"Content-Type: text/{subtype}; charset=utf-8{parameter}\r\nContent-Transfer-Encoding: {encoding}\r\n\r\n"
    return head.encode("ascii") + body


def _quoted_printable(line: str) -> bytes:
    """One line of text, soft-broken at 76 and never inside an escape; "." and "From " at its start escaped."""
    escaped = binascii.b2a_qp(line.encode("utf-8"), quotetabs=False, istext=True).replace(b"=\n", b"=\r\n")
    out: list[bytes] = []
    for piece in escaped.split(b"\r\n"):
        if piece.startswith(b"From "):
            piece = b"=46" + piece[1:]
        elif piece.startswith((b".", b"--")):
            piece = b"=%02X" % piece[0] + piece[1:]
        out.append(piece)
    return b"\r\n".join(out)


def _file_part(item: Attachment) -> bytes:
    content_type = item.content_type.lower()
    if not _TYPE.match(content_type) or content_type.startswith(("multipart/", "message/")):
        # RFC 2046 forbids base64 for message/*: an attached .eml travels as a file, its bytes untouched.
        content_type = "application/octet-stream"
    disposition = "inline" if item.inline and item.content_id else "attachment"
    head = f"Content-Type: {content_type}\r\nContent-Transfer-Encoding: base64\r\n"
    head += f"Content-Disposition: {disposition}{_filename_parameters(item.filename)}\r\n"
    if item.content_id:
        if not _CONTENT_ID.match(item.content_id):
            raise CompositionError("Content-ID", "not a content identifier")
        head += f"Content-ID: <{item.content_id}>\r\n"
    encoded = base64.encodebytes(item.content).replace(b"\n", b"\r\n").removesuffix(b"\r\n")
    return head.encode("ascii") + b"\r\n" + encoded


def _filename_parameters(filename: str) -> str:
    """RFC 2231 for what is not ASCII, in pieces of one line each; a plain quoted string otherwise."""
    name = safe_filename(checked("attachment name", filename)) or "attachment"
    if name.isascii() and len(name) <= 60:
        return f';\r\n filename="{name}"'
    encoded = re.findall(r"(?:%[0-9A-F]{2}|[^%]){1,20}", quote(name.encode("utf-8"), safe="._-"))
    if len(encoded) == 1:
        return f";\r\n filename*=utf-8''{encoded[0]}"
    encoded[0] = f"utf-8''{encoded[0]}"
    return "".join(f";\r\n filename*{index}*={piece}" for index, piece in enumerate(encoded))
