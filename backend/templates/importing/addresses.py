"""Where the pictures of a page come from: the zip, the page itself, or the web."""

import base64
import binascii
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from backend.errors import TooLarge
from backend.templates.contracts import ImportFinding
from backend.templates.importing.found import FoundPicture, counted, finding
from backend.templates.pictures import LARGEST_PICTURE

MOST_PICTURES = 60
LARGEST_TOGETHER = 8 * 1024 * 1024
_SIGNS = (
    (b"\x89PNG\r\n\x1a\n", "image/png"),
    (b"\xff\xd8\xff", "image/jpeg"),
    (b"GIF87a", "image/gif"),
    (b"GIF89a", "image/gif"),
)
_DATA = re.compile(r"data:image/[a-z0-9.+-]{1,20};base64,([A-Za-z0-9+/=\s]{40,})", re.IGNORECASE)
_ASIDE = re.compile(r"set-aside:(\d{1,6})\Z")


def kind_of(content: bytes) -> str | None:
    """What the bytes are, whatever the file is called; None if no mail program shows them."""
    if content[:4] == b"RIFF" and content[8:12] == b"WEBP":
        return "image/webp"
    return next((kind for sign, kind in _SIGNS if content.startswith(sign)), None)


def picture_of(filename: str, content: bytes) -> FoundPicture:
    """The picture, or what is wrong with it."""
    kind = kind_of(content)
    if kind is None:
        return FoundPicture(filename=filename, problem="it is no PNG, JPEG, GIF or WebP")
    if len(content) > LARGEST_PICTURE:
        return FoundPicture(filename=filename, problem="it is larger than 2 MB, and every mail would carry it")
    return FoundPicture(filename=filename, content_type=kind, content=content)


def set_aside(html: str) -> tuple[str, list[bytes]]:
    """The page with short names in place of the pictures that are written into it, and these."""
    kept: list[bytes] = []

    def keep(match: re.Match[str]) -> str:
        try:
            kept.append(base64.b64decode("".join(match[1].split()), validate=True))
        except binascii.Error:
            kept.append(b"")
        return f"set-aside:{len(kept) - 1}"

    return _DATA.sub(keep, html), kept


@dataclass(slots=True)
class Addresses:
    """Answers each address of a picture with the one to write; notes what is missing and what stays on the web."""

    look_up: Callable[[str], FoundPicture]
    aside: list[bytes] = field(default_factory=list)
    pictures: dict[str, FoundPicture] = field(default_factory=dict)
    _known: dict[str, str | None] = field(default_factory=dict)
    _missing: list[str] = field(default_factory=list)
    _hosts: dict[str, None] = field(default_factory=dict)
    _remote: set[str] = field(default_factory=set)
    behind: list[str] = field(default_factory=list)
    pixels: int = 0

    def shown(self, address: str) -> str | None:
        """Of a picture in the text."""
        given = address.strip()
        if given not in self._known:
            self._known[given] = self._found(given)
        return self._known[given]

    def ground(self, address: str) -> str | None:
        """Of one behind the text: only what is on the web can be there."""
        if address.strip().lower().startswith(("http://", "https://", "//")):
            return self.shown(address)
        self.behind.append(_named(address.strip()))
        return None

    def _found(self, address: str) -> str | None:
        if address.lower().startswith(("http://", "https://", "//")):
            remote = f"https:{address}" if address.startswith("//") else address
            self._hosts[_host(remote)] = None
            self._remote.add(remote)
            return remote
        aside = _ASIDE.match(address)
        if aside:
            number = int(aside[1])
            content = self.aside[number] if number < len(self.aside) else b""
            picture = picture_of(f"picture {number + 1}", content)
        elif not address:
            picture = FoundPicture(filename="a picture", problem="it has no address")
        else:
            picture = self.look_up(address)
        if picture.problem:
            self._missing.append(f"{picture.filename}: {picture.problem}")
            return None
        return f"cid:{self._taken(picture)}"

    def _taken(self, picture: FoundPicture) -> str:
        """The content-id for now: what the picture gets for good when it is kept."""
        for known, other in self.pictures.items():
            if other.content == picture.content:
                return known
        together = sum(len(each.content) for each in self.pictures.values()) + len(picture.content)
        if len(self.pictures) >= MOST_PICTURES or together > LARGEST_TOGETHER:
            raise TooLarge(
                f"A template has {MOST_PICTURES} pictures and 8 MB of them at most.",
                "Leave some out, or make them smaller.",
            )
        content_id = f"{len(self.pictures)}.for-now@picture"
        self.pictures[content_id] = picture
        return content_id

    def findings(self) -> list[ImportFinding]:
        """What there is to say about the pictures."""
        told: list[ImportFinding] = []
        if self._missing:
            one, many = "picture is missing, its words are kept:", "pictures are missing, their words are kept:"
            told.append(finding("picture", counted(len(self._missing), one, many), self._missing))
        if self._remote:
            stay = counted(len(self._remote), "picture stays", "pictures stay")
            words = f"{stay} on the web: many programs show none, and these servers see when the mail is opened:"
            told.append(finding("remote", words, list(self._hosts)))
        if self.pixels:
            left = counted(self.pixels, "picture that nobody sees is", "pictures that nobody sees are")
            told.append(finding("taken_out", f"{left} left out: it tells who opens the mail."))
        if self.behind:
            words = "Pictures behind the text are left out, colours stay:"
            told.append(finding("taken_out", words, self.behind))
        return told


def _host(address: str) -> str:
    try:
        return urlsplit(address).hostname or address
    except ValueError:
        return address


def _named(address: str) -> str:
    return "a picture in the page" if _ASIDE.match(address) else address or "a picture without an address"
