"""A conversation as its pane: its head, its flow, and what stands beside it.

Several panes stand in the page at once (see frontend/inbox/state.py); each is one value, and a part that did not
change keeps its place in the browser.
"""

from __future__ import annotations

from typing import TypedDict

from backend.conversations.contracts import ConversationDetail
from frontend.faces import NOBODY, Face, address_face, first_name, person_face
from frontend.inbox.entries import EntryView
from frontend.inbox.flow import paint_flow
from frontend.inbox.merges import last_merge
from frontend.inbox.opened import Opened
from frontend.inbox.rows import LOCKS, assignee_face
from frontend.inbox.sharing import is_guest, seers, share_marks, share_names
from frontend.inbox.tags import LabelView, labels_of
from frontend.view import View

ENTRIES_SHOWN = 60
"""Newest entries of a long conversation that stand in the page; earlier ones come when asked for."""


class ContactView(TypedDict):
    id: int
    name: str
    company: str
    phone: str
    notes: str
    addresses: list[str]


class EarlierView(TypedDict):
    id: int
    subject: str
    status: str
    at: str
    mailbox_id: int
    mailbox: str


class PaneView(TypedDict):
    """A conversation standing in the page. `id` 0: the place is free."""

    id: int
    mailbox_id: int
    mailbox: str
    subject: str
    status: str
    visibility: str
    lock: str
    lock_names: str
    assignee: Face
    assignee_short: str
    assigned: str
    mine: bool
    unread: bool
    comments: bool
    remind_at: str
    remind_kind: str
    remind_due: bool
    labels: list[LabelView]
    tag_ids: str
    starred: bool
    following: bool
    followers: list[Face]
    follower_names: str
    guest: bool
    seers: list[int]
    shared_names: str
    shared: str
    merged: int
    hidden: int
    flow: list[EntryView]
    contact: ContactView
    correspondent: Face
    correspondent_address: str
    earlier: list[EarlierView]
    also_in: list[EarlierView]


NO_CONTACT = ContactView(id=0, name="", company="", phone="", notes="", addresses=[])
FREE = PaneView(
    id=0, mailbox_id=0, mailbox="", subject="", status="", visibility="", lock="", lock_names="", assignee=NOBODY,
    assignee_short="", assigned="", mine=False, unread=False, comments=False, remind_at="", remind_kind="",
    remind_due=False, labels=[], tag_ids="", starred=False, following=False, followers=[], follower_names="",
    guest=False, seers=[],
    shared_names="", shared="", merged=0, hidden=0, flow=[],
    contact=NO_CONTACT, correspondent=NOBODY, correspondent_address="", earlier=[], also_in=[],
)  # fmt: skip


def paint_pane(view: View, detail: ConversationDetail, opened: Opened) -> PaneView:
    """The pane of a conversation."""
    row = detail.row
    mailbox = view.mailboxes.get(row.mailbox_id)
    entries = paint_flow(view, detail, opened)
    hidden = 0 if opened.everything else max(0, len(entries) - ENTRIES_SHOWN)
    correspondent = row.correspondents[0] if row.correspondents else None
    reminder = view.reminder(row.id)
    seeing = mailbox.reader_ids if mailbox and row.visibility == "private" else detail.viewer_ids
    names = [person.name for i in seeing if (person := view.people.get(i))]
    following = [
        person
        for i in row.follower_ids
        if (person := view.people.get(i)) and (not detail.viewer_ids or i in detail.viewer_ids)
    ]
    return PaneView(
        id=row.id,
        mailbox_id=row.mailbox_id,
        mailbox=mailbox.name if mailbox else "",
        subject=row.subject.strip() or "(no subject)",
        status=row.status,
        visibility=row.visibility,
        lock=LOCKS.get(row.visibility, ""),
        lock_names=", ".join(sorted(names)) if row.visibility != "open" else "",
        assignee=assignee_face(view, row),
        assignee_short=first_name(assignee_face(view, row)["name"]),
        assigned=f"{row.assignee_id or 0}:{row.assigned_team_id or 0}",
        mine=row.assignee_id == view.me.person.id,
        unread=view.unread(row),
        comments=view.has_new_comments(row),
        remind_at=reminder.at.isoformat() if reminder else "",
        remind_kind=reminder.kind if reminder else "",
        remind_due=reminder is not None and reminder.due,
        labels=labels_of(view, row),
        tag_ids=" ".join(map(str, row.tag_ids)),
        starred=row.starred,
        following=view.me.person.id in row.follower_ids,
        followers=[person_face(each) for each in following],
        follower_names=", ".join(each.name for each in following),
        guest=is_guest(view, row),
        seers=seers(view, detail),
        shared_names=share_names(view, row),
        shared=share_marks(row),
        merged=0 if is_guest(view, row) else last_merge(detail),
        hidden=hidden,
        flow=entries[hidden:],
        contact=_contact(detail),
        correspondent=address_face(correspondent),
        correspondent_address=correspondent.address if correspondent else "",
        earlier=[
            EarlierView(
                id=each.id,
                subject=each.subject or "(no subject)",
                status=each.status.capitalize(),
                at=each.last_at.isoformat(),
                mailbox_id=each.mailbox_id,
                mailbox=view.mailbox_name(each.mailbox_id),
            )
            for each in detail.earlier
        ],
        also_in=[
            EarlierView(
                id=each.conversation_id,
                subject="",
                status="",
                at="",
                mailbox_id=each.mailbox_id,
                mailbox=view.mailbox_name(each.mailbox_id),
            )
            for each in detail.also_in
        ],
    )


def _contact(detail: ConversationDetail) -> ContactView:
    contact = detail.contact
    if contact is None:
        return NO_CONTACT
    return ContactView(
        id=contact.id,
        name=contact.name or (contact.addresses[0] if contact.addresses else ""),
        company=contact.company,
        phone=contact.phone,
        notes=contact.notes,
        addresses=list(contact.addresses),
    )
