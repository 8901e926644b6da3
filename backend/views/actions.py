"""Views made, changed, shared and deleted.

All of it is told on the organisation's stream, to those who can use the view: one stream, so that what came later is
told later. Who is in a team must not change meanwhile (`lock_memberships`).
"""

from collections.abc import Collection

import msgspec

from backend.access.asker import Asker
from backend.database.connection import Row, execute, fetch, fetch_row, fetch_value
from backend.errors import Forbidden, Unacceptable
from backend.events.record import ORGANISATION, Action, action
from backend.mailboxes.membership import lock_memberships
from backend.people.checks import check_name, refuse
from backend.views.contracts import Filters, SavedView, SaveView, ViewChanged, ViewGone
from backend.views.queries import USES, view_is_gone, view_of

MOST_VIEWS = 100
LONGEST_WORDS = 300
"""Characters."""
MOST_IDS = 500
MOST_DAYS = 3_660

Audience = set[int] | None
"""Who can use a view; None: everybody."""


async def create_view(asker: Asker, given: SaveView) -> SavedView:
    """A new view of the person's own, or one that they share. Raises Unacceptable."""
    name, filters = check_name(given.name), check_filters(given.filters)
    async with action(asker.user_id) as act:
        await lock_memberships()
        await _check_sharing(asker, given)
        if await fetch_value("SELECT count(*) FROM saved_views WHERE maker_id = $1", asker.user_id) >= MOST_VIEWS:
            raise Unacceptable(f"You have {MOST_VIEWS} views already.", "Delete some that you do not use.")
        record = await fetch_row(
            "INSERT INTO saved_views (name, maker_id, shared, team_id, filters, version, created_at) "
            "VALUES ($1, $2, $3, $4, $5, 1, now()) RETURNING *",
            name,
            asker.user_id,
            given.shared,
            given.team_id if given.shared == "team" else None,
            msgspec.json.encode(filters).decode(),
        )
        assert record is not None
        view = view_of(record)
        _tell(act, view, await _audience(view))
    return view


async def save_view(asker: Asker, view_id: int, given: SaveView) -> SavedView:
    """Change a view, or with whom it is shared. It stays its maker's. Raises NotFound, Forbidden and Unacceptable."""
    name, filters = check_name(given.name), check_filters(given.filters)
    async with action(asker.user_id) as act:
        await lock_memberships()
        before = view_of(await _changeable(asker, view_id))
        if (given.shared, given.team_id) != (before.shared, before.team_id):
            await _check_sharing(asker, given)
        saw = await _audience(before)
        record = await fetch_row(
            "UPDATE saved_views SET name = $2, filters = $3, shared = $4, team_id = $5, version = version + 1 "
            "WHERE id = $1 RETURNING *",
            view_id,
            name,
            msgspec.json.encode(filters).decode(),
            given.shared,
            given.team_id if given.shared == "team" else None,
        )
        assert record is not None
        view = view_of(record)
        uses = await _audience(view)
        if lost := await _lost(saw, uses):
            act.record(ORGANISATION, ViewGone(view_id=view_id), audience=lost)
        _tell(act, view, uses)
    return view


async def delete_view(asker: Asker, view_id: int) -> None:
    """Away with it, for everybody it is shared with. Raises NotFound and Forbidden."""
    async with action(asker.user_id) as act:
        await lock_memberships()
        view = view_of(await _changeable(asker, view_id))
        audience = await _audience(view)
        await execute("DELETE FROM saved_views WHERE id = $1", view_id)
        act.record(ORGANISATION, ViewGone(view_id=view_id), audience=audience)


async def team_changed(act: Action, team_id: int, before: Collection[int], after: Collection[int]) -> None:
    """Whoever joined or left the team gains or loses its views. Call inside the action, under `lock_memberships`."""
    for view in await _of_team(team_id):
        others = {view.maker_id}
        if gained := set(after) - set(before) - others:
            _tell(act, view, gained)
        if lost := set(before) - set(after) - others:
            act.record(ORGANISATION, ViewGone(view_id=view.id), audience=lost)


async def team_dissolved(act: Action, team_id: int, members: Collection[int]) -> None:
    """The team's views are their makers' alone again. Call before it is deleted."""
    for view in await _of_team(team_id):
        record = await fetch_row(
            "UPDATE saved_views SET shared = 'nobody', team_id = NULL, version = version + 1 WHERE id = $1 RETURNING *",
            view.id,
        )
        assert record is not None
        if lost := set(members) - {view.maker_id}:
            act.record(ORGANISATION, ViewGone(view_id=view.id), audience=lost)
        _tell(act, view_of(record), {view.maker_id})


def check_filters(given: Filters) -> Filters:
    """Filters as they are kept. Raises Unacceptable for what nobody can mean."""
    for ids in (given.mailbox_ids, given.person_ids, given.team_ids, given.tag_ids):
        if len(ids) > MOST_IDS or not all(0 < each < 2**63 for each in ids):
            raise refuse("filters", "One of these is not here any more.", "Choose among what is listed.")
    for days in (given.newer_than_days, given.older_than_days):
        if days is not None and not 0 < days <= MOST_DAYS:
            raise refuse("filters", f"Days are a number from 1 to {MOST_DAYS}.", "Choose another number.")
    words, who = " ".join(given.words.split()), given.correspondent.strip().lower()
    if max(len(words), len(who)) > LONGEST_WORDS or not f"{words}{who}".isprintable():
        raise refuse("filters", f"Words have at most {LONGEST_WORDS} characters.", "Choose fewer words.")
    return msgspec.structs.replace(given, words=words, correspondent=who)


async def _changeable(asker: Asker, view_id: int) -> Row:
    """A view that the person may change: their own, or as an admin one that is shared."""
    record = await fetch_row(
        f"SELECT v.*, {USES} AS used FROM saved_views v WHERE v.id = $2 FOR UPDATE OF v", asker.user_id, view_id
    )
    shared = record is not None and record["shared"] != "nobody"
    if record is None or not (record["used"] or (shared and asker.is_admin)):
        raise view_is_gone()
    if record["maker_id"] != asker.user_id and not asker.is_admin:
        raise Forbidden("Only its maker and admins change a shared view.", "Save one of your own with other filters.")
    return record


async def _check_sharing(asker: Asker, given: SaveView) -> None:
    if given.shared != "team":
        return
    if given.team_id is None:
        raise refuse("team_id", "A view is shared with one team.", "Choose a team.")
    member = await fetch_value(
        "SELECT 1 FROM teams t WHERE t.id = $1 AND ($3 OR EXISTS "
        "(SELECT 1 FROM team_members m WHERE m.team_id = t.id AND m.user_id = $2))",
        given.team_id,
        asker.user_id,
        asker.is_admin,
    )
    if member is None:
        raise refuse("team_id", "You are not in this team.", "Choose a team of yours.")


async def _of_team(team_id: int) -> list[SavedView]:
    records = await fetch("SELECT * FROM saved_views WHERE shared = 'team' AND team_id = $1 ORDER BY id", team_id)
    return [view_of(record) for record in records]


async def _audience(view: SavedView) -> Audience:
    if view.shared == "everybody":
        return None
    members = await fetch("SELECT user_id FROM team_members WHERE team_id = $1", view.team_id)
    return {view.maker_id, *(record["user_id"] for record in members)}


async def _lost(saw: Audience, uses: Audience) -> set[int]:
    if uses is None:
        return set()
    everybody = {record["id"] for record in await fetch("SELECT id FROM users")} if saw is None else saw
    return everybody - uses


def _tell(act: Action, view: SavedView, audience: Audience) -> None:
    act.record(ORGANISATION, ViewChanged(view=view), audience=audience)
