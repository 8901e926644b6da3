"""From the filters of a view to SQL: about the conversation `c`, the read mark `r` and the watermark `w` of who looks.

The only place where a filter becomes a condition; `frontend/inbox/fitting.py` says the same of the rows that a tab
holds, and a test holds the two against each other. Values travel as parameters; `$1` is the person who looks.
"""

from collections.abc import Callable
from dataclasses import dataclass, field

from backend.conversations.contracts import Status
from backend.mailboxes.queries import UNREAD
from backend.views.contracts import Filters

NOT_SNOOZED = "NOT (coalesce(r.remind_kind, '') = 'snooze' AND NOT r.remind_due)"
Put = Callable[[object, str], str]
Fits = Callable[[Put], str]


@dataclass(slots=True)
class Compiled:
    """Conditions that must all hold, and the values of `$1` and on."""

    values: list[object]
    conditions: list[str] = field(default_factory=list)

    def put(self, value: object, kind: str) -> str:
        """A parameter with this value."""
        self.values.append(value)
        return f"${len(self.values)}::{kind}"

    @property
    def sql(self) -> str:
        return " AND ".join(self.conditions)


def compile_filters(
    filters: Filters, user_id: int, *, words: Fits | None = None, only: Status | None = None
) -> Compiled:
    """The filters as seen by this person; `words`: a condition that says that a conversation fits what is searched for;
    `only`: of the conversations with this status."""
    made = Compiled([user_id])
    add, put = made.conditions.append, made.put
    if only is not None:
        add(f"c.status = {put(only, 'text')}")
    elif filters.statuses:
        add(f"c.status = ANY({put(list(filters.statuses), 'text[]')})")
    else:
        add("c.status NOT IN ('spam', 'trash')")
    if filters.mailbox_ids:
        add(f"c.mailbox_id = ANY({put(filters.mailbox_ids, 'bigint[]')})")
    fitting: list[str] = []
    add = fitting.append
    match filters.assigned:
        case "to_me":
            add("c.assignee_id = $1")
        case "to_nobody":
            add("c.assignee_id IS NULL AND c.assigned_team_id IS NULL")
        case "to_these":
            people, teams = put(filters.person_ids, "bigint[]"), put(filters.team_ids, "bigint[]")
            add(f"(c.assignee_id = ANY({people}) OR c.assigned_team_id = ANY({teams}))")
        case "to_anybody":
            pass
    if filters.tag_ids:
        tags = put(sorted(set(filters.tag_ids)), "bigint[]")
        known = f"ARRAY(SELECT id FROM tags WHERE id = ANY({tags}))"  # one that is gone is on nothing
        every = f"c.tag_ids @> {tags} AND cardinality({known}) = cardinality({tags})"
        add(f"c.tag_ids <> '{{}}' AND {every if filters.every_tag else f'c.tag_ids && {known}'}")
    if filters.unread:
        add(UNREAD)
    if filters.reminded:
        add("r.remind_at IS NOT NULL")
    else:
        made.conditions.append(NOT_SNOOZED)
    if filters.starred:
        add("c.starred")
    if filters.followed:
        add("c.follower_ids @> ARRAY[$1::bigint]")
    if filters.visibilities:
        add(f"c.visibility = ANY({put(list(filters.visibilities), 'text[]')})")
    if filters.correspondent:
        add(_writes(made, filters.correspondent.lower()))
    if words is not None:
        add(words(put))
    if filters.newer_than_days is not None:
        add(f"c.last_at >= now() - make_interval(days => {put(filters.newer_than_days, 'int')})")
    if filters.older_than_days is not None:
        add(f"c.last_at < now() - make_interval(days => {put(filters.older_than_days, 'int')})")
    if fitting:
        joined = (" AND " if filters.match == "all" else " OR ").join(f"({each})" for each in fitting)
        made.conditions.append(f"({joined})")
    return made


def _writes(made: Compiled, who: str) -> str:
    """Among the correspondents is this address, or one of this domain."""
    address = "lower(p ->> 'address')"
    wanted = made.put(who.removeprefix("@"), "text")
    fits = f"{address} = {wanted}" if "@" in who.removeprefix("@") else f"split_part({address}, '@', 2) = {wanted}"
    return f"EXISTS (SELECT 1 FROM jsonb_array_elements(c.correspondents) p WHERE {fits})"
