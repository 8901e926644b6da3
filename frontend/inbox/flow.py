"""The flow of a conversation: mails, comments, activity and mails on their way, in the order of time."""

from __future__ import annotations

from datetime import datetime

from backend.conversations.contracts import Comment, ConversationDetail
from backend.documents.contracts import SharedFile
from frontend.inbox.activities import activity_entry
from frontend.inbox.comments import comment_entry, link_of
from frontend.inbox.entries import EntryView, entry_of
from frontend.inbox.meetings import paint_meeting
from frontend.inbox.merges import revocable, split_choices
from frontend.inbox.messages import message_entry
from frontend.inbox.opened import Opened, stands_open
from frontend.inbox.shared_files import file_open, opened_words
from frontend.inbox.sharing import is_guest
from frontend.inbox.unsent import needs_showing, outgoing_entry, writing_entry
from frontend.view import View


def paint_flow(view: View, detail: ConversationDetail, opened: Opened) -> list[EntryView]:
    """Everything that stands in a conversation. What has not left comes last."""
    bodies = {body.message_id: body for body in detail.bodies}
    standing = stands_open(detail, opened)
    timed: list[tuple[datetime, int, EntryView]] = []
    guest = is_guest(view, detail.row)
    splits = split_choices(detail) if not guest else {}
    for message in detail.messages:
        entry = message_entry(view, message, bodies.get(message.id), message.id in standing, opened)
        entry["choices"], entry["subject"] = splits.get(message.id, []), message.subject
        if message.direction == "outgoing" and not guest:
            entry["choices"] = [*entry["choices"], "template"]
        timed.append((message.date, 0, entry))
    links = {each.id: link_of(view, each) for each in detail.links}
    fresh = _first_new(view, detail, opened)
    for comment in detail.comments:
        if comment is fresh:
            line = entry_of("fresh", "fresh")
            line["id"] = comment.id - 1  # stands before it, and after what was said at the same moment
            timed.append((comment.created_at, 1, line))
        timed.append((comment.created_at, 1, comment_entry(view, comment, links)))
    merges = [] if is_guest(view, detail.row) else revocable(detail.activities)
    for activity in detail.activities:
        entry = activity_entry(view, activity)
        entry["choices"] = ["unmerge"] if activity.id in merges else []
        timed.append((activity.at, 2, entry))
    for file in detail.shared_files:
        timed.append((file.at, 0, _shared_file(file, guest=is_guest(view, detail.row))))
    waiting: list[EntryView] = []
    for meeting in detail.meetings:
        entry = entry_of(f"g{meeting.id}", "meeting")
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
    entries += [outgoing_entry(view, each) for each in detail.outgoing if needs_showing(each)]
    entries += waiting
    for draft in detail.drafts:
        if draft.author_id != view.me.person.id:
            entries.append(writing_entry(view, draft))
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


def _shared_file(file: SharedFile, *, guest: bool) -> EntryView:
    entry = entry_of(f"s{file.id}", "shared")
    entry["id"] = file.id
    entry["at"] = file.at.isoformat()
    whose = f" to {file.recipient.name or file.recipient.address}" if file.recipient else ""
    entry["text"] = f"{file.filename}, by link{whose}: {opened_words(file)}"
    entry["leaves_at"] = file.viewed_at.isoformat() if file.viewed_at else ""
    entry["reason"] = "" if file_open(file) else "the link is closed" if file.closed else "the link has ended"
    entry["choices"] = ["close_link"] if file_open(file) and not guest else []
    return entry
