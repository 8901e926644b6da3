"""What is written here as HTML: cleaned to be stored, read as text, finished to be sent.

The editor's own markup is small (paragraphs without margins, lists, quotations, tables, links, pictures by `cid:`),
but it comes from a browser, and holds what was pasted and quoted; so it is cleaned like a stranger's. Markup of others
that is quoted keeps its styles, without their style sheets: those would dress what stands around them as well.
"""

import html as markup
import re
from collections.abc import Iterator, Mapping
from html.parser import HTMLParser

from sync.mime.characters import clean_text
from sync.mime.sanitise import sanitise_html

CONTENT_ID = re.compile(r"[A-Za-z0-9.@_+-]{1,200}\Z")
_CID = re.compile(r"""\bsrc=["']cid:([A-Za-z0-9.@_+-]{1,200})["']""")
_STYLE_SHEET = re.compile(r"<style\b.*?</style>", re.DOTALL)
_EMPTY_PARAGRAPH = re.compile(r"(<p(?: [^<>]*)?>)\s*(</p>)")
PLAIN_LOOK = "font-family:Arial,Helvetica,sans-serif;font-size:14px;line-height:1.5"


class TooMuchMarkup(ValueError):
    """It is longer, or deeper, than a mail can be shown."""


def clean_composed(html: str, renamed: Mapping[str, str] | None = None) -> str:
    """HTML to store and to send: no script, no style sheet, pictures only by `cid:`, `data:` or from the web.

    `renamed` says which content-ids stay, and as what; else all stay as they are. Cleaning twice gives the same. Raises
    TooMuchMarkup rather than cutting anything off.
    """
    names = {name: name for name in pictures_in(html)} if renamed is None else renamed
    clean = sanitise_html(
        clean_text(html),
        inline_images={name: f"cid:{kept}" for name, kept in names.items()},
        show_remote=True,
        proxy_url=str,
    )
    if clean.cut:
        raise TooMuchMarkup
    return _STYLE_SHEET.sub("", clean.html)


def pictures_in(html: str) -> list[str]:
    """The content-ids of the pictures that stand in the HTML, each once."""
    return list(dict.fromkeys(_CID.findall(html)))


def finished(html: str, look: str = PLAIN_LOOK) -> str:
    """The HTML as it leaves: in the typeface of these declarations, and with lines that are empty as high as others."""
    filled = _EMPTY_PARAGRAPH.sub(r"\1<br>\2", html)
    return f'<div style="{look}">{filled}</div>'


def lines_as_html(text: str) -> str:
    """Plain text as the editor's own HTML: a paragraph without margins for each line, its indentation kept."""
    lines = text.strip("\n").split("\n") if text.strip("\n") else []
    return "".join(f'<p style="margin:0">{_indented(line)}</p>' for line in lines)


def _indented(line: str) -> str:
    words = line.lstrip(" ")
    return "\u00a0" * (len(line) - len(words)) + markup.escape(words, quote=False)


def composed_text(html: str) -> str:
    """What the HTML says, as plain text: a line for each paragraph, "- " and "1. " for lists, "> " for quotations.

    A table is read row by row, unless it only lays out (`role="presentation"`): then its cells come one after another.
    """
    reader = _Reader()
    reader.feed(html)
    reader.close()
    return reader.text()


_LINES = {"p", "div", "tr", "h1", "h2", "h3", "h4", "h5", "h6", "section", "article", "header", "footer", "center"}
_APART = {"ul", "ol", "blockquote", "pre", "table", "hr", "dl"}
"""With an empty line before and after them."""
_SPACES = re.compile(r"[ \t\r\n\f]+")


class _Reader(HTMLParser):
    """Collects lines. `_marks` hold what each open list item or quotation writes before its lines."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self._lines: list[str] = []
        self._line = ""
        self._begun = False  # whether the current line is there, even if it is empty
        self._apart = False
        self._marks: list[str] = []
        self._item: str | None = None  # the mark of a list item whose first line has not come yet
        self._counts: list[int | None] = []
        self._depth = 0  # in how many quotations the last line stood
        self._pre = 0
        self._cells = 0  # of the row that is being read: what stands in one is one line
        self._layouts: list[bool] = []  # of each open table, whether it only lays out
        self._label = False  # whether the cell before heads its row
        self._links: list[tuple[str, int]] = []

    def text(self) -> str:
        self._end_line()
        return "\n".join(self._lines).strip("\n")

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        if tag == "table":
            self._layouts.append(given.get("role") == "presentation")
        if tag == "br":
            self._begun = True
            self._end_line()
        elif self._cells and tag != "tr" and (tag in _LINES or tag in _APART or tag == "li"):
            self._line += " " if self._line and not self._line.endswith(" ") else ""
        elif tag in _LINES or tag in _APART:
            self._cells = 0
            self._open_block(tag, given)
        elif tag == "li":
            self._end_line()
            self._begin_item()
        elif tag in ("td", "th"):
            self._open_cell(given)
        elif tag == "a":
            self._links.append((given.get("href") or "", len(self._line)))
        elif tag == "img" and given.get("alt"):
            self._write(f"[{given['alt']}]")

    def _open_cell(self, given: dict[str, str | None]) -> None:
        if self._lays_out() and not self._cells:
            self._end_line()
            return
        if self._cells:
            self._line += ": " if self._label else " | "
        self._label = given.get("scope") == "row"
        self._begun = True
        self._cells += 1

    def _lays_out(self) -> bool:
        return bool(self._layouts) and self._layouts[-1]

    def _open_block(self, tag: str, given: dict[str, str | None]) -> None:
        self._end_line()
        if tag == "tr" and self._lays_out():
            self._apart = True
        if tag in _APART and not (tag in ("ul", "ol") and self._counts):
            self._apart = True
        if tag in ("ul", "ol"):
            start = given.get("start") or "1"
            self._counts.append((int(start) if start.isdecimal() else 1) - 1 if tag == "ol" else None)
        elif tag == "blockquote":
            self._marks.append("> ")
        elif tag == "pre":
            self._pre += 1
        elif tag == "hr":
            self._write("-" * 20)
            self._end_line()
            self._apart = True
        elif tag == "p":
            self._begun = True

    def _begin_item(self) -> None:
        if not self._counts:
            self._counts.append(None)
        number = self._counts[-1]
        if number is None:
            mark = "- "
        else:
            self._counts[-1] = number + 1
            mark = f"{number + 1}. "
        self._marks.append(" " * len(mark))
        self._item = mark

    def handle_endtag(self, tag: str) -> None:
        if tag in ("tr", "table"):
            self._cells = 0
            if tag == "table" and self._layouts:
                self._layouts.pop()
        elif self._cells and (tag in _LINES or tag in _APART or tag == "li"):
            return
        if tag in _LINES:
            self._end_line()
        elif tag in ("ul", "ol"):
            self._end_line()
            if self._counts:
                self._counts.pop()
            self._apart = not self._counts
        elif tag == "li":
            self._close_item()
        elif tag == "blockquote":
            self._end_line()
            if "> " in self._marks:
                del self._marks[len(self._marks) - 1 - self._marks[::-1].index("> ") :]
            self._apart = True
        elif tag in ("pre", "table"):
            self._end_line()
            self._pre -= tag == "pre" and self._pre > 0
            self._apart = True
        elif tag == "a" and self._links:
            self._close_link(*self._links.pop())

    def _close_item(self) -> None:
        if self._item is not None:
            self._begun = True
        self._end_line()
        if self._marks and self._marks[-1] != "> ":
            self._marks.pop()

    def _close_link(self, href: str, begun: int) -> None:
        """Where a link leads, unless its words say so."""
        words = self._line[begun:].strip() if begun <= len(self._line) else ""
        address = href.removeprefix("mailto:")
        if address and words and words not in (href, address, address.removeprefix("https://")):
            self._line += f" <{address}>"

    def handle_data(self, data: str) -> None:
        if self.cdata_elem is not None:
            return  # a style sheet says nothing
        if self._pre:
            first, *more = data.split("\n")
            self._write(first)
            for line in more:
                self._end_line()
                self._begun = True
                self._write(line)
            return
        words = _SPACES.sub(" ", data)
        if not self._line or self._line.endswith(" "):
            words = words.lstrip(" ")
        if words:
            self._write(words)

    def _write(self, words: str) -> None:
        self._line += words
        self._begun = True

    def _end_line(self) -> None:
        if not self._begun and not self._line:
            return
        marks = "".join(self._marks)
        if self._item is not None:
            marks = "".join(self._marks[:-1]) + self._item
            self._item = None
        depth = self._marks.count("> ")
        if self._apart and self._line and self._lines and self._lines[-1].strip("> "):
            self._lines.append(("> " * min(depth, self._depth)).rstrip())
        self._depth = depth
        self._apart = False
        line = self._line if self._pre else self._line.replace("\xa0", " ")
        self._lines.append((marks + line).rstrip())
        self._line, self._begun = "", False


def quoted_lines(text: str) -> Iterator[str]:
    """Each line of a text, marked as a quotation of it."""
    for line in text.split("\n"):
        yield f">{line}" if line.startswith(">") else f"> {line}".rstrip()
