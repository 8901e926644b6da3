"""Keeps hostile markup from costing more than a moment of an HTML parser's time.

An HTML parser looks through its stack of open elements for nearly every tag, so 100,000 nested `<div>` (500 KB)
cost 20 seconds. We estimate that work first, in one linear scan. Tags with thousands of attributes and endless loose
ampersands cost as much, and mean as little.
"""

import html as html_entities
import re
from collections import Counter

MAX_MARKUP = 1_000_000
"""Characters of markup that are shown. Gmail clips at 102 KB; pictures embedded as data do not count here."""
_MAX_STACK_WORK = 60_000_000
_TAG = re.compile(r"<(/?)([a-zA-Z][^\s/>]{0,30})")
_ANY_TAG = re.compile(r"<[^<>]*>")
_SCOPES = {"applet", "caption", "marquee", "object", "table", "td", "template", "th"}
_HUGE_TAG = re.compile(r"<[a-zA-Z/][^<>]{20000,}>?")
_MANY_AMPERSANDS = 20_000
_LOOSE_AMPERSAND = re.compile(r"&(?![A-Za-z0-9#])")
_VOID = {"area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source", "track", "wbr"}


def bounded_markup(html: str) -> tuple[str, bool]:
    """Markup that is cheap to parse, and whether something was cut off or flattened to get there."""
    cut = len(html) > MAX_MARKUP
    if cut:
        html = html[:MAX_MARKUP]
        html = html[: max(html.rfind("<"), MAX_MARKUP - 10_000)]
    html, dropped = _HUGE_TAG.subn("", html)
    if html.count("&") > _MANY_AMPERSANDS:
        html = _LOOSE_AMPERSAND.sub("", html)
    if _stack_work(html) > _MAX_STACK_WORK:
        return html_entities.escape(html_entities.unescape(_ANY_TAG.sub(" ", html))), True
    return html, cut or dropped > 0


def _stack_work(html: str) -> int:
    """The sum over all tags of the number of elements that may be open there.

    Follows the parser's own rule that an end tag does not reach out of a table cell (a "scope"), or unclosed
    elements could be hidden behind end tags that close nothing.
    """
    scopes: list[tuple[str, Counter[str]]] = [("", Counter())]
    depth = work = 0
    for match in _TAG.finditer(html):
        name = match[2].lower()
        if name in _VOID:
            continue
        if not match[1]:
            depth += 1
            if name in _SCOPES:
                scopes.append((name, Counter()))
            else:
                scopes[-1][1][name] += 1
        elif name in _SCOPES:
            depth -= _close_scope(scopes, name)
        elif scopes[-1][1][name] > 0:
            scopes[-1][1][name] -= 1
            depth -= 1
        work += depth
        if work > _MAX_STACK_WORK:
            break
    return work


def _close_scope(scopes: list[tuple[str, Counter[str]]], name: str) -> int:
    """Close scopes up to the nearest one of this name, if there is one; how many elements that closes."""
    for index in range(len(scopes) - 1, max(len(scopes) - 20, 0), -1):
        if scopes[index][0] == name:
            closed = sum(1 + counter.total() for _, counter in scopes[index:])
            del scopes[index:]
            return closed
    return 0
