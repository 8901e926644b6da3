"""The attack strings of the shared test data, and what must be true of them once they are sanitised."""

import json
import re
from collections.abc import Iterator
from html.parser import HTMLParser

from sync.mime.sanitise import SanitisedHtml, sanitise_html
from tests.shared_data import shared_data

HARMLESS_LINK = re.compile(r"(?:https?://|mailto:|tel:)", re.IGNORECASE)
RASTER = re.compile(r"data:image/(?:png|jpe?g|gif|webp|bmp|avif);base64,[A-Za-z0-9+/=]*\Z", re.IGNORECASE)
ACTIVE = re.compile(
    r"url\s*\(|@import|expression|javascript|vbscript|-moz-binding|behaviou?r\s*:|position\s*:\s*(?:fixed|sticky)|\\|<",
    re.IGNORECASE,
)
QUOTED_OR_CONDITION = re.compile(r"\"[^\"\n]*\"|@supports[^{]*\{")
ALLOWED_ATTRIBUTES = {
    "abbr", "align", "alt", "aria-hidden", "aria-label", "bgcolor", "border", "bordercolor", "cellpadding",
    "cellspacing", "class", "clear", "color", "colspan", "coords", "datetime", "dir", "face", "frame", "headers",
    "height", "href", "hspace", "id", "lang", "name", "noshade", "nowrap", "open", "rel", "reversed", "role",
    "rowspan", "rules", "scope", "shape", "size", "span", "src", "start", "style", "summary", "target", "title",
    "type", "usemap", "valign", "value", "vspace", "width",
}  # fmt: skip
FORBIDDEN_TAGS = {
    "applet", "audio", "base", "button", "embed", "form", "frame", "frameset", "iframe", "input", "link", "math",
    "meta", "noscript", "object", "option", "plaintext", "script", "select", "source", "svg", "template",
    "textarea", "title", "track", "video", "xmp", "body", "head", "html", "picture", "image", "marquee", "dialog",
}  # fmt: skip
SETS = ["xss-dompurify", "xss-bleach", "xss-html5lib-sanitizer", "xss-payloadbox", "xss-patt"]


def payloads(name: str) -> Iterator[str]:
    """Every attack string of one set."""
    folder = shared_data(name)
    if name == "xss-dompurify":
        yield from (case["payload"] for case in json.loads((folder / "expect.json").read_text("utf-8")))
    elif name == "xss-bleach":
        yield from (path.read_text("utf-8").split("\n--\n")[0] for path in sorted(folder.glob("data/*.test")))
    elif name == "xss-html5lib-sanitizer":
        for path in sorted(folder.glob("sanitizer-testdata/*.dat")):
            yield from (case["input"] for case in json.loads(path.read_text("utf-8")))
    else:
        for path in sorted(folder.glob("Intruder*/*.txt")):
            yield path.read_text("utf-8", "replace")
            yield from path.read_text("utf-8", "replace").splitlines()
        yield from (path.read_text("utf-8", "replace") for path in sorted(folder.glob("Files/*.svg")))


def contexts(payload: str) -> Iterator[str]:
    """A payload as it stands, and where mail could put it."""
    yield payload
    yield f"<style>{payload}</style>"
    yield f'<p style="{payload}">x</p>'
    yield f"<a href='{payload}' title=\"{payload}\">x</a><img src='{payload}' alt=\"{payload}\">"
    yield f"<table><tr><td background='{payload}'><svg><style>{payload}</svg><math><mtext>{payload}"


def sanitised(html: str) -> SanitisedHtml:
    return sanitise_html(html, inline_images={}, show_remote=False, proxy_url=None)


class _Checker(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.in_style = False
        self.findings: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.in_style = tag == "style"
        if tag in FORBIDDEN_TAGS:
            self.findings.append(f"<{tag}>")
        for name, value in attrs:
            self.check_attribute(tag, name, value or "")

    def handle_endtag(self, tag: str) -> None:
        self.in_style = False

    def handle_data(self, data: str) -> None:
        if self.in_style and ("<" in data or active_css(data)):
            self.findings.append(f"style: {data[:200]}")

    def handle_comment(self, data: str) -> None:
        self.findings.append(f"comment: {data[:100]}")

    def handle_decl(self, decl: str) -> None:
        self.findings.append(f"declaration: {decl[:100]}")

    def handle_pi(self, data: str) -> None:
        self.findings.append(f"instruction: {data[:100]}")

    def check_attribute(self, tag: str, name: str, value: str) -> None:
        harmless = name in ALLOWED_ATTRIBUTES
        if name == "href":
            harmless = tag in ("a", "area") and bool(HARMLESS_LINK.match(value))
        elif name == "src":
            harmless = tag == "img" and bool(RASTER.match(value))
        elif name == "style":
            harmless = not active_css(value)
        elif name == "target":
            harmless = value == "_blank"
        if not harmless:
            self.findings.append(f"<{tag} {name}={value[:200]!r}>")


def active_css(css: str) -> bool:
    """Whether CSS could fetch or execute: outside of strings and conditions, where nothing does."""
    return bool(ACTIVE.search(QUOTED_OR_CONDITION.sub(" ", css)))


class _Elements(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.found: set[tuple[str, frozenset[tuple[str, str]]]] = set()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.add((tag, frozenset((name, value or "") for name, value in attrs)))


def elements(html: str) -> set[tuple[str, frozenset[tuple[str, str]]]]:
    """The different elements in markup, with their attributes."""
    parser = _Elements()
    parser.feed(html)
    parser.close()
    return parser.found


def findings(html: str) -> list[str]:
    """What could execute or fetch in this markup; empty when nothing can."""
    checker = _Checker()
    checker.feed(html)
    checker.close()
    return checker.findings
