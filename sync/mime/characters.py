"""From bytes in some character set to clean text.

Mail names character sets wrongly, not at all, or in ways of its own. Nothing here raises; what cannot be decoded
becomes U+FFFD.
"""

import codecs
import re
from functools import lru_cache

# Labels follow the practice of browsers (WHATWG): the narrower label nearly always means the wider set.
_ALIASES = {
    "ascii": "cp1252",
    "us-ascii": "cp1252",
    "ansi_x3.4-1968": "cp1252",
    "iso-8859-1": "cp1252",
    "iso8859-1": "cp1252",
    "iso_8859-1": "cp1252",
    "latin1": "cp1252",
    "latin-1": "cp1252",
    "iso-8859-9": "cp1254",
    "iso-8859-11": "cp874",
    "tis-620": "cp874",
    "iso-8859-8-i": "iso-8859-8",
    "iso-8859-6-i": "iso-8859-6",
    "gb2312": "gb18030",
    "gbk": "gb18030",
    "x-gbk": "gb18030",
    "gb_2312-80": "gb18030",
    "cp936": "gb18030",
    "big5": "cp950",
    "x-x-big5": "cp950",
    "ks_c_5601-1987": "cp949",
    "ks_c_5601": "cp949",
    "euc-kr": "cp949",
    "shift_jis": "cp932",
    "shift-jis": "cp932",
    "x-sjis": "cp932",
    "sjis": "cp932",
    "iso-2022-jp": "iso2022_jp_ext",
    "macintosh": "mac_roman",
    "x-mac-roman": "mac_roman",
    "x-unknown": "",
    "unknown-8bit": "",
    "unknown": "",
    "binary": "",
    "default": "",
}
# Python codecs that are not character sets, or that cost far more than they are worth on hostile input.
_REFUSED = {"idna", "punycode", "unicode_escape", "raw_unicode_escape", "undefined", "mbcs", "oem"}
_CONFUSED_WITH = {"iso2022_jp_ext": ("euc_jp", "cp932"), "cp932": ("euc_jp",), "euc_jp": ("cp932",)}
_UNCLEAN = re.compile("[\x00\ud800-\udfff]")
_CONTROLS = re.compile(r"[\x00-\x1f\x7f\u2028\u2029]+")
_HTML_CHARSET = re.compile(rb"<meta[^>]{0,200}?charset\s*=\s*[\"']?\s*([A-Za-z0-9_:.\-]{2,40})", re.IGNORECASE)


def clean_text(text: str) -> str:
    """Text that PostgreSQL takes: no NUL, lone surrogates replaced, line ends as LF."""
    if "\r" in text:
        text = text.replace("\r\n", "\n").replace("\r", "\n")
    if text.isascii():  # most text; a search for what it cannot hold takes fifty times as long
        return text.replace("\0", "")
    if _UNCLEAN.search(text):
        text = _UNCLEAN.sub(lambda match: "" if match[0] == "\0" else "\ufffd", text)
    return text


def clean_line(text: str) -> str:
    """The same, as one line: control characters and line ends become spaces, the ends are trimmed."""
    if text.isascii() and text.isprintable():
        return text.strip()
    return clean_text(_CONTROLS.sub(" ", text)).strip()


@lru_cache(maxsize=512)
def python_codec(label: str) -> str | None:
    """The name of the Python codec for a character set label, or None for one that nobody knows."""
    name = label.strip().strip("\"'").lower().split("*", 1)[0]
    name = _ALIASES.get(name, name)
    if not name or len(name) > 40 or not name.isascii():
        return None
    try:
        info = codecs.lookup(name)
    except (LookupError, ValueError):
        return None
    is_text: bool = getattr(info, "_is_text_encoding", True)
    return info.name if is_text and info.name not in _REFUSED else None


def decode(data: bytes, label: str | None, *, html: bool = False) -> tuple[str, str | None]:
    """Decode a body: the text and, where something was repaired, a problem code.

    Order: the named set; for one that is missing, unknown or western, UTF-8 wins when the bytes are valid UTF-8
    (eight-bit text in a western set practically never is); then the document's own `<meta charset>`; then
    windows-1252.
    """
    if data.isascii() and b"\x1b" not in data and (label is None or python_codec(label) in (None, "cp1252", "utf-8")):
        known = label is None or python_codec(label) is not None
        return data.decode("ascii"), None if known else "charset-unknown"
    codec = python_codec(label) if label else None
    problem = "charset-unknown" if label and codec is None else None
    if data.startswith(codecs.BOM_UTF8):
        return data[3:].decode("utf-8", "replace"), problem
    if codec in (None, "cp1252"):
        if b"\x1b$" in data or b"\x1b(J" in data:
            found = decode_strictly(data, "iso2022_jp_ext")
            if found is not None:
                return found, problem
        found = decode_strictly(data, "utf-8")
        if found is not None:
            return found, problem or ("charset-mislabelled" if codec else None)
        if html and codec is None and (meta := _HTML_CHARSET.search(data, 0, 4096)):
            codec = python_codec(meta[1].decode("ascii"))
        return data.decode(codec or "cp1252", "replace"), problem
    found = decode_strictly(data, codec)
    if found is not None:
        return found, problem
    if codec != "utf-8" and (found := decode_strictly(data, "utf-8")) is not None:
        return found, "charset-mislabelled"
    if codec == "utf-8" and html and (meta := _HTML_CHARSET.search(data, 0, 4096)):
        other = python_codec(meta[1].decode("ascii"))
        if other and other != "utf-8" and (found := decode_strictly(data, other)) is not None:
            return found, "charset-mislabelled"
    for other in _CONFUSED_WITH.get(codec, ()):
        if (found := decode_strictly(data, other)) is not None:
            return found, "charset-mislabelled"
    if codec == "utf-8" and decode_mostly_utf8(data, good_for_each_fault=0) is None:
        codec = "cp1252"
    return decode_loosely(data, codec), "charset-errors"


def decode_mostly_utf8(data: bytes, *, good_for_each_fault: int = 4) -> str | None:
    """The text when the bytes are UTF-8, if need be with a few faults (a cut character); None when they are not."""
    found = decode_strictly(data, "utf-8")
    if found is not None:
        return found
    found = data.decode("utf-8", "replace")
    faults = found.count("\ufffd")
    good = sum(character > "\x7f" for character in found) - faults
    return found if good > good_for_each_fault * faults else None


def decode_strictly(data: bytes, codec: str) -> str | None:
    """The text, or None when the bytes are not valid in that codec."""
    try:
        return data.decode(codec)
    except (UnicodeError, ValueError, LookupError):
        return None


def decode_loosely(data: bytes, codec: str) -> str:
    """The text with U+FFFD for what is invalid; Latin-1 for the few codecs that cannot do that."""
    try:
        return data.decode(codec, "replace")
    except (UnicodeError, ValueError, LookupError):
        return data.decode("latin-1")
