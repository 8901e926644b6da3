"""What a comment says, as HTML: a small Markdown, mentions, and links to other conversations. Pure.

Bold, italic, code, links, lists and quotes, and nothing else: no HTML of the writer's, no pictures, no headings (a `#`
begins a link to a conversation). The text itself is what is stored and told; this is how the interface shows it. It is
made safe twice: the parser escapes whatever is not Markdown, and nh3 lets only what stands in `_TAGS` through.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from functools import lru_cache
from html import escape
from typing import Any, NamedTuple

import nh3
from markdown_it import MarkdownIt
from markdown_it.renderer import RendererHTML
from markdown_it.rules_inline import StateInline
from markdown_it.token import Token


class Link(NamedTuple):
    """Where `#123` in a comment leads. `conversation_id` 0: to nothing that this person can see."""

    id: int
    conversation_id: int = 0
    mailbox_id: int = 0
    subject: str = ""
    status: str = ""


LOOKED_BACK = 65
"""Characters before an `@` or `:` among which an address can begin: the longest name at a mail server, and one."""
MOST_BRACKETS = 400
"""A text with more of them has no written links: looking for their ends takes time by the square of their number."""
OUT_OF_SIGHT = "a conversation you cannot see"
_TAGS = {"p", "br", "strong", "em", "code", "pre", "a", "ul", "ol", "li", "blockquote", "span"}
_ATTRIBUTES = {
    "a": {"href", "title", "target", "class", "data-conversation"},
    "span": {"class"},
    "ol": {"start"},
}
_ADDRESS = re.compile(r"(?:https?://|mailto:)", re.IGNORECASE)
_HREF = re.compile(r"(?:https?://|mailto:)|/\?mailbox=\d+&conversation=\d+\Z", re.IGNORECASE)
_REST_OF_URL = re.compile(r"://[^\s<>\"']*[^\s<>\"'.,;:!?)\]}*_]")
_SCHEME = re.compile(r"(?:^|(?<=[\s(\[{]))https?\Z", re.IGNORECASE)
_LOCAL_PART = re.compile(r"[\w.+-]+\Z")
_DOMAIN = re.compile(r"@[\w-]+(?:\.[\w-]+)+")
_NUMBER = re.compile(r"#(\d{1,18})(?!\w)")


def comment_html(text: str, names: Sequence[str], links: Sequence[Link]) -> str:
    """The comment as HTML that may stand in the page. `names` are those of the mentioned, as they follow an `@`."""
    return _made(text, tuple(sorted(set(names), key=lambda name: (-len(name), name))), tuple(links))


@lru_cache(maxsize=4_096)
def _made(text: str, names: tuple[str, ...], links: tuple[Link, ...]) -> str:
    mentions = re.compile(f"@(?:{'|'.join(map(re.escape, names))})(?!\\w)") if names else None
    parser = _parser if text.count("[") <= MOST_BRACKETS else _without_links
    html = parser.render(text, {"mentions": mentions, "links": {link.id: link for link in links}})
    return nh3.clean(html, tags=_TAGS, attributes=_ATTRIBUTES, attribute_filter=_harmless)


def _harmless(tag: str, name: str, value: str) -> str | None:
    return value if name != "href" or _HREF.match(value) else None


def _bare_url(state: StateInline, silent: bool) -> bool:
    """An address of a page, as it is pasted."""
    if state.src[state.pos] != ":" or state.linkLevel:
        return False
    scheme, rest = _SCHEME.search(state.pending[-LOOKED_BACK:]), _REST_OF_URL.match(state.src, state.pos)
    if scheme is None or rest is None:
        return False
    if not silent:
        state.pending = state.pending[: -len(scheme[0])]
        address = scheme[0] + rest[0]
        _push_link(state, {"href": state.md.normalizeLink(address)}, address)
    state.pos = rest.end()
    return True


def _at(state: StateInline, silent: bool) -> bool:
    """Somebody mentioned, or a mail address."""
    if state.src[state.pos] != "@" or state.linkLevel:
        return False
    mentions = state.env["mentions"]
    found = mentions.match(state.src, state.pos) if mentions else None
    if found is not None:
        if not silent:
            state.push("span_open", "span", 1).attrs = {"class": "at"}
            state.push("text", "", 0).content = found[0]
            state.push("span_close", "span", -1)
        state.pos = found.end()
        return True
    before, domain = _LOCAL_PART.search(state.pending[-LOOKED_BACK:]), _DOMAIN.match(state.src, state.pos)
    if before is None or domain is None:
        return False
    if not silent:
        state.pending = state.pending[: -len(before[0])]
        _push_link(state, {"href": f"mailto:{before[0]}{domain[0]}"}, before[0] + domain[0])
    state.pos = domain.end()
    return True


def _conversation(state: StateInline, silent: bool) -> bool:
    """`#123`, where that number is meant as a conversation's."""
    if state.src[state.pos] != "#" or state.linkLevel:
        return False
    found = _NUMBER.match(state.src, state.pos)
    link = state.env["links"].get(int(found[1])) if found else None
    if found is None or link is None:
        return False
    if not silent:
        if link.conversation_id:
            attributes = {
                "class": "to-conversation",
                "href": f"/?mailbox={link.mailbox_id}&conversation={link.conversation_id}",
                "data-conversation": str(link.conversation_id),
            }
            _push_link(state, attributes, f"{link.subject} · {link.status}")
        else:
            state.push("span_open", "span", 1).attrs = {"class": "to-conversation lost"}
            state.push("text", "", 0).content = OUT_OF_SIGHT
            state.push("span_close", "span", -1)
    state.pos = found.end()
    return True


def _push_link(state: StateInline, attributes: Mapping[str, str], text: str) -> None:
    state.push("link_open", "a", 1).attrs = dict(attributes)
    state.push("text", "", 0).content = text
    state.push("link_close", "a", -1)


def _open_link(self: RendererHTML, tokens: Sequence[Token], index: int, options: Any, env: Any) -> str:
    """Links that lead out of Tandem open a tab of their own, and show where they lead."""
    token = tokens[index]
    if "data-conversation" not in token.attrs:
        token.attrs["target"] = "_blank"
        token.attrs["title"] = token.attrs.get("href", "")
    written = "".join(f' {name}="{escape(str(value))}"' for name, value in token.attrs.items())
    return f"<a{written}>"


def _make_parser(*rules: str) -> MarkdownIt:
    parser = MarkdownIt("zero", {"breaks": True, "maxNesting": 20})
    parser.enable(["fence", "blockquote", "list", "newline", "escape", "backticks", "emphasis", *rules])
    parser.inline.ruler.after("text", "bare_url", _bare_url)
    parser.inline.ruler.after("text", "at", _at)
    parser.inline.ruler.after("text", "conversation", _conversation)
    parser.add_render_rule("link_open", _open_link)
    parser.validateLink = lambda url: bool(_ADDRESS.match(url))  # pyright: ignore[reportAttributeAccessIssue]
    return parser


_parser = _make_parser("link")
_without_links = _make_parser()
