"""Header fields: from the raw block to names and decoded values (RFC 5322, 2047, 2231), tolerant of everything.

We read the header block of a message ourselves, from its bytes: eight-bit headers in an unnamed character set,
encoded words cut in the middle of a character, and addresses whose decoded name contains a comma all lose
something in a library's already decoded strings.
"""

import binascii
import re
from collections.abc import Mapping
from functools import lru_cache
from typing import NamedTuple
from urllib.parse import unquote_to_bytes

from sync.mime.characters import clean_line, decode_loosely, decode_mostly_utf8, decode_strictly, python_codec

MAX_HEADER_BLOCK = 4 * 1024 * 1024
MAX_FIELDS = 2000
MAX_VALUE = 32_000
"""Bytes of one field that are decoded."""
# A field goes on until a line begins that is one itself.
_FIELD = re.compile(
    rb"^([\x21-\x39\x3b-\x7e]{1,200})[ \t]*:([^\n]*(?:\n(?![\x21-\x39\x3b-\x7e]{1,200}[ \t]*:)[^\n]*)*)", re.MULTILINE
)
# A line of blanks is a folded line (RFC 5322, obs-FWS) when the header goes on behind it, else a careless end.
_BLOCK_END = re.compile(rb"\r?\n(?:\r?\n|[ \t]{1,200}\r?\n(?![ \t]|[\x21-\x39\x3b-\x7e]{1,200}:))")
_MAYBE_BLANK_LINE = (b"\n\n", b" \n", b"\t\n", b" \r\n", b"\t\r\n")
_ENCODED_WORD = re.compile(r"=\?([^?\s]{1,60})\?([bBqQ])\?([^?]*)\?=")
_BETWEEN_WORDS = re.compile(r"(\?=)[ \t]+(?==\?[^?\s]{1,60}\?[bBqQ]\?)")
_PARAMETER = re.compile(
    r";\s*([^\s=;\"]{1,100})\s*=\s*(\"(?:[^\"\\]|\\.)*\"?|[^;]*)",
    re.DOTALL,
)
_CONTINUED = re.compile(r"(.+?)(?:\*(\d{1,3}))?(\*)?\Z")


class Field(NamedTuple):
    """One header field: its name as written, and its unfolded value as raw bytes."""

    name: str
    raw: bytes


def split_head(data: bytes) -> tuple[bytes, bytes]:
    """The header block and the body of a message or part. Either may be empty."""
    if data.startswith((b"\r\n", b"\n")):
        return b"", data.lstrip(b"\r\n") if len(data) < 3 else data[data.index(b"\n") + 1 :]
    end = data.find(b"\n\r\n")
    if end >= 0 and not any(data.find(odd, 0, end + 1) >= 0 for odd in _MAYBE_BLANK_LINE):
        return data[: end - 1 if data[end - 1 : end] == b"\r" else end], data[end + 3 :]
    match = _BLOCK_END.search(data)
    return (data, b"") if match is None else (data[: match.start()], data[match.end() :])


def read_fields(block: bytes) -> list[Field]:
    """The fields of a header block, in order. A line that is no field continues the one before it."""
    block = block[:MAX_HEADER_BLOCK].replace(b"\r\n", b"\n").replace(b"\r", b"\n")
    fields: list[Field] = []
    for name, value in _FIELD.findall(block):
        if b"\n" in value:
            first, *rest = map(bytes.strip, value.split(b"\n"))
            value = b" ".join((first, *filter(None, rest)))
        else:
            value = value.strip()
        fields.append(Field(name.decode("ascii"), value))
    return fields[:MAX_FIELDS]


def decode_field(field: Field, charset: str | None = None) -> str:
    """A field's value as one clean line, cut at MAX_VALUE."""
    return decode_value(field.raw[:MAX_VALUE], charset)


def decode_bytes(raw: bytes, charset: str | None = None) -> str:
    """Raw header bytes as text: ASCII, else UTF-8, else the message's own character set, else windows-1252."""
    text = decode_mostly_utf8(raw)
    if text is not None:
        return text
    codec = (python_codec(charset) if charset else None) or "cp1252"
    return decode_loosely(raw, "cp1252" if codec == "utf-8" else codec)


def decode_words(text: str) -> str:
    """Decode the encoded words of RFC 2047 in a text.

    Neighbouring words of one character set are joined as bytes first, because many senders cut a character in two.
    """
    if "=?" not in text:
        return text
    text = _BETWEEN_WORDS.sub(r"\1", text)
    out: list[str] = []
    pending, pending_codec, end = b"", "", 0

    def flush() -> None:
        nonlocal pending
        if pending:
            out.append(_decode_word_bytes(pending, pending_codec))
            pending = b""

    for match in _ENCODED_WORD.finditer(text):
        data = _word_bytes(match[2], match[3])
        codec = python_codec(match[1]) or "utf-8"
        if match.start() > end or codec != pending_codec:
            flush()
            out.append(text[end : match.start()])
        pending += data
        pending_codec, end = codec, match.end()
    flush()
    out.append(text[end:])
    return "".join(out)


def decode_value(raw: bytes, charset: str | None = None) -> str:
    """An unstructured header value as one clean line."""
    if raw.isascii() and b"=?" not in raw:  # most
        return clean_line(raw.decode("ascii"))
    return clean_line(decode_words(decode_bytes(raw, charset)))


def parameters(value: str) -> Mapping[str, str]:
    """The parameters of a Content-Type or Content-Disposition value, names in lower case.

    Joins the continuations of RFC 2231 and decodes its percent encoding; decodes encoded words in the values,
    which RFC 2047 forbids and everybody sends.
    """
    return _usual_parameters(value) if len(value) <= _USUAL_LENGTH else _read_parameters(value)


def _read_parameters(value: str) -> Mapping[str, str]:
    plain: dict[str, str] = {}
    pieces: dict[str, dict[int, tuple[str, bool]]] = {}
    for match in _PARAMETER.finditer(value[:65536]):
        raw = match[2].strip()
        if raw.startswith('"'):
            raw = re.sub(r"\\(.)", r"\1", raw[1:-1] if raw.endswith('"') and len(raw) > 1 else raw[1:])
        named = _CONTINUED.match(match[1].lower())
        if named is None:
            continue
        name, number, extended = named[1], named[2], named[3]
        if number is None and not extended:
            plain.setdefault(name, clean_line(decode_words(raw)))
        else:
            pieces.setdefault(name, {}).setdefault(int(number or 0), (raw, bool(extended)))
    for name, numbered in pieces.items():
        plain[name] = _join_continuations([numbered[number] for number in sorted(numbered)])
    return plain


_USUAL_LENGTH = 120
_usual_parameters = lru_cache(maxsize=256)(_read_parameters)


def _join_continuations(parts: list[tuple[str, bool]]) -> str:
    charset, data = "", b""
    for index, (raw, extended) in enumerate(parts):
        if not extended:
            data += raw.encode("utf-8", "replace")
            continue
        if index == 0 and raw.count("'") >= 2:
            charset, _, raw = raw.split("'", 2)
        data += unquote_to_bytes(raw.encode("utf-8", "replace"))
    codec = python_codec(charset) if charset else None
    return clean_line(decode_words(decode_loosely(data, codec) if codec else decode_bytes(data)))


def _word_bytes(encoding: str, text: str) -> bytes:
    raw = text.encode("utf-8", "replace")
    if encoding in "qQ":
        return binascii.a2b_qp(raw.replace(b" ", b"_"), header=True)
    return lenient_base64(raw)


def _decode_word_bytes(data: bytes, codec: str) -> str:
    for attempt in (codec,) if b"\x1b" in data else (codec, "utf-8"):
        if (text := decode_strictly(data, attempt)) is not None:
            return text
    return decode_loosely(data, codec)


def lenient_base64(data: bytes) -> bytes:
    """Decode base64 that may be broken: foreign characters are skipped, what is left over is dropped."""
    return b"".join(map(_base64_run, re.split(rb"=+", re.sub(rb"[^A-Za-z0-9+/=]+", b"", data))))


def _base64_run(data: bytes) -> bytes:
    if len(data) % 4 == 1:
        data = data[:-1]
    return binascii.a2b_base64(data + b"=" * (-len(data) % 4))
