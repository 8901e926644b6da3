"""Whether a conversation fits a view's filters, for who looks: pure, over the view of a tab.

Says of a row what `backend/views/compile.py` says in SQL; a test holds the two against each other. Only the words are
left out, for a tab does not hold the mails: lists with words ask the server again after a change.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from backend.conversations.contracts import ConversationRow
from backend.views.contracts import Filters
from frontend.view import View


def fits(view: View, row: ConversationRow, filters: Filters) -> bool:
    """Whether `row` stands in a view with these filters, but for its words."""
    return (
        (not filters.mailbox_ids or row.mailbox_id in filters.mailbox_ids)
        and _status(row, filters)
        and _assigned(view, row, filters)
        and _tagged(view, row, filters)
        and (not filters.unread or view.unread(row))
        and _reminded(view, row, filters)
        and (not filters.starred or row.starred)
        and (not filters.visibilities or row.visibility in filters.visibilities)
        and _correspondent(row, filters.correspondent)
        and _age(row, filters)
    )


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


def _reminded(view: View, row: ConversationRow, filters: Filters) -> bool:
    mark = view.marks.get(row.id)
    if filters.reminded:
        return mark is not None and mark.reminder is not None
    return mark is None or not mark.snoozed


def _correspondent(row: ConversationRow, who: str) -> bool:
    wanted = who.lower().removeprefix("@")
    if not wanted:
        return True
    addresses = [each.address.lower() for each in row.correspondents]
    return wanted in (addresses if "@" in wanted else [each.partition("@")[2] for each in addresses])


def _age(row: ConversationRow, filters: Filters) -> bool:
    age = datetime.now(UTC) - row.last_at
    newer, older = filters.newer_than_days, filters.older_than_days
    return (newer is None or age <= timedelta(days=newer)) and (older is None or age > timedelta(days=older))
