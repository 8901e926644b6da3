"""The text of an attachment, so that it can be searched. Pure; never raises; for a process of its own.

Files come from strangers. What is unpacked is counted while it is unpacked, XML with a document type of its own is
refused, and whoever calls holds time and memory (backend/workers/file_reader.py).
"""

import io
import logging
import zipfile
from collections.abc import Iterator
from xml.parsers import expat

from pypdf import PdfReader
from pypdf.errors import PyPdfError

from sync.mime.parse import parse_message
from sync.mime.plaintext import text_from_html

LARGEST = 25 * 1024 * 1024
"""Bytes of a file that is read."""
LONGEST = 100_000
"""Characters of its text that are kept; PostgreSQL indexes no more of a mail either."""
MOST_PAGES = 300
MOST_UNPACKED = 40 * 1024 * 1024
_AT_ONCE = 64 * 1024

_ENDINGS = {
    "pdf": "pdf",
    "docx": "office", "odt": "office", "pptx": "office", "odp": "office", "xlsx": "office", "ods": "office",
    "txt": "plain", "csv": "plain", "tsv": "plain", "md": "plain", "log": "plain", "json": "plain", "xml": "plain",
    "ics": "plain", "vcf": "plain",
    "html": "html", "htm": "html", "eml": "mail",
}  # fmt: skip
_TYPES = {"application/pdf": "pdf", "text/html": "html", "message/rfc822": "mail"}

_WRITTEN_IN = ("word/document", "word/footnotes", "word/header", "word/footer", "ppt/slides/slide", "xl/sharedStrings")
_TEXT = frozenset({"t"})
_BLOCKS = frozenset({"p", "h", "tc", "br", "tab", "si", "table-cell", "line-break"})
"""Elements behind which a word has ended."""


class Unreadable(Exception):
    """Why a file has no text for us, as it is stored beside its name."""


def file_text(filename: str, content_type: str, content: bytes) -> tuple[str, str]:
    """The text of a file, and why there is none (empty where nothing is wrong, and for kinds that hold no text)."""
    ending = filename.rpartition(".")[2].lower()
    kind = _ENDINGS.get(ending) or _TYPES.get(content_type.lower())
    if kind is None and content_type.lower().startswith("text/"):
        kind = "plain"
    if kind is None:
        return "", ""
    if len(content) > LARGEST:
        return "", "too large"
    try:
        text = _READERS[kind](content)
    except Unreadable as fault:
        return "", str(fault)
    except (PyPdfError, zipfile.BadZipFile, expat.ExpatError, MemoryError, RecursionError):
        return "", "damaged"
    except Exception as fault:  # whatever a stranger's file brings a library to: the kind of it is kept
        return "", f"damaged ({type(fault).__name__})"
    return _clean(text), ""


def _clean(text: str) -> str:
    """As PostgreSQL can hold it."""
    return text.replace("\x00", " ").encode("utf-8", "ignore").decode()[:LONGEST]


def _pdf(content: bytes) -> str:
    logging.getLogger("pypdf").setLevel(logging.CRITICAL)  # it tells of every flaw of a file
    reader = PdfReader(io.BytesIO(content))
    if reader.is_encrypted and not reader.decrypt(""):
        raise Unreadable("locked by a password")
    found: list[str] = []
    length = 0
    for page in reader.pages[:MOST_PAGES]:
        found.append(page.extract_text())
        length += len(found[-1])
        if length > LONGEST:
            break
    return "\n".join(found)


def _office(content: bytes) -> str:
    """The words of a document, presentation or table, out of the XML in its archive."""
    found: list[str] = []
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        names = sorted(n for n in archive.namelist() if n == "content.xml" or n.startswith(_WRITTEN_IN))
        left = MOST_UNPACKED
        for name in (each for each in names if each.endswith(".xml")):
            for piece in _words_of(archive, name, everything=name == "content.xml"):
                left -= piece[0]
                found.extend(piece[1])
                if left < 0:
                    raise Unreadable("too large when unpacked")
            if sum(map(len, found)) > LONGEST:
                break
    return "".join(found)


def _words_of(archive: zipfile.ZipFile, name: str, *, everything: bool) -> Iterator[tuple[int, list[str]]]:
    """Bytes unpacked and text found, piece by piece. `everything`: any text counts, not that of certain elements."""
    found: list[str] = []
    inside = 0

    def begins(tag: str, _: dict[str, str]) -> None:
        nonlocal inside
        inside += tag.rpartition(":")[2] in _TEXT

    def ends(tag: str) -> None:
        nonlocal inside
        local = tag.rpartition(":")[2]
        inside -= local in _TEXT
        if local in _BLOCKS:
            found.append("\n")

    def text(data: str) -> None:
        if inside or everything:
            found.append(data)

    def refuse(*_: object) -> None:
        raise Unreadable("damaged")

    parser = expat.ParserCreate()
    parser.StartElementHandler, parser.EndElementHandler, parser.CharacterDataHandler = begins, ends, text
    parser.StartDoctypeDeclHandler = refuse
    with archive.open(name) as unpacked:
        while data := unpacked.read(_AT_ONCE):
            parser.Parse(data, False)
            yield len(data), found[:]
            found.clear()
        parser.Parse(b"", True)
        yield 0, found[:]


def _plain(content: bytes) -> str:
    for charset in ("utf-16" if content[:2] in (b"\xff\xfe", b"\xfe\xff") else "utf-8-sig", "cp1252"):
        try:
            return content.decode(charset)
        except UnicodeDecodeError:
            continue
    return content.decode("latin-1")


def _html(content: bytes) -> str:
    return text_from_html(_plain(content[: LONGEST * 10]))


def _mail(content: bytes) -> str:
    inner = parse_message(content)
    return f"{inner.subject}\n{inner.text or ''}"


_READERS = {"pdf": _pdf, "office": _office, "plain": _plain, "html": _html, "mail": _mail}
