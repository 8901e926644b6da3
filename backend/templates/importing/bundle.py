"""What was sent up: one HTML file, or a zip with an HTML file and what belongs to it.

Nothing is unpacked to the disk. What a zip says about the size of a file is believed by nobody: each is read up to its
limit, all together up to another, and only if the HTML names it.
"""

import io
import posixpath
import re
import zipfile
import zlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import unquote

from backend.errors import TooLarge, Unacceptable
from sync.mime.characters import clean_text, decode

LARGEST_UPLOAD = 10 * 1024 * 1024
LARGEST_STYLES = 200_000
LARGEST_IN_ALL = 20 * 1024 * 1024
"""Bytes that are unpacked of one zip."""
MOST_ENTRIES = 1_000
_METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
_ENCRYPTED = 0x1


@dataclass(slots=True)
class Bundle:
    """`html` stands at `path`; `files` are those beside it, by their paths in small letters."""

    filename: str
    html: str
    path: str = ""
    _archive: zipfile.ZipFile | None = None
    _files: Mapping[str, zipfile.ZipInfo] = field(default_factory=dict)
    _left: int = LARGEST_IN_ALL

    @property
    def is_archive(self) -> bool:
        return self._archive is not None

    def file(self, address: str, limit: int) -> bytes | None:
        """What an address in the HTML leads to; None when it is not there. Raises TooLarge."""
        if self._archive is None:
            return None
        where = unquote(re.split(r"[?#]", address, maxsplit=1)[0]).replace("\\", "/")
        path = where.lstrip("/") if where.startswith("/") else posixpath.join(posixpath.dirname(self.path), where)
        entry = self._files.get(posixpath.normpath(path).lower()) if where else None
        return None if entry is None else self._read(entry, limit)

    def _read(self, entry: zipfile.ZipInfo, limit: int) -> bytes:
        assert self._archive is not None
        content = _unpacked(self._archive, entry, min(limit, self._left))
        self._left -= len(content)
        return content


def opened(filename: str, content: bytes) -> Bundle:
    """Raises TooLarge, and Unacceptable for what is neither HTML nor a zip with some in it."""
    if len(content) > LARGEST_UPLOAD:
        raise TooLarge("This is larger than 10 MB.", "Leave out what does not belong to the template.")
    if content[:4] in (b"PK\x03\x04", b"PK\x05\x06"):
        return _opened_archive(filename, content)
    return Bundle(filename, _html(content))


def _opened_archive(filename: str, content: bytes) -> Bundle:
    try:
        archive = zipfile.ZipFile(io.BytesIO(content))
        entries = [each for each in archive.infolist() if not each.is_dir() and _of_the_page(each)]
    except (zipfile.BadZipFile, UnicodeDecodeError, ValueError, NotImplementedError) as fault:
        raise Unacceptable("This zip file cannot be read.", "Make it anew, and send it up again.") from fault
    if len(entries) > MOST_ENTRIES:
        raise TooLarge(f"There are more than {MOST_ENTRIES} files in this zip.", "Put in the page and its pictures.")
    files: dict[str, zipfile.ZipInfo] = {}
    for entry in entries:
        files.setdefault(posixpath.normpath(entry.filename).lower(), entry)
    pages = [each for each in files.values() if each.filename.lower().endswith((".html", ".htm"))]
    if not pages:
        raise Unacceptable("There is no HTML file in this zip.", "Put the page (index.html) and its pictures into it.")
    page = min(pages, key=_how_deep)
    path = posixpath.normpath(page.filename)
    return Bundle(
        posixpath.basename(path) if len(pages) > 1 else filename,
        _html(_unpacked(archive, page, LARGEST_UPLOAD)),
        path,
        archive,
        files,
    )


def _of_the_page(entry: zipfile.ZipInfo) -> bool:
    """Not what leads out of the zip, nor what computers add to it."""
    path = posixpath.normpath(entry.filename)
    return not path.startswith(("../", "/", "__macosx/", "__MACOSX/")) and not posixpath.basename(path).startswith(".")


def _how_deep(entry: zipfile.ZipInfo) -> tuple[int, bool, str]:
    path = posixpath.normpath(entry.filename).lower()
    return path.count("/"), posixpath.basename(path) not in ("index.html", "index.htm"), path


def _unpacked(archive: zipfile.ZipFile, entry: zipfile.ZipInfo, limit: int) -> bytes:
    if entry.flag_bits & _ENCRYPTED:
        raise Unacceptable("This zip file has a password.", "Make one without, and send it up again.")
    if entry.compress_type not in _METHODS:
        raise Unacceptable("This zip file is packed in an unusual way.", "Make an ordinary zip file.")
    try:
        with archive.open(entry) as file:
            content = file.read(limit + 1)
    except (zipfile.BadZipFile, zlib.error, OSError, ValueError, EOFError, NotImplementedError) as fault:
        name = posixpath.basename(entry.filename)[:80]
        raise Unacceptable(f"“{name}” in this zip file is damaged.", "Make the zip anew.") from fault
    if len(content) > limit:
        raise TooLarge(
            f"“{posixpath.basename(entry.filename)[:80]}” is too large.", "Make it smaller, or leave it out."
        )
    return content


def _html(content: bytes) -> str:
    """The page as text, in the character set that it names. Raises Unacceptable for what is no HTML."""
    wide = content.startswith((b"\xff\xfe", b"\xfe\xff"))
    if not wide and b"\x00" in content:
        raise Unacceptable("This is not an HTML file.", "Choose an .html file, or a zip that has one in it.")
    html = clean_text(decode(content, "utf-16" if wide else None, html=True)[0]).lstrip("\ufeff")
    if not html.strip():
        raise Unacceptable("There is nothing in it.", "Choose a file that holds HTML, or paste its source.")
    if not re.search(r"<[a-zA-Z!/]", html):
        raise Unacceptable("This is not HTML.", "Plain text needs no import: write a new template, and paste it there.")
    return html
