"""From a view and an event to the next view: pure, so that what people see can be tested without a browser.

Two rules make the order in which answers and events arrive harmless: a row with a lower `version` never replaces a
newer one, and of two marks the one with the higher `revision` wins.
"""

from __future__ import annotations

from functools import singledispatch
from typing import Any, TypeVar

from msgspec.structs import replace

from backend.accounts.contracts import AccountStateChanged
from backend.compose.contracts import DraftChanged, DraftGone
from backend.contacts.contracts import ContactChanged, ContactGone
from backend.conversations.contracts import (
    CommentAdded,
    CommentChanged,
    ConversationAdded,
    ConversationChanged,
    ConversationDetail,
    ConversationGone,
    ConversationRow,
    HistoryStored,
    Mark,
    MarkChanged,
    MeetingChanged,
    MeetingGone,
    MessageAdded,
    MessageRemoved,
    OutgoingChanged,
    SharedFileChanged,
    SharedFileGone,
    WatermarkChanged,
)
from backend.events.contracts import EventFrame, PositionFrame, PresenceFrame
from backend.mailboxes.contracts import MailboxChanged, MailboxGained, MailboxGone
from backend.notifications.contracts import Notification, NotificationAdded, NotificationsRead
from backend.people.contracts import (
    MeChanged,
    OrganisationChanged,
    PersonChanged,
    TeamChanged,
    TeamGone,
)
from backend.tags.contracts import TagChanged, TagGone
from backend.views.contracts import ViewChanged, ViewGone
from frontend.view import NOTIFICATIONS_KEPT, View

Each = TypeVar("Each")

REARRANGING = ("joined", "unjoined", "split")
"""Activities after which a conversation holds other mail and comments than the events told."""


def receive(view: View, frame: EventFrame | PositionFrame | PresenceFrame) -> View:
    """`view` after a frame of the live socket. An event that the view already holds changes nothing."""
    if isinstance(frame, PresenceFrame):
        told = {each.conversation_id: each.people for each in frame.conversations}
        return replace(view, present={i: people for i, people in (view.present | told).items() if people})
    if isinstance(frame, PositionFrame):
        ahead = {each.stream: max(each.position, view.positions.get(each.stream, 0)) for each in frame.positions}
        return replace(view, positions=view.positions | ahead)
    if frame.position <= view.positions.get(frame.stream, 0):
        return view
    view = apply(frame.event, view)
    return replace(view, positions=view.positions | {frame.stream: frame.position})


@singledispatch
def apply(event: Any, view: View) -> View:
    """`view` after `event`."""
    raise TypeError(f"{type(event).__name__} is an event that the interface does not know.")


@apply.register
def _(event: ConversationAdded, view: View) -> View:
    view = _with_row(view, event.row)
    return _with_mark(view, event.mark) if event.mark is not None else view


@apply.register
def _(event: ConversationChanged, view: View) -> View:
    before = view.rows.get(event.row.id)
    view = _with_row(view, event.row)
    detail = view.details.get(event.row.id)
    if detail is None:
        return view
    if before is not None and _sight(before) != _sight(event.row):
        detail = replace(detail, viewer_ids=[])  # not known any more, until it is fetched again
    if event.activity is not None:
        detail = replace(detail, activities=_put(detail.activities, event.activity))
        if event.activity.kind in REARRANGING:
            view = replace(view, rearranged=view.rearranged | {event.row.id})
    return _with_detail(view, detail) if detail is not view.details[event.row.id] else view


@apply.register
def _(event: ConversationGone, view: View) -> View:
    known = view.rows.get(event.conversation_id)
    if known is not None and known.version > event.version > 0:
        return view  # it has come back, as another stream told before
    if event.version:
        up_to = max(event.version, view.gone.get(event.conversation_id, 0))
        view = replace(view, gone=view.gone | {event.conversation_id: up_to})
    view = _without(view, {event.conversation_id})
    return _untold(view, [each for each in view.notifications if each.conversation_id != event.conversation_id])


@apply.register
def _(event: MessageAdded, view: View) -> View:
    view = _with_row(view, event.row)
    detail = view.details.get(event.row.id)
    if detail is None:
        return view
    return _with_detail(view, replace(detail, messages=_put(detail.messages, event.message)))


@apply.register
def _(event: MessageRemoved, view: View) -> View:
    view = _with_row(view, event.row)
    detail = view.details.get(event.row.id)
    if detail is None:
        return view
    return _with_detail(
        view,
        replace(
            detail,
            messages=[each for each in detail.messages if each.id != event.message_id],
            bodies=[each for each in detail.bodies if each.message_id != event.message_id],
        ),
    )


@apply.register
def _(event: HistoryStored, view: View) -> View:
    return replace(view, history=view.history + 1)


@apply.register
def _(event: CommentAdded, view: View) -> View:
    view = _with_row(view, event.row)
    detail = view.details.get(event.row.id)
    if detail is None:
        return view
    return _with_detail(view, replace(detail, comments=_put(detail.comments, event.comment)))


@apply.register
def _(event: CommentChanged, view: View) -> View:
    view = _with_row(view, event.row)
    detail = view.details.get(event.row.id)
    if detail is None:
        return view
    return _with_detail(view, replace(detail, comments=_put(detail.comments, event.comment)))


@apply.register
def _(event: OutgoingChanged, view: View) -> View:
    view = _with_row(view, event.row)
    detail = view.details.get(event.row.id)
    if detail is None:
        return view
    return _with_detail(view, replace(detail, outgoing=_put(detail.outgoing, event.outgoing)))


@apply.register
def _(event: SharedFileChanged, view: View) -> View:
    view = _with_row(view, event.row)
    detail = view.details.get(event.row.id)
    if detail is None:
        return view
    return _with_detail(view, replace(detail, shared_files=_put(detail.shared_files, event.file)))


@apply.register
def _(event: SharedFileGone, view: View) -> View:
    detail = view.details.get(event.conversation_id)
    if detail is None:
        return view
    left = [each for each in detail.shared_files if each.id != event.file_id]
    return _with_detail(view, replace(detail, shared_files=left))


@apply.register
def _(event: MeetingChanged, view: View) -> View:
    view = _with_row(view, event.row)
    detail = view.details.get(event.row.id)
    if detail is None:
        return view
    return _with_detail(view, replace(detail, meetings=_put(detail.meetings, event.meeting)))


@apply.register
def _(event: MeetingGone, view: View) -> View:
    detail = view.details.get(event.conversation_id)
    if detail is None:
        return view
    left = [each for each in detail.meetings if each.id != event.meeting_id]
    return _with_detail(view, replace(detail, meetings=left))


@apply.register
def _(event: DraftChanged, view: View) -> View:
    detail = view.details.get(event.draft.conversation_id or 0)
    if detail is None:
        return view
    known = next((each for each in detail.drafts if each.id == event.draft.id), None)
    if known is not None and known.version > event.draft.version:
        return view
    return _with_detail(view, replace(detail, drafts=_put(detail.drafts, event.draft)))


@apply.register
def _(event: DraftGone, view: View) -> View:
    if event.conversation_id is None:
        return replace(view, gone_drafts=view.gone_drafts | {event.draft_id})
    detail = view.details.get(event.conversation_id or 0)
    if detail is None:
        return view
    return _with_detail(view, replace(detail, drafts=[each for each in detail.drafts if each.id != event.draft_id]))


@apply.register
def _(event: MarkChanged, view: View) -> View:
    known = view.marks.get(event.mark.conversation_id)
    view = _with_mark(view, event.mark)
    if event.mark.conversation_id not in view.rows and (event.mark.reminder or (known and known.reminder)):
        return replace(view, history=view.history + 1)  # it may stand on top now, or be hidden no more
    return view


@apply.register
def _(event: WatermarkChanged, view: View) -> View:
    mailbox = view.mailboxes.get(event.mailbox_id)
    if mailbox is None:
        return view
    read = max(mailbox.read_from, event.read_from)
    comments_read = max(mailbox.comments_read_from, event.comments_read_from)
    if (read, comments_read) == (mailbox.read_from, mailbox.comments_read_from):
        return view
    changed = replace(mailbox, read_from=read, comments_read_from=comments_read)
    return replace(view, mailboxes=view.mailboxes | {mailbox.id: changed})


@apply.register
def _(event: NotificationAdded, view: View) -> View:
    told = event.notification
    if any(each.id == told.id for each in view.notifications):  # told again: what it said may be gone
        kept = [replace(told, read=each.read) if each.id == told.id else each for each in view.notifications]
        return view if kept == view.notifications else replace(view, notifications=kept)
    return replace(
        view,
        notifications=[told, *view.notifications][:NOTIFICATIONS_KEPT],
        unread_notifications=view.unread_notifications + (not told.read),
    )


@apply.register
def _(event: NotificationsRead, view: View) -> View:
    read = set(event.ids)
    fresh = sum(1 for each in view.notifications if each.id in read and not each.read)
    return replace(
        view,
        notifications=[replace(each, read=True) if each.id in read else each for each in view.notifications],
        unread_notifications=max(0, view.unread_notifications - fresh),
    )


@apply.register
def _(event: MailboxChanged, view: View) -> View:
    known = view.mailboxes.get(event.mailbox.id)
    if known is None:
        return view
    changed = replace(event.mailbox, read_from=known.read_from, comments_read_from=known.comments_read_from)
    return replace(view, mailboxes=view.mailboxes | {changed.id: changed})


@apply.register
def _(event: MailboxGained, view: View) -> View:
    return replace(
        view,
        mailboxes=view.mailboxes | {event.mailbox.id: event.mailbox},
        gained=view.gained | {event.mailbox.id},
    )


@apply.register
def _(event: MailboxGone, view: View) -> View:
    mailboxes = {i: each for i, each in view.mailboxes.items() if i != event.mailbox_id}
    gone = {i for i, row in view.rows.items() if row.mailbox_id == event.mailbox_id}
    stream = f"mailbox:{event.mailbox_id}"
    view = _untold(view, [each for each in view.notifications if each.mailbox_id != event.mailbox_id])
    return replace(
        _without(view, gone),
        mailboxes=mailboxes,
        gained=view.gained - {event.mailbox_id},
        positions={name: at for name, at in view.positions.items() if name != stream},
    )


@apply.register
def _(event: AccountStateChanged, view: View) -> View:
    mailbox = view.mailboxes.get(event.state.mailbox_id)
    if mailbox is None:
        return view
    return replace(view, mailboxes=view.mailboxes | {mailbox.id: replace(mailbox, account=event.state)})


@apply.register
def _(event: OrganisationChanged, view: View) -> View:
    return replace(view, organisation=event.organisation)


@apply.register
def _(event: PersonChanged, view: View) -> View:
    me = view.me
    if event.person.id == me.person.id:
        me = replace(me, person=event.person)
    return replace(view, me=me, people=view.people | {event.person.id: event.person})


@apply.register
def _(event: TeamChanged, view: View) -> View:
    return replace(view, teams=view.teams | {event.team.id: event.team})


@apply.register
def _(event: TeamGone, view: View) -> View:
    return replace(view, teams={i: each for i, each in view.teams.items() if i != event.team_id})


@apply.register
def _(event: MeChanged, view: View) -> View:
    return replace(view, me=event.me, people=view.people | {event.me.person.id: event.me.person})


@apply.register
def _(event: ContactChanged, view: View) -> View:
    details = {
        i: replace(detail, contact=event.contact)
        for i, detail in view.details.items()
        if detail.contact is not None
        and detail.contact.id == event.contact.id
        and detail.contact.version <= event.contact.version
    }
    return replace(view, details=view.details | details) if details else view


@apply.register
def _(event: ContactGone, view: View) -> View:
    details = {
        i: replace(detail, contact=None)
        for i, detail in view.details.items()
        if detail.contact is not None and detail.contact.id == event.contact_id
    }
    return replace(view, details=view.details | details) if details else view


def _with_row(view: View, row: ConversationRow) -> View:
    known = view.rows.get(row.id)
    if row.version < (known.version if known is not None else view.gone.get(row.id, 0)):
        return view
    view = replace(view, rows=view.rows | {row.id: row})
    detail = view.details.get(row.id)
    return _with_detail(view, replace(detail, row=row)) if detail is not None else view


def _sight(row: ConversationRow) -> tuple[object, ...]:
    """On what it depends who sees a conversation, as far as its row tells."""
    if row.visibility != "confidential":
        return row.visibility, tuple(row.shared_user_ids), tuple(row.shared_team_ids)
    return row.visibility, row.assignee_id, row.assigned_team_id


def _with_mark(view: View, mark: Mark) -> View:
    known = view.marks.get(mark.conversation_id)
    if known is not None and known.revision > mark.revision:
        return view
    return replace(view, marks=view.marks | {mark.conversation_id: mark})


def _with_detail(view: View, detail: ConversationDetail) -> View:
    return replace(view, details=view.details | {detail.row.id: detail})


def _untold(view: View, kept: list[Notification]) -> View:
    """Without the notifications of what is out of sight: they name it. They are told again if it comes back."""
    if len(kept) == len(view.notifications):
        return view
    fresh = sum(not each.read for each in view.notifications) - sum(not each.read for each in kept)
    return replace(view, notifications=kept, unread_notifications=max(0, view.unread_notifications - fresh))


def _without(view: View, gone: set[int]) -> View:
    """What is gone is gone from where other conversations name it, too."""
    details = {i: _not_naming(each, gone) for i, each in view.details.items() if i not in gone}
    return replace(
        view,
        rows={i: each for i, each in view.rows.items() if i not in gone},
        marks={i: each for i, each in view.marks.items() if i not in gone},
        details=details,
        present={i: each for i, each in view.present.items() if i not in gone},
    )


def _not_naming(detail: ConversationDetail, gone: set[int]) -> ConversationDetail:
    links = [each for each in detail.links if each.conversation_id not in gone]
    earlier = [each for each in detail.earlier if each.id not in gone]
    also_in = [each for each in detail.also_in if each.conversation_id not in gone]
    if (len(links), len(earlier), len(also_in)) == (len(detail.links), len(detail.earlier), len(detail.also_in)):
        return detail
    return replace(detail, links=links, earlier=earlier, also_in=also_in)


@apply.register
def _(event: TagChanged, view: View) -> View:
    return replace(view, tags=view.tags | {event.tag.id: event.tag})


@apply.register
def _(event: TagGone, view: View) -> View:
    return replace(view, tags={i: each for i, each in view.tags.items() if i != event.tag_id})


@apply.register
def _(event: ViewChanged, view: View) -> View:
    return replace(view, views=view.views | {event.view.id: event.view})


@apply.register
def _(event: ViewGone, view: View) -> View:
    return replace(view, views={i: each for i, each in view.views.items() if i != event.view_id})


def _put(items: list[Each], item: Each) -> list[Each]:
    """`items` with `item` in the place of the one with its id, or at the end."""
    wanted = getattr(item, "id", None)
    if any(getattr(each, "id", None) == wanted for each in items):
        return [item if getattr(each, "id", None) == wanted else each for each in items]
    return [*items, item]
