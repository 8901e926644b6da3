"""Each kind of block as HTML, in the colours of a tone. Styles stand on the elements, classes only turn colours."""

import html
import re
from collections.abc import Callable, Iterator, Mapping, Sequence

from backend.templates.library.look import RULE, SECOND, TEXT, TONES
from backend.templates.library.source import Block, BlockKind

TABLE = 'role="presentation" cellpadding="0" cellspacing="0" border="0"'
"""Of a table that only lays out."""
SIZE = "font-size:15px;line-height:23px"

_FIELD = re.compile(r"(\{\{.*?\}\}|\{%.*?%\})")
_BETWEEN_CELLS = re.compile(r"\s*\|\s*(?![^{}]*\}\})")
_BOLD = re.compile(r"\*\*(.+?)\*\*")
_LINK = re.compile(r"\[([^\[\]]+)\]\((https://[^\s()]+)\)")


def block_html(block: Block, tone: str) -> str:
    return _WRITERS[block.kind](block.lines, tone)


def line(words: str, style: str, mark: str = "td-text", color: str = TEXT, tag: str = "p") -> str:
    """A line of its own; `words` are HTML already."""
    return f'<{tag} class="{mark}" style="margin:0;{style};color:{color}">{words}</{tag}>'


def escaped(words: str) -> str:
    """Words as HTML, their merge fields untouched, **bold** where marked."""
    pieces = _FIELD.split(words)
    safe = "".join(piece if index % 2 else html.escape(piece, quote=False) for index, piece in enumerate(pieces))
    return _BOLD.sub(r"<strong>\1</strong>", safe)


def linked(words: str, tone: str) -> str:
    style = f'class="td-ink-{tone}" style="color:{TONES[tone].ink};text-decoration:underline"'
    return _LINK.sub(rf'<a href="\2" {style}>\1</a>', escaped(words))


def figure(lines: Sequence[str], mark: str = "td-text", color: str = TEXT) -> str:
    """The first line large."""
    large = "font-size:28px;line-height:36px;font-weight:bold"
    return "\n".join(line(escaped(each), SIZE if index else large, mark, color) for index, each in enumerate(lines))


def progress(lines: Sequence[str], tone: str) -> str:
    """A bar in pieces, those up to now in colour."""
    steps = [each.strip() for each in lines[0].split(",")]
    now = next(index for index, each in enumerate(steps) if each.startswith("*"))
    cells = "".join(_step(each.lstrip("*"), index - now, tone) for index, each in enumerate(steps))
    return f'<table {TABLE} width="100%" style="width:100%">\n<tr>{cells}</tr>\n</table>'


def _step(words: str, from_now: int, tone: str) -> str:
    ink, strong = TONES[tone].ink, TONES[tone].strong
    edge, color = ("td-rule", "#c4beb5") if from_now > 0 else (f"td-edge-{tone}", strong)
    said, weight, width = escaped(words), "normal", 22
    if from_now == 0:
        said, weight, width = f"{said} (now)", "bold", 34
    return (
        f'<td class="{edge} td-ink-{tone}" width="{width}%" valign="top" style="padding:7px 6px 0 0;'
        f'border-top:5px solid {color};font-size:13px;line-height:18px;font-weight:{weight};color:{ink}">{said}</td>'
    )


def _paragraph(lines: Sequence[str], tone: str, mark: str = "td-text", color: str = TEXT) -> str:
    return line("<br>".join(linked(each, tone) for each in lines), SIZE, mark, color)


def _heading(lines: Sequence[str], tone: str) -> str:
    return line(escaped(lines[0]), "font-size:16px;line-height:23px;font-weight:bold", tag="h3")


def _list(lines: Sequence[str], tone: str, tag: str = "ul") -> str:
    style = f"margin:0 0 5px;{SIZE};color:{TEXT}"
    items = "\n".join(f'<li class="td-text" style="{style}">{linked(each, tone)}</li>' for each in lines)
    return f'<{tag} class="td-text" style="margin:0;padding:0 0 0 22px;color:{TEXT}">\n{items}\n</{tag}>'


def _panel(lines: Sequence[str], tone: str) -> str:
    soft, strong, ink = TONES[tone].soft, TONES[tone].strong, TONES[tone].ink
    style = f"padding:12px 16px;background-color:{soft};border-left:4px solid {strong}"
    words = _paragraph(lines, tone, f"td-ink-{tone}", ink)
    cell = f'<td class="td-soft-{tone} td-edge-{tone}" bgcolor="{soft}" style="{style}">{words}</td>'
    return f'<table {TABLE} width="100%" style="width:100%">\n<tr>{cell}</tr>\n</table>'


def _quote(lines: Sequence[str], tone: str) -> str:
    words = _paragraph(lines, tone, "td-second", SECOND)
    style = f"margin:0;padding:0 0 0 14px;border-left:3px solid {RULE}"
    return f'<blockquote class="td-rule" style="{style}">{words}</blockquote>'


def _button(lines: Sequence[str], tone: str) -> str:
    """A link with room around its words: it needs no picture, and all of it can be pressed."""
    words, _, address = lines[0].rpartition(": ")
    strong = TONES[tone].strong
    style = "display:inline-block;padding:12px 22px;font-size:15px;line-height:20px;font-weight:bold;color:#ffffff;"
    link = f'<a href="{html.escape(address)}" style="{style}text-decoration:none">{escaped(words)}</a>'
    ground = f'bgcolor="{strong}" style="background-color:{strong};border-radius:7px"'
    return f'<table {TABLE}>\n<tr><td class="td-strong-{tone}" {ground}>{link}</td></tr>\n</table>'


# ---- tables of facts


def _facts(lines: Sequence[str], tone: str) -> str:
    """Label and value; or columns below a heading, of which the last stands at the right."""
    rows = [(each[:2], _BETWEEN_CELLS.split(each.lstrip("|=# "))) for each in lines]
    cells = _cells_below_heading if lines[0].startswith("|#") else _label_and_value
    body = "\n".join(f"<tr>{''.join(cells(row, words, tone))}</tr>" for row, words in rows)
    room = 'cellpadding="0" cellspacing="0" border="0" width="100%"'
    return f'<table class="td-text" {room} style="width:100%;color:{TEXT}">\n{body}\n</table>'


def _label_and_value(row: str, words: Sequence[str], tone: str) -> Iterator[str]:
    label, value = words
    line = f"border-bottom:1px solid {RULE};font-size:15px;line-height:22px"
    yield (
        f'<th scope="row" class="td-second td-rule" align="left" valign="top" width="32%" '
        f'style="padding:8px 12px 8px 0;{line};color:{SECOND};font-weight:normal">{linked(label, tone)}</th>'
    )
    yield (
        f'<td class="td-text td-rule" align="left" valign="top" style="padding:8px 0;{line};color:{TEXT};'
        f'overflow-wrap:anywhere">{linked(value, tone)}</td>'
    )


def _cells_below_heading(row: str, words: Sequence[str], tone: str) -> Iterator[str]:
    """`row` is how the line began: |# is the heading, |= a sum."""
    head, total = row == "|#", row == "|="
    line = f"border-top:2px solid {SECOND}" if total else f"border-bottom:1px solid {RULE}"
    line += ";font-size:13px;line-height:19px" if head else ";font-size:15px;line-height:22px"
    line += f";color:{SECOND if head else TEXT};font-weight:{'bold' if head or total else 'normal'}"
    for column, cell in enumerate(words):
        last = column == len(words) - 1
        tag = 'th scope="col"' if head else 'th scope="row"' if column == 0 else "td"
        place = f'align="{"right" if last else "left"}" valign="top"'
        style = f"padding:8px 0 8px {12 if column else 0}px;{line}"
        style += ";white-space:nowrap" if column and not head else ""
        mark = "td-second" if head else "td-text"
        yield f'<{tag} class="{mark} td-rule" {place} style="{style}">{linked(cell, tone)}</{tag[:2]}>'


_WRITERS: Mapping[BlockKind, Callable[[Sequence[str], str], str]] = {
    "title": lambda lines, tone: line(escaped(lines[0]), "font-size:20px;line-height:27px;font-weight:bold", tag="h2"),
    "heading": _heading,
    "figure": lambda lines, tone: figure(lines),
    "list": _list,
    "steps": lambda lines, tone: _list(lines, tone, "ol"),
    "facts": _facts,
    "panel": _panel,
    "quote": _quote,
    "progress": progress,
    "button": _button,
    "paragraph": _paragraph,
}
