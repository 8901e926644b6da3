"""Finding conversations by words, in messages and comments, among those that the asking person sees.

Newest first, and never slow, however many hits a word has: nothing is counted and nothing ranked. A word that few
messages hold is looked up in the index, and its conversations are sorted. For a word that very many hold that would be
slow (all of them would be fetched, to show fifty); there the conversations are walked from the newest on, and the walk
ends when the page is full. `COMMON` hits, found by reading no further, decide between the two.
"""

from backend.access.asker import Asker
from backend.access.fetch import SEES, access_mailbox, readable_mailboxes
from backend.contacts.queries import pattern_of
from backend.conversations.contracts import ConversationPage
from backend.conversations.queries import MARK_COLUMNS, page_of, read_cursor, stream_positions
from backend.conversations.rows import ROW_COLUMNS
from backend.database.connection import fetch, fetch_value, snapshot
from backend.mailboxes.queries import UNREAD
from backend.search.wanted import Wanted, read_wanted

PAGE = 50
COMMON = 1_000
"""Hits from which on a query counts as common."""

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

HITS = """
    SELECT m.conversation_id FROM messages m WHERE m.search @@ $2::text::tsquery AND m.gone_at IS NULL AND NOT m.hidden
       AND m.mailbox_id IN (SELECT mailbox_id FROM mailbox_readers WHERE user_id = $1)
       AND ($3::bigint IS NULL OR m.mailbox_id = $3)
    UNION ALL
    SELECT k.conversation_id FROM comments k WHERE k.search @@ $2::text::tsquery
"""

BY_INDEX = f"c.id IN ({HITS})"
BY_WALK = """
    (EXISTS (SELECT 1 FROM messages m
              WHERE m.conversation_id = c.id AND m.search @@ $2::text::tsquery AND m.gone_at IS NULL
                AND NOT m.hidden OFFSET 0)
     OR EXISTS (SELECT 1 FROM comments k WHERE k.conversation_id = c.id AND k.search @@ $2::text::tsquery OFFSET 0))
"""
"""OFFSET 0, here and in the walk, keeps the planner from looking up every hit, and from looking into messages before
the cheap conditions."""

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
        tsquery = await _tsquery(wanted)
        if not wanted or (wanted.terms and not tsquery) or not await readable_mailboxes(asker):
            return page_of([], PAGE, at)
        common = bool(tsquery) and await _is_common(asker, tsquery, mailbox_id)
        by_index = f"AND {BY_INDEX} " if tsquery and not common else ""
        by_walk = BY_WALK if common else "$2::text IS NOT NULL"
        rows = await fetch(
            f"SELECT {ROW_COLUMNS}, {MARK_COLUMNS} FROM (SELECT c.* FROM conversations c "
            "LEFT JOIN read_marks r ON r.conversation_id = c.id AND r.user_id = $1 "
            "LEFT JOIN watermarks w ON w.mailbox_id = c.mailbox_id AND w.user_id = $1 "
            f"WHERE {SEES.format(user='$1')} AND NOT c.hidden AND ($3::bigint IS NULL OR c.mailbox_id = $3) {by_index}"
            "AND ($4::timestamptz IS NULL OR (c.last_at, c.id) < ($4, $5)) "
            "AND array_to_string(c.addressed, ' ') LIKE ALL ($6::text[]) "
            f"{''.join(f'AND {condition} ' for condition in _conditions(wanted))}"
            "ORDER BY c.last_at DESC, c.id DESC OFFSET 0) c "
            f"WHERE {by_walk} ORDER BY c.last_at DESC, c.id DESC LIMIT $7",
            asker.user_id,
            tsquery,
            mailbox_id,
            before_at,
            before_id,
            [f"%{pattern_of(part)}%" for part in wanted.to],
            PAGE + 1,
        )
        return page_of(rows, PAGE, at)


async def _tsquery(wanted: Wanted) -> str:
    """The terms as PostgreSQL's text of a tsquery; empty when nothing in them can be looked up (mere punctuation)."""
    if not wanted.terms:
        return ""
    return await fetch_value(
        f"SELECT {TSQUERY}", [term.text for term in wanted.terms], [term.suffix for term in wanted.terms]
    )


async def _is_common(asker: Asker, tsquery: str, mailbox_id: int | None) -> bool:
    query = f"SELECT count(*) >= {COMMON} FROM (SELECT 1 FROM ({HITS}) every LIMIT {COMMON}) found"
    return await fetch_value(query, asker.user_id, tsquery, mailbox_id)


def _conditions(wanted: Wanted) -> list[str]:
    conditions = [f"({STATES[state]})" for state in sorted(wanted.states)]
    return [*conditions, "c.has_attachments"] if wanted.attachments else conditions
