"""What was written now, and what is quoted from before.

Text is cut where the quotation begins: an attribution ("On ... wrote:", in the languages below), a mail client's
divider, a block of copied headers, or `>` lines to the end. A reply written *between* quoted lines stays whole:
only a quotation that runs to the end is folded.

HTML is cut at the element in which a mail client puts the quotation. Use it on the output of `sanitise_html`,
whose markup is regular; the two halves are well-formed on their own, and their texts together are the whole.
"""

from sync.mime.quote_marks import (
    ATTRIBUTION,
    DIVIDER,
    MAX_LINE,
    OPENING_WORD,
    QUOTED_LINE,
    RULE,
    WRAPPED,
    is_header_block,
)
from sync.mime.quoted_markup import split_markup

_RULES = "_-="
_DIVIDERS = "-_*=#bB"


def split_quoted_text(text: str, *, enough: int | None = None) -> tuple[str, str]:
    """The visible part and the quoted rest of a plain text. Together, apart from blank lines, they are the text.

    The quoted part is empty when nothing is quoted, and when everything is (a bare forward shows itself). With
    `enough`, only the first so many characters of the visible part, blanks collapsed, need to be right: the quotation
    is not looked for behind them.
    """
    lines = text.split("\n")
    cut = _cut_line(lines, len(lines) if enough is None else _lines_for(lines, enough))
    while 0 < cut < len(lines) and (not lines[cut - 1].strip() or RULE.match(lines[cut - 1][:MAX_LINE])):
        cut -= 1
    visible = "\n".join(lines[:cut]).rstrip()
    if not visible.strip() or cut >= len(lines):
        return text, ""
    return visible, "\n".join(lines[cut:]).strip("\n")


def split_quoted_html(html: str) -> tuple[str, str]:
    """The visible and the quoted half of sanitised HTML; the second is empty when nothing is quoted."""
    return split_markup(html)


def _lines_for(lines: list[str], characters: int) -> int:
    """How many lines hold more than so many characters, counting none that may be taken back with a quotation."""
    found = 0
    for number, line in enumerate(lines, 1):
        if line.lstrip()[:1] not in _RULES or not RULE.match(line[:MAX_LINE]):
            found += sum(map(len, line.split()))
        if found > characters:
            return number
    return len(lines)


def _cut_line(lines: list[str], looked_at: int) -> int:
    """The number of the line at which the final quotation begins; the number of lines when there is none.

    An attribution or a divider is looked for in the first `looked_at` lines.
    """
    for index, line in enumerate(lines[:looked_at]):
        if len(line) > MAX_LINE or not line.strip():
            continue
        # The patterns are long; most lines cannot fit them by their first letter, or have no colon.
        if (line.lstrip()[:1] in _DIVIDERS and DIVIDER.match(line)) or (
            (":" in line or "\uff1a" in line) and is_header_block(lines, index)
        ):
            return index
        length = _attribution_length(lines, index)
        if length and _quoted_to_the_end(lines, index + length):
            return index
    return _trailing_quote(lines)


def _attribution_length(lines: list[str], index: int) -> int:
    """How many lines from here make an attribution: clients wrap it at will. 0 when it is none."""
    joined = ""
    first = lines[index]
    if not first.rstrip().endswith((":", "\uff1a")) and not WRAPPED.match(first[:300]):
        return 0  # most lines: spares them the long pattern
    for length in range(1, 5):
        if index + length > len(lines):
            break
        line = lines[index + length - 1]
        if len(line) > 300 or (length > 1 and (not line.strip() or QUOTED_LINE.match(line))):
            break
        if length == 2 and not WRAPPED.match(first):
            break
        joined = f"{joined} {line.strip()}".strip()
        if (joined.endswith((":", "\uff1a")) or OPENING_WORD.match(joined)) and ATTRIBUTION.match(joined):
            return length
    return 0


def _quoted_to_the_end(lines: list[str], start: int) -> bool:
    """Whether what follows an attribution is a quotation and nothing new after it.

    A client that does not mark the quoted lines quotes to the end, too.
    """
    rest = [line for line in lines[start:] if line.strip()]
    if not rest or not rest[0].lstrip().startswith(">"):
        return not any(line.lstrip().startswith(">") for line in rest[:3])
    return _unquoted_tail(rest)


def _trailing_quote(lines: list[str]) -> int:
    cut = end = len(lines)
    while end > 0 and not lines[end - 1].strip():
        end -= 1
    start = end
    while start > 0 and (lines[start - 1].lstrip().startswith(">") or not lines[start - 1].strip()):
        start -= 1
    return start if start < end else cut


def _unquoted_tail(rest: list[str]) -> bool:
    """Whether all lines are quoted, but for lines that a client or a list has broken off or put below."""
    loose = 0
    for line in rest:
        if line.lstrip().startswith(">"):
            loose = 0
            continue
        loose += 1
        if (loose == 1 and line.strip() in ("--", "-- ")) or RULE.match(line[:MAX_LINE]):
            return True  # a signature or a list's footer below the quotation
        if loose > 1:
            return False
    return loose == 0
