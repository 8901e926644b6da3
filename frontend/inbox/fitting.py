"""Whether a conversation fits a view's filters, for who looks: pure, over the view of a tab.

Says of a row what `backend/views/compile.py` says in SQL; a test holds the two against each other. Only the words are
left out, for a tab does not hold the mails: lists with words ask the server again after a change.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

from backend.conversations.contracts import ConversationRow
from backend.views.contracts import Filters
from frontend.view import View


def fits(view: View, row: ConversationRow, filters: Filters, *, words: bool = True) -> bool:
    """Whether `row` stands in a view with these filters; `words`: whether it has their words."""
    if filters.mailbox_ids and row.mailbox_id not in filters.mailbox_ids:
        return False
    if not _status(row, filters) or not (filters.reminded or _awake(view, row)):
        return False
    asked = [fit for said, fit in _each(view, row, filters, words=words) if said]
    return all(asked) if filters.match == "all" else any(asked) or not asked


def _each(view: View, row: ConversationRow, filters: Filters, *, words: bool) -> Iterator[tuple[bool, bool]]:
    """Of each filter: whether it says anything, and whether the row fits it."""
    yield filters.assigned != "to_anybody", _assigned(view, row, filters)
    yield bool(filters.tag_ids), _tagged(view, row, filters)
    yield filters.unread, view.unread(row)
    yield filters.reminded, view.reminder(row.id) is not None
    yield filters.starred, row.starred
    yield filters.followed, view.me.person.id in row.follower_ids
    yield bool(filters.visibilities), row.visibility in filters.visibilities
    yield bool(filters.correspondent), _correspondent(row, filters.correspondent)
    yield bool(filters.words), words
    age = datetime.now(UTC) - row.last_at
    newer, older = filters.newer_than_days, filters.older_than_days
    yield newer is not None, newer is not None and age <= timedelta(days=newer)
    yield older is not None, older is not None and age > timedelta(days=older)


def _status(row: ConversationRow, filters: Filters) -> bool:
    return row.status in filters.statuses if filters.statuses else row.status not in ("spam", "trash")


def _assigned(view: View, row: ConversationRow, filters: Filters) -> bool:
    match filters.assigned:
        case "to_anybody":
            return True
        case "to_me":
            return row.assignee_id == view.me.person.id
        case "to_nobody":
            return row.assignee_id is None and row.assigned_team_id is None
        case "to_these":
            return row.assignee_id in filters.person_ids or row.assigned_team_id in filters.team_ids


def _tagged(view: View, row: ConversationRow, filters: Filters) -> bool:
    if not filters.tag_ids:
        return True
    on = [tag_id in row.tag_ids and tag_id in view.tags for tag_id in filters.tag_ids]
    return all(on) if filters.every_tag else any(on)


def _awake(view: View, row: ConversationRow) -> bool:
    mark = view.marks.get(row.id)
    return mark is None or not mark.snoozed


def _correspondent(row: ConversationRow, who: str) -> bool:
    wanted = who.lower().removeprefix("@")
    if not wanted:
        return True
    addresses = [each.address.lower() for each in row.correspondents]
    return wanted in (addresses if "@" in wanted else [each.partition("@")[2] for each in addresses])
