"""What one tab knows: the client's copy of the parts of the system that it shows.

The view is a value. `frontend/reduce.py` makes the next one from an event; whoever paints compares the two by
identity, so that only what changed is sent to the browser.
"""

from __future__ import annotations

import msgspec

from backend.contracts import StreamPosition
from backend.conversations.contracts import (
    ConversationDetail,
    ConversationItem,
    ConversationPage,
    ConversationRow,
    Mark,
    Reminder,
)
from backend.events.contracts import Present, Snapshot
from backend.mailboxes.contracts import Mailbox
from backend.notifications.contracts import Notification
from backend.people.contracts import Me, Organisation, Person, Team
from backend.tags.contracts import Tag
from backend.views.contracts import SavedView

NOTIFICATIONS_KEPT = 100


class View(msgspec.Struct, frozen=True, kw_only=True):
    """Everything a tab shows, by id. `details` holds the conversations that stand open or ready."""

    me: Me
    organisation: Organisation
    people: dict[int, Person]
    teams: dict[int, Team]
    tags: dict[int, Tag] = {}
    views: dict[int, SavedView] = {}
    mailboxes: dict[int, Mailbox]
    notifications: list[Notification]
    unread_notifications: int
    positions: dict[str, int]
    rows: dict[int, ConversationRow] = {}
    marks: dict[int, Mark] = {}
    gone: dict[int, int] = {}
    """The versions up to which conversations are out of sight, as far as that was told."""
    details: dict[int, ConversationDetail] = {}
    present: dict[int, list[Present]] = {}
    """Who else is in a conversation now, where anybody is."""
    history: int = 0
    """Grows when old mail was stored: the list is then fetched again."""
    rearranged: frozenset[int] = frozenset()
    """Conversations that got or lost mail and comments of others: whoever shows them fetches them again."""
    gone_drafts: frozenset[int] = frozenset()
    """Drafts outside of any conversation that were sent or thrown away while this view stood, here or elsewhere."""
    gained: frozenset[int] = frozenset()
    """Mailboxes that came into sight and are to be fetched by a new snapshot."""

    def reminder(self, conversation_id: int) -> Reminder | None:
        """This person's reminder of a conversation."""
        mark = self.marks.get(conversation_id)
        return mark.reminder if mark is not None else None

    def unread(self, row: ConversationRow) -> bool:
        """Whether `row` is unread for this person."""
        mark = self.marks.get(row.id)
        if mark is not None and mark.forced_unread:
            return True
        mailbox = self.mailboxes.get(row.mailbox_id)
        read = max(mark.read_up_to if mark else 0, mailbox.read_from if mailbox else 0)
        return row.last_arrival > read

    def comments_read(self, row: ConversationRow) -> int:
        """The newest comment of `row` that counts as read for this person."""
        mark = self.marks.get(row.id)
        mailbox = self.mailboxes.get(row.mailbox_id)
        return max(mark.comments_read_up_to if mark else 0, mailbox.comments_read_from if mailbox else 0)

    def has_new_comments(self, row: ConversationRow) -> bool:
        """Whether `row` has comments that are new to this person."""
        return row.last_comment_id > self.comments_read(row)

    def mailbox_name(self, mailbox_id: int) -> str:
        """What a mailbox is called; empty for one that is out of sight."""
        mailbox = self.mailboxes.get(mailbox_id)
        return mailbox.name if mailbox else ""


def begin(snapshot: Snapshot, before: View | None = None) -> View:
    """The view of a snapshot. What `before` had open stays, to be compared and fetched again."""
    view = View(
        me=snapshot.me,
        organisation=snapshot.organisation,
        people={person.id: person for person in snapshot.people},
        teams={team.id: team for team in snapshot.teams},
        tags={tag.id: tag for tag in snapshot.tags},
        views={saved.id: saved for saved in snapshot.views},
        mailboxes={mailbox.id: mailbox for mailbox in snapshot.mailboxes},
        notifications=snapshot.notifications[:NOTIFICATIONS_KEPT],
        unread_notifications=snapshot.unread_notifications,
        positions=positions_of(snapshot.positions),
    )
    for item in snapshot.conversations:
        view.rows[item.row.id] = item.row
        view.marks[item.row.id] = item.mark
    own = f"user:{view.me.person.id}"
    if before is not None and before.me.person.id == view.me.person.id:
        # What is shared comes on the person's own stream: of that nothing was missed.
        shared = before.positions.get(own) == view.positions.get(own) or before.mailboxes.keys() < view.mailboxes.keys()
        rows = {
            i: row
            for i, row in before.rows.items()
            if row.mailbox_id in view.mailboxes or (shared and row.mailbox_id not in before.mailboxes)
        }
        view = msgspec.structs.replace(
            view,
            rows=rows | view.rows,
            marks=before.marks | view.marks,
            details={i: kept for i, kept in before.details.items() if i in rows},
            gone_drafts=before.gone_drafts,
        )
    return view


def positions_of(positions: list[StreamPosition]) -> dict[str, int]:
    return {each.stream: each.position for each in positions}


def with_page(view: View, page: ConversationPage) -> View:
    """`view` with the rows of a fetched page; a row or mark that is older than the known one changes nothing."""
    rows, marks = dict(view.rows), dict(view.marks)
    for item in page.items:
        known = rows.get(item.row.id)
        if known is None or item.row.version >= known.version:
            rows[item.row.id] = item.row
        mark = marks.get(item.row.id)
        if mark is None or item.mark.revision >= mark.revision:
            marks[item.row.id] = item.mark
    return msgspec.structs.replace(view, rows=rows, marks=marks)


def with_item(view: View, item: ConversationItem) -> View:
    """`view` with one conversation's row and mark, as an action answered them."""
    return with_page(view, ConversationPage(items=[item], next_cursor=None, positions=[]))


def with_detail(view: View, detail: ConversationDetail) -> View:
    """`view` with a fetched conversation. A detail fetched just before an event never takes that event back."""
    known = view.rows.get(detail.row.id)
    if known is not None and known.version > detail.row.version:
        detail = msgspec.structs.replace(detail, row=known)
    mark = view.marks.get(detail.row.id)
    if mark is None or detail.mark.revision >= mark.revision:
        mark = detail.mark
    return msgspec.structs.replace(
        view,
        rows=view.rows | {detail.row.id: detail.row},
        marks=view.marks | {detail.row.id: mark},
        details=view.details | {detail.row.id: detail},
    )


def covers(detail: ConversationDetail, view: View) -> bool:
    """Whether `detail` holds every event that `view` has taken in: else one of them would be missing from it."""
    return all(view.positions.get(each.stream, 0) <= each.position for each in detail.positions)


def without_details(view: View, kept: set[int]) -> View:
    """`view` holding only the details in `kept`."""
    if view.details.keys() <= kept:
        return view
    return msgspec.structs.replace(view, details={i: d for i, d in view.details.items() if i in kept})
