"""A conversation as a row of three lines."""

from __future__ import annotations

import operator
from collections.abc import Sequence
from typing import TypedDict

from backend.conversations.contracts import ConversationRow, Mark
from backend.search.contracts import Excerpt
from frontend.faces import NOBODY, Face, address_face, first_name, person_face, shown_name, team_face
from frontend.inbox.tags import LabelView, labels_on_row
from frontend.view import View

NAMES_SHOWN = 3
OUTBOX_TAGS = {
    "failed": ("Not sent", "red"),
    "unknown": ("Sent?", "amber"),
    "held": ("Held", "violet"),
    "sending": ("Sending", "accent"),
    "queued": ("Sending", "accent"),
    "scheduled": ("Scheduled", "accent"),
}
"""What a mail that has not left says on its row, and in which tone."""


class Tag(TypedDict):
    text: str
    tone: str


class PieceView(TypedDict):
    """A piece of text; `hit`: what was searched for."""

    text: str
    hit: bool


Excerpts = dict[int, Excerpt]
"""By conversation: where the words of a search stand."""
NO_EXCERPTS: Excerpts = {}


class RowView(TypedDict):
    """What the list shows of a conversation. Times are ISO 8601; the browser makes them relative."""

    id: int
    mailbox_id: int
    mailbox: str
    who: str
    count: str
    subject: str
    snippet: str
    at: str
    unread: bool
    comments: bool
    lock: str
    attached: bool
    outgoing: bool
    tags: list[Tag]
    face: Face
    assignee: Face
    remind_at: str
    remind_due: bool
    labels: list[LabelView]
    more_labels: str
    status: str
    visibility: str
    tag_ids: str
    remind_kind: str
    mine: bool
    assigned: str
    starred: bool
    pieces: list[PieceView]
    subject_pieces: list[PieceView]
    stands_in: str


def paint_row(view: View, row: ConversationRow, *, across: bool, excerpt: Excerpt | None = None) -> RowView:
    """The row of a conversation; `across` names its mailbox, for lists over several mailboxes. `excerpt`: where in it
    the words stand that it was found by."""
    mailbox = view.mailboxes.get(row.mailbox_id)
    reminder = view.reminder(row.id)
    labels, more_labels = labels_on_row(view, row)
    return RowView(
        id=row.id,
        mailbox_id=row.mailbox_id,
        mailbox=mailbox.name if across and mailbox else "",
        who=senders(row),
        count=str(row.message_count) if row.message_count > 1 else "",
        subject=row.subject.strip() or "(no subject)",
        snippet=row.snippet,
        at=row.last_at.isoformat(),
        unread=view.unread(row),
        comments=view.has_new_comments(row),
        lock=LOCKS.get(row.visibility, ""),
        attached=row.has_attachments,
        outgoing=row.last_direction == "outgoing",
        tags=_tags(view, row),
        face=address_face(row.correspondents[0] if row.correspondents else None),
        assignee=assignee_face(view, row),
        remind_at=reminder.at.isoformat() if reminder else "",
        remind_due=reminder is not None and reminder.due,
        labels=labels,
        more_labels=more_labels,
        status=row.status,
        visibility=row.visibility,
        tag_ids=" ".join(str(each) for each in row.tag_ids),
        remind_kind=reminder.kind if reminder else "",
        mine=row.assignee_id == view.me.person.id,
        assigned=f"{row.assignee_id or 0}:{row.assigned_team_id or 0}",
        starred=row.starred,
        pieces=[PieceView(text=each.text, hit=each.hit) for each in excerpt.pieces] if excerpt else [],
        subject_pieces=[PieceView(text=each.text, hit=each.hit) for each in excerpt.subject] if excerpt else [],
        stands_in=_stands_in(excerpt) if excerpt else "",
    )


def _stands_in(excerpt: Excerpt) -> str:
    """What the piece of text was taken from, where that is no mail."""
    if not excerpt.pieces:
        return ""
    return "Comment" if excerpt.comment_id is not None else excerpt.filename


class PaintedRows:
    """The rows of a list as they were painted last: what says the same as before is not painted again."""

    def __init__(self) -> None:
        self._about: tuple[object, ...] = ()
        self._known: dict[int, tuple[ConversationRow, Mark | None, RowView]] = {}

    def paint(
        self, view: View, rows: Sequence[ConversationRow], *, across: bool, excerpts: Excerpts | None = None
    ) -> list[RowView]:
        """These rows, in their order. What is kept are they alone."""
        excerpts = excerpts or NO_EXCERPTS
        about = (view.me, view.people, view.teams, view.tags, view.mailboxes, across, excerpts)
        same = len(self._about) == len(about) and all(map(operator.is_, about, self._about))
        known, self._about, self._known = self._known if same else {}, about, {}
        painted: list[RowView] = []
        for row in rows:
            mark = view.marks.get(row.id)
            before = known.get(row.id)
            if before is None or before[0] is not row or before[1] is not mark:
                before = (row, mark, paint_row(view, row, across=across, excerpt=excerpts.get(row.id)))
            self._known[row.id] = before
            painted.append(before[2])
        return painted


LOCKS = {
    "private": "Private: only people of this mailbox",
    "confidential": "Confidential: only those concerned",
}


def assignee_face(view: View, row: ConversationRow) -> Face:
    """Who has it: a person, a team (its initials on grey), or nobody."""
    if row.assignee_id is not None:
        return person_face(view.people.get(row.assignee_id))
    team = view.teams.get(row.assigned_team_id or 0)
    return team_face(team.name) if team else NOBODY


def senders(row: ConversationRow) -> str:
    """Who wrote, in one line."""
    names = [shown_name(each) for each in row.correspondents]
    if not names:
        return "Unknown sender"
    if len(names) == 1:
        return names[0]
    shown = [names[0], *(first_name(name) for name in names[1:NAMES_SHOWN])]
    more = len(names) - NAMES_SHOWN
    return ", ".join(shown) + (f" and {more} more" if more > 0 else "")


def _tags(view: View, row: ConversationRow) -> list[Tag]:
    """At most two marks, what needs attention first."""
    tags: list[Tag] = []
    if row.outbox in OUTBOX_TAGS:
        text, tone = OUTBOX_TAGS[row.outbox]
        tags.append(Tag(text=text, tone=tone))
    if row.draft_author_ids:
        mine = view.me.person.id in row.draft_author_ids
        other = view.people.get(row.draft_author_ids[0])
        whose = "Draft" if mine or other is None else f"{first_name(other.name)}’s draft"
        tags.append(Tag(text=whose, tone="green"))
    return tags[:2]
