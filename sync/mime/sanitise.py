"""The HTML of a stranger, made safe to show.

Three fences, each of which would do alone against scripts:

1. `nh3` (html5ever, as browsers parse) keeps listed tags and attributes only; every attribute value passes our own
   filter; styles are parsed and written again (`sync.mime.css`).
2. The page that carries the result (`document`) has a Content-Security-Policy that allows no script, no form, no
   frame, and pictures only from where we say. Send `content_security_policy()` as a header, too.
3. The interface shows it in an `<iframe sandbox>` without `allow-scripts`.

Nothing remote is referred to unless `show_remote` *and* a proxy are given: opening a mail tells nobody anything.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from urllib.parse import unquote

import nh3

from sync.mime.css import clean_declarations, clean_stylesheet
from sync.mime.markup_bounds import bounded_markup
from sync.mime.page import FRAME_SANDBOX, content_security_policy, document

__all__ = ["FRAME_SANDBOX", "SanitisedHtml", "content_security_policy", "document", "sanitise_html"]

_TAGS = {
    "a", "abbr", "acronym", "address", "area", "article", "aside", "b", "bdi", "bdo", "big", "blockquote", "br",
    "caption", "center", "cite", "code", "col", "colgroup", "dd", "del", "details", "dfn", "dir", "div", "dl", "dt",
    "em", "figcaption", "figure", "font", "footer", "h1", "h2", "h3", "h4", "h5", "h6", "header", "hr", "i", "img",
    "ins", "kbd", "li", "main", "map", "mark", "menu", "nav", "ol", "p", "pre", "q", "rp", "rt", "ruby", "s", "samp",
    "section", "small", "span", "strike", "strong", "style", "sub", "summary", "sup", "table", "tbody", "td",
    "tfoot", "th", "thead", "time", "tr", "tt", "u", "ul", "var", "wbr",
}  # fmt: skip
_DROPPED_WITH_CONTENT = {
    "applet", "audio", "canvas", "embed", "frameset", "iframe", "math", "noembed", "noframes", "object", "script",
    "svg", "template", "title", "video", "xmp",
}  # fmt: skip
_EVERYWHERE = {"align", "aria-hidden", "aria-label", "bgcolor", "class", "dir", "height", "id", "lang", "role",
               "style", "title", "valign", "width"}  # fmt: skip
_ATTRIBUTES = {
    "*": _EVERYWHERE,
    "a": {"href", "name"},
    "area": {"href", "alt", "coords", "shape"},
    "blockquote": {"type"},
    "br": {"clear"},
    "col": {"span"},
    "colgroup": {"span"},
    "del": {"datetime"},
    "details": {"open"},
    "font": {"color", "face", "size"},
    "hr": {"color", "noshade", "size"},
    "img": {"alt", "border", "hspace", "src", "srcset", "usemap", "vspace"},
    "ins": {"datetime"},
    "li": {"type", "value"},
    "map": {"name"},
    "ol": {"reversed", "start", "type"},
    "table": {"background", "border", "bordercolor", "cellpadding", "cellspacing", "frame", "rules", "summary"},
    "td": {"abbr", "background", "colspan", "headers", "nowrap", "rowspan", "scope"},
    "th": {"abbr", "background", "colspan", "headers", "nowrap", "rowspan", "scope"},
    "time": {"datetime"},
    "tr": {"background"},
    "ul": {"type"},
}
_LINK_SCHEMES = ("http://", "https://", "mailto:", "tel:")
_DATA_PICTURE = re.compile(r"data:image/(?:png|jpe?g|gif|webp|bmp|avif)\s*;\s*base64\s*,[A-Za-z0-9+/=\s]*\Z", re.I)
_DATA_ADDRESS = re.compile(r"data:image/[a-z0-9.+-]{1,20}[^\"'<>()\s,]{0,60},[A-Za-z0-9+/=%._~-]{200,}", re.I)
_KEPT_DATA = re.compile(r"data:kept/(\d+)\Z")
_STYLE_ELEMENT = re.compile(r"<style(?:\s[^<>]*)?>(.*?)</style>", re.DOTALL)
_BODY_TAG = re.compile(r"<body\b", re.IGNORECASE)
_WEB_HOST = re.compile(
    r"https?:[/\\]*(?:[^/\\?#]*@)?(?:\[[0-9a-f:.]+\]|[^\s/\\?#<>^|%\[\]:@]+)(?::\d{0,5})?(?:[/\\?#]|\Z)", re.IGNORECASE
)
"""A host that browsers can read (the URL Standard, "forbidden host code point"); other links lead nowhere."""
_META_DARK = re.compile(r"<meta\b[^<>]*\bcolor-scheme\b[^<>]*\bdark\b", re.IGNORECASE)
_CONTROLS = re.compile(r"[\x00-\x1f\x7f]+")
MAX_DATA = 12_000_000
"""Characters of pictures embedded as data: addresses that are kept in one message."""


@dataclass(frozen=True, slots=True)
class SanitisedHtml:
    """`html` is a fragment for `document`. `blocked_remote` counts the different remote addresses removed;
    `declares_dark` says that the mail brings its own dark colours; `cut` that it was too long or too deep.
    """

    html: str
    blocked_remote: int
    declares_dark: bool
    cut: bool


def sanitise_html(
    html: str,
    *,
    inline_images: Mapping[str, str],
    show_remote: bool,
    proxy_url: Callable[[str], str] | None,
) -> SanitisedHtml:
    """Make HTML safe to show.

    `inline_images` maps content-ids (without brackets) to addresses of our own. Remote pictures stay only with
    `show_remote`, rewritten by `proxy_url` (remote address -> our address); without a proxy none is ever shown.
    """
    addresses = _Addresses(
        {key.strip("<>").lower(): value for key, value in inline_images.items()}, proxy_url if show_remote else None
    )
    markup, cut = bounded_markup(addresses.set_data_aside(html))
    dark = bool(_META_DARK.search(markup))
    clean = _cleaner(addresses).clean(_BODY_TAG.sub("<div", markup, count=1))

    def restyle(match: re.Match[str]) -> str:
        nonlocal dark
        css, speaks_of_dark = clean_stylesheet(match[1], addresses.picture)
        dark = dark or speaks_of_dark
        return f"<style>{css}</style>" if css else ""

    clean = _STYLE_ELEMENT.sub(restyle, clean)
    return SanitisedHtml(clean, len(addresses.blocked), dark, cut)


@dataclass(slots=True)
class _Addresses:
    """Decides on every address in one message."""

    inline: Mapping[str, str]
    proxy: Callable[[str], str] | None
    blocked: set[str] = field(default_factory=set)
    given: set[str] = field(default_factory=set)
    _data: list[str] = field(default_factory=list)

    def set_data_aside(self, html: str) -> str:
        """Replace long data: pictures by short names, so that they do not count as markup."""
        total = 0

        def keep(match: re.Match[str]) -> str:
            nonlocal total
            total += len(match[0])
            if total > MAX_DATA or not _DATA_PICTURE.match(match[0]):
                return ""
            self._data.append(match[0])
            return f"data:kept/{len(self._data) - 1}"

        return _DATA_ADDRESS.sub(keep, html)

    def picture(self, address: str) -> str | None:
        """The address to load a picture from, or None to remove it."""
        compact = _compact(address)
        lower = compact[:16].lower()
        if lower.startswith("cid:"):
            return self._give(self.inline.get(unquote(compact[4:]).lower()))
        if kept := _KEPT_DATA.match(compact):
            index = int(kept[1])
            return self._give(self._data[index] if index < len(self._data) else None)
        if lower.startswith("data:"):
            compact = compact.replace("%20", "")
            return self._give(compact if _DATA_PICTURE.match(compact) else None)
        if not compact.lower().startswith(("http://", "https://")):
            return None
        if self.proxy is None:
            self.blocked.add(compact)
            return None
        return self._give(self.proxy(compact))

    def link(self, address: str) -> str | None:
        compact = _compact(address)
        lower = compact.lower()
        if not lower.startswith(_LINK_SCHEMES) or (lower.startswith("http") and not _WEB_HOST.match(compact)):
            return None
        return self._give(compact)

    def source_set(self, value: str) -> str | None:
        kept: list[str] = []
        for candidate in re.split(r",\s+|\s+,", value[:20_000]):
            address, _, descriptor = candidate.strip().partition(" ")
            source = self.picture(address) if address else None
            if source and re.fullmatch(r"[\d.]*[wx]?", descriptor.strip()) and not re.search(r"[\s,]", source):
                kept.append(f"{source} {descriptor.strip()}".strip())
        return self._give(", ".join(kept)) if kept else None

    def _give(self, address: str | None) -> str | None:
        if address is not None:
            self.given.add(address)
        return address


def _compact(address: str) -> str:
    """An address as a browser reads it: without control characters, blanks as %20, https where none is named."""
    compact = _CONTROLS.sub("", address).strip().replace(" ", "%20")
    return "https:" + compact if compact.startswith("//") else compact


def _cleaner(addresses: _Addresses) -> nh3.Cleaner:
    def filter_attribute(tag: str, name: str, value: str) -> str | None:
        if name == "style":
            return clean_declarations(value, addresses.picture) or None
        if name in ("src", "background"):
            return addresses.picture(value)
        if name == "srcset":
            return addresses.source_set(value)
        if name == "href":
            return addresses.link(value)
        if name == "usemap":
            return value if re.fullmatch(r"#[\w.-]{1,100}", value) else None
        return value

    return nh3.Cleaner(
        tags=_TAGS,
        clean_content_tags=_DROPPED_WITH_CONTENT,
        attributes=_ATTRIBUTES,
        attribute_filter=filter_attribute,
        strip_comments=True,
        link_rel="noopener noreferrer nofollow",
        set_tag_attribute_values={"a": {"target": "_blank"}, "area": {"target": "_blank"}},
        url_schemes={"http", "https", "mailto", "tel", "cid", "data"},
        # nh3 asks only about relative addresses, after our filter: those that we ourselves have given stay.
        url_relative=lambda address: address if address in addresses.given else None,
    )
