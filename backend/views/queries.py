"""Views that somebody may use, and what is in them for who looks: never for who saved them."""

import msgspec

from backend.access.asker import Asker
from backend.access.fetch import SEES
from backend.conversations.contracts import ConversationPage
from backend.conversations.queries import MARK_COLUMNS, page_of, read_cursor, stream_positions
from backend.conversations.rows import ROW_COLUMNS
from backend.database.connection import Row, fetch, fetch_value, snapshot
from backend.errors import BadRequest, NotFound
from backend.people.shared_with import uses
from backend.search.queries import fitting
from backend.views.compile import compile_filters
from backend.views.contracts import Filters, SavedView, ViewCount

MOST_COUNTED = 100

USES = uses("v")
"""SQL: the view `v` is the person's own, or shared with them."""

_FROM = (
    "FROM conversations c LEFT JOIN read_marks r ON r.conversation_id = c.id AND r.user_id = $1 "
    f"LEFT JOIN watermarks w ON w.mailbox_id = c.mailbox_id AND w.user_id = $1 WHERE {SEES.format(user='$1')} "
    "AND NOT c.hidden AND "
)
_filters = msgspec.json.Decoder(Filters)


def view_of(record: Row) -> SavedView:
    return SavedView(
        id=record["id"],
        name=record["name"],
        maker_id=record["maker_id"],
        shared=record["shared"],
        team_id=record["team_id"],
        filters=_filters.decode(record["filters"]),
        version=record["version"],
    )


async def read_views(asker: Asker) -> list[SavedView]:
    """The views that the person can use, by name."""
    records = await fetch(f"SELECT v.* FROM saved_views v WHERE {USES} ORDER BY lower(v.name), v.id", asker.user_id)
    return [view_of(record) for record in records]


async def read_shared_views() -> list[SavedView]:
    """Every view that is shared with anybody. For admins."""
    records = await fetch("SELECT * FROM saved_views WHERE shared <> 'nobody' ORDER BY lower(name), id")
    return [view_of(record) for record in records]


async def access_view(asker: Asker, view_id: int) -> SavedView:
    """A view that the person can use. Raises NotFound."""
    records = await fetch(f"SELECT v.* FROM saved_views v WHERE v.id = $2 AND {USES}", asker.user_id, view_id)
    if not records:
        raise view_is_gone()
    return view_of(records[0])


def view_is_gone() -> NotFound:
    return NotFound("There is no such view.", "It may have been deleted, or is no longer shared with you.")


def read_filters(text: str) -> Filters:
    """Filters out of an address. Raises BadRequest."""
    try:
        return _filters.decode(text or "{}")
    except msgspec.MsgspecError as fault:
        raise BadRequest("These are no filters.", "Choose them anew.") from fault


async def list_filtered(asker: Asker, filters: Filters, *, cursor: str | None, limit: int = 50) -> ConversationPage:
    """One page of what fits, in the order that the filters say, by keyset."""
    before_at, before_id = read_cursor(cursor)
    async with snapshot():
        made = compile_filters(filters, asker.user_id, words=await fitting(asker, filters.words))
        way, beyond = ("DESC", "<") if filters.order == "newest" else ("ASC", ">")
        if before_at is not None:
            place = f"({made.put(before_at, 'timestamptz')}, {made.put(before_id, 'bigint')})"
            made.conditions.append(f"(c.last_at, c.id) {beyond} {place}")
        records = await fetch(
            f"SELECT {ROW_COLUMNS}, {MARK_COLUMNS} {_FROM} {made.sql} "
            f"ORDER BY c.last_at {way}, c.id {way} LIMIT {made.put(limit + 1, 'int')}",
            *made.values,
        )
        return page_of(records, limit, await stream_positions(asker, []))


async def read_view_counts(asker: Asker) -> list[ViewCount]:
    """How much is open in each view that the person can use; in one that holds nothing open, nothing."""
    return [ViewCount(view_id=view.id, open=await _count(asker, view.filters)) for view in await read_views(asker)]


async def _count(asker: Asker, filters: Filters) -> int:
    if filters.statuses and "open" not in filters.statuses:
        return 0
    made = compile_filters(filters, asker.user_id, words=await fitting(asker, filters.words), only="open")
    return await fetch_value(
        f"SELECT count(*) FROM (SELECT 1 {_FROM} {made.sql} LIMIT {MOST_COUNTED}) found", *made.values
    )
