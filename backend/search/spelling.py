"""The search that somebody probably meant, where what they typed finds nothing.

Words that are like one that was typed are taken from all mail of the installation (`known_words`). So that nobody is
told a word of mail that they may not read, a word is offered to them only if they find something by it.
"""

from collections.abc import Awaitable, Callable
from dataclasses import replace

from backend.access.asker import Asker
from backend.database.connection import execute, fetch
from backend.search.lookup import look_up
from backend.search.wanted import Term, Wanted

IsFound = Callable[[Asker, Wanted, int | None], Awaitable[bool]]

SHORTEST = 4
"""Letters of a word that may be misspelt; so many more (`FARTHER`) may be so twice."""
FARTHER = 7
MOST_LIKE = 100
MOST_TRIED = 6
MOST_CORRECTED = 3
_ALPHABET = "abcdefghijklmnopqrstuvwxyz"
_LIKENESS = 0.3


async def meant_by(asker: Asker, wanted: Wanted, mailbox_id: int | None, is_found: IsFound) -> Wanted | None:
    """The search with other words, by which the person finds something; None where there is none."""
    doubtful = [term for term in wanted.terms if not (term.key or term.quoted or term.negated)]
    doubtful = [term for term in doubtful if len(term.value) >= SHORTEST and term.value.isalpha()][:MOST_CORRECTED]
    corrected: dict[Term, Term] = {}
    folded = await look_up(doubtful)
    for term in doubtful:
        if await is_found(asker, _alone(term), mailbox_id):
            continue
        for word in (await _like(folded[term].folded))[:MOST_TRIED]:
            other = replace(term, value=word)
            if await is_found(asker, _alone(replace(other, unfinished=False)), mailbox_id):
                corrected[term] = other
                break
    if not corrected:
        return None
    meant = Wanted(tuple(tuple(corrected.get(term, term) for term in group) for group in wanted.groups))
    return meant if await is_found(asker, meant, mailbox_id) else None


def _alone(term: Term) -> Wanted:
    return Wanted(((term,),))


async def _like(word: str) -> list[str]:
    """Known words that differ by one letter, or by two where the word is long; the likest first."""
    near = {record["word"] for record in await fetch("SELECT word FROM known_words WHERE word = ANY($1)", _edits(word))}
    if len(word) >= FARTHER or not word.isascii():
        await execute(f"SET LOCAL pg_trgm.similarity_threshold = {_LIKENESS}")
        near |= {
            record["word"]
            for record in await fetch(
                "SELECT word FROM known_words WHERE word % $1 AND abs(length(word) - length($1)) <= 2 "
                f"ORDER BY similarity(word, $1) DESC, word LIMIT {MOST_LIKE}",
                word,
            )
        }
    most = 2 if len(word) >= FARTHER else 1
    far = {each: distance(word, each) for each in near}
    likely = [each for each in near if 0 < far[each] <= most]
    return sorted(likely, key=lambda each: (far[each], each[0] != word[0], each))


def _edits(word: str) -> list[str]:
    """Everything that is one letter away: changed, left out, added or exchanged with its neighbour."""
    parts = [(word[:at], word[at:]) for at in range(len(word) + 1)]
    made = {before + after[1:] for before, after in parts if after}
    made |= {before + after[1] + after[0] + after[2:] for before, after in parts if len(after) > 1}
    for letter in _ALPHABET:
        made |= {before + letter + after[1:] for before, after in parts if after}
        made |= {before + letter + after for before, after in parts}
    return sorted(made - {word})


def distance(one: str, other: str) -> int:
    """How many letters were changed, left out, added or exchanged with their neighbour."""
    rows: list[list[int]] = [list(range(len(other) + 1))]
    for i, letter in enumerate(one, start=1):
        row = [i]
        for j, sign in enumerate(other, start=1):
            best = min(rows[-1][j] + 1, row[-1] + 1, rows[-1][j - 1] + (letter != sign))
            if i > 1 and j > 1 and letter == other[j - 2] and one[i - 2] == sign:
                best = min(best, rows[-2][j - 2] + 1)
            row.append(best)
        rows.append(row)
    return rows[-1][-1]
