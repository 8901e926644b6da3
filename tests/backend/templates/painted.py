"""Which words of a mail stand in which colour on which ground: in light, in dark, or with all colours turned over."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from html.parser import HTMLParser

Rgb = tuple[float, float, float]
_DECLARATION = re.compile(r"(?:^|;)\s*(background-color|color)\s*:\s*(#[0-9a-f]{6}|transparent)", re.I)
_DARK_RULE = re.compile(r"\.([\w-]+) \{ ([^{}]*) \}")
_EMPTY = {"br", "hr", "img", "meta"}
LIGHT_CANVAS, DARK_CANVAS = "#ffffff", "#1e1e1e"


@dataclass(frozen=True)
class Painted:
    words: str
    ink: str
    ground: str
    bold: bool


def painted(html: str, *, dark: bool) -> list[Painted]:
    """Every piece of text with its colours, as a program paints them that obeys styles and, when `dark`, classes."""
    reader = _Reader(_dark_rules(html) if dark else {}, DARK_CANVAS if dark else LIGHT_CANVAS)
    reader.feed(html)
    return reader.found


def contrast(ink: Rgb, ground: Rgb) -> float:
    """WCAG 2.2, relative luminance."""
    lighter, darker = sorted((_luminance(ink), _luminance(ground)), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


def rgb(color: str) -> Rgb:
    red, green, blue = (int(color[place : place + 2], 16) for place in (1, 3, 5))
    return red, green, blue


def turned_over(color: str) -> Rgb:
    """`invert(0.9) hue-rotate(180deg)`, as our own reading pane does it to mail without dark colours."""
    red, green, blue = (0.9 * (255 - value) + 0.1 * value for value in rgb(color))
    rows = ((-0.574, 1.430, 0.144), (0.426, 0.430, 0.144), (0.426, 1.430, -0.856))
    turned = [min(255.0, max(0.0, r * red + g * green + b * blue)) for r, g, b in rows]
    return turned[0], turned[1], turned[2]


def _luminance(color: Rgb) -> float:
    parts = [value / 255 for value in color]
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def _dark_rules(html: str) -> dict[str, dict[str, str]]:
    _, _, sheet = html.partition("prefers-color-scheme: dark")
    return {name: dict(_declared(body)) for name, body in _DARK_RULE.findall(sheet.partition("</style>")[0])}


def _declared(style: str) -> Iterator[tuple[str, str]]:
    for name, value in _DECLARATION.findall(style):
        yield name.lower(), value.lower()


class _Reader(HTMLParser):
    def __init__(self, rules: dict[str, dict[str, str]], canvas: str) -> None:
        super().__init__(convert_charrefs=True)
        self._rules = rules
        self._open = [("", "#000000" if canvas == LIGHT_CANVAS else "#ffffff", canvas, False)]
        self.found: list[Painted] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in _EMPTY:
            return
        given = {name: value or "" for name, value in attrs}
        own = dict(_declared(given.get("style", "")))
        for name in given.get("class", "").split():
            own |= self._rules.get(name, {})
        _, ink, ground, bold = self._open[-1]
        if own.get("background-color", "transparent") != "transparent":
            ground = own["background-color"]
        elif "background-color" in own:
            ground = self._open[0][2]
        self._open.append(
            (
                tag,
                own.get("color", ink),
                ground,
                bold or tag == "strong" or "font-weight:bold" in given.get("style", ""),
            )
        )

    def handle_endtag(self, tag: str) -> None:
        while len(self._open) > 1 and self._open.pop()[0] != tag:
            pass

    def handle_data(self, data: str) -> None:
        if data.strip() and self.cdata_elem is None:
            self.found.append(Painted(data.strip(), *self._open[-1][1:]))
