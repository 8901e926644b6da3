"""Goes through a page once, as css-inline wrote it: pictures get their addresses, and what a mail cannot hold is noted.

It makes nothing safe: what it writes is cleaned like a stranger's afterwards (backend/templates/markup.py).
"""

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from html import escape
from html.parser import HTMLParser

from backend.templates.contracts import ImportFinding
from backend.templates.importing.addresses import Addresses
from backend.templates.importing.found import counted, finding

_RUNS = {
    "script": "script", "iframe": "embedded page", "object": "embedded object", "embed": "embedded object",
    "applet": "embedded object", "form": "form", "input": "form field", "select": "form field",
    "textarea": "form field", "button": "button of a form", "video": "video", "audio": "sound", "svg": "drawing",
    "canvas": "drawing", "math": "formula", "base": "base address",
}  # fmt: skip
"""Elements that do not stay, as people call them."""
_URL = re.compile(r"""url\(\s*(?:"([^"]*)"|'([^']*)'|([^)]*?))\s*\)""", re.IGNORECASE)
_ONLY_SOMETIMES = re.compile(r"@(?:media|supports|container)\b|:(?:hover|focus|active|checked)\b", re.IGNORECASE)
_FETCHES = re.compile(r"@import\b|@font-face\b", re.IGNORECASE)
_LEADS = ("http://", "https://", "//", "mailto:", "tel:", "{{", "*|")
_LAID_OUT = {"table", "div", "center", "font", "section", "article", "header", "footer", "main", "td"}
_WITHOUT_END = {
    "html",
    "head",
    "body",
    "br",
    "hr",
    "img",
    "col",
    "wbr",
    "area",
    "meta",
    "link",
    "input",
    "base",
    "embed",
    "source",
    "track",
}


@dataclass(frozen=True, slots=True)
class ReadPage:
    title: str
    html: str
    laid_out: bool
    findings: Sequence[ImportFinding]


def read_page(html: str, addresses: Addresses, styles_from: Sequence[str] = ()) -> ReadPage:
    """`styles_from` are the style sheets that were not found."""
    reader = _Reader(addresses)
    reader.feed(html)
    reader.close()
    told = [*reader.findings(styles_from), *addresses.findings()]
    return ReadPage(" ".join(reader.title.split()), "".join(reader.written), reader.laid_out, told)


@dataclass
class _Notes:
    dropped: Counter[str] = field(default_factory=Counter)
    nowhere: list[str] = field(default_factory=list)
    sometimes: bool = False
    fetches: bool = False
    for_outlook: bool = False


class _Reader(HTMLParser):
    def __init__(self, addresses: Addresses) -> None:
        super().__init__(convert_charrefs=False)
        self.written: list[str] = []
        self.title = ""
        self.laid_out = False
        self._addresses = addresses
        self._notes = _Notes()
        self._within = ""
        self._tables: list[int] = []
        """Where the open tables begin that may only lay out."""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in ("title", "style", "script"):
            self._within = tag
        if tag in _RUNS:
            self._notes.dropped[_RUNS[tag]] += 1
        self.laid_out = self.laid_out or tag in _LAID_OUT
        given = {name: value or "" for name, value in attrs}
        if tag == "img":
            self._write_picture(given)
            return
        if tag in ("html", "head") or (tag == "body" and not given):
            return
        if tag == "body" and given.get("bgcolor"):  # it becomes a `div`, which has no such attribute
            given["style"] = f"background-color: {given['bgcolor']}; {given.get('style', '')}"
        kept: dict[str, str] = {}
        for name, value in given.items():
            changed = self._attribute(tag, name, value)
            if changed is not None:
                kept[name] = changed
        self._note_table(tag, given)
        self.written.append(_tag(tag, kept))

    def _note_table(self, tag: str, given: dict[str, str]) -> None:
        if tag == "table":
            holds_figures = "role" in given or given.get("border", "0").strip() not in ("", "0")
            self._tables.append(-1 if holds_figures else len(self.written))
        elif tag == "th" and self._tables:
            self._tables[-1] = -1

    def _end_table(self) -> None:
        """A table without heads or lines only lays out: who listens to the mail, or reads its text, is told so."""
        begun = self._tables.pop() if self._tables else -1
        if begun >= 0:
            self.written[begun] = self.written[begun].replace("<table", '<table role="presentation"', 1)

    def _attribute(self, tag: str, name: str, value: str) -> str | None:
        if name.startswith("on"):
            self._notes.dropped["action on a click or the like"] += 1
            return None
        if name == "background":
            return self._addresses.ground(value)
        if name == "style":
            return _URL.sub(self._ground_in_style, value)
        if name == "href" and tag in ("a", "area"):
            address = value.strip()
            if not address.lower().startswith(_LEADS):
                self._notes.nowhere.append(address or "a link without an address")
                return None
            return address
        return value

    def _ground_in_style(self, match: re.Match[str]) -> str:
        address = self._addresses.ground(next((each for each in match.groups() if each is not None), ""))
        return f"url('{address}')" if address and "'" not in address else "none"

    def _write_picture(self, given: dict[str, str]) -> None:
        source = given.get("src", "")
        if _unseen(given):
            self._addresses.pixels += 1
            return
        address = self._addresses.shown(source)
        if address is None:
            self.written.append(escape(given.get("alt", "")))
            return
        kept = {
            name: changed
            for name, value in given.items()
            if name not in ("src", "srcset") and (changed := self._attribute("img", name, value)) is not None
        }
        self.written.append(_tag("img", {"src": address, **kept}))

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        self.handle_endtag(tag)

    def handle_endtag(self, tag: str) -> None:
        self._within = "" if tag == self._within else self._within
        if tag == "table":
            self._end_table()
        if tag not in _WITHOUT_END:
            self.written.append(f"</{tag}>")

    def handle_data(self, data: str) -> None:
        if self._within == "title":
            self.title += data
        elif self._within == "style":
            self._notes.sometimes = self._notes.sometimes or bool(_ONLY_SOMETIMES.search(data))
            self._notes.fetches = self._notes.fetches or bool(_FETCHES.search(data))
        elif self._within != "script":
            self.written.append(data)

    def handle_entityref(self, name: str) -> None:
        self._write_reference(f"&{name};")

    def handle_charref(self, name: str) -> None:
        self._write_reference(f"&#{name};")

    def _write_reference(self, reference: str) -> None:
        if self._within == "title":
            self.title += {"&amp;": "&", "&lt;": "<", "&gt;": ">", "&nbsp;": " "}.get(reference, "")
        else:
            self.written.append(reference)

    def handle_comment(self, data: str) -> None:
        self._notes.for_outlook = self._notes.for_outlook or data.lstrip().startswith("[if ")

    def findings(self, styles_from: Sequence[str]) -> list[ImportFinding]:
        notes = self._notes
        told: list[ImportFinding] = []
        if notes.dropped:
            dropped = [counted(number, name) for name, number in notes.dropped.items()]
            told.append(finding("taken_out", "Left out, for a mail cannot hold it:", dropped))
        if styles_from:
            words = "Style sheets that are not in it were not fetched, what they dress looks plain:"
            told.append(finding("style", words, styles_from))
        if notes.sometimes:
            words = "What style sheets say for phones, for dark screens or under the pointer is left out."
            told.append(finding("style", words))
        if notes.fetches:
            told.append(finding("style", "Typefaces and style sheets from the web are left out."))
        if notes.for_outlook:
            told.append(finding("taken_out", "Parts that only Outlook reads are left out."))
        if notes.nowhere:
            words = f"{counted(len(notes.nowhere), 'link')} that would lead nowhere in a mail, only the words are kept:"
            told.append(finding("link", words, notes.nowhere))
        return told


def _tag(tag: str, attributes: dict[str, str]) -> str:
    written = "".join(f' {name}="{escape(value)}"' for name, value in attributes.items())
    return f"<{tag}{written}>"


def _unseen(given: dict[str, str]) -> bool:
    """Whether the picture only tells somebody that the mail was opened."""
    remote = given.get("src", "").strip().lower().startswith(("http://", "https://", "//"))
    sizes = [given.get(side, "").strip().removesuffix("px") for side in ("width", "height")]
    return remote and all(size in ("0", "1") for size in sizes)
