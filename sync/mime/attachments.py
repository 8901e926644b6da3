"""Attachments: a safe name, a safe type, and whether the HTML body shows them."""

import mimetypes
import re
from urllib.parse import unquote

from sync.mime.characters import clean_line
from sync.mime.headers import decode_value, read_fields, split_head
from sync.mime.message import Attachment
from sync.mime.parts import Part

_TYPE = re.compile(r"[a-z0-9][a-z0-9!#$&^_.+-]{0,80}/[a-z0-9][a-z0-9!#$&^_.+-]{0,100}\Z")
# Characters that no file system likes, and those that turn "exe.fdp" into "pdf.exe" on the screen.
_UNSAFE = re.compile(r"[<>:\"|?*\x00-\x1f\x7f\u200e\u200f\u202a-\u202e\u2066-\u2069]")
_KNOWN_NAMES = {
    "application/ms-tnef": "winmail.dat",
    "application/pgp-signature": "signature.asc",
    "application/pkcs7-signature": "smime.p7s",
    "message/delivery-status": "delivery-status.txt",
    "message/disposition-notification": "disposition-notification.txt",
    "text/calendar": "invitation.ics",
    "text/rfc822-headers": "headers.txt",
}
_CID = re.compile(r"cid:([^\s\"'<>)]{1,400})", re.IGNORECASE)


def make_attachments(parts: list[Part], html: str | None) -> tuple[Attachment, ...]:
    """Attachments for these parts, numbered in order. `html` decides which are inline."""
    shown = {unquote(match).lower() for match in _CID.findall(html)} if html and parts else set()
    return tuple(_attachment(position, part, shown) for position, part in enumerate(parts))


def _attachment(position: int, part: Part, shown: set[str]) -> Attachment:
    content_type = part.content_type if _TYPE.match(part.content_type) else "application/octet-stream"
    content_id = clean_line(part.content_id)[:400] or None
    return Attachment(
        position=position,
        filename=_filename(position, part, content_type),
        content_type=content_type,
        content_id=content_id,
        inline=content_id is not None and content_id.lower() in shown,
        content=part.content,
    )


def _filename(position: int, part: Part, content_type: str) -> str:
    name = safe_filename(part.filename)
    if name:
        return name
    if content_type == "message/rfc822":
        subject = next(
            (decode_value(item.raw) for item in read_fields(split_head(part.content[:65536])[0])
             if item.name.lower() == "subject"),
            "",
        )  # fmt: skip
        return safe_filename(subject[:100].replace("/", "-") + ".eml") if subject else "message.eml"
    if content_type in _KNOWN_NAMES:
        return _KNOWN_NAMES[content_type]
    extension = mimetypes.guess_extension(content_type) or ".bin"
    stem = "image" if content_type.startswith("image/") else "attachment"
    return f"{stem}-{position + 1}{extension}"


def safe_filename(name: str) -> str:
    """The last path segment without control, direction and reserved characters, at most 180 characters.

    Empty when nothing usable is left.
    """
    name = _UNSAFE.sub("", clean_line(name).replace("\\", "/").rsplit("/", 1)[-1]).strip(" .")
    if len(name) <= 180:
        return name
    stem, dot, extension = name.rpartition(".")
    return f"{stem[: 179 - len(extension)]}.{extension}" if dot and len(extension) <= 12 else name[:180]
