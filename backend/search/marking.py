"""Marking in a text what was searched for. Pure.

PostgreSQL could do it (`ts_headline`), at a millisecond a mail: a page of fifty would wait for that longer than for
everything else. What is marked here is how a person would mark it, whatever the case and the accents.
"""

import re
import unicodedata
from collections.abc import Iterable

from backend.search.contracts import Piece
from backend.search.lookup import Lookup, is_beginning
from backend.search.wanted import Term

LONGEST_EXCERPT = 220
"""Characters."""
BEFORE = 14
"""Characters that stand before the first hit."""

_PAIRS = {"ss": "ß", "ae": "æ", "oe": "œ"}
"""One letter for two, as the index takes it."""
_SIGNS = re.compile("[\u3041-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff]")
_WORDS = re.compile(r"\w+")


class _Folding(dict[int, int]):
    """Letters without accents, one for one, worked out when they are met first."""

    def __missing__(self, code: int) -> int:
        letter = chr(code)
        if code >= 128:
            base = "".join(each for each in unicodedata.normalize("NFKD", letter) if not unicodedata.combining(each))
            letter = base if len(base) == 1 else letter
        lowered = letter.lower()
        self[code] = ord(lowered) if len(lowered) == 1 else ord(letter)
        return self[code]


_FOLDING = _Folding()


def pattern(terms: Iterable[tuple[Term, Lookup]]) -> re.Pattern[str] | None:
    """What fits any of the terms in a folded text; None where there is nothing to be marked."""
    found = [each for term, lookup in terms if (each := _one(term, lookup.folded))]
    return re.compile("|".join(found)) if found else None


def _one(term: Term, folded: str) -> str:
    words = _WORDS.findall(folded.translate(_FOLDING))
    if not words:
        return ""
    text = r"[\W_]+".join(re.escape(word) for word in words)
    for pair, letter in _PAIRS.items():
        text = text.replace(pair, f"(?:{pair}|{letter})")
    if _SIGNS.search(folded):
        return text
    return rf"(?<![^\W_]){text}" + (r"\w*" if is_beginning(term) else r"(?![^\W_])")


def mark(text: str, wanted: re.Pattern[str] | None, *, cut: bool) -> list[Piece]:
    """The text in pieces, or with `cut` what stands around the first hit; empty where there is none."""
    if wanted is None:
        return []
    folded = text.translate(_FOLDING)
    first = wanted.search(folded)
    if first is None:
        return []
    start = 0
    if cut:
        start = max(0, first.start() - BEFORE)
        if start:
            blank = text.find(" ", start, first.start())
            start = blank + 1 if blank > 0 else start
    end = min(len(text), start + LONGEST_EXCERPT) if cut else len(text)
    pieces: list[Piece] = [Piece(text="… ")] if start else []
    at = start
    for hit in wanted.finditer(folded, start, end):
        if hit.start() > at:
            pieces.append(Piece(text=_even(text[at : hit.start()])))
        pieces.append(Piece(text=_even(text[hit.start() : hit.end()]), hit=True))
        at = hit.end()
    if at < end:
        pieces.append(Piece(text=_even(text[at:end])))
    return pieces


def _even(text: str) -> str:
    return re.sub(r"\s+", " ", text)
