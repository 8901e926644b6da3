"""Finding conversations by words, in messages and comments, among those that the asking person sees.

Newest first, and never slow, however many hits a word has: nothing is counted and nothing ranked. A word that few
messages hold is looked up in the index, and its conversations are sorted. For a word that very many hold that would be
slow (all of them would be fetched, to show fifty); there the conversations are walked from the newest on, and the walk
ends when the page is full. `COMMON` hits, found by reading no further, decide between the two.
"""

from backend.access.asker import Asker
from backend.access.fetch import SEES, access_mailbox
from backend.contacts.queries import pattern_of
from backend.conversations.contracts import ConversationPage
from backend.conversations.queries import MARK_COLUMNS, page_of, read_cursor, stream_positions
from backend.conversations.rows import ROW_COLUMNS
from backend.database.connection import fetch, fetch_row, fetch_value, snapshot
from backend.mailboxes.queries import UNREAD
from backend.search.wanted import Wanted, read_wanted
from backend.search.words import SHOWN, WORDS, in_comments, in_messages, walked

PAGE = 50
COMMON = 1_000
"""Hits from which on a query counts as common."""
SAMPLED = 500
"""Messages whose words wait that are looked at for whether a query is common."""

_QUOTED = r"'''' || replace(replace(fold_accents({text}), '\', '\\'), '''', '''''') || '''' || t.suffix"
TSQUERY = f"""
    to_tsquery('simple', (SELECT string_agg(
        CASE WHEN t.text LIKE '%@%' THEN '(' || {_QUOTED.format(text="t.text")} || ' | '
                                             || {_QUOTED.format(text="translate(t.text, '@.-_', '    ')")} || ')'
             ELSE {_QUOTED.format(text="t.text")} END, ' & ')
        FROM unnest($1::text[], $2::text[]) AS t(text, suffix)))::text
"""
"""Each text quoted (after folding, for that makes new apostrophes), so that nothing in it is an operator. An address
also counts by its parts, as the sender's is indexed, because one that is not typed to its end is none yet."""

_QUERY = "$2::text::tsquery"
_MAY_FIT = "message_letters(m.subject, m.sender, m.body_text) LIKE ALL ($4::text[])"
_WAITING_FITS = f"{_MAY_FIT} AND {WORDS} @@ {_QUERY}"
"""Of a message whose words are not taken down yet: most that do not fit do not even hold the letters (`_letters`)."""
_WAITING = "(SELECT * FROM messages WHERE id = waiting.message_id OFFSET 0) m"
_OPENED = (
    "(m.mailbox_id IN (SELECT mailbox_id FROM mailbox_readers WHERE user_id = $1) "
    "OR m.conversation_id IN (SELECT conversation_id FROM shared_conversations WHERE user_id = $1)) "
    "AND ($3::bigint IS NULL OR m.mailbox_id = $3)"
)

INDEXED_HITS = f"{in_messages(_QUERY, _OPENED)} UNION ALL {in_comments(_QUERY)}"
WAITING_HITS = f"""
    SELECT m.conversation_id FROM words_waiting waiting CROSS JOIN LATERAL {_WAITING}
     WHERE {SHOWN} AND {_OPENED} AND {_WAITING_FITS}
"""

FOUND = f"WITH found AS MATERIALIZED ({INDEXED_HITS} UNION {WAITING_HITS}) "
"""Looked up once, whatever the planner thinks of it."""
BY_INDEX = "c.id IN (SELECT conversation_id FROM found)"
BY_WALK = walked(_QUERY, _WAITING_FITS)
IS_COMMON = f"""
    SELECT (SELECT count(*) >= {{common}} FROM (SELECT 1 FROM ({INDEXED_HITS}) every LIMIT {{common}}) found)
        OR (SELECT count(*) >= {{sampled}} / 10 FROM
                (SELECT message_id FROM words_waiting ORDER BY message_id DESC LIMIT {{sampled}}) waiting
                CROSS JOIN LATERAL {_WAITING}
             WHERE {SHOWN} AND {_OPENED} AND {_MAY_FIT})
"""
"""Many hits in the index; or, of those messages whose words wait, in a tenth of the newest."""
"""OFFSET 0 keeps the planner from looking up every hit, and from looking into messages before the cheap conditions."""

STATES = {
    "unread": UNREAD,
    "open": "c.status = 'open'",
    "done": "c.status = 'done'",
    "spam": "c.status = 'spam'",
    "trash": "c.status = 'trash'",
    "unassigned": "c.assignee_id IS NULL AND c.assigned_team_id IS NULL",
    "mine": "c.assignee_id = $1",
    "private": "c.visibility <> 'open'",
}


async def search(asker: Asker, *, q: str, mailbox_id: int | None, cursor: str | None) -> ConversationPage:
    """One page of the conversations that fit, newest first; none for an empty query.

    Raises Unacceptable for a query that is too long, NotFound for a mailbox that the person cannot open.
    """
    wanted = read_wanted(q)
    before_at, before_id = read_cursor(cursor)
    async with snapshot():
        if mailbox_id is not None:
            await access_mailbox(asker, mailbox_id)
        at = await stream_positions(asker, [] if mailbox_id is None else [mailbox_id])
        tsquery, letters = await _looked_for(wanted)
        if not wanted or (wanted.terms and not tsquery):
            return page_of([], PAGE, at)
        common = bool(tsquery) and await _is_common(asker, tsquery, mailbox_id, letters)
        by_index = f"AND {BY_INDEX} " if tsquery and not common else ""
        by_walk = BY_WALK if common else "($2::text IS NOT NULL AND $4::text[] IS NOT NULL)"
        rows = await fetch(
            f"{FOUND if by_index else ''}SELECT {ROW_COLUMNS}, {MARK_COLUMNS} FROM (SELECT c.* FROM conversations c "
            "LEFT JOIN read_marks r ON r.conversation_id = c.id AND r.user_id = $1 "
            "LEFT JOIN watermarks w ON w.mailbox_id = c.mailbox_id AND w.user_id = $1 "
            f"WHERE {SEES.format(user='$1')} AND NOT c.hidden AND ($3::bigint IS NULL OR c.mailbox_id = $3) {by_index}"
            "AND ($5::timestamptz IS NULL OR (c.last_at, c.id) < ($5, $6)) "
            "AND array_to_string(c.addressed, ' ') LIKE ALL ($7::text[]) "
            f"{''.join(f'AND {condition} ' for condition in _conditions(wanted))}"
            "ORDER BY c.last_at DESC, c.id DESC OFFSET 0) c "
            f"WHERE {by_walk} ORDER BY c.last_at DESC, c.id DESC LIMIT $8",
            asker.user_id,
            tsquery,
            mailbox_id,
            letters,
            before_at,
            before_id,
            [f"%{pattern_of(part)}%" for part in wanted.to],
            PAGE + 1,
        )
        return page_of(rows, PAGE, at)


_BLANKS = str.maketrans(dict.fromkeys("()[]{},;!?\"'*", " "))
"""What only ever stands between words."""


def _letters(folded: str) -> list[str]:
    """Words of a term that a text must hold to fit. What PostgreSQL takes apart in other ways is left to it."""
    if "<" in folded or "&" in folded:  # may begin markup, which has no words
        return []
    return [word for word in folded.translate(_BLANKS).split() if word.isascii() and word.isalnum()]


async def _looked_for(wanted: Wanted) -> tuple[str, list[str]]:
    """The terms as PostgreSQL's text of a tsquery, empty when nothing in them can be looked up (mere punctuation);
    and patterns of letters that a text has to hold to fit."""
    if not wanted.terms:
        return "", []
    record = await fetch_row(
        f"SELECT {TSQUERY} AS query, ARRAY(SELECT lower(fold_accents(t)) FROM unnest($1::text[]) t) AS folded",
        [term.text for term in wanted.terms],
        [term.suffix for term in wanted.terms],
    )
    if record is None or not record["query"]:
        return "", []
    return record["query"], [f"%{word}%" for text in record["folded"] for word in _letters(text)]


async def _is_common(asker: Asker, tsquery: str, mailbox_id: int | None, letters: list[str]) -> bool:
    query = IS_COMMON.format(common=COMMON, sampled=SAMPLED)
    return await fetch_value(query, asker.user_id, tsquery, mailbox_id, letters)


def _conditions(wanted: Wanted) -> list[str]:
    conditions = [f"({STATES[state]})" for state in sorted(wanted.states)]
    return [*conditions, "c.has_attachments"] if wanted.attachments else conditions
