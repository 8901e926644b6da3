"""A conversation as its pane: messages, comments, activity and mails on their way, in one flow.

Several panes stand in the page at once (see frontend/inbox/state.py); each is one value, and a part that did not
change keeps its place in the browser.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Literal, TypedDict

import msgspec

from backend.compose.contracts import Draft, Outgoing
from backend.conversations.contracts import (
    Activity,
    Comment,
    CommentFile,
    ConversationDetail,
    LinkedConversation,
)
from backend.documents.contracts import SharedFile
from backend.mail.contracts import AttachmentItem, MailAddress, MessageBody, MessageItem
from frontend.faces import NOBODY, Face, address_face, first_name, person_face, shown_name
from frontend.inbox.came import CameView, paint_came
from frontend.inbox.comment_text import Link, comment_html
from frontend.inbox.meetings import NO_MEETING, MeetingView, paint_meeting
from frontend.inbox.merges import last_merge, revocable, split_choices
from frontend.inbox.rows import LOCKS, Tag, assignee_face
from frontend.inbox.shared_files import file_open, opened_words
from frontend.inbox.sharing import is_guest, seers, share_marks, share_names
from frontend.inbox.tags import LabelView, labels_of
from frontend.sizes import size_words
from frontend.view import View

TEXT_SHOWN = 20_000
"""Characters of one body that stand in the page at first; the rest comes when asked for."""
PICTURES = frozenset({"image/png", "image/jpeg", "image/gif", "image/webp", "image/avif", "image/bmp"})
"""Files of these types are shown small beside a comment."""
CALENDARS = frozenset({"text/calendar", "application/ics"})
"""Of a mail of ours that invites: the meeting itself stands below it."""
ENTRIES_SHOWN = 60
"""Newest entries of a long conversation that stand in the page; earlier ones come when asked for."""


EntryKind = Literal["message", "comment", "activity", "outgoing", "writing", "fresh", "shared", "meeting"]


class FileView(TypedDict):
    """`picture`: where it is served to be shown small; empty for what is no picture. `id`: of a comment's file."""

    id: int
    name: str
    size: str
    url: str
    picture: str


class ReactionView(TypedDict):
    emoji: str
    count: int
    names: str
    mine: bool


class EntryView(TypedDict):
    """One piece of the flow. `kind` says which of the fields mean something."""

    key: str
    kind: EntryKind
    id: int
    at: str
    face: Face
    who: str
    address: str
    to_whom: str
    open: bool
    outgoing: bool
    snippet: str
    text: str
    html: str
    cut: bool
    quoted: str
    quoted_open: bool
    frame: str
    blocked: int
    images: bool
    files: list[FileView]
    problems: str
    raw: str
    mine: bool
    edited_at: str
    deleted: bool
    reactions: list[ReactionView]
    tag: Tag
    reason: str
    remedy: str
    server_words: str
    refused: list[str]
    choices: list[str]
    subject: str
    leaves_at: str
    came: list[CameView]
    author: int
    meeting: MeetingView


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


class Opened(msgspec.Struct, frozen=True, kw_only=True):
    """What stands unfolded in a pane. Ids of messages.

    `itself` and `known` are fixed when the conversation comes into the page, so that a mail arriving while somebody
    reads folds nothing away; what is not `known` arrived since, and stands open.
    """

    itself: frozenset[int] = frozenset()
    known: frozenset[int] = frozenset()
    toggled: frozenset[int] = frozenset()
    quotes: frozenset[int] = frozenset()
    images: frozenset[int] = frozenset()
    whole: frozenset[int] = frozenset()
    everything: bool = False
    comments_read: int = 0
    """Comments above this id were new when the conversation was opened."""


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
    entries = _entries(view, detail, opened)
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
                mailbox=_mailbox_name(view, each.mailbox_id),
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
                mailbox=_mailbox_name(view, each.mailbox_id),
            )
            for each in detail.also_in
        ],
    )


def first_opened(view: View, detail: ConversationDetail) -> Opened:
    """What stands open when a conversation comes into the page: its newest message, and what is unread."""
    messages = sorted(detail.messages, key=lambda each: (each.date, each.id))
    itself = {messages[-1].id} if messages else set[int]()
    read = detail.mark.read_up_to
    itself |= {each.id for each in messages if each.arrival > read > 0}
    return Opened(
        itself=frozenset(itself),
        known=frozenset(each.id for each in messages),
        comments_read=view.comments_read(detail.row),
    )


def stands_open(detail: ConversationDetail, opened: Opened) -> set[int]:
    """The messages that are unfolded."""
    fresh = {each.id for each in detail.messages} - opened.known
    return (fresh | opened.itself) ^ opened.toggled


def _mailbox_name(view: View, mailbox_id: int) -> str:
    mailbox = view.mailboxes.get(mailbox_id)
    return mailbox.name if mailbox else ""


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


def _entries(view: View, detail: ConversationDetail, opened: Opened) -> list[EntryView]:
    bodies = {body.message_id: body for body in detail.bodies}
    standing = stands_open(detail, opened)
    timed: list[tuple[datetime, int, EntryView]] = []
    guest = is_guest(view, detail.row)
    splits = split_choices(detail) if not guest else {}
    for message in detail.messages:
        entry = _message(view, message, bodies.get(message.id), message.id in standing, opened)
        entry["choices"], entry["subject"] = splits.get(message.id, []), message.subject
        if message.direction == "outgoing" and not guest:
            entry["choices"] = [*entry["choices"], "template"]
        timed.append((message.date, 0, entry))
    links = {each.id: link_of(view, each) for each in detail.links}
    fresh = _first_new(view, detail, opened)
    for comment in detail.comments:
        if comment is fresh:
            line = _entry("fresh", "fresh")
            line["id"] = comment.id - 1  # stands before it, and after what was said at the same moment
            timed.append((comment.created_at, 1, line))
        timed.append((comment.created_at, 1, _comment(view, comment, links)))
    merges = [] if is_guest(view, detail.row) else revocable(detail.activities)
    for activity in detail.activities:
        entry = _activity(view, activity)
        entry["choices"] = ["unmerge"] if activity.id in merges else []
        timed.append((activity.at, 2, entry))
    for file in detail.shared_files:
        timed.append((file.at, 0, _shared_file(file, guest=is_guest(view, detail.row))))
    waiting: list[EntryView] = []
    for meeting in detail.meetings:
        entry = _entry(f"g{meeting.id}", "meeting")
        telling = [each for each in detail.messages if each.meeting_id == meeting.id]
        entry["id"] = meeting.id
        entry["meeting"] = paint_meeting(
            meeting, view.me.time_zone, changeable=bool(telling) and not is_guest(view, detail.row)
        )
        if telling:  # right below the newest mail that tells of it
            newest = max(telling, key=lambda each: (each.date, each.id))
            entry["id"] = newest.id
            timed.append((newest.date, 0, entry))
        else:
            waiting.append(entry)
    timed.sort(key=lambda each: (each[0], each[1], each[2]["id"]))
    entries = [entry for _, _, entry in timed]
    entries += [_outgoing(view, each) for each in detail.outgoing if needs_showing(each)]
    entries += waiting
    for draft in detail.drafts:
        if draft.author_id != view.me.person.id:
            entries.append(_writing(view, draft))
    return entries


def _first_new(view: View, detail: ConversationDetail, opened: Opened) -> Comment | None:
    """The first comment that is new since the conversation was opened, or was then: a line stands above it."""
    me = view.me.person.id
    return next(
        (
            each
            for each in detail.comments
            if each.id > opened.comments_read and each.author_id != me and not each.deleted
        ),
        None,
    )


def _entry(key: str, kind: EntryKind) -> EntryView:
    return EntryView(
        key=key, kind=kind, id=0, at="", face=NOBODY, who="", address="", to_whom="", open=True, outgoing=False,
        snippet="", text="", html="", cut=False, quoted="", quoted_open=False, frame="", blocked=0, images=False,
        files=[], problems="", raw="", mine=False, edited_at="", deleted=False, reactions=[],
        tag=Tag(text="", tone=""), reason="", remedy="", server_words="",
        refused=[], choices=[], subject="", leaves_at="", came=[], author=0, meeting=NO_MEETING,
    )  # fmt: skip


def _shared_file(file: SharedFile, *, guest: bool) -> EntryView:
    entry = _entry(f"s{file.id}", "shared")
    entry["id"] = file.id
    entry["at"] = file.at.isoformat()
    whose = f" to {file.recipient.name or file.recipient.address}" if file.recipient else ""
    entry["text"] = f"{file.filename}, by link{whose}: {opened_words(file)}"
    entry["leaves_at"] = file.viewed_at.isoformat() if file.viewed_at else ""
    entry["reason"] = "" if file_open(file) else "the link is closed" if file.closed else "the link has ended"
    entry["choices"] = ["close_link"] if file_open(file) and not guest else []
    return entry


def _message(view: View, message: MessageItem, body: MessageBody | None, is_open: bool, opened: Opened) -> EntryView:
    entry = _entry(f"m{message.id}", "message")
    author = view.people.get(message.author_id or 0)
    entry["id"] = message.id
    entry["at"] = message.date.isoformat()
    entry["face"] = person_face(author) if author else address_face(message.sender)
    entry["who"] = author.name if author else _name(message.sender)
    entry["address"] = message.sender.address if message.sender else ""
    entry["to_whom"] = _recipients(view, message)
    entry["open"] = is_open
    entry["outgoing"] = message.direction == "outgoing"
    entry["snippet"] = message.snippet
    entry["raw"] = f"/api/v1/messages/{message.id}/raw"
    if not is_open:
        return entry
    entry["files"] = [
        _file(message.id, each)
        for each in message.attachments
        if not each.inline and not (message.meeting_id and each.content_type in CALENDARS)
    ]
    entry["problems"] = " ".join(message.problems)
    if body is None:
        return entry
    entry["quoted_open"] = message.id in opened.quotes
    if body.html_url:
        entry["images"] = message.id in opened.images
        # Quoted text comes folded inside the frame's own document.
        entry["frame"] = f"{body.html_url}?remote={int(entry['images'])}&quoted={int(body.has_quoted_html)}"
        entry["blocked"] = 0 if entry["images"] else body.blocked_remote
        return entry
    whole = message.id in opened.whole
    entry["text"] = body.text if whole else body.text[:TEXT_SHOWN]
    entry["cut"] = body.cut or (not whole and len(body.text) > TEXT_SHOWN)
    entry["quoted"] = body.quoted_text[:TEXT_SHOWN] if entry["quoted_open"] else ("yes" if body.quoted_text else "")
    return entry


def _name(address: MailAddress | None) -> str:
    return shown_name(address) if address else "Unknown sender"


def _recipients(view: View, message: MessageItem) -> str:
    ours = {each.address.lower(): each.name for each in view.mailboxes.values()}
    names = [ours.get(each.address.lower()) or first_name(shown_name(each)) for each in message.to[:3]]
    more = len(message.to) + len(message.cc) - len(names)
    if not names:
        return "to nobody named"
    return "to " + ", ".join(names) + (f" and {more} more" if more > 0 else "")


def _file(message_id: int, file: AttachmentItem) -> FileView:
    return FileView(
        id=0,
        name=file.filename or "unnamed",
        size=size_words(file.size),
        url=f"/api/v1/messages/{message_id}/attachments/{file.position}",
        picture="",
    )


def _comment_file(file: CommentFile) -> FileView:
    url = f"/api/v1/comment-files/{file.id}"
    return FileView(
        id=file.id,
        name=file.filename,
        size=size_words(file.size),
        url=url,
        picture=f"{url}/picture" if file.content_type in PICTURES else "",
    )


def link_of(view: View, link: LinkedConversation) -> Link:
    """A link of a comment, as the conversation it leads to stands now."""
    row = view.rows.get(link.conversation_id)
    subject, status = (row.subject, row.status) if row else (link.subject, link.status)
    return Link(
        link.id,
        link.conversation_id,
        row.mailbox_id if row else link.mailbox_id,
        subject.strip() or "(no subject)",
        status.capitalize(),
    )


def _comment(view: View, comment: Comment, links: Mapping[int, Link]) -> EntryView:
    entry = _entry(f"c{comment.id}", "comment")
    author = view.people.get(comment.author_id)
    entry["id"] = comment.id
    entry["at"] = comment.created_at.isoformat()
    entry["face"] = person_face(author)
    entry["who"] = first_name(author.name) if author else "Somebody"
    entry["text"] = comment.text
    entry["mine"] = comment.author_id == view.me.person.id
    entry["edited_at"] = comment.edited_at.isoformat() if comment.edited_at else ""
    entry["deleted"] = comment.deleted
    entry["reactions"] = [
        ReactionView(
            emoji=each.emoji,
            count=len(each.user_ids),
            names=", ".join(view.people[i].name for i in each.user_ids if i in view.people),
            mine=view.me.person.id in each.user_ids,
        )
        for each in comment.reactions
    ]
    people = [view.people[i].name for i in comment.mention_ids if i in view.people]
    teams = [view.teams[i].name for i in comment.team_mention_ids if i in view.teams]
    names = [*people, *(first_name(name) for name in people), *teams]
    entry["html"] = comment_html(comment.text, names, [links.get(i) or Link(i) for i in comment.link_ids])
    entry["files"] = [_comment_file(each) for each in comment.files]
    return entry


def _activity(view: View, activity: Activity) -> EntryView:
    entry = _entry(f"a{activity.id}", "activity")
    entry["id"] = activity.id
    entry["at"] = activity.at.isoformat()
    entry["text"] = activity_words(view, activity)
    return entry


STATUS_WORDS = {
    "open": "opened this again",
    "done": "marked this done",
    "trash": "moved this to Trash",
    "spam": "marked this as spam",
}
STATUS_ELSEWHERE = {
    "open": "This was moved back to the inbox in the mail account",
    "done": "This was moved away from the inbox in the mail account",
    "trash": "This was deleted in the mail account",
    "spam": "This was moved to spam in the mail account",
}
"""Where another mail program did it, and nobody here."""
VISIBILITY_WORDS = {
    "open": "opened this to the mailbox",
    "private": "made this private",
    "confidential": "made this confidential",
}


def activity_words(view: View, activity: Activity) -> str:
    """One activity as a sentence without its time."""
    actor = view.people.get(activity.actor_id or 0)
    who = "You" if actor and actor.id == view.me.person.id else first_name(actor.name) if actor else "Tandem"
    match activity.kind:
        case "assigned":
            if activity.subject_id == activity.actor_id:
                return f"{who} took this"
            return f"{who} assigned {_person_word(view, activity.subject_id)}"
        case "assigned_in_turn":
            name = _person_word(view, activity.subject_id)
            return f"{name[:1].upper()}{name[1:]} got this in turn"
        case "unassigned":
            return f"{who} gave this back"
        case "assigned_team":
            team = view.teams.get(activity.subject_id or 0)
            return f"{who} assigned {team.name if team else 'a team'}"
        case "reopened":
            return "New mail opened this again"
        case "status":
            if actor is None:
                return STATUS_ELSEWHERE.get(activity.value, "This was changed in the mail account")
            return f"{who} {STATUS_WORDS.get(activity.value, 'changed this')}"
        case "visibility":
            return f"{who} {VISIBILITY_WORDS.get(activity.value, 'changed who sees this')}"
        case "joined":
            if actor is not None:
                return f"{who} merged {_others(activity.value)} into this one"
            return "Another conversation was joined into this one"
        case "moved":
            return f"{who} moved this{_from_where(view, activity.value)} to {_where(view, activity.subject_id)}"
        case "split":
            return f"{who} split a mail off into a conversation of its own"
        case "split_from":
            return f"{who} split this off another conversation"
        case "unjoined":
            return f"{who} took a merge back"
        case "shared" | "unshared":
            shown = _person_word(view, activity.subject_id)
            return f"{who} shared this with {shown}" if activity.kind == "shared" else f"{who} took this from {shown}"
        case "shared_team" | "unshared_team":
            named = view.teams.get(activity.subject_id or 0)
            shown = named.name if named else "a team"
            return (
                f"{who} shared this with {shown}" if activity.kind == "shared_team" else f"{who} took this from {shown}"
            )
        case "added":
            return f"{who} added {_person_word(view, activity.subject_id)}"
        case "tagged" | "untagged":
            did = "added" if activity.kind == "tagged" else "removed"
            elsewhere = "" if actor else " in the mail account"
            return f"{who if actor else 'Somebody'} {did} the tag {activity.value}{elsewhere}"
        case "starred" | "unstarred":
            did = "added a star" if activity.kind == "starred" else "took the star away"
            where = "" if actor else " in the mail account"
            return f"{who if actor else 'Somebody'} {did}{where}"
        case "took_over":
            owner = view.people.get(activity.subject_id or 0)
            whose = (
                "your" if owner and owner.id == view.me.person.id else f"{first_name(owner.name)}’s" if owner else "a"
            )
            return f"{who} took over {whose} reply"
        case "blocked":
            return f"{who} blocked {activity.value}"
        case "unblocked":
            return f"{who} took back the block of {activity.value}"


def _where(view: View, mailbox_id: int | None) -> str:
    return _mailbox_name(view, mailbox_id or 0) or "another mailbox"


def _from_where(view: View, number: str) -> str:
    name = _mailbox_name(view, int(number)) if number.isdecimal() else ""
    return f" from {name}" if name else ""


def _others(number: str) -> str:
    return "another conversation" if number in ("", "1") else f"{number} other conversations"


def _person_word(view: View, person_id: int | None) -> str:
    person = view.people.get(person_id or 0)
    if person is None:
        return "somebody"
    return "you" if person.id == view.me.person.id else first_name(person.name)


OUTGOING_TAGS = {
    "scheduled": Tag(text="Scheduled", tone="accent"),
    "queued": Tag(text="On its way", tone="accent"),
    "sending": Tag(text="On its way", tone="accent"),
    "failed": Tag(text="Not sent", tone="red"),
    "unknown": Tag(text="Perhaps sent", tone="amber"),
    "held": Tag(text="Held", tone="violet"),
    "sent": Tag(text="Not to everybody", tone="amber"),
}
CHOICES = {
    "failed": ["send_again", "edit", "cancel"],
    "unknown": ["was_sent", "send_again", "edit"],
    "held": ["send_anyway", "edit", "cancel"],
    "sent": ["edit", "was_sent"],
    "scheduled": ["send_now", "edit", "cancel"],
}
"""What a person may decide about a mail that has not left, the likeliest first."""


def needs_showing(mail: Outgoing) -> bool:
    """Whether a mail of the outbox stands in the flow: it has not left, or not to everybody."""
    return mail.state not in ("sent", "cancelled") or (mail.state == "sent" and mail.reason != "")


def _outgoing(view: View, mail: Outgoing) -> EntryView:
    entry = _entry(f"o{mail.id}", "outgoing")
    author = view.people.get(mail.author_id)
    entry["id"] = mail.id
    entry["at"] = mail.created_at.isoformat()
    entry["face"] = person_face(author)
    entry["who"] = author.name if author else "Somebody"
    entry["to_whom"] = "to " + ", ".join(first_name(shown_name(each)) for each in mail.to[:3])
    entry["outgoing"] = True
    entry["text"] = mail.text
    entry["tag"] = OUTGOING_TAGS.get(mail.state, Tag(text="", tone=""))
    entry["reason"] = mail.reason
    entry["remedy"] = mail.remedy
    entry["server_words"] = mail.server_words
    entry["refused"] = [f"{each.address}: {each.reason}" for each in mail.recipients if each.state == "refused"]
    entry["choices"] = CHOICES.get(mail.state, [])
    entry["came"] = paint_came(view, mail.came)
    entry["leaves_at"] = mail.send_at.isoformat() if mail.send_at else ""
    return entry


def _writing(view: View, draft: Draft) -> EntryView:
    """A colleague's draft: its whole text as it is formatted, as far as it is saved."""
    entry = _entry(f"d{draft.id}", "writing")
    author = view.people.get(draft.author_id)
    entry["id"] = draft.id
    entry["author"] = draft.author_id
    entry["at"] = draft.updated_at.isoformat()
    entry["face"] = person_face(author)
    entry["who"] = first_name(author.name) if author else "Somebody"
    entry["outgoing"] = draft.kind == "forward"
    entry["to_whom"] = ", ".join(shown_name(each) for each in draft.to[:3])
    entry["snippet"] = " ".join(draft.text[:300].split())
    entry["text"] = draft.text[:TEXT_SHOWN]
    entry["html"] = draft.html or ""
    return entry
