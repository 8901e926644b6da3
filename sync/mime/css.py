"""CSS of strangers: only listed properties, functions and at-rules stay; every address in it goes through one gate.

Parsed with tinycss2 and written again from its tokens, so that no escape, comment or broken string can hide a
function name. Whatever would end a `<style>` element or open a tag is refused as a whole.
"""

import re
from collections.abc import Callable, Iterable
from functools import lru_cache
from typing import Any

import tinycss2

MAX_STYLESHEET = 200_000
MAX_DEPTH = 3

UrlGate = Callable[[str], str | None]
"""Takes an address as written; gives the address to write instead, or None to remove what refers to it."""

_PREFIXES = (
    "background", "border", "margin", "padding", "font", "text", "list-style", "outline", "flex", "grid", "column",
    "overflow", "word", "min-", "max-", "mso-", "inset", "-webkit-text-size", "-ms-text-size", "-moz-text-size",
)  # fmt: skip
_PROPERTIES = {
    "align-content", "align-items", "align-self", "aspect-ratio", "bottom", "box-shadow", "box-sizing",
    "break-after", "break-before", "break-inside", "caption-side", "clear", "color", "color-scheme", "columns",
    "direction", "display", "empty-cells", "filter", "float", "gap", "height", "hyphens", "justify-content",
    "justify-items", "justify-self", "left", "letter-spacing", "line-break", "line-height", "object-fit",
    "object-position", "opacity", "order", "orphans", "page-break-after", "page-break-before", "page-break-inside",
    "position", "quotes", "right", "row-gap", "tab-size", "table-layout", "top", "transform", "transform-origin",
    "unicode-bidi", "vertical-align", "visibility", "white-space", "widows", "width", "writing-mode", "z-index",
    "zoom", "content", "-webkit-font-smoothing", "-moz-osx-font-smoothing", "-webkit-box-shadow",
    "-webkit-border-radius", "-moz-border-radius", "-webkit-hyphens", "-ms-interpolation-mode",
    "-webkit-background-clip", "-webkit-text-fill-color",
}  # fmt: skip
_REFUSED_PROPERTIES = {"grid-template-areas", "mso-element-anchor-horizontal", "mso-data-placement"}
_FUNCTIONS = {
    "calc", "clamp", "min", "max", "rgb", "rgba", "hsl", "hsla", "linear-gradient", "radial-gradient",
    "repeating-linear-gradient", "repeating-radial-gradient", "conic-gradient", "rotate", "scale", "scalex",
    "scaley", "translate", "translatex", "translatey", "skew", "matrix", "minmax", "repeat", "fit-content", "blur",
    "brightness", "contrast", "grayscale", "invert", "saturate", "sepia", "drop-shadow", "opacity", "hue-rotate",
    "counter", "counters", "light-dark",
}  # fmt: skip
_CONDITIONAL = {"media", "supports"}
_POSITIONS = {"static", "relative", "absolute"}
_PLAIN = re.compile(r"[\w\s.,#%!+\-/'\"]*\Z", re.ASCII)
_IDENT = re.compile(r"[\w\u0080-\U0010ffff-]+\Z")  # "url\\28" is one identifier, and no honest one
_BREAKS_OUT = re.compile(r"<|-->")


def clean_declarations(style: str, gate: UrlGate) -> str:
    """The content of a style attribute with only what is allowed; possibly empty."""
    if len(style) > 20_000:
        return ""
    plain = _plain_declarations(style)
    if plain is not None:
        return plain
    return _safe("; ".join(_declarations(tinycss2.parse_blocks_contents(style), gate)))


@lru_cache(maxsize=8192)
def _plain_declarations(style: str) -> str | None:
    """The fast way for the styles that newsletters repeat by the thousand: no function, escape or comment."""
    kept: list[str] = []
    for declaration in style.split(";"):
        name, colon, value = declaration.partition(":")
        name = name.strip().lower()
        if not name and not colon:
            continue
        if not colon or not _PLAIN.match(value) or "/*" in value or value.count('"') % 2 or value.count("'") % 2:
            return None
        if _allowed(name, value):
            kept.append(f"{name}: {value.strip()}")
    return "; ".join(kept)


def clean_stylesheet(css: str, gate: UrlGate) -> tuple[str, bool]:
    """A style sheet with only what is allowed, and whether it speaks of dark mode. Cut at `MAX_STYLESHEET`."""
    rules = tinycss2.parse_stylesheet(css[:MAX_STYLESHEET], skip_comments=True, skip_whitespace=True)
    kept = _rules(rules, gate, MAX_DEPTH)
    text = "\n".join(kept)
    dark = "prefers-color-scheme" in text or re.search(r"color-scheme:[^;}]*dark", text) is not None
    return text, dark


def _rules(nodes: Iterable[Any], gate: UrlGate, depth: int) -> list[str]:
    kept: list[str] = []
    for node in nodes:
        if node.type == "qualified-rule":
            body = "; ".join(_declarations(tinycss2.parse_blocks_contents(node.content), gate))
            selector = tinycss2.serialize(node.prelude).strip()
            if body and selector and not _selector_refused(node.prelude):
                kept.append(_safe(f"{selector} {{ {body} }}"))
        elif node.type == "at-rule" and node.lower_at_keyword in _CONDITIONAL and node.content is not None and depth:
            inner = _rules(
                tinycss2.parse_rule_list(node.content, skip_comments=True, skip_whitespace=True), gate, depth - 1
            )
            prelude = tinycss2.serialize(node.prelude).strip()
            if inner and not _has_address(node.prelude):
                head = _safe(f"@{node.lower_at_keyword} {prelude}")
                kept.append("\n".join([f"{head} {{", *inner, "}"]) if head else "")
    return [rule for rule in kept if rule]


def _declarations(nodes: Iterable[Any], gate: UrlGate) -> list[str]:
    kept: list[str] = []
    for node in nodes:
        if node.type != "declaration":
            continue
        value = _value(node.value, gate)
        if value and _allowed(node.lower_name, value):
            kept.append(f"{node.lower_name}: {value}" + (" !important" if node.important else ""))
    return kept


def _allowed(name: str, value: str) -> bool:
    if name == "position":
        return value.replace("!important", "").strip().lower() in _POSITIONS
    if name in _REFUSED_PROPERTIES or name.startswith("--"):
        return False
    return name in _PROPERTIES or name.startswith(_PREFIXES)


def _value(tokens: list[Any], gate: UrlGate) -> str | None:
    """The value written again, or None when it holds anything that is not allowed."""
    out: list[str] = []
    for token in tokens:
        if token.type == "url" or (token.type == "function" and token.lower_name == "url"):
            address = token.value if token.type == "url" else _string_argument(token)
            replacement = gate(address) if address is not None else None
            if replacement is None:
                return None
            out.append(f'url("{_in_string(replacement)}")')
        elif token.type == "function":
            inner = _value(token.arguments, gate) if token.lower_name in _FUNCTIONS else None
            if inner is None:
                return None
            out.append(f"{token.lower_name}({inner})")
        elif token.type in ("[] block", "() block"):
            inner = _value(token.content, gate)
            if inner is None:
                return None
            out.append(f"[{inner}]" if token.type == "[] block" else f"({inner})")
        elif token.type == "string":
            out.append(f'"{_in_string(token.value)}"')
        elif token.type == "comment":
            out.append(" ")
        elif token.type == "ident" and not _IDENT.match(token.value):
            return None
        elif token.type in ("whitespace", "ident", "number", "percentage", "dimension", "hash", "unicode-range"):
            out.append(token.serialize())
        elif token.type == "literal" and token.value in (",", "/", "+", "-", "*"):
            out.append(token.value)
        else:
            return None
    return "".join(out).strip()


def _string_argument(token: Any) -> str | None:
    strings = [item.value for item in token.arguments if item.type == "string"]
    return strings[0] if len(strings) == 1 else None


def _in_string(text: str) -> str:
    """Text inside a double-quoted CSS string. What HTML or CSS could mistake for markup is escaped by number."""
    return re.sub(r"[\"\\<>&\x00-\x1f\x7f]", lambda match: f"\\{ord(match[0]):x} ", text)


def _has_address(tokens: Iterable[Any]) -> bool:
    return any(
        token.type in ("url", "bad-url")
        or (token.type == "function" and (token.lower_name == "url" or _has_address(token.arguments)))
        or (token.type.endswith("block") and _has_address(token.content))
        for token in tokens
    )


def _selector_refused(tokens: Iterable[Any]) -> bool:
    return _has_address(tokens) or any(token.type in ("{} block", "bad-string", "error") for token in tokens)


def _safe(text: str) -> str:
    """The text, or nothing when it could end the element that it stands in."""
    return "" if _BREAKS_OUT.search(text) else text
