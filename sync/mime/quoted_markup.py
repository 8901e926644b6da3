"""Finding the quotation in the HTML of the usual mail clients, and cutting the document there.

Works on sanitised markup with a tag scanner and a stack, not with a tree: what is not cut is passed on byte for
byte, so cutting can never turn harmless markup into something else.
"""

import re
from dataclasses import dataclass
from itertools import islice

from sync.mime.quote_marks import ATTRIBUTION_TAIL, FROM_WORD, is_header_block

_TAG = re.compile(r"<(/?)([a-zA-Z][a-zA-Z0-9]*)((?:[^<>\"']|\"[^\"]*\"|'[^']*')*)>")
_ATTRIBUTE = re.compile(r"([a-zA-Z-]+)=\"([^\"]*)\"")
_VOID = {"area", "br", "col", "hr", "img", "wbr"}
_QUOTE_CLASSES = {
    "gmail_quote", "gmail_quote_container", "gmail_extra", "yahoo_quoted", "protonmail_quote", "moz-cite-prefix",
    "moz-forward-container", "zmail_extra", "tutanota_quote", "front-blockquote", "skiff_quote",
    "WordSection1-quote",
}  # fmt: skip
_QUOTE_IDS = {
    "divrplyfwdmsg", "appendonsend", "replysplit", "olk_src_body_section", "mail-editor-reference-message-container",
    "reply-intro", "isforwardcontent", "zwchr", "isreplycontent", "original-content", "x_divrplyfwdmsg",
}  # fmt: skip
_OUTLOOK_RULE = re.compile(r"border:\s*none;\s*border-top:\s*solid\s+#[a-f0-9]{6}\s+1\.0pt", re.IGNORECASE)
_OUTLOOK_TOP = re.compile(
    r"(?:^|;)\s*border-top:\s*(?:#[a-f0-9]{6}\s+1(?:\.0)?pt\s+solid|solid\s+#[a-f0-9]{6}\s+1(?:\.0)?pt)",
    re.IGNORECASE,
)
_STYLE = re.compile(r"<style\b[^>]*>.*?</style>", re.DOTALL)
_LINE_END = re.compile(r"<br[^<>]*>|</(?:p|div|tr|li|h[1-6])>", re.IGNORECASE)
_GAP = re.compile(r"(?:<[^<>]*>|&nbsp;|\s)*\Z")
_MAX_BLOCKS = 40


@dataclass(slots=True)
class _Open:
    name: str
    tag: str


def split_markup(html: str) -> tuple[str, str]:
    """Cut at the first quotation after which nothing new is written; ("...", "") when there is none."""
    stack: list[_Open] = []
    seen_text = False
    last_end = 0
    headers = _copied_headers(html)
    for match in _TAG.finditer(html):
        if match.start() >= headers:
            return _cut(html, headers)
        between = html[last_end : match.start()]
        in_style = bool(stack) and stack[-1].name == "style"
        if not in_style and between.replace("&nbsp;", " ").strip():
            seen_text = True
        last_end = match.end()
        name = match[2].lower()
        if match[1]:
            _close(stack, name)
            continue
        attributes = dict(_ATTRIBUTE.findall(match[3]))
        quoting = seen_text and (_is_quote(name, attributes) or _is_attributed(html, match))
        if quoting and _ends_the_message(html, match, name):
            return _cut(html, _with_attribution(html, match.start()))
        if name == "img":
            seen_text = True
        if name not in _VOID:
            stack.append(_Open(name, match[0]))
    return html, ""


def _close(stack: list[_Open], name: str) -> None:
    for index in range(len(stack) - 1, max(len(stack) - 50, -1), -1):
        if stack[index].name == name:
            del stack[index:]
            return


def _is_quote(name: str, attributes: dict[str, str]) -> bool:
    classes = set(attributes.get("class", "").split())
    style = attributes.get("style", "")
    return (
        bool(classes & _QUOTE_CLASSES)
        or attributes.get("id", "").lower() in _QUOTE_IDS
        or (name == "blockquote" and (attributes.get("type") == "cite" or "gmail_quote" in classes))
        or (name == "div" and bool(_OUTLOOK_RULE.search(style) or _OUTLOOK_TOP.search(style)))
    )


def _is_attributed(html: str, opening: re.Match[str]) -> bool:
    """Whether this is a block quotation without any mark of its own, but with an attribution above."""
    if opening[2].lower() != "blockquote":
        return False
    return bool(ATTRIBUTION_TAIL.search(_text(html[max(0, opening.start() - 1500) : opening.start()])[-400:]))


def _copied_headers(html: str) -> int:
    """Where the block "From, Sent, To, Subject" that Outlook copies begins, below some text; else the end."""
    for match in islice(FROM_WORD.finditer(html), _MAX_BLOCKS):
        window = html[match.start() + 1 : match.start() + 4000]
        lines = [line for line in _text(_LINE_END.sub("\n", window.replace("\n", " "))).split("\n") if line.strip()]
        if not is_header_block([line.strip() for line in lines[:10]], 0):
            continue
        before = html[max(0, match.start() - 3000) : match.start() + 1]
        gap = _GAP.search(before)
        start = match.start() + 1 - len(gap[0] if gap else "")
        opening = next((tag for tag in _TAG.finditer(html, start, match.start() + 1) if not tag[1]), None)
        if _text(_STYLE.sub(" ", html[:start])).strip():
            return opening.start() if opening else start
    return len(html) + 1


def _text(markup: str) -> str:
    return _TAG.sub("", markup).replace("&nbsp;", " ")


def _ends_the_message(html: str, opening: re.Match[str], name: str) -> bool:
    """Whether no new text follows the quoting element. Outlook's rule is followed by the quotation itself."""
    if name != "blockquote":
        return True
    depth = 1
    end = len(html)
    for match in _TAG.finditer(html, opening.end()):
        if match[2].lower() == name:
            depth += -1 if match[1] else 1
            if depth == 0:
                end = match.end()
                break
    rest = _text(html[end:])
    return len(rest.split()) <= 3


def _with_attribution(html: str, position: int) -> int:
    """Move the cut before an attribution line ("On ... wrote:") that stands just above."""
    window = html[max(0, position - 1500) : position]
    offset = position - len(window)
    bare_tail = _text(window).rstrip()
    if not ATTRIBUTION_TAIL.search(bare_tail):
        return position
    # Back over tags, white space and one run of text, to the block or line break above the attribution.
    for match in reversed(list(_TAG.finditer(window))):
        if match[2].lower() in ("p", "div", "br", "td", "blockquote", "body") and (
            _TAG.sub("", window[match.end() :]).replace("&nbsp;", " ").strip()
        ):
            inside = not match[1] and match[2].lower() != "br"
            return offset + (match.end() if not inside else match.start())
    return position


def _cut(html: str, position: int) -> tuple[str, str]:
    stack = _open_at(html, position)
    visible = html[:position] + "".join(f"</{item.name}>" for item in reversed(stack))
    styles = "".join(_STYLE.findall(html[:position]))
    quoted = styles + "".join(item.tag for item in stack) + html[position:]
    return visible, quoted


def _open_at(html: str, position: int) -> list[_Open]:
    stack: list[_Open] = []
    for match in _TAG.finditer(html, 0, position):
        name = match[2].lower()
        if match[1]:
            _close(stack, name)
        elif name not in _VOID:
            stack.append(_Open(name, match[0]))
    return stack
