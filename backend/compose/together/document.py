"""The shared document of a draft: a Yjs document, as TipTap's collaboration writes it. Pure.

Its roots carry the draft's number, so that what was written for another draft is seen not to belong here:

    body:17     XmlFragment: the editor's nodes, an XmlElement each, with XmlText between
    fields:17   Map: recipients, subject and the other fields of `SaveDraft`, by name

What clients put there is believed no further than it can be understood: unknown nodes are passed through to what they
hold, a field of another form is left as it was.
"""

from collections.abc import Iterable
from html import escape
from typing import Any

import msgspec
import pycrdt
from pycrdt import Doc, Map, XmlElement, XmlFragment, XmlText

from backend.compose.contracts import SaveDraft

DEEPEST = 40
"""Nodes within nodes; what lies deeper is not read."""

_LINE = ' style="margin:0"'
_BAR = ' style="margin:0 0 0 8px;border-left:2px solid #c9ced6;padding-left:12px"'
_CELL = ' style="border:1px solid #c9ced6;padding:4px 8px;vertical-align:top"'
_CODE = ' style="background:#f4f4f5;padding:8px 12px;white-space:pre-wrap"'
_BLOCKS = {
    "paragraph": ("p", _LINE),
    "blockquote": ("blockquote", _BAR),
    "codeBlock": ("pre", _CODE),
    "bulletList": ("ul", ""),
    "orderedList": ("ol", ""),
    "listItem": ("li", ""),
    "table": ("table", ' style="border-collapse:collapse"'),
    "tableRow": ("tr", ""),
    "tableCell": ("td", _CELL),
    "tableHeader": ("th", _CELL),
}
"""As assets/widgets/compose/editor.jsx makes them."""
_MARKS = {"link": "a", "bold": "strong", "code": "code", "italic": "em", "strike": "s", "underline": "u"}
"""The outermost first."""
_TEXTS = {"paragraph", "heading", "codeBlock"}
"""Nodes that hold text: each is a line."""
_NEITHER_TEXT_NOR_PICTURE = {"version", "text", "html"}


class NotOfThisDocument(ValueError):
    """A change that cannot be read, or does not belong here. Its text is a sentence for people."""


class Document:
    """One draft's document in memory. It stays on the thread that made it."""

    def __init__(self, draft_id: int, changes: Iterable[bytes] = ()) -> None:
        self._roots = {f"body:{draft_id}", f"fields:{draft_id}"}
        self._doc: Doc[Any] = Doc()
        self._body = self._doc.get(f"body:{draft_id}", type=XmlFragment)
        self._fields = self._doc.get(f"fields:{draft_id}", type=Map)
        for change in changes:
            self._doc.apply_update(change)

    @property
    def state(self) -> bytes:
        return self._doc.get_state()

    @property
    def whole(self) -> bytes:
        """All of it, as one change."""
        return self._doc.get_update()

    def since(self, state: bytes) -> bytes:
        """What somebody lacks who has `state`. Raises NotOfThisDocument when that is no state."""
        try:
            return self._doc.get_update(state)
        except (ValueError, RuntimeError) as fault:
            raise NotOfThisDocument("What this client says that it has cannot be read.") from fault

    def apply(self, change: bytes) -> None:
        """Take a change in. After NotOfThisDocument the document is not to be used any more: part of it may be in."""
        try:
            self._doc.apply_update(change)
            left = pycrdt.get_update(change, self._doc.get_state())
        except (ValueError, RuntimeError) as fault:
            raise NotOfThisDocument("This change cannot be read.") from fault
        if set(self._doc.keys()) - self._roots:
            raise NotOfThisDocument("This change is of another draft.")
        if left[:1] != b"\0":  # it stands on something that was never here
            raise NotOfThisDocument("This change does not follow what is written here.")

    def written(self, stored: SaveDraft) -> SaveDraft:
        """The draft as it stands in the document; `stored` says what it was, and whether it is formatted."""
        found = msgspec.structs.asdict(stored)
        for name, value in self._fields.to_py().items() if len(self._fields) else ():
            if name in _NEITHER_TEXT_NOR_PICTURE or name not in found:
                continue
            try:
                found |= {name: getattr(msgspec.convert(_request(stored) | {name: value}, SaveDraft), name)}
            except msgspec.ValidationError:
                continue  # as it was
        written = SaveDraft(**found)
        if stored.html is None:
            return msgspec.structs.replace(written, text=self.text())
        return msgspec.structs.replace(written, html=self.html())

    def html(self) -> str:
        """Empty for a document in which nothing stands."""
        html = "".join(_html(node) for node in self._body.children)
        return "" if html in ("", f"<p{_LINE}></p>") else html

    def text(self) -> str:
        """A line for each paragraph: all there is in a mail without formatting."""
        return "\n".join(line for node in self._body.children for line in _lines(node)).rstrip("\n")


def _request(stored: SaveDraft) -> dict[str, Any]:
    return msgspec.to_builtins(stored)


def _lines(node: Any, depth: int = 0) -> list[str]:
    if isinstance(node, XmlText):
        return ["".join(piece for piece, _ in node.diff() if isinstance(piece, str))]
    if not isinstance(node, XmlElement) or depth > DEEPEST:
        return []
    if node.tag == "hardBreak":
        return ["\n"]
    found = [_lines(child, depth + 1) for child in node.children]
    if node.tag in _TEXTS:
        return "".join(line for lines in found for line in lines).split("\n")
    return [line for lines in found for line in lines]


def _html(node: Any, depth: int = 0) -> str:
    if isinstance(node, XmlText):
        return _marked(node)
    if not isinstance(node, XmlElement) or depth > DEEPEST:
        return ""
    attributes: Any = node.attributes  # pairs, which its types do not say
    given: dict[str, Any] = dict(iter(attributes))
    if node.tag == "hardBreak":
        return "<br>"
    if node.tag == "horizontalRule":
        return "<hr>"
    if node.tag == "image":
        return _picture(given)
    if node.tag == "designed":
        html = given.get("html")  # cleaned with all the rest
        return f'<div class="designed">{html}</div>' if isinstance(html, str) else ""
    inner = "".join(_html(child, depth + 1) for child in node.children)
    if node.tag == "heading":
        level = 3 if given.get("level") == 3 else 2
        return f"<h{level}>{inner}</h{level}>"
    if node.tag not in _BLOCKS:
        return inner
    tag, look = _BLOCKS[node.tag]
    if node.tag == "codeBlock":
        inner = f"<code>{inner}</code>"
    if node.tag == "table":
        inner = f"<tbody>{inner}</tbody>"
    if node.tag == "orderedList" and _number(given.get("start")) > 1:
        look = f' start="{_number(given["start"])}"'
    for name in ("colspan", "rowspan") if node.tag in ("tableCell", "tableHeader") else ():
        if _number(given.get(name)) > 1:
            look += f' {name}="{_number(given[name])}"'
    return f"<{tag}{look}>{inner}</{tag}>"


def _number(value: Any) -> int:
    return int(value) if isinstance(value, int | float) and 0 < value < 10_000 else 0


def _picture(given: dict[str, Any]) -> str:
    src = given.get("src")
    if not isinstance(src, str):
        return ""
    alt = given.get("alt")
    width = f' width="{_number(given.get("width"))}"' if _number(given.get("width")) else ""
    words = escape(alt if isinstance(alt, str) else "")
    return f'<img src="{escape(src)}" alt="{words}"{width} style="max-width:100%;height:auto">'


def _marked(text: XmlText) -> str:
    """Runs of text in their marks; what two neighbours have in common stays open between them."""
    out: list[str] = []
    standing: list[tuple[str, str]] = []  # what is open: the closing tag, and the opening one
    for piece, marks in text.diff():
        if not isinstance(piece, str):
            continue
        wanted = _tags(marks or {})
        common = 0
        while common < min(len(standing), len(wanted)) and standing[common] == wanted[common]:
            common += 1
        out += [closing for closing, _ in reversed(standing[common:])]
        out += [opening for _, opening in wanted[common:]]
        out.append(escape(piece, quote=False))
        standing = wanted
    return "".join([*out, *(closing for closing, _ in reversed(standing))])


def _tags(marks: dict[str, Any]) -> list[tuple[str, str]]:
    found = []
    for name, tag in _MARKS.items():
        if name not in marks or marks[name] is None:
            continue
        opening = f"<{tag}>"
        if name == "link":
            href = marks[name].get("href") if isinstance(marks[name], dict) else None
            if not isinstance(href, str):
                continue
            opening = f'<a href="{escape(href)}">'
        found.append((f"</{tag}>", opening))
    return found
