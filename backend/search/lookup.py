"""Words and phrases as PostgreSQL looks them up."""

from collections.abc import Sequence
from dataclasses import dataclass

from backend.database.connection import fetch
from backend.search.wanted import Term

SHORTEST_BEGINNING = 2
"""Letters of the last word from which on it counts as a beginning: every mail has words that begin with an a."""

_WEIGHTS = {"subject": "A", "from": "B"}
"""Of `message_words`: where alone the word of such an operator may stand."""

_QUOTED = r"'''' || replace(replace({text}, '\', '\\'), '''', '''''') || '''' || t.suffix"
_QUERIES = f"""
    SELECT to_tsquery('simple',
        CASE WHEN t.text LIKE '%@%' THEN '(' || {_QUOTED.format(text="t.folded")} || ' | '
                                           || {_QUOTED.format(text="translate(t.folded, '@.-_', '    ')")} || ')'
             WHEN apart(t.folded) <> t.folded THEN '(' || {_QUOTED.format(text="t.folded")} || ' | '
                                                     || {_QUOTED.format(text="apart(t.folded)")} || ')'
             ELSE {_QUOTED.format(text="t.folded")} END)::text AS query,
        lower(t.folded) AS folded
      FROM (SELECT w.text, w.suffix, fold_accents(w.text) AS folded, w.number
              FROM unnest($1::text[], $2::text[]) WITH ORDINALITY AS w(text, suffix, number)) t ORDER BY t.number
"""
"""Each text quoted (after folding, for that makes new apostrophes), so that nothing in it is an operator. An address
also counts by its parts, as the sender's is indexed, because one that is not typed to its end is none yet; what is
written without blanks also as the single signs that mail is indexed by."""

_BLANKS = str.maketrans(dict.fromkeys("()[]{},;!?\"'*", " "))
"""What only ever stands between words."""


@dataclass(frozen=True, slots=True)
class Lookup:
    """A term as the text of a tsquery, empty when nothing in it can be looked up (mere punctuation); patterns of
    letters that a text has to hold to fit; and the term in small letters without accents."""

    query: str
    letters: tuple[str, ...] = ()
    folded: str = ""


async def look_up(terms: Sequence[Term]) -> dict[Term, Lookup]:
    """These terms, which are words, or say where in a mail words stand."""
    if not terms:
        return {}
    records = await fetch(_QUERIES, [term.value for term in terms], [_suffix(term) for term in terms])
    return {
        term: Lookup(record["query"], tuple(f"%{word}%" for word in _letters(record["folded"])), record["folded"])
        for term, record in zip(terms, records, strict=True)
    }


def is_beginning(term: Term) -> bool:
    """Whether words that begin with the term count, too."""
    if term.quoted:
        return False
    return bool(term.key) or (term.unfinished and (len(term.value) >= SHORTEST_BEGINNING or not term.value.isascii()))


def _suffix(term: Term) -> str:
    """What follows the quoted text in a tsquery."""
    marks = ("*" if is_beginning(term) else "") + _WEIGHTS.get(term.key, "")
    return f":{marks}" if marks else ""


def _letters(folded: str) -> list[str]:
    """Words of a term that a text must hold to fit. What PostgreSQL takes apart in other ways is left to it."""
    if "<" in folded or "&" in folded:  # may begin markup, which has no words
        return []
    return [word for word in folded.translate(_BLANKS).split() if word.isascii() and word.isalnum()]
