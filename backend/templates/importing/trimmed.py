"""A mail without what stands below it: the signature and the footer, as we and other programs mark them."""

import re
from html.parser import HTMLParser

_CLASSES = {
    "signature", "footer", "gmail_signature", "gmail_signature_prefix", "moz-signature", "protonmail_signature_block",
}  # fmt: skip
_IDS = {"signature", "ms-outlook-mobile-signature", "x_signature"}
_VOID = {"area", "br", "col", "hr", "img", "wbr"}
_WRAPPING = re.compile(
    r'<div(?: style="font-family:[^"]{1,200};\s?font-size:\s?\d+px;\s?line-height:\s?1\.5;?")?>', re.IGNORECASE
)
"""Around a whole mail: as ours leave, or what was its `body`."""
_DIV = re.compile(r"<(/?)div\b[^<>]*>")
_NOTHING = re.compile(
    r"(?:<br\b[^<>]{0,100}>|<(p|div)\b[^<>]{0,200}>(?:&nbsp;|<br\b[^<>]{0,100}>|\s)?</\1>|&nbsp;|\s)\Z"
)
_FORWARDED = re.compile(r"<(p|div)\b[^<>]{0,200}>-{4,}[^<>-]{3,80}-{4,}</\1>((?:</[a-z]{1,20}>){0,20})\Z")
"""The line above what was forwarded, which is cut off already."""
_SIGNATURE_MARK = re.compile(r"(?:\A|\n)-- ?\n")


def without_closing(html: str) -> str:
    """Sanitised HTML without signature and footer, and without the typeface that a mail is given as a whole."""
    trimmer = _Trimmer()
    trimmer.feed(html)
    trimmer.close()
    written = "".join(trimmer.written)
    forwarded = _FORWARDED.search(written, max(0, len(written) - 800))
    html = _without_end(written[: forwarded.start()] + forwarded[2] if forwarded else written).lstrip()
    while (inside := _unwrapped(html)) != html:
        html = _without_end(inside).lstrip()
    return html


def text_without_closing(text: str, closings: list[str]) -> str:
    """The same of a plain text; `closings` are what stands below mails of this writer."""
    marks = [mark.start() for mark in _SIGNATURE_MARK.finditer(text)]
    said = text[: marks[-1]] if marks else text
    for closing in closings:
        said = said.rstrip()
        if closing.strip() and said.endswith(closing.strip()):
            said = said[: -len(closing.strip())]
    return said.strip("\n").rstrip()


def _without_end(html: str) -> str:
    """Without the empty lines at its end."""
    while match := _NOTHING.search(html, max(0, len(html) - 400)):
        html = html[: match.start()]
    return html


def _unwrapped(html: str) -> str:
    first = _WRAPPING.match(html)
    if first is None:
        return html
    depth = 0
    for tag in _DIV.finditer(html):
        depth += -1 if tag[1] else 1
        if depth == 0:
            inside = html[first.end() : tag.start()]
            return inside if not html[tag.end() :].strip() else html
    return html


class _Trimmer(HTMLParser):
    """Writes everything as it is, but for the elements of a closing."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=False)
        self.written: list[str] = []
        self._within = ""
        self._depth = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if self._within:
            self._depth += tag == self._within
            return
        given = {name: value or "" for name, value in attrs}
        marked = _CLASSES & set(given.get("class", "").split()) or given.get("id", "").lower() in _IDS
        if marked and tag not in _VOID:
            self._within, self._depth = tag, 1
            return
        self._write(self.get_starttag_text() or "")

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._write(self.get_starttag_text() or "")

    def handle_endtag(self, tag: str) -> None:
        if not self._within:
            self.written.append(f"</{tag}>")
            return
        self._depth -= tag == self._within
        if self._depth == 0:
            self._within = ""

    def handle_data(self, data: str) -> None:
        self._write(data)

    def handle_entityref(self, name: str) -> None:
        self._write(f"&{name};")

    def handle_charref(self, name: str) -> None:
        self._write(f"&#{name};")

    def _write(self, piece: str) -> None:
        if not self._within:
            self.written.append(piece)
