"""Finding conversations, among those that the asking person sees.

Newest first, and never slow, however many hits a word has: nothing is counted and nothing ranked. Of every group of a
search (backend/search/compile.py) that an index serves, the conversations are looked up, as long as these are few
(`MOST_HITS`); what is in all of these sets, and fits the rest, is sorted. A group with more hits is common: it is
looked for in conversations one by one instead. If all groups are common the conversations are walked from the newest
on, and the walk ends when the page is full. It would go through everybody's mail where each of several words is common
and all together are rare; there those are found that hold them in one message, and what else is among the newest
(`WALKED`).
"""

from collections.abc import Callable, Sequence
from datetime import datetime

from backend.access.asker import Asker
from backend.access.fetch import SEES, access_mailbox
from backend.conversations.contracts import ConversationPage
from backend.conversations.queries import MARK_COLUMNS, page_of, read_cursor, stream_positions
from backend.conversations.rows import ROW_COLUMNS
from backend.database.connection import Row, fetch, fetch_row, fetch_value, snapshot
from backend.search.compile import MAY_FIT, OPENED, Part, Plan, Put, make_plan
from backend.search.contracts import FoundPage
from backend.search.excerpts import read_excerpts
from backend.search.ranking import rank
from backend.search.spelling import meant_by
from backend.search.wanted import LONGEST_QUERY, Wanted, read_wanted
from backend.search.words import SHOWN, in_messages

PAGE = 50
MOST_HITS = 3_000
"""Hits of a group up to which its conversations are looked up."""
WALKED = 1_000
"""Conversations, the newest, that are walked for words that are common each and rare together."""
SAMPLED = 500
"""Messages whose words wait that are looked at for whether a group is common."""
FEW = 3
"""Conversations up to which other words than those typed are offered."""


class Values:
    """The parameters of one query. `$1` is the person, `$2` the mailbox."""

    def __init__(self, asker: Asker, mailbox_id: int | None) -> None:
        self.all: list[object] = [asker.user_id, mailbox_id]

    def put(self, value: object, kind: str) -> str:
        """A parameter with this value."""
        self.all.append(value)
        return f"${len(self.all)}::{kind}"


async def search(asker: Asker, *, q: str, mailbox_id: int | None, cursor: str | None) -> FoundPage:
    """One page of the conversations that fit; none for an empty query.

    Raises Unacceptable for a query that is too long, NotFound for a mailbox that the person cannot open.
    """
    wanted = read_wanted(q)
    async with snapshot():
        if mailbox_id is not None:
            await access_mailbox(asker, mailbox_id)
        page, plan = await _found(asker, wanted, mailbox_id, cursor)
        meant, instead = None, False
        if cursor is None and len(page.items) <= FEW:
            meant = await meant_by(asker, wanted, mailbox_id, is_found)
            if meant is not None and not page.items:
                page, plan = await _found(asker, meant, mailbox_id, None)
                instead = True
        excerpts = await read_excerpts([item.row for item in page.items], plan.shown)
        return FoundPage(
            items=page.items,
            next_cursor=page.next_cursor,
            positions=page.positions,
            excerpts=excerpts,
            told=plan.said,
            meant=meant.written().strip() if meant is not None else "",
            instead=instead,
            by_relevance=plan.by_relevance and bool(plan.words),
        )


async def is_found(asker: Asker, wanted: Wanted, mailbox_id: int | None) -> bool:
    """Whether the person finds anything by it."""
    plan = await make_plan(asker, wanted)
    return bool(plan.groups) and bool(await _rows(asker, plan, mailbox_id, (None, 0), limit=1))


async def _found(
    asker: Asker, wanted: Wanted, mailbox_id: int | None, cursor: str | None
) -> tuple[ConversationPage, Plan]:
    plan = await make_plan(asker, wanted)
    at = await stream_positions(asker, [] if mailbox_id is None else [mailbox_id])
    if plan.by_relevance and plan.words:
        return await rank(plan, cursor, PAGE, at, lambda most: _rows(asker, plan, mailbox_id, (None, 0), most)), plan
    place = read_cursor(cursor)
    rows = await _rows(asker, plan, mailbox_id, place, PAGE + 1) if plan.groups else []
    return page_of(rows, PAGE, at), plan


async def _rows(
    asker: Asker, plan: Plan, mailbox_id: int | None, place: tuple[datetime | None, int], limit: int
) -> Sequence[Row]:
    """The newest conversations that fit, behind a place, with ROW_COLUMNS and MARK_COLUMNS."""
    known, unserved = await _look_up(asker, plan, mailbox_id)
    if known is not None and not known:
        return []
    values = Values(asker, mailbox_id)
    put = values.put
    inner = [SEES.format(user="$1"), "NOT c.hidden", "($2::bigint IS NULL OR c.mailbox_id = $2)"]
    if not plan.everywhere:
        inner.append("c.status NOT IN ('spam', 'trash')")
    if known is not None:
        inner.append(f"c.id = ANY({put(sorted(known), 'bigint[]')})")
    before_at, before_id = place
    if before_at is not None:
        inner.append(f"(c.last_at, c.id) < ({put(before_at, 'timestamptz')}, {put(before_id, 'bigint')})")
    outer: list[str] = []
    for parts in unserved:
        condition = _any(parts, put)
        # What an index serves is common here: it is looked for in one conversation after the other.
        (outer if any(part.hits for part in parts) else inner).append(condition)
    if known is None and len(plan.words) > 1 and len(outer) > 1:
        outer.append(await _rare_together(asker, plan, mailbox_id, put))
    return await fetch(
        f"SELECT {ROW_COLUMNS}, {MARK_COLUMNS} FROM (SELECT c.* FROM conversations c "
        "LEFT JOIN read_marks r ON r.conversation_id = c.id AND r.user_id = $1 "
        "LEFT JOIN watermarks w ON w.mailbox_id = c.mailbox_id AND w.user_id = $1 "
        f"WHERE {' AND '.join(inner)} ORDER BY c.last_at DESC, c.id DESC OFFSET 0) c "
        f"WHERE {' AND '.join(outer) or 'true'} ORDER BY c.last_at DESC, c.id DESC LIMIT {put(limit, 'int')}",
        *values.all,
    )


async def fitting(asker: Asker, q: str) -> Callable[[Put], str] | None:
    """A condition on `c`, `r` and `w` of whoever reads conversations anyway: it fits the search. None where the search
    says nothing."""
    plan = await make_plan(asker, read_wanted(q, LONGEST_QUERY))
    if not plan.groups:
        return None
    known, unserved = await _look_up(asker, plan, None)

    def condition(put: Put) -> str:
        fit = [_any(parts, put) for parts in unserved]
        if known is not None:
            fit.append(f"c.id = ANY({put(sorted(known), 'bigint[]')})")
        return " AND ".join(fit) or "true"

    return condition


def _any(parts: Sequence[Part], put: Put) -> str:
    return f"({' OR '.join(part.condition(put) for part in parts)})"


async def _look_up(asker: Asker, plan: Plan, mailbox_id: int | None) -> tuple[set[int] | None, list[list[Part]]]:
    """The conversations that fit all groups which are looked up, None where none is; and the other groups."""
    served = [parts for parts in plan.groups if all(part.hits for part in parts)]
    unserved = [parts for parts in plan.groups if parts not in served]
    if not served:
        return None, unserved
    values = Values(asker, mailbox_id)
    columns: list[str] = []
    most: list[int] = []
    for parts in served:
        most.append(min(part.most or MOST_HITS for part in parts))
        hits = " UNION ALL ".join(part.hits(values.put) for part in parts if part.hits)
        columns.append(f"ARRAY(SELECT conversation_id FROM ({hits}) hits LIMIT {most[-1] + 1})")
    common = await _waiting_are_common(asker, plan, mailbox_id)
    if common:
        return None, plan.groups
    record = await fetch_row(f"SELECT {', '.join(f'{each} AS s{n}' for n, each in enumerate(columns))}", *values.all)
    assert record is not None
    known: set[int] | None = None
    for number, parts in enumerate(served):
        ids = record[f"s{number}"]
        if len(ids) > most[number]:
            unserved.append(parts)
        else:
            known = set(ids) if known is None else known & set(ids)
    return known, unserved


async def _waiting_are_common(asker: Asker, plan: Plan, mailbox_id: int | None) -> bool:
    """Whether of the newest messages whose words wait a tenth may fit: then there are too many to be read."""
    if not plan.words or not await fetch_value("SELECT EXISTS (SELECT 1 FROM words_waiting)"):
        return False
    values = Values(asker, mailbox_id)
    fits = " OR ".join(MAY_FIT.format(letters=values.put(list(each.letters), "text[]")) for each in plan.words)
    return await fetch_value(
        f"SELECT count(*) >= {SAMPLED // 10} FROM (SELECT message_id FROM words_waiting ORDER BY message_id DESC "
        f"LIMIT {SAMPLED}) waiting CROSS JOIN LATERAL "
        "(SELECT * FROM messages WHERE id = waiting.message_id OFFSET 0) m "
        f"WHERE {SHOWN} AND {OPENED} AND ({fits})",
        *values.all,
    )


async def _rare_together(asker: Asker, plan: Plan, mailbox_id: int | None, put: Put) -> str:
    """A condition that ends the walk early where few messages hold all the words, each of which is common."""
    values = Values(asker, mailbox_id)
    query = values.put(" & ".join(f"({each.query})" for each in plan.words), "text")
    records = await fetch(
        f"SELECT hits.conversation_id FROM ({in_messages(f'{query}::tsquery', OPENED)}) hits LIMIT {WALKED + 1}",
        *values.all,
    )
    if len(records) > WALKED:
        return "true"
    newest = await fetch_value(
        f"SELECT c.last_at FROM conversations c WHERE {SEES.format(user='$1')} AND NOT c.hidden "
        f"AND ($2::bigint IS NULL OR c.mailbox_id = $2) ORDER BY c.last_at DESC, c.id DESC OFFSET {WALKED} LIMIT 1",
        asker.user_id,
        mailbox_id,
    )
    if newest is None:
        return "true"
    ids = put([record["conversation_id"] for record in records], "bigint[]")
    return f"(c.last_at > {put(newest, 'timestamptz')} OR c.id = ANY({ids}))"
