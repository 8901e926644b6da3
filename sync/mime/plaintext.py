"""Plain text out of HTML and out of format=flowed: for reading, searching, snippets and quoting."""

import html as html_entities
import re
from collections.abc import Iterator

import nh3

from sync.mime.characters import clean_text
from sync.mime.markup_bounds import bounded_markup

_BLOCKS = {
    "address", "article", "aside", "blockquote", "center", "dd", "div", "dl", "dt", "footer", "form", "h1", "h2",
    "h3", "h4", "h5", "h6", "header", "hr", "li", "main", "nav", "ol", "p", "pre", "section", "table", "tr", "ul",
}  # fmt: skip
_DROPPED = {
    "audio", "canvas", "head", "iframe", "math", "noembed", "noframes", "object", "script", "select", "style", "svg",
    "template", "title", "video", "xmp",
}  # fmt: skip
_PARAGRAPHS = {"blockquote", "dl", "h1", "h2", "h3", "h4", "h5", "h6", "ol", "p", "pre", "table", "ul"}
_PARAGRAPH = re.compile(r"</?(?:{})(?: [^>]*)?>".format("|".join(sorted(_PARAGRAPHS))))
_LINE = re.compile(r"</?(?:{})(?: [^>]*)?>".format("|".join(sorted(_BLOCKS - _PARAGRAPHS))))
_BREAK = re.compile(r"<br ?/?>")
_BORDERS = re.compile(r" ?[\x01\x02][ \x01\x02]*")
_CELLS = re.compile(r"</t[dh]>")
_TAGS = re.compile(r"<[^>]*>")
_SPACES = re.compile(r"[^\S\n]+")
_INVISIBLE = dict.fromkeys(map(ord, "\u200b\u200c\u200d\u2060\ufeff\u00ad\u034f\u2007"), None)


def text_from_html(html: str) -> str:
    """The words of an HTML document: a line for each block, paragraphs apart, no scripts, styles, invisible padding."""
    markup, _ = bounded_markup(html)
    kept = nh3.clean(
        markup,
        tags=_BLOCKS | {"br", "td", "th", "tbody"},
        attributes={},
        clean_content_tags=_DROPPED,
        link_rel=None,
    )
    kept = _SPACES.sub(" ", kept.replace("\n", " ").replace("\x01", " ").replace("\x02", " "))
    kept = _BREAK.sub("\n", _LINE.sub("\x01", _PARAGRAPH.sub("\x02", kept)))
    kept = _TAGS.sub("", _CELLS.sub(" ", kept))
    kept = _BORDERS.sub(lambda run: "\n\n" if "\x02" in run[0] else "\n", kept)
    text = clean_text(html_entities.unescape(kept)).translate(_INVISIBLE)
    lines = (_SPACES.sub(" ", line).strip() for line in text.split("\n"))
    return re.sub(r"\n{3,}", "\n\n", "\n".join(lines)).strip()


WIDTH = 72


def flow(text: str) -> str:
    """Long lines broken softly, as format=flowed (RFC 3676): `unflow` gives the text again, but for blanks at the
    ends of lines."""
    out: list[str] = []
    for line in text.replace("\r\n", "\n").split("\n"):
        if line.rstrip() == "--" and line.endswith(" "):
            out.append("-- ")
            continue
        depth = len(line) - len(line.lstrip(">"))
        quoted = depth > 0 and line[depth : depth + 1] in ("", " ")
        prefix, words = (">" * depth + " ", line[depth + 1 :]) if quoted else ("", line)
        for piece in _softly_broken(words.rstrip()):
            # What begins with a blank, a quotation mark or "From " is told apart from a mark by one more blank.
            stuffing = " " if not prefix and piece.startswith((" ", ">", "From ")) else ""
            out.append(f"{prefix}{stuffing}{piece}" if piece else prefix.rstrip())
    return "\n".join(out)


def _softly_broken(line: str) -> Iterator[str]:
    """Pieces that end in a blank where the line goes on."""
    while len(line) > WIDTH:
        cut = line.rfind(" ", 1, WIDTH) + 1 or line.find(" ", WIDTH) + 1
        # A piece of blanks only, or the mark of a signature, would be read as something else.
        if not cut or not line[:cut].strip() or line[:cut] == "-- " or not line[cut:].strip():
            break
        yield line[:cut]
        line = line[cut:]
    yield line


def unflow(text: str, *, delete_space: bool) -> str:
    """Join the soft-broken lines of format=flowed (RFC 3676), keeping the quote depth of each paragraph."""
    out: list[str] = []
    open_depth = -1  # depth of the paragraph that the last line left open, -1 for none
    for line in text.split("\n"):
        depth = len(line) - len(line.lstrip(">"))
        content = line[depth:]
        if content.startswith(" "):
            content = content[1:]
        signature = content == "-- "
        soft = content.endswith(" ") and not signature
        if soft and delete_space:
            content = content[:-1]
        if open_depth == depth and not signature:
            out[-1] += content
        else:
            out.append((">" * depth + " " if depth else "") + content)
        open_depth = depth if soft else -1
    return "\n".join(out)
