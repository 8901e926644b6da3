"""A template as HTML that mail programs show alike.

Tables that only lay out say so (`role="presentation"`), for screen readers and for who takes the text; no picture, no
font, nothing from elsewhere. A paragraph has no margin and an empty one follows it, as the editor writes it
(docs/decisions/0025-the-editor.md), so that a mail in which somebody goes on writing keeps its distances.
"""

from collections.abc import Sequence
from itertools import takewhile

from backend.templates.library.blocks import SIZE, TABLE, block_html, escaped, figure, line, progress
from backend.templates.library.look import PAGE, PAPER, RULE, SECOND, STYLES, TEXT, TONES
from backend.templates.library.source import Block, Look, Source

_NOTHING = '<p style="margin:0;font-size:12px;line-height:14px"><br></p>'
_BETWEEN = f"\n{_NOTHING}\n"


def html_of(source: Source) -> str:
    """The whole mail, its style sheet included."""
    if source.look == "letter":
        style = f"max-width:600px;background-color:{PAPER};color:{TEXT};{SIZE};overflow-wrap:break-word"
        body = f'<div class="td-letter" style="{style}">\n{_body(source.blocks, source.tone)}\n</div>'
    else:
        body = _page(source)
    return f"{STYLES}\n{body}"


def _body(blocks: Sequence[Block], tone: str) -> str:
    return _BETWEEN.join(block_html(block, tone) for block in blocks)


def _page(source: Source) -> str:
    """Paper on a page: a head, the mail, a foot. What is large belongs to the title, on the same ground."""
    title, *rest = source.blocks
    large = list(takewhile(lambda block: block.kind in ("figure", "progress"), rest))
    head = _head(source.look, source.tone, title, large)
    body = _body(rest[len(large) :], source.tone)
    page = f'class="td-page" width="100%" bgcolor="{PAGE}" style="width:100%;background-color:{PAGE}"'
    paper = f"width:100%;max-width:600px;background-color:{PAPER};color:{TEXT};text-align:left;overflow-wrap:break-word"
    foot = f"padding:14px 28px 18px;border-top:1px solid {RULE};color:{SECOND};font-size:13px;line-height:19px"
    return "\n".join(
        (
            f"<table {TABLE} {page}>",
            '<tr><td class="td-around" align="center" style="padding:20px 12px">',
            f'<table {TABLE} class="td-paper" width="600" align="center" bgcolor="{PAPER}" style="{paper}">',
            head,
            f'<tr><td class="td-inside td-text" style="padding:22px 28px 26px;color:{TEXT};{SIZE}">',
            body,
            "</td></tr>",
            f'<tr><td class="td-inside td-rule td-second" style="{foot}">',
            "{{ organisation.name }}<br>{{ mailbox.address }}</td></tr>",
            "</table>",
            "</td></tr>",
            "</table>",
        )
    )


def _head(look: Look, tone: str, title: Block, large: Sequence[Block]) -> str:
    """Whose mail it is, what it is about, and what is large."""
    colours = TONES[tone]
    words = name = (f"td-ink-{tone}", colours.ink)
    below = 20
    if look == "card":
        ground = f'class="td-inside td-soft-{tone}" bgcolor="{colours.soft}"'
        style = f"background-color:{colours.soft}"
    elif look == "band":
        words = name = ("td-white", "#ffffff")
        ground = f'class="td-inside td-strong-{tone}" bgcolor="{colours.strong}"'
        style = f"background-color:{colours.strong}"
    else:
        words = ("td-text", TEXT)
        ground, style = f'class="td-inside td-edge-{tone}"', f"border-top:4px solid {colours.strong}"
        below = 0
    lines = [
        line("{{ organisation.name }}", "font-size:13px;line-height:19px;font-weight:bold", *name),
        line(
            escaped(title.lines[0]),
            "padding:4px 0 0;font-size:22px;line-height:29px;font-weight:bold",
            *words,
            tag="h2",
        ),
    ]
    lines += [line(escaped(each), SIZE, *words) for each in title.lines[1:]]
    for block in large:
        bar = block.kind == "progress"
        lines += [_NOTHING, progress(block.lines, tone)] if bar else [figure(block.lines, *words)]
    inner = "\n".join(lines)
    return f'<tr><td {ground} style="padding:22px 28px {below}px;{style};color:{words[1]}">\n{inner}\n</td></tr>'
